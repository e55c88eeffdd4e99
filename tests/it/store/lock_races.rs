//! Many processes on one store and on copies of one grant: one request, no lost update, and every
//! copy moves.

mod writer;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::issuer::{Account, Issuer};
use openclaw::model::id::ProfileId;
use openclaw::ports::store::Scope;
use openclaw::store::document::parse;
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now, ran};
use writer::{Orders, SHARED};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
/// How the test binary that is started again is told what to do.
const ORDERS: &str = "OPENCLAW_TEST_ORDERS";

fn wait(children: Vec<Child>) -> Vec<Ran> {
    let outputs = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    outputs.map(ran).collect()
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn copy(world: &World, from: &str, to: &str) {
    let (from, to) = (world.state().join(from), world.state().join(to));
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let done = Command::new("cp").arg("-r").arg(from).arg(to).status();
    assert!(done.unwrap().success());
}

#[test]
fn sixty_four_processes_on_eight_agents_make_one_request() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(Duration::from_millis(300));
    let (access, refresh) = world.seed(&issuer, "main", -10);
    // By hand, by `cp -r`, and by a backup that was moved away and put back.
    for agent in ["a1", "a2", "a3"] {
        world.seed_with(agent, -10, &access, &refresh);
    }
    for agent in ["b1", "b2"] {
        copy(&world, "agents/main", &format!("agents/{agent}"));
    }
    for agent in ["c1", "c2"] {
        copy(&world, DOCUMENT, "backup.json");
        copy(
            &world,
            "backup.json",
            &format!("agents/{agent}/agent/auth-profiles.json"),
        );
    }
    let agents = ["main", "a1", "a2", "a3", "b1", "b2", "c1", "c2"];
    let children = (0..64).map(|n| {
        let mut command = world.command(&TOKEN);
        command.args(["--agent", agents[n % 8]]);
        start(command)
    });
    let runs = wait(children.collect());
    assert!(runs.iter().all(|ran| ran.code == 0), "{runs:?}");
    assert!(
        runs.iter()
            .all(|ran| ran.out == runs[0].out && ran.out.len() > 10),
        "{runs:?}"
    );
    assert_eq!(issuer.token_requests().len(), 1);
    for agent in agents {
        let text = world.read(&format!("agents/{agent}/agent/auth-profiles.json"));
        let document: Value = serde_json::from_str(&text).unwrap();
        let login = &document["profiles"]["openai-codex:default"];
        assert_eq!(login["access"], runs[0].out.trim_end(), "{agent}");
        assert_ne!(login["refresh"], refresh, "{agent}");
        assert_eq!(login["custom"], "keepme", "{agent}");
    }
}

/// A store that holds a login of each process, and members and entries that nobody knows.
fn prepared(issuer: &Issuer, world: &World, processes: usize) -> Value {
    let logins = (0..processes).map(|number| {
        let (access, refresh) = issuer.issue();
        let expires = millis_from_now(3_600);
        let login = json!({ "type": "oauth", "provider": "openai-codex", "access": access,
            "refresh": refresh, "expires": expires, "custom": number });
        (format!("openai-codex:{number}"), login)
    });
    let mut profiles: serde_json::Map<String, Value> = logins.collect();
    profiles.insert(
        "later".into(),
        json!({ "type": "passkey", "n": [1, { "x": null }] }),
    );
    profiles.insert("broken".into(), json!(5));
    let document = json!({
        "version": 1, "profiles": profiles, "later": { "kept": [1, "é"] },
        "order": { "openai-codex": ["openai-codex:0"] }, "lastGood": { "openai-codex": "openai-codex:0" },
        "usageStats": { "openai-codex:0": { "errorCount": 3, "later": true } },
    });
    world.write(DOCUMENT, &document.to_string());
    document
}

