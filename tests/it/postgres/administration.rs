//! The commands about the database, and what a gateway makes of one that is not ready.

use super::machine::{Machine, REFRESH};
use crate::support::pgbouncer::PgBouncer;
use crate::support::ran;
use crate::support::running_gateway::Gateway;
use crate::support::users::set_mode;

/// A token that GoClaw sealed under those bytes, as Python's `cryptography` does it.
const SEALED: &str = "aes-gcm:AQIDBAUGBwgJCgsMZIk5sJ/n3csN8CgCQiSawgrek3kjCixYX0Vqkzo=";

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_waits_for_tables_and_for_the_key_that_they_are_sealed_under() {
    let machine = Machine::new();
    let run = ["gateway", "run", "--listen", "127.0.0.1:0"];
    machine.fails(&["gateway", "doctor"], 1, "gateway migrate");
    machine.fails(&run, 1, "--migrate");
    let migrate = [&run[..], &["--migrate"]].concat();
    let gateway = Gateway::of(machine.command("key", &migrate));
    let ready = gateway.get("/readyz");
    assert_eq!(ready.status, 200, "{ready:?}");
    let ready = ready.json();
    for member in ["database", "migrations", "key"] {
        assert_eq!(ready[member], "ok", "{ready}");
    }
    assert_eq!(gateway.stop().code, 0);
    assert!(
        machine
            .ok(&["gateway", "migrate"])
            .contains("is up to date")
    );
    machine.ok(&["gateway", "import"]);
    let doctor = machine.ok(&["gateway", "doctor", "--json"]);
    let doctor: serde_json::Value = serde_json::from_str(&doctor).unwrap();
    assert_eq!(doctor["failed"], 0, "{doctor}");
    for args in [&run[..], &["gateway", "doctor"]] {
        let wrong = machine.run_under("other", args);
        assert_eq!(wrong.code, 1, "{wrong:?}");
        let told = [wrong.out, wrong.err].concat();
        assert!(told.contains("does not open"), "{told}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_goclaw_sealed_is_stored_and_what_is_in_the_clear_is_not() {
    let machine = Machine::ready();
    let row = |token: &str| format!(r#"[{{"provider":"groq","token":"{token}"}}]"#);
    let file = machine.world.state().join("rows.json");
    let args = ["gateway", "import", "--goclaw", file.to_str().unwrap()];
    machine.world.write("rows.json", &row("access-MARKER"));
    machine.fails(&args, 1, "aes-gcm:");
    assert_eq!(machine.rows(), "0");
    machine.world.write("rows.json", &row(SEALED));
    machine.ok(&args);
    let token = machine.ok(&["models", "auth", "token", "--provider", "groq"]);
    assert_eq!(token.trim(), "access-MARKER");
    assert!(machine.ok(&args).contains("is there already"));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_key_opens_everything_after_a_change() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "import"]);
    let new = machine.world.state().join("other");
    machine.ok(&["gateway", "rekey", "--new-key-file", new.to_str().unwrap()]);
    assert_ne!(machine.run(&["models", "auth", "list"]).code, 0);
    let list = machine.run_under("other", &REFRESH);
    assert_eq!(list.code, 0, "{list:?}");
    let doctor = machine.run_under("other", &["gateway", "doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:?}");
}

/// Stores an API key in the database.
pub(super) fn paste(machine: &Machine, profile: &str) {
    machine
        .world
        .write("pasted", "gsk_one-0123456789-0123456789");
    let input = std::fs::File::open(machine.world.state().join("pasted")).unwrap();
    let paste = ["models", "auth", "paste-api-key", "--provider", "groq"];
    let paste = [&paste[..], &["--profile-id", profile]].concat();
    let pasted = ran(machine
        .command("key", &paste)
        .stdin(input)
        .output()
        .unwrap());
    assert_eq!(pasted.code, 0, "{pasted:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_agent_of_the_name_of_a_deleted_one_sees_nothing_of_it() {
    let machine = Machine::ready();
    let workspace = machine.world.directory.path().join("work");
    let add = ["agents", "add", "work", "--non-interactive", "--workspace"];
    let add = [&add[..], &[workspace.to_str().unwrap()]].concat();
    machine.ok(&add);
    let paste = |profile: &str, key: &str| {
        machine.world.write("pasted", key);
        let input = std::fs::File::open(machine.world.state().join("pasted")).unwrap();
        let args = ["models", "auth", "--agent", "work", "paste-api-key"];
        let args = [&args[..], &["--provider", "groq", "--profile-id", profile]].concat();
        let pasted = ran(machine.command("key", &args).stdin(input).output().unwrap());
        assert_eq!(pasted.code, 0, "{pasted:?}");
    };
    paste("groq:one", "gsk_one-0123456789-0123456789");
    paste("groq:one", "gsk_two-0123456789-0123456789");
    let report = ["models", "auth", "--agent", "work", "report", "groq:one"];
    machine.ok(&[&report[..], &["--failed", "rate_limit"]].concat());
    machine.ok(&["agents", "inherit", "work", "--mode", "isolated"]);
    let isolated = machine.ok(&["agents", "inherit", "work"]);
    machine.ok(&["agents", "delete", "work", "--force"]);
    for table in ["credential", "history", "agent_usage"] {
        let count = format!("SELECT count(*) FROM openclaw.{table} WHERE agent = 'work'");
        assert_eq!(machine.database.value(&count), "0", "{table}");
    }
    machine.ok(&add);
    let history = ["models", "auth", "--agent", "work", "history"];
    let history = machine.run(&history);
    let told = [history.out, history.err].concat();
    assert!(!told.contains("groq:one"), "{told}");
    assert_ne!(machine.ok(&["agents", "inherit", "work"]), isolated);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_said_of_secrets_is_said_of_the_database_and_what_is_left_in_files() {
    let machine = Machine::ready();
    let parsed =
        |args: &[&str]| -> serde_json::Value { serde_json::from_str(&machine.ok(args)).unwrap() };
    let status = parsed(&["secrets", "status", "--json"]);
    assert_eq!(status["database"]["credentials"], 0, "{status}");
    assert_eq!(status["database"]["profilesInFiles"], 1, "{status}");
    machine.ok(&["gateway", "import"]);
    paste(&machine, "groq:one");
    let told = machine.ok(&["secrets", "status"]);
    let port = machine.database.server.port;
    assert!(
        told.contains(&format!("Database: 127.0.0.1:{port}")),
        "{told}"
    );
    assert!(
        told.contains("Profiles: 2, all sealed under the key "),
        "{told}"
    );
    let audit = parsed(&["secrets", "audit", "--json"]);
    assert_eq!(audit["openclaw"]["database"]["credentials"], 2, "{audit}");
    let told = machine.ok(&["secrets", "audit"]);
    assert!(!told.contains("The store is plain"), "{told}");
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer"]
fn through_a_pool_by_transaction_it_is_not_claimed_that_notifications_arrive() {
    let machine = Machine::new();
    let pool = PgBouncer::start(&machine.database.server);
    machine.world.write("pooled", &pool.url(&machine.database));
    let file = machine.world.state().join("pooled");
    set_mode(&file, 0o600);
    let file = file.to_str().unwrap();
    let doctor = ["gateway", "doctor", "--database-url-file", file];
    let migrate = format!("gateway migrate --database-url-file {file}");
    machine.fails(&doctor, 1, &migrate);
    machine.ok(&["gateway", "migrate"]);
    machine.ok(&["gateway", "import"]);
    let told = machine.ok(&doctor);
    assert!(told.contains("do not arrive"), "{told}");
    let told = machine.ok(&["gateway", "doctor"]);
    assert!(!told.contains("do not arrive"), "{told}");
}
