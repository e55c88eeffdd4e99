//! `gateway import`: what moves, what stays, and what a second run makes of it.

use std::process::{Command, Stdio};

use super::machine::{DOCUMENT, Machine, REFRESH};
use crate::support::postgres_server::PASSWORD;
use crate::support::{Ran, ran};

const BUNDLE: &str = "logins-of-files.openclaw";

#[test]
#[ignore = "needs PostgreSQL"]
fn logins_leave_the_files_for_the_database_once() {
    let machine = Machine::ready();
    let before = machine.world.read(DOCUMENT);
    let planned = machine.ok(&["gateway", "import", "--dry-run"]);
    assert!(planned.contains("openai-codex:"), "{planned}");
    assert_eq!(
        (machine.world.read(DOCUMENT), &*machine.rows()),
        (before, "0")
    );
    machine.ok(&["gateway", "import"]);
    assert_eq!(machine.rows(), "1");
    assert!(!machine.rescue.join(BUNDLE).exists());
    assert!(!machine.world.read(DOCUMENT).contains(&machine.refresh));
    // The files do not refresh it, and say where it is.
    let refused = machine.world.run(&REFRESH);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.err.contains("OPENCLAW_DATABASE_URL_FILE"),
        "{refused:?}"
    );
    machine.ok(&REFRESH);
    let again = machine.ok(&["gateway", "import"]);
    assert!(again.contains("already in the database"), "{again}");
    assert_eq!(machine.rows(), "1");
    let at = format!("the database at 127.0.0.1:{}", machine.database.server.port);
    let status = machine.world.run(&["models", "status"]);
    assert!(status.out.contains(&format!("moved to {at}")), "{status:?}");
    let bundle = machine.rescue.join(BUNDLE);
    let back = ["secrets", "take-back", bundle.to_str().unwrap()];
    let back = machine.world.run(&back);
    assert_eq!(back.code, 1, "{back:?}");
    assert!(back.err.contains(&format!("are in {at}")), "{back:?}");
    let told = [status.out, back.out, back.err].concat();
    assert!(!told.contains(PASSWORD), "{told}");
}

/// A command about the bundle that an import leaves if it is killed.
fn run_with_bundle(machine: &Machine, args: &[&str]) -> Ran {
    let bundle = machine.rescue.join(BUNDLE);
    let all = [&["secrets"], args, &[bundle.to_str().unwrap()]].concat();
    let mut command = machine.world.command(&all);
    let key = std::fs::File::open(machine.world.state().join("key")).unwrap();
    command.args(["--bundle-passphrase-fd", "0"]).stdin(key);
    ran(command.output().unwrap())
}

