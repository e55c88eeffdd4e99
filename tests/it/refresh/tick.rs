//! `tick`: what is due and what lies idle is renewed once, whoever else is at it; what needs a
//! person is told, and nothing else.

mod metrics;
mod timer;

use std::process::Stdio;

use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::{Value, json};

use crate::status::alert_hooks::Bell;
use crate::support::{World, millis_from_now, ran};

const TICK: [&str; 2] = ["tick", "--no-spread"];
const JSON: [&str; 3] = ["tick", "--no-spread", "--json"];
const DAY: i64 = 86_400;

pub(super) fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Logins of the issuer that end so many seconds from now, by name; their refresh tokens.
fn seed(world: &World, issuer: &Issuer, agent: &str, logins: &[(&str, i64)]) -> Vec<String> {
    let mut spent = Vec::new();
    let mut profiles = serde_json::Map::new();
    for (name, left) in logins {
        let (access, refresh) = issuer.issue();
        let login = json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": millis_from_now(*left),
        });
        profiles.insert(format!("openai-codex:{name}"), login);
        spent.push(refresh);
    }
    write(world, agent, &Value::Object(profiles));
    spent
}

pub(super) fn write(world: &World, agent: &str, profiles: &Value) {
    let store = json!({ "version": 1, "profiles": profiles }).to_string();
    world.write(&format!("agents/{agent}/agent/auth-profiles.json"), &store);
}

/// The refresh tokens that were sent, sorted.
fn sent(issuer: &Issuer) -> Vec<String> {
    let pairs = issuer.token_requests().into_iter().flatten();
    let mut sent: Vec<String> = pairs
        .filter(|(name, _)| name == "refresh_token")
        .map(|(_, value)| value)
        .collect();
    sent.sort();
    sent
}

#[test]
fn tick_renews_what_is_due_of_every_agent_and_says_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    let mut due = seed(
        &world,
        &issuer,
        "main",
        &[("a", -10), ("b", 60), ("c", 7_200)],
    );
    due.truncate(2);
    due.extend(seed(&world, &issuer, "work", &[("d", -10)]));
    due.sort();
    let ran = world.run(&TICK);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(sent(&issuer), due);
    let again = world.run(&JSON);
    assert_eq!(report(&again.out)["logins"], json!([]));
    assert_eq!(issuer.token_requests().len(), 3);
}

#[test]
fn what_lies_idle_is_renewed_and_what_was_just_proven_is_not() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(&world, &issuer, "main", &[("a", -10)]);
    assert_eq!(world.run(&TICK).code, 0);
    world.age_grants(6 * DAY);
    assert_eq!(report(&world.run(&JSON).out)["logins"], json!([]));
    world.age_grants(8 * DAY);
    let idle = report(&world.run(&JSON).out)["logins"][0].clone();
    assert_eq!(
        (&idle["why"], &idle["result"]),
        (&"idle".into(), &"refreshed".into())
    );
    assert_eq!(report(&world.run(&JSON).out)["logins"], json!([]));
    assert_eq!(issuer.token_requests().len(), 2);

    // A manifest knows better how long its server waits.
    let manifest = format!("{}\n[refresh]\nidle = \"30d\"\n", issuer.manifest());
    world.write("providers/openai-codex.toml", &manifest);
    world.age_grants(8 * DAY);
    assert_eq!(report(&world.run(&JSON).out)["logins"], json!([]));
}

#[test]
fn an_idle_login_whose_token_may_be_spent_is_left_alone() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(&world, &issuer, "main", &[("a", 60)]);
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    let first = report(&world.run(&JSON).out);
    assert_eq!(first["logins"][0]["result"], "not_refreshed", "{first}");
    world.age_grants(30 * DAY);
    let document = "agents/main/agent/auth-profiles.json";
    let mut store = world.store();
    store["profiles"]["openai-codex:a"]["expires"] = millis_from_now(7_200).into();
    world.write(document, &store.to_string());
    assert_eq!(report(&world.run(&JSON).out)["logins"], json!([]));
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn eight_at_once_make_one_request_for_each_grant() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(&world, &issuer, "main", &[("idle", -10)]);
    assert_eq!(world.run(&TICK).code, 0);
    world.age_grants(8 * DAY);
    let idle = world.store()["profiles"]["openai-codex:idle"].clone();
    let (access, refresh) = issuer.issue();
    let due = json!({
        "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
        "expires": millis_from_now(-10),
    });
    let mut expected = vec![idle["refresh"].as_str().unwrap().to_owned(), refresh];
    // One grant in two documents is one grant.
    write(
        &world,
        "main",
        &json!({ "openai-codex:idle": idle, "openai-codex:due": due }),
    );
    write(&world, "work", &json!({ "openai-codex:due": due }));
    let before = sent(&issuer);
    issuer.set_delay(std::time::Duration::from_millis(100));
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = world.command(&TICK);
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    }
    expected.extend(before);
    expected.sort();
    assert_eq!(sent(&issuer), expected);
}