/// What lies in a directory of the state directory.
fn names(world: &World, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(world.state().join(directory)).into_iter();
    let names = entries.flatten().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Lets processes write at once, and compares with what they would have left one after the other.
fn writers(processes: usize, operations: usize, commands: usize) {
    let (world, issuer) = World::with_issuer(Account::default());
    let before = prepared(&issuer, &world, processes);
    let all: Vec<Orders> = (0..processes)
        .map(|number| Orders {
            number,
            operations,
            commands,
            state: world.state(),
        })
        .collect();
    let children = all.iter().map(|orders| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["store::lock_races::a_writer", "--exact", "--ignored"]);
        command.env(ORDERS, serde_json::to_string(orders).unwrap());
        start(command)
    });
    for ran in wait(children.collect()) {
        assert!(
            ran.code == 0 && ran.out.contains("1 passed"),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    let text = world.read(DOCUMENT);
    compare(&before, &text, &all);
    let refreshes: usize = all.iter().map(|orders| orders.left().refreshed).sum();
    assert_eq!(issuer.token_requests().len(), refreshes);
    // Whoever lost a rotation holds a spent token now.
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        names(&world, "agents/main/agent"),
        ["auth-history", "auth-profiles.json"]
    );
    let histories = names(&world, "agents/main/agent/auth-history");
    assert!(histories.iter().all(|name| name.ends_with(".json")));
    assert!(names(&world, "rescue").is_empty());
}

fn compare(before: &Value, text: &str, all: &[Orders]) {
    let after: Value = serde_json::from_str(text).unwrap();
    let document = parse(text, Scope::All).unwrap();
    for orders in all {
        let left = orders.left();
        let own = |name: &str| name.starts_with(&format!("{}:", orders.provider()));
        let profiles = after["profiles"].as_object().unwrap().iter();
        let tokens = profiles
            .filter(|(name, _)| own(name))
            .map(|(name, entry)| (name.clone(), entry["token"].as_str().unwrap().to_owned()));
        assert_eq!(
            tokens.collect::<std::collections::BTreeMap<_, _>>(),
            left.tokens
        );
        let order = after["order"].get(orders.provider());
        assert_eq!(order.cloned(), left.order.map(|order| json!(order)));
        let usage = after["usageStats"].as_object().unwrap().iter();
        let used = usage.filter(|(name, _)| own(name)).map(|(name, number)| {
            (
                name.clone(),
                usize::try_from(number.as_u64().unwrap()).unwrap(),
            )
        });
        assert_eq!(
            used.collect::<std::collections::BTreeMap<_, _>>(),
            left.used
        );
        let login = ProfileId::parse(&orders.login()).unwrap();
        assert!(document.get(&login).is_some());
        assert_eq!(after["profiles"][login.as_str()]["custom"], orders.number);
    }
    let counted: usize = all.iter().map(|orders| orders.left().counted).sum();
    assert_eq!(
        writer::count(&document),
        counted,
        "updates of {SHARED} were lost"
    );
    for path in [
        "/later",
        "/profiles/later",
        "/profiles/broken",
        "/lastGood",
        "/order/openai-codex",
        "/usageStats/openai-codex:0",
    ] {
        assert_eq!(after.pointer(path), before.pointer(path), "{path}");
    }
}

#[test]
fn eight_processes_write_and_no_update_is_lost() {
    writers(8, 25, 2);
}

#[test]
#[ignore = "needs minutes: 32 processes, 6400 durable writes"]
fn thirty_two_processes_write_two_hundred_times_each() {
    writers(32, 200, 8);
}

#[test]
#[ignore = "is started by the tests of writers"]
fn a_writer() {
    if let Ok(orders) = std::env::var(ORDERS) {
        let orders: Orders = serde_json::from_str(&orders).unwrap();
        orders.carry_out();
    }
}

#[test]
fn what_writers_mean_to_leave_behind_is_not_empty() {
    let orders = Orders {
        number: 0,
        operations: 25,
        commands: 2,
        state: "/nowhere".into(),
    };
    let left = orders.left();
    assert!(left.counted > 3 && left.refreshed == 1, "{left:?}");
    assert!(!left.tokens.is_empty() && !left.used.is_empty(), "{left:?}");
    assert!(left.order.is_some(), "{left:?}");
}