fn with_bundle(machine: &Machine, args: &[&str]) {
    let done = run_with_bundle(machine, args);
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_taken_back_from_an_import_that_was_killed_can_be_imported() {
    let machine = Machine::ready();
    with_bundle(&machine, &["export", "--move", "--to"]);
    with_bundle(&machine, &["take-back"]);
    let planned = machine.ok(&["gateway", "import", "--dry-run"]);
    assert!(planned.contains("would be imported"), "{planned}");
    machine.ok(&["gateway", "import"]);
    assert!(!machine.rescue.join(BUNDLE).exists());
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_was_killed_replaces_only_the_profile_that_is_named() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "import"]);
    machine.world.seed(&machine.issuer, "main", 7_200);
    with_bundle(&machine, &["export", "--move", "--to"]);
    let here = "gsk_here-0123456789-0123456789";
    paste(&machine, machine.world.command(&GROQ), here);
    let sealed = "SELECT sealed FROM openclaw.credential WHERE kind = 'oauth'";
    let before = machine.database.value(sealed);
    // Only the key in use opens it, and the login may be in the database.
    let new = machine.world.state().join("other");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    machine.fails(&rekey, 1, "gateway import");
    machine.fails(&["gateway", "import"], 1, "another credential");
    let refused = run_with_bundle(&machine, &["take-back"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("gateway import"), "{refused:?}");
    let replace = ["gateway", "import", "--replace", "--profile"];
    let groq = [&replace[..], &["groq:manual"]].concat();
    machine.fails(&groq, 1, "--replace --profile openai-codex:default");
    assert_eq!(machine.database.value(sealed), before);
    machine.ok(&[&replace[..], &["openai-codex:default"]].concat());
    assert_ne!(machine.database.value(sealed), before);
    machine.ok(&groq);
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_profile_that_is_named_comes_in_of_every_agent_that_has_it() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "import"]);
    machine.world.seed(&machine.issuer, "work", 3_600);
    let one = ["gateway", "import", "--profile", "openai-codex:default"];
    let told = machine.ok(&one);
    assert!(told.contains("of agent work: imported"), "{told}");
    assert_eq!(machine.rows(), "2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_agents_inherit_is_replaced_only_where_everything_is() {
    let machine = Machine::ready();
    let workspace = machine.world.directory.path().join("work");
    let add = ["agents", "add", "work", "--non-interactive", "--workspace"];
    machine.ok(&[&add[..], &[workspace.to_str().unwrap()]].concat());
    let isolated = ["agents", "inherit", "work", "--mode", "isolated"];
    let set = machine.world.run(&isolated);
    assert_eq!(set.code, 0, "{set:?}");
    let shown = || machine.ok(&["agents", "inherit", "work"]);
    machine.ok(&["gateway", "import"]);
    assert!(shown().contains("inherits nothing"), "{}", shown());
    machine.ok(&["agents", "inherit", "work", "--mode", "inherit"]);
    let key = "gsk_here-0123456789-0123456789";
    paste(&machine, machine.world.command(&GROQ), key);
    machine.ok(&["gateway", "import", "--replace", "--profile", "groq:manual"]);
    assert!(!shown().contains("inherits nothing"), "{}", shown());
    machine.ok(&["gateway", "import", "--replace"]);
    assert!(shown().contains("inherits nothing"), "{}", shown());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_was_killed_after_the_files_gave_up_the_login_is_completed() {
    let machine = Machine::ready();
    with_bundle(&machine, &["export", "--move", "--to"]);
    let planned = machine.ok(&["gateway", "import", "--dry-run"]);
    assert!(planned.contains("would be imported"), "{planned}");
    assert!(!planned.contains("stays"), "{planned}");
    assert!(machine.rescue.join(BUNDLE).exists());
    assert_eq!(machine.rows(), "0");
    machine.ok(&["gateway", "import"]);
    assert_eq!(machine.rows(), "1");
    machine.ok(&REFRESH);
    assert!(!machine.rescue.join(BUNDLE).exists());
}

const GROQ: [&str; 4] = ["models", "auth", "paste-api-key", "--provider=groq"];

/// Stores an API key by a command.
fn paste(machine: &Machine, mut command: Command, key: &str) {
    machine.world.write("pasted", key);
    let input = std::fs::File::open(machine.world.state().join("pasted")).unwrap();
    let pasted = ran(command.stdin(Stdio::from(input)).output().unwrap());
    assert_eq!(pasted.code, 0, "{pasted:?}");
}

fn token(machine: &Machine, provider: &str) -> String {
    let token = machine.ok(&["models", "auth", "token", "--provider", provider]);
    token.trim().to_owned()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_the_database_holds_by_the_same_name_stays_and_the_others_come_in() {
    let machine = Machine::ready();
    let (here, there) = (
        "gsk_here-0123456789-0123456789",
        "gsk_there-0123456789-0123456789",
    );
    paste(&machine, machine.world.command(&GROQ), here);
    paste(&machine, machine.command("key", &GROQ), there);
    for args in [
        &["gateway", "import", "--dry-run"][..],
        &["gateway", "import"],
    ] {
        machine.fails(args, 1, "--replace --profile groq:manual");
        assert_eq!(token(&machine, "groq"), there);
    }
    // The login came in all the same, and the other key is where it was.
    machine.ok(&REFRESH);
    assert!(machine.world.read(DOCUMENT).contains(here));
    machine.ok(&["gateway", "import", "--profile", "openai-codex:default"]);
    machine.fails(&["gateway", "import", "--profile", "nobody"], 1, "nobody");
    let replace = ["gateway", "import", "--replace", "--profile", "groq:manual"];
    assert!(machine.ok(&replace).contains("replaced"));
    assert_eq!(token(&machine, "groq"), here);
    let again = machine.ok(&["gateway", "import"]);
    assert_eq!(
        again.matches("already in the database").count(),
        2,
        "{again}"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_login_of_the_same_name_stays_in_the_files_unless_it_is_to_replace_that_one() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "import"]);
    let (_, second) = machine.world.seed(&machine.issuer, "main", 7_200);
    let sealed = "SELECT sealed FROM openclaw.credential";
    let before = machine.database.value(sealed);
    machine.fails(&["gateway", "import"], 1, "holds another credential");
    assert_eq!(machine.database.value(sealed), before);
    assert!(machine.world.read(DOCUMENT).contains(&second));
    machine.ok(&["gateway", "import", "--replace"]);
    assert!(!machine.world.read(DOCUMENT).contains(&second));
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_same_login_that_is_in_both_places_leaves_the_files() {
    let machine = Machine::ready();
    let document = machine.world.read(DOCUMENT);
    machine.ok(&["gateway", "import"]);
    // A backup brings it back, and what said that it was handed over is gone, too.
    std::fs::remove_dir_all(machine.world.state().join("locks")).unwrap();
    machine.world.write(DOCUMENT, &document);
    let again = machine.ok(&["gateway", "import"]);
    assert!(again.contains("already in the database"), "{again}");
    assert!(!machine.world.read(DOCUMENT).contains(&machine.refresh));
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_order_and_what_was_learnt_go_along() {
    let machine = Machine::ready();
    paste(
        &machine,
        machine.world.command(&GROQ),
        "gsk_one-0123456789-0123456789",
    );
    let second = [&GROQ[..], &["--profile-id", "groq:second"]].concat();
    paste(
        &machine,
        machine.world.command(&second),
        "gsk_two-0123456789-0123456789",
    );
    let third = [&GROQ[..], &["--profile-id", "groq:third"]].concat();
    paste(
        &machine,
        machine.world.command(&third),
        "gsk_three-0123456789-0123456789",
    );
    let order = [
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "groq",
        "groq:second",
        "groq:manual",
    ];
    assert_eq!(machine.world.run(&order).code, 0);
    let report = [
        "models",
        "auth",
        "report",
        "groq:second",
        "--failed",
        "rate_limit",
    ];
    let reported = machine.world.run(&report);
    assert_eq!(reported.code, 0, "{reported:?}");
    // The order leaves it out, and so does the one in the database, even where it comes alone.
    machine.ok(&["gateway", "import", "--profile", "groq:third"]);
    machine.ok(&["gateway", "import"]);
    let state = machine
        .database
        .value("SELECT state FROM openclaw.agent_usage");
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(
        state["order"]["groq"],
        serde_json::json!(["groq:second", "groq:manual"]),
        "{state}"
    );
    assert!(
        state["usageStats"]["groq:second"]["cooldownUntil"].is_number(),
        "{state}"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_fails_when_the_logins_have_left_the_files_says_where_they_are() {
    let machine = Machine::ready();
    machine.database.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no row for you'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON openclaw.credential EXECUTE FUNCTION refuse()",
    );
    let failed = machine.run(&["gateway", "import"]);
    assert_ne!(failed.code, 0, "{failed:?}");
    let bundle = machine.rescue.join(BUNDLE);
    assert!(bundle.exists());
    let at = format!("are in {}", bundle.display());
    for told in ["no row for you", &at, "The credential store was changed."] {
        assert!(failed.err.contains(told), "{told}: {failed:?}");
    }
    machine
        .database
        .sql("DROP TRIGGER refuse ON openclaw.credential");
    machine.ok(&["gateway", "import"]);
    assert_eq!(machine.rows(), "1");
    assert!(!bundle.exists());
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn ten_thousand_keys_come_in_at_once() {
    let machine = Machine::ready();
    let profile = |number: usize| {
        let key = format!("gsk_{number:05}-0123456789-0123456789");
        let profile = serde_json::json!({"type": "api_key", "provider": "groq", "key": key});
        (format!("groq:{number:05}"), profile)
    };
    let profiles: serde_json::Map<_, _> = (0..10_000).map(profile).collect();
    let document = serde_json::json!({"version": 1, "profiles": profiles});
    machine.world.write(DOCUMENT, &document.to_string());
    let imported = machine.ok(&["gateway", "import"]);
    assert_eq!(imported.matches(": imported").count(), 10_000);
    assert_eq!(machine.rows(), "10000");
    let again = machine.ok(&["gateway", "import"]);
    assert_eq!(again.matches("already in the database").count(), 10_000);
    let list = ["models", "auth", "token", "--profile", "groq:09999"];
    assert!(machine.ok(&list).contains("gsk_09999"));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_order_of_an_agent_that_inherits_its_profiles_goes_along() {
    let machine = Machine::ready();
    let workspace = machine.world.directory.path().join("work");
    let add = ["agents", "add", "work", "--non-interactive", "--workspace"];
    machine.ok(&[&add[..], &[workspace.to_str().unwrap()]].concat());
    let key = "gsk_here-0123456789-0123456789";
    paste(&machine, machine.world.command(&GROQ), key);
    let order = ["models", "auth", "order", "--agent", "work"];
    let of = |rest: &[&'static str]| [&order[..], rest, &["--provider", "groq"]].concat();
    let set = [&of(&["set"])[..], &["groq:manual"]].concat();
    let set = machine.world.run(&set);
    assert_eq!(set.code, 0, "{set:?}");
    machine.ok(&["gateway", "import", "--profile", "groq:manual"]);
    let get = of(&["get", "--json"]);
    let shown = || -> serde_json::Value { serde_json::from_str(&machine.ok(&get)).unwrap() };
    assert_eq!(shown()["order"], serde_json::Value::Null);
    let planned = machine.ok(&["gateway", "import", "--dry-run"]);
    assert!(
        planned.contains("Orders of inherited profiles: 1 would"),
        "{planned}"
    );
    assert_eq!(shown()["order"], serde_json::Value::Null);
    let told = machine.ok(&["gateway", "import"]);
    assert!(
        told.contains("Orders of inherited profiles: 1 imported"),
        "{told}"
    );
    assert_eq!(shown()["order"], serde_json::json!(["groq:manual"]));
    let again = machine.ok(&["gateway", "import"]);
    assert!(!again.contains("Orders"), "{again}");
}