#[test]
fn each_login_has_its_own_place_in_time() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(
        &world,
        &issuer,
        "main",
        &[("a", -10), ("b", -10), ("c", -10)],
    );
    let args = ["tick", "--dry-run", "--json", "--spread", "1h"];
    let places = || -> Vec<(String, i64)> {
        let report = report(&world.run(&args).out);
        let logins = report["logins"].as_array().unwrap().iter();
        let login = |login: &Value| {
            let name = login["profile"].as_str().unwrap().to_owned();
            (name, login["afterMs"].as_i64().unwrap())
        };
        logins.map(login).collect()
    };
    let first = places();
    assert_eq!(first, places(), "a place stays");
    assert!(first.is_sorted_by_key(|(_, after)| *after), "{first:?}");
    let mut times: Vec<i64> = first.iter().map(|(_, after)| *after).collect();
    times.dedup();
    assert_eq!(times.len(), 3, "{first:?}");
    assert!(times.iter().all(|after| (0..=3_600_000).contains(after)));
    assert_eq!(issuer.token_requests().len(), 0);
    assert!(
        !world.state().join("alerts.json").exists(),
        "a dry run writes"
    );
}

#[test]
fn a_signal_ends_the_wait() {
    let (world, issuer) = World::with_issuer(Account::default());
    let logins: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let logins: Vec<(&str, i64)> = logins.iter().map(|name| (name.as_str(), -10)).collect();
    seed(&world, &issuer, "main", &logins);
    let mut command = world.command(&["tick", "--spread", "1000d"]);
    let mut child = command.spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn one_problem_stops_no_other_login_and_the_worst_counts() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let login = |access: &str, refresh: &str| {
        json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": millis_from_now(-10),
        })
    };
    write(
        &world,
        "main",
        &json!({
            "openai-codex:refused": login("x", "rt-nobody"),
            "openai-codex:good": login(&access, &refresh),
            "nobody:d": { "type": "oauth", "provider": "nobody", "access": "x", "refresh": "y",
                "expires": millis_from_now(-10) },
            "anthropic:ended": { "type": "token", "provider": "anthropic", "token": "t",
                "expires": millis_from_now(-10) },
            "anthropic:key": { "type": "api_key", "provider": "anthropic", "key": "k" },
        }),
    );
    let ran = world.run(&TICK);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    let mut lines: Vec<&str> = ran.err.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(
        lines[0].starts_with("anthropic:ended expired just now"),
        "{ran:?}"
    );
    assert!(lines[1].starts_with("nobody:d could not be refreshed: unknown provider nobody"));
    assert!(lines[2].contains("invalid_grant"), "{ran:?}");
    assert!(
        lines[2].ends_with("--profile-id openai-codex:refused"),
        "{ran:?}"
    );
    let good = &world.store()["profiles"]["openai-codex:good"];
    assert_ne!(good["refresh"], refresh);

    world.write("agents/work/agent/auth-profiles.json", "no json");
    let ran = world.run(&TICK);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("agent work: "), "{ran:?}");
    // What was refused is not asked for again, and said again.
    assert_eq!(issuer.token_requests().len(), 2);
    let only = world.run(&["tick", "--no-spread", "--agent", "work"]);
    assert_eq!((only.code, only.err.lines().count()), (5, 1), "{only:?}");
}

#[test]
fn a_refusal_is_a_problem_while_the_token_still_lives() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed_with("main", 60, "living", "rt-nobody");
    assert_eq!(world.run(&TICK).code, 3);
    // Also when it lives for long: nothing else will follow.
    world.seed_with("main", 7_200, "living", "rt-nobody");
    let ran = world.run(&TICK);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("Try: openclaw models auth login"),
        "{ran:?}"
    );
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_server_in_trouble_is_no_problem_while_the_token_lives() {
    for (left, code) in [(60, 0), (-10, 4)] {
        let (world, issuer) = World::with_issuer(Account::default());
        seed(&world, &issuer, "main", &[("a", left)]);
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
        let ran = world.run(&TICK);
        assert_eq!(
            (ran.code, ran.err.lines().count()),
            (code, usize::from(code > 0)),
            "{ran:?}"
        );
    }
}

#[test]
fn what_nothing_renews_rings_at_each_threshold_and_when_it_has_ended() {
    let (bell, _issuer) = Bell::doing("");
    let end = |seconds: i64| {
        let token = json!({ "type": "token", "provider": "anthropic", "token": "t",
            "expires": millis_from_now(seconds) });
        write(bell.world(), "main", &json!({ "anthropic:a": token }));
    };
    let rings = |code: i32, expected: &[&str]| {
        for _ in 0..2 {
            let ran = bell.run(&TICK);
            assert_eq!(ran.code, code, "{ran:?}");
        }
        let rang: Vec<String> = bell.rang();
        let expected: Vec<String> = expected
            .iter()
            .map(|e| format!("{e} anthropic:a"))
            .collect();
        assert_eq!(rang, expected);
    };
    end(8 * DAY);
    rings(0, &[]);
    end(6 * DAY);
    rings(0, &["expiring"]);
    end(DAY / 2);
    rings(0, &["expiring", "expiring"]);
    let told = bell.told().pop().unwrap();
    assert_eq!(
        told["message"],
        "anthropic:a expires in 12h and cannot be refreshed automatically"
    );
    let paste = "openclaw models auth paste-token --provider anthropic --profile-id anthropic:a";
    assert_eq!(told["command"], paste);
    end(-10);
    rings(3, &["expiring", "expiring", "needs-login"]);
}

#[test]
fn tick_never_asks_and_opens_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    seed(&world, &issuer, "main", &[("a", -10)]);
    let mut command = world.command(&TICK);
    // A pipe that nobody writes to and nobody closes.
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    let ran = ran(child.wait_with_output().unwrap());
    drop(stdin);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}
