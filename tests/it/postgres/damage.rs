//! Rows that do not open: what is said of them, what they hold up, and how they are mended.

use super::administration::paste;
use super::machine::Machine;

/// What `gateway doctor` says of rows if nothing is wrong with them.
const WHOLE: &str = " open\n";

const DAMAGE: &str = "UPDATE openclaw.credential SET sealed = '\\x01' WHERE profile = 'groq:bad'";

#[test]
#[ignore = "needs PostgreSQL"]
fn a_damaged_row_is_named_and_a_new_login_mends_it() {
    let machine = Machine::ready();
    paste(&machine, "groq:good");
    paste(&machine, "groq:bad");
    assert!(machine.ok(&["gateway", "doctor"]).contains(WHOLE));
    machine.database.sql(DAMAGE);
    let told = machine.ok(&["gateway", "doctor"]);
    let mend = "models auth paste-api-key --provider groq --profile-id groq:bad";
    for words in ["groq:bad of agent main does not open", mend] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("groq:good"), "{told}");
    // Nobody took it away, and what is kept of it brings it back.
    let status = machine.run(&["models", "status"]);
    let told = [status.out, status.err].concat();
    let fault = "profile \"groq:bad\" is ignored: its row in the database does not open";
    for words in [
        fault,
        "is damaged in the database",
        "models auth undo groq:bad",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("another program"), "{told}");
    machine.ok(&["models", "auth", "undo", "groq:bad"]);
    assert!(machine.ok(&["gateway", "doctor"]).contains(WHOLE));
    machine.database.sql(DAMAGE);
    paste(&machine, "groq:bad");
    assert!(machine.ok(&["gateway", "doctor"]).contains(WHOLE));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_damaged_row_keeps_no_other_from_a_new_key_and_stays_as_it_is() {
    let machine = Machine::ready();
    paste(&machine, "groq:good");
    paste(&machine, "groq:bad");
    machine.database.sql(DAMAGE);
    let new = machine.world.state().join("other");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    machine.fails(&rekey, 5, "groq:bad of agent main: does not open");
    let bad = "SELECT sealed FROM openclaw.credential WHERE profile = 'groq:bad'";
    assert_eq!(machine.database.value(bad), "\\x01");
    let token = ["models", "auth", "token", "--profile", "groq:good"];
    let token = machine.run_under("other", &token);
    assert_eq!(token.code, 0, "{token:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_a_document_has_beside_credentials_locks_none_out_if_it_is_damaged() {
    let machine = Machine::ready();
    paste(&machine, "groq:good");
    machine
        .database
        .sql("UPDATE openclaw.agent SET rest = '\\x01'");
    let token = ["models", "auth", "token", "--profile", "groq:good"];
    assert_eq!(machine.run(&token).code, 0);
    paste(&machine, "groq:other");
    let rest = "SELECT rest FROM openclaw.agent";
    assert_eq!(machine.database.value(rest), "\\x01");
    let new = machine.world.state().join("other");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    machine.fails(&rekey, 5, "what agent main has beside its credentials");
    assert_eq!(machine.run_under("other", &token).code, 0);
    assert_eq!(machine.database.value(rest), "\\x01");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn usage_that_cannot_be_read_stops_no_agent_and_stays_until_there_is_more() {
    let machine = Machine::ready();
    paste(&machine, "groq:good");
    machine.database.sql(
        "INSERT INTO openclaw.agent_usage (tenant, agent, state) VALUES ('main', 'main', 'odd')",
    );
    let state = "SELECT state FROM openclaw.agent_usage";
    let token = machine.run(&["models", "auth", "token", "--profile", "groq:good"]);
    assert_eq!(token.code, 0, "{token:?}");
    let status = machine.run(&["models", "status"]);
    let told = [&*status.out, &status.err].concat();
    assert!(told.contains("orders and usage cannot be read"), "{told}");
    paste(&machine, "groq:other");
    assert_eq!(machine.database.value(state), "odd");
    machine.ok(&[
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "groq",
        "groq:other",
    ]);
    assert!(machine.database.value(state).contains("groq:other"));
}

/// What lies beside credentials, each damaged.
const BESIDE: &str = "UPDATE openclaw.history SET sealed = '\\x01' WHERE profile = 'groq:one';
    UPDATE openclaw.agent SET rest = '\\x01';
    INSERT INTO openclaw.agent_usage (tenant, agent, state) VALUES ('main', 'main', 'odd');
    UPDATE openclaw.access_key SET sealed = '\\x01';
    INSERT INTO openclaw.login_attempt (tenant, provider, state_hash, node, sealed, expires_at)
        VALUES ('main', 'acme', 'hash', 'n', '\\x01', now() + interval '1 hour');
    INSERT INTO openclaw.page_pass (tenant, kind, digest, owner, sealed, expires_at)
        VALUES ('main', 'session', 'digest', 'o', '\\x01', now() + interval '1 hour')";

/// A database with a profile that has a history, and a key to the gateways.
fn filled() -> Machine {
    let machine = Machine::ready();
    paste(&machine, "groq:one");
    machine.ok(&["gateway", "key", "add"]);
    machine.database.sql(BESIDE);
    machine
}

#[test]
#[ignore = "needs PostgreSQL"]
fn each_damaged_row_is_named_with_what_mends_it() {
    let machine = filled();
    let told = machine.ok(&["gateway", "doctor"]);
    for words in [
        "the history of groq:one of agent main does not open",
        "models auth history groq:one --clear",
        "what agent main has beside its credentials does not open",
        "orders and usage of agent main cannot be read",
        "models auth order set",
        "the key ",
        "gateway key add",
        "a login to acme that waits does not open",
        "a session of the page of the gateway does not open",
        "gateway link",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    machine.ok(&["models", "auth", "history", "groq:one", "--clear", "--yes"]);
    let order = [
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "groq",
        "groq:one",
    ];
    machine.ok(&order);
    let told = machine.ok(&["gateway", "doctor"]);
    assert!(!told.contains("the history of"), "{told}");
    assert!(!told.contains("orders and usage"), "{told}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_new_key_names_each_row_that_stays_under_the_old_one() {
    let machine = filled();
    let new = machine.world.state().join("other");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    let done = machine.run(&rekey);
    assert_eq!(done.code, 5, "{done:?}");
    for words in [
        "the history of groq:one of agent main: does not open",
        "the key ",
        "what agent main has beside its credentials: does not open",
    ] {
        assert!(done.out.contains(words), "{words}: {done:?}");
    }
    assert!(done.err.contains("3 rows do not open"), "{done:?}");
    assert!(done.err.contains("gateway doctor"), "{done:?}");
    let token = ["models", "auth", "token", "--profile", "groq:one"];
    assert_eq!(machine.run_under("other", &token).code, 0);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_damaged_goes_with_its_agent() {
    let machine = Machine::ready();
    let workspace = machine.world.directory.path().join("work");
    let add = ["agents", "add", "work", "--non-interactive", "--workspace"];
    machine.ok(&[&add[..], &[workspace.to_str().unwrap()]].concat());
    paste(&machine, "groq:one");
    let order = ["models", "auth", "order", "--agent", "work", "set"];
    machine.ok(&[&order[..], &["--provider", "groq", "groq:one"]].concat());
    machine.database.sql(
        "UPDATE openclaw.agent_usage SET state = 'odd' WHERE agent = 'work';
        UPDATE openclaw.agent SET rest = '\\x01' WHERE id = 'work'",
    );
    machine.ok(&["agents", "delete", "work", "--force"]);
    assert!(machine.ok(&["gateway", "doctor"]).contains(WHOLE));
    let count = "SELECT count(*) FROM openclaw.agent_usage";
    assert_eq!(machine.database.value(count), "0");
}
