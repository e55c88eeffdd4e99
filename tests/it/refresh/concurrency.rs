//! Many logins side by side: how many at once and of one server, that nobody waits for somebody
//! else's provider, and what is told of those that were left for later.

mod in_memory;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use openclaw::sys::clock::SystemClock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::tick::{report, write};
use crate::status::alert_hooks::Bell;
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::{Ran, World, behind, millis_from_now, ran};

const JSON: [&str; 3] = ["tick", "--no-spread", "--json"];

/// A provider with an issuer of its own.
pub(crate) fn provider(world: &World, id: &str) -> Issuer {
    let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
    let manifest = issuer.manifest().replace("openai-codex", id);
    let manifest = manifest.replace("replaces = true\n", "");
    world.write(&format!("providers/{id}.toml"), &manifest);
    issuer
}

/// An expired login of an agent of its own, with these tokens.
pub(crate) fn expired(
    world: &World,
    (agent, provider): (&str, &str),
    (access, refresh): (String, String),
) {
    let login = json!({
        "type": "oauth", "provider": provider, "access": access, "refresh": refresh,
        "expires": millis_from_now(-10), "accountId": "acct_1",
    });
    let profiles = json!({ format!("{provider}:default"): login });
    write(world, agent, &profiles);
}

fn seed(world: &World, issuer: &Issuer, whose: (&str, &str)) {
    expired(world, whose, issuer.issue());
}

fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

/// Looks again and again; what has not come after a minute never will.
fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn requests(issuer: &Issuer, count: usize) {
    until(|| issuer.token_requests().len() >= count);
}

fn results(ran: &Ran) -> Vec<Value> {
    let report = report(&ran.out);
    let logins = report["logins"].as_array().unwrap().iter();
    logins.map(|login| login["result"].clone()).collect()
}

/// Logins of one document: it is locked for each of them, and for none over the network.
#[test]
fn logins_of_one_document_are_refreshed_at_once() {
    let world = World::new();
    let (slow, quick) = (provider(&world, "slow"), provider(&world, "quick"));
    let mut profiles = json!({});
    for (name, issuer, count) in [("slow", &slow, 3), ("quick", &quick, 9)] {
        for number in 0..count {
            let (access, refresh) = issuer.issue();
            profiles[format!("{name}:{number}")] = json!({
                "type": "oauth", "provider": name, "access": access, "refresh": refresh,
                "expires": millis_from_now(-10), "accountId": "acct_1",
            });
        }
    }
    write(&world, "main", &profiles);
    slow.hold();
    let child = world.start(&["models", "auth", "refresh", "--all"]);
    // All of the one are refreshed while two of the other wait for their answers.
    requests(&slow, 2);
    let is_stored = |name: &String| world.store()["profiles"][name] != profiles[name];
    let all: Vec<String> = (0..9).map(|number| format!("quick:{number}")).collect();
    until(|| all.iter().all(is_stored));
    assert_eq!(slow.token_requests().len(), 2);
    slow.let_go();
    let ran = end(child);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 12), "{ran:?}");
    assert!(quick.most_at_once() <= 4);
    let requests = slow.token_requests().len() + quick.token_requests().len();
    assert_eq!(requests, 12);
}

/// The first is refused, so the server is well; of the others four are held there at once.
#[test]
fn four_of_one_server_are_under_way_once_it_has_answered() {
    let world = World::new();
    let issuer = provider(&world, "acme");
    for agent in ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"] {
        seed(&world, &issuer, (agent, "acme"));
    }
    issuer.answer_next(Scripted::text(400, r#"{"error":"invalid_grant"}"#));
    issuer.hold();
    let child = world.start(&JSON);
    requests(&issuer, 1 + 4);
    issuer.let_go();
    assert_eq!(end(child).code, 3);
    assert_eq!(issuer.most_at_once(), 4);
    assert_eq!(issuer.token_requests().len(), 8);
}

/// Nor has it answered anybody before.
#[test]
fn a_server_in_trouble_gets_two_at_once() {
    let world = World::new();
    let issuer = provider(&world, "acme");
    for agent in ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"] {
        seed(&world, &issuer, (agent, "acme"));
    }
    let trouble = Scripted {
        status: 503,
        ..Scripted::default()
    };
    issuer.answer_next(trouble);
    issuer.hold();
    let child = world.start(&JSON);
    requests(&issuer, 3);
    issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(issuer.most_at_once(), 2);
    assert_eq!(issuer.token_requests().len(), 8);
}

/// The provider of the first login answers only after the second has been refreshed.
#[test]
fn rows_and_hooks_are_in_the_order_of_the_plan() {
    let (bell, slow) = Bell::doing("");
    let world = bell.world();
    let quick = provider(world, "quick");
    seed(world, &slow, ("a", "openai-codex"));
    seed(world, &quick, ("b", "quick"));
    slow.hold();
    let path = "agents/b/agent/auth-profiles.json";
    let before = world.read(path);
    let child = world.start(&JSON);
    requests(&slow, 1);
    until(|| quick.dealt_with() == 1 && world.read(path) != before);
    slow.let_go();
    let ran = end(child);
    let report = report(&ran.out);
    assert_eq!(report["logins"][0]["agent"], "a");
    assert_eq!(report["logins"][1]["agent"], "b");
    let rang = ["refreshed openai-codex:default", "refreshed quick:default"];
    assert_eq!(bell.rang(), rang);
}

