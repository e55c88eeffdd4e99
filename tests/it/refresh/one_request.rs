//! Refreshing against a server that counts: one request, whoever asks, and nothing lost on failure.

use std::process::Stdio;
use std::time::Duration;

use crate::support::issuer::{Account, Scripted};

use crate::support::{World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
fn a_fresh_token_needs_no_server() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 3_600);
    let ran = world.run(&TOKEN);
    assert_eq!(
        (ran.code, ran.out.trim_end(), ran.err.as_str()),
        (0, access.as_str(), "")
    );
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
fn an_expired_token_is_refreshed_and_everything_else_kept() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", -10);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(ran.out.trim_end(), access);
    let profile = &world.store()["profiles"]["openai-codex:default"];
    assert_eq!(profile["access"], ran.out.trim_end());
    assert_ne!(profile["refresh"], refresh);
    assert_eq!(profile["custom"], "keepme");
    assert_eq!(profile["accountId"], "acct_1");
    let requests = issuer.token_requests();
    assert_eq!(requests.len(), 1);
    let mut request = requests[0].clone();
    request.sort();
    let expected = [
        ("client_id", "test-client"),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    assert_eq!(request, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[test]
fn thirty_two_processes_make_one_request() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(Duration::from_millis(200));
    world.seed(&issuer, "main", -10);
    let children: Vec<_> = (0..32)
        .map(|_| {
            let mut command = world.command(&TOKEN);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let runs: Vec<_> = children
        .into_iter()
        .map(|child| ran(child.wait_with_output().unwrap()))
        .collect();
    assert!(runs.iter().all(|ran| ran.code == 0), "{runs:?}");
    assert!(
        runs.iter()
            .all(|ran| ran.out == runs[0].out && !ran.out.is_empty())
    );
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn copies_of_one_grant_move_together() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", -10);
    world.seed_with("work", -10, &access, &refresh);
    world.add_agent("work");
    let mut args = TOKEN.to_vec();
    args.extend(["--agent", "work"]);
    let work = world.run(&args);
    let main = world.run(&TOKEN);
    assert_eq!((work.code, main.code), (0, 0), "{work:?} {main:?}");
    assert_eq!(work.out, main.out);
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn an_agent_reads_through_to_main_and_copies_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    world.add_agent("work");
    let mut args = TOKEN.to_vec();
    args.extend(["--agent", "work"]);
    let work = world.run(&args);
    assert_eq!(work.code, 0, "{work:?}");
    assert_eq!(
        world.store()["profiles"]["openai-codex:default"]["access"],
        work.out.trim_end()
    );
    assert!(
        !world
            .state()
            .join("agents/work/agent/auth-profiles.json")
            .exists()
    );
}

#[test]
fn a_refusal_is_remembered_and_deletes_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "old-access", "rt-that-nobody-issued");
    let before = world.store();
    let first = world.run(&TOKEN);
    let second = world.run(&TOKEN);
    assert_eq!((first.code, second.code), (3, 3), "{first:?}");
    assert!(first.err.contains("invalid_grant"), "{first:?}");
    let hint =
        "Try: openclaw models auth login --provider openai-codex --profile-id openai-codex:default";
    assert!(second.err.contains(hint), "{second:?}");
    assert_eq!(
        issuer.token_requests().len(),
        1,
        "a refused grant is not sent again"
    );
    assert_eq!(world.store(), before);
    let status = world.run(&["models", "status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    let facts = &status["openclaw"]["profiles"][0];
    assert_eq!(facts["lastRefusal"]["code"], "invalid_grant");
}

#[test]
fn a_living_token_outlives_a_server_in_trouble() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 60);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    let ran = world.run(&TOKEN);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, access.as_str()),
        "{ran:?}"
    );
    assert!(ran.err.contains("Warning:"), "{ran:?}");
}

#[test]
fn a_dead_token_and_a_server_in_trouble_is_temporary() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        status: 429,
        headers: vec![("Retry-After", "120".to_owned())],
        ..Scripted::default()
    });
    let first = world.run(&TOKEN);
    let second = world.run(&TOKEN);
    assert_eq!((first.code, second.code), (4, 4), "{first:?} {second:?}");
    assert!(
        first.err.contains("No credentials were changed."),
        "{first:?}"
    );
    assert_eq!(
        issuer.token_requests().len(),
        1,
        "Retry-After is honoured across processes"
    );
}

#[test]
fn no_answer_is_an_unknown_outcome_and_tried_once_more() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    let first = world.run(&TOKEN);
    assert_eq!(first.code, 7, "{first:?}");
    assert!(first.err.contains("may already be used"), "{first:?}");
    let second = world.run(&TOKEN);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.err.contains("trying once more"), "{second:?}");
}

#[test]
fn a_grant_is_not_sent_to_another_address() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    assert_eq!(world.run(&TOKEN).code, 0);
    let other = issuer.manifest().replace("/oauth/token", "/other/token");
    world.write("providers/openai-codex.toml", &other);
    let refresh = ["models", "auth", "refresh", "--force"];
    let ran = world.run(&refresh);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn refresh_says_what_was_and_what_is() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 7_200);
    let fresh = world.run(&["models", "auth", "refresh"]);
    assert!(fresh.out.contains("still fresh"), "{fresh:?}");
    let forced = world.run(&[
        "models",
        "auth",
        "refresh",
        "--profile",
        "openai-codex:default",
        "--force",
    ]);
    assert_eq!(
        forced.out,
        "openai-codex:default: refreshed; previous token expires in 2h; new token expires in 1h\n"
    );
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_signal_waits_for_the_commit() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(Duration::from_millis(400));
    let (_, spent) = world.seed(&issuer, "main", -10);
    let mut command = world.command(&TOKEN);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (143, ""), "{ran:?}");
    assert_ne!(
        world.store()["profiles"]["openai-codex:default"]["refresh"],
        spent
    );
}

#[test]
fn a_refresh_that_is_under_way_is_no_login_in_doubt() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.set_delay(Duration::from_secs(60));
    let mut command = world.command(&TOKEN);
    let mut refreshing = command.stdout(Stdio::piped()).spawn().unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = world.run(&["models", "status", "--json"]);
    assert!(!status.out.contains("in doubt"), "{status:?}");
    let prompt = ["models", "status", "--prompt", "--provider", "openai-codex"];
    assert_eq!(world.run(&prompt).out, "");
    // Now nobody will ever know.
    refreshing.kill().unwrap();
    refreshing.wait().unwrap();
    let status = world.run(&["models", "status", "--json"]);
    assert!(status.out.contains("in doubt"), "{status:?}");
}