/// Two are under way, one waits for its turn.
#[test]
fn a_signal_lets_what_is_under_way_end_and_begins_nothing() {
    let (bell, _) = Bell::doing("");
    let world = bell.world();
    let issuer = provider(world, "acme");
    for agent in ["a", "b", "c"] {
        seed(world, &issuer, (agent, "acme"));
    }
    let third = world.read("agents/c/agent/auth-profiles.json");
    issuer.hold();
    let child = world.start(&JSON);
    requests(&issuer, 2);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    // The signal handler runs before anything else that the process does.
    until(|| !has_pending_signal(&child));
    issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 143, "{ran:?}");
    let refreshed = json!("refreshed");
    assert_eq!(results(&ran), [refreshed.clone(), refreshed, Value::Null]);
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
    assert_eq!(ran.err.matches("Error: cancelled").count(), 1, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 2);
    assert_eq!(world.read("agents/c/agent/auth-profiles.json"), third);
    // The hooks tell of what was refreshed.
    let told = bell.told();
    let of = |line: &Value| (line["event"].clone(), line["agent"].clone());
    let told: Vec<_> = told.iter().map(of).collect();
    assert_eq!(
        told,
        [
            ("refreshed".into(), "a".into()),
            ("refreshed".into(), "b".into())
        ]
    );
}

/// Whether the kernel has a signal for the process that none of its threads took yet.
fn has_pending_signal(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let mut pending = status.lines().filter(|line| line.contains("Pnd:"));
    pending.any(|line| line[7..].bytes().any(|byte| !b"0\t ".contains(&byte)))
}

/// Of one grant in three documents one request is made, and only it takes a place of its server,
/// which has two before it has answered.
#[test]
fn copies_of_one_grant_take_no_place_from_others() {
    let world = World::new();
    let issuer = provider(&world, "acme");
    let grant = issuer.issue();
    for agent in ["a", "b", "c"] {
        expired(&world, (agent, "acme"), grant.clone());
    }
    seed(&world, &issuer, ("d", "acme"));
    issuer.hold();
    let child = world.start(&JSON);
    until(|| issuer.dealt_with() == 2);
    issuer.let_go();
    let ran = end(child);
    assert_eq!((ran.code, issuer.token_requests().len()), (0, 2), "{ran:?}");
}

/// The program with so few open files.
fn with_files(world: &World, files: usize, args: &[&str]) -> Ran {
    let program = world.command(args);
    let mut shell = Command::new("/bin/sh");
    let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    behind(shell.args(["-c", &script]), &program);
    ran(shell.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn fewer_are_under_way_where_few_files_may_be_open() {
    let world = World::new();
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let issuers: Vec<Issuer> = ids.iter().map(|id| provider(&world, id)).collect();
    let mut profiles = json!({});
    for (id, issuer) in ids.iter().zip(&issuers) {
        issuer.set_delay(Duration::from_millis(50));
        for number in 0..4 {
            let (access, refresh) = issuer.issue();
            profiles[format!("{id}:{number}")] = json!({
                "type": "oauth", "provider": id, "access": access, "refresh": refresh,
                "expires": millis_from_now(-10), "accountId": "acct_1",
            });
        }
    }
    write(&world, "main", &profiles);
    let ran = with_files(&world, 48, &JSON);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(results(&ran).iter().all(|result| result == "refreshed"));
    assert_eq!(results(&ran).len(), 32);
}

#[test]
fn where_no_login_can_be_refreshed_for_want_of_files_that_is_said_and_none_is_lost() {
    let mut advised = 0;
    for files in 6..26 {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed(&issuer, "main", -10);
        let ran = with_files(&world, files, &["tick", "--no-spread"]);
        let is_named = ran.err.contains("Too many open files");
        assert_eq!(is_named, ran.code != 0, "{files}: {ran:?}");
        let advice = "allow more open files (ulimit -n 256), then run the command again";
        assert_eq!(ran.err.contains(advice), ran.code == 5, "{files}: {ran:?}");
        advised += usize::from(ran.code == 5);
        let next = world.run(&["tick", "--no-spread"]);
        assert_eq!(next.code, 0, "{files}: {ran:?} {next:?}");
        assert_eq!(issuer.token_requests().len(), 1, "{files}");
    }
    assert!(advised > 0);
}

#[test]
fn refresh_of_all_and_without_a_name_are_the_same() {
    let (world, issuer) = World::with_issuer(Account::default());
    for args in [&["--all"][..], &[]] {
        world.seed(&issuer, "main", -10);
        let ran = world.run(&[&["models", "auth", "refresh"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.out.starts_with("openai-codex:default: refreshed;"),
            "{ran:?}"
        );
    }
    let both = ["models", "auth", "refresh", "--all", "--profile", "x"];
    assert_eq!(world.run(&both).code, 1);
}

#[test]
fn a_limit_within_the_spread_is_refused() {
    let world = World::new();
    let ran = world.run(&["tick", "--spread", "10m", "--limit", "5m"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--limit must be longer"), "{ran:?}");
    assert_eq!(world.run(&["tick", "--limit", "20s"]).code, 0);
    let cron = world.run(&["tick", "--print", "cron", "--every", "5m"]);
    assert!(cron.out.ends_with(" tick --limit 200s\n"), "{cron:?}");
    let cron = world.run(&["tick", "--print", "cron"]);
    assert!(cron.out.ends_with(" tick\n"), "{cron:?}");
}
