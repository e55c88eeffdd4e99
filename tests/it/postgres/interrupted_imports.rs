//! `gateway import` that runs twice at once or was interrupted: what waits, where the logins are
//! meanwhile, and into which database they go.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::machine::{DOCUMENT, Machine, REFRESH};
use crate::support::postgres_server::Database;
use crate::support::users::set_mode;
use crate::support::{Ran, ran};

const IMPORT: [&str; 2] = ["gateway", "import"];

/// An import that fails once the logins have left the files.
pub(super) fn interrupt(machine: &Machine) -> PathBuf {
    machine.database.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no row for you'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON openclaw.credential EXECUTE FUNCTION refuse()",
    );
    machine.fails(&IMPORT, 5, "no row for you");
    machine
        .database
        .sql("DROP TRIGGER refuse ON openclaw.credential; DROP FUNCTION refuse");
    let bundle = machine.rescue.join("logins-of-files.openclaw");
    assert!(bundle.exists());
    bundle
}

/// Another database that the same machine may use, and commands with it.
struct Other<'a> {
    machine: &'a Machine,
    database: Database,
}

impl<'a> Other<'a> {
    fn new(machine: &'a Machine) -> Self {
        let database = Database::new();
        machine.world.write("url-of-other", &database.url());
        set_mode(&machine.world.state().join("url-of-other"), 0o600);
        let other = Self { machine, database };
        let made = other.run(&["gateway", "migrate"]);
        assert_eq!(made.code, 0, "{made:?}");
        other
    }

    fn run(&self, args: &[&str]) -> Ran {
        let url = self.machine.world.state().join("url-of-other");
        let mut command = self.machine.command("key", args);
        ran(command
            .env("OPENCLAW_DATABASE_URL_FILE", url)
            .output()
            .unwrap())
    }

    fn rows(&self) -> String {
        self.database
            .value("SELECT count(*) FROM openclaw.credential")
    }
}

/// As if an import were running.
fn locked(machine: &Machine) -> File {
    let path = machine.world.state().join("locks/openclaw-rs/import.lock");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lock = File::create(&path).unwrap();
    lock.lock().unwrap();
    lock
}

/// Stores another login in the database in the place of the one that came in.
fn log_in_anew(machine: &Machine, account: &str) {
    let remove = ["models", "auth", "logout", "openai-codex:default", "--yes"];
    machine.ok(&remove);
    let document = machine.world.read(DOCUMENT);
    let (_, refresh) = machine.world.seed(&machine.issuer, "main", 7_200);
    let new = machine.world.read(DOCUMENT).replace("acct_1", account);
    machine.world.write(DOCUMENT, &new);
    machine.ok(&IMPORT);
    assert!(!machine.world.read(DOCUMENT).contains(&refresh));
    machine.world.write(DOCUMENT, &document);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_waits_for_another_one_and_names_it() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "import", "--dry-run"]);
    let lock = locked(&machine);
    let mut command = machine.command("key", &IMPORT);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut import = piped.spawn().unwrap();
    let told = BufReader::new(import.stderr.take().unwrap()).lines();
    let mut told = told.map(Result::unwrap);
    let us = format!("pid {}", std::process::id());
    assert!(told.any(|line| line.contains("waiting") && line.contains(&us)));
    assert_eq!(machine.rows(), "0");
    // Looking at what would be done waits for nobody.
    machine.ok(&["gateway", "import", "--dry-run"]);
    drop(lock);
    assert!(import.wait().unwrap().success());
    assert_eq!(machine.rows(), "1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn of_several_imports_at_once_one_imports_and_the_others_find_it_done() {
    let machine = Machine::ready();
    let start = |mut command: Command| {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    };
    let all: Vec<_> = (0..4)
        .map(|_| start(machine.command("key", &IMPORT)))
        .collect();
    let all: Vec<Ran> = all
        .into_iter()
        .map(|it| ran(it.wait_with_output().unwrap()))
        .collect();
    assert!(all.iter().all(|ran| ran.code == 0), "{all:?}");
    let count = |words: &str| all.iter().filter(|ran| ran.out.contains(words)).count();
    assert_eq!(
        (count(": imported"), count("already in the database")),
        (1, 3),
        "{all:?}"
    );
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_was_interrupted_is_completed_into_its_own_database_alone() {
    let machine = Machine::ready();
    let bundle = interrupt(&machine);
    let other = Other::new(&machine);
    let (at, bundle) = (
        format!("/{}", machine.database.name),
        bundle.to_str().unwrap(),
    );
    for args in [&IMPORT[..], &["gateway", "import", "--dry-run"]] {
        let refused = other.run(args);
        assert_eq!(refused.code, 1, "{refused:?}");
        let back = format!("secrets take-back {bundle}");
        for told in [
            &at,
            bundle,
            "gateway import --database-url-file FILE",
            &back,
        ] {
            assert!(refused.err.contains(told), "{told}: {refused:?}");
        }
    }
    assert_eq!(other.rows(), "0");
    assert!(
        machine
            .ok(&["gateway", "doctor"])
            .contains("was interrupted, and has its logins in")
    );
    for told in [
        other.run(&["gateway", "doctor"]),
        machine.world.run(&["doctor"]),
    ] {
        assert_eq!(told.code, 0, "{told:?}");
        let command = "gateway import --database-url-file FILE --rescue-dir";
        for words in [&*at, bundle, command] {
            assert!(told.out.contains(words), "{words}: {told:?}");
        }
    }
    // One that is running has a bundle, too.
    let running = locked(&machine);
    let looked = machine.ok(&["gateway", "doctor"]);
    assert!(looked.contains("none was interrupted"), "{looked}");
    drop(running);
    machine.ok(&IMPORT);
    assert_eq!(machine.rows(), "1");
    assert!(
        machine
            .ok(&["gateway", "doctor"])
            .contains("none was interrupted")
    );
    machine.ok(&REFRESH);
    let done = other.run(&IMPORT);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains(&at), "{done:?}");
    assert_eq!(other.rows(), "0");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_was_interrupted_is_found_from_another_directory() {
    let machine = Machine::ready();
    let bundle = interrupt(&machine);
    let elsewhere = machine.world.directory.path().join("elsewhere");
    let from_elsewhere = |args: &[&str]| {
        let mut command = machine.world.command(args);
        let file = |name: &str| machine.world.state().join(name);
        command
            .env("OPENCLAW_DATABASE_URL_FILE", file("url"))
            .env("GOCLAW_ENCRYPTION_KEY_FILE", file("key"))
            .arg("--rescue-dir")
            .arg(&elsewhere);
        ran(command.output().unwrap())
    };
    let new = machine.world.state().join("other");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    let again = format!("gateway import --rescue-dir {}", machine.rescue.display());
    for args in [&IMPORT[..], &rekey] {
        let refused = from_elsewhere(args);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains(&again), "{refused:?}");
    }
    assert_eq!(machine.rows(), "0");
    std::fs::create_dir_all(&elsewhere).unwrap();
    set_mode(&elsewhere, 0o700);
    let other = elsewhere.join(bundle.file_name().unwrap());
    std::fs::copy(&bundle, &other).unwrap();
    let looked = from_elsewhere(&["gateway", "doctor"]);
    for path in [&bundle, &other] {
        let told = format!("has its logins in {}", path.display());
        assert!(looked.out.contains(&told), "{told}: {looked:?}");
    }
    machine.ok(&IMPORT);
    machine.ok(&REFRESH);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn where_a_login_went_is_told_with_the_tenant() {
    let machine = Machine::ready();
    machine.ok(&["gateway", "tenant", "add", "team-a"]);
    machine.ok(&["gateway", "import", "--tenant", "team-a"]);
    let place = format!("/{} (tenant team-a)", machine.database.name);
    machine.fails(&IMPORT, 1, &format!("{place}, and is not in the one at "));
    let status = machine.world.run(&["models", "status"]);
    assert!(status.out.contains(&place), "{status:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_on_its_way_is_taken_back_with_the_key_of_the_database() {
    let machine = Machine::ready();
    let bundle = interrupt(&machine);
    let back = ["secrets", "take-back", bundle.to_str().unwrap()];
    let back = |key: Option<&str>| {
        let mut command = machine.world.command(&back);
        if let Some(key) = key {
            command.env(
                "GOCLAW_ENCRYPTION_KEY_FILE",
                machine.world.state().join(key),
            );
        }
        ran(command.output().unwrap())
    };
    for key in [None, Some("other")] {
        let refused = back(key);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(
            refused.err.contains("GOCLAW_ENCRYPTION_KEY_FILE"),
            "{refused:?}"
        );
    }
    // The database may hold it, which whoever lost that can overrule.
    let refused = back(Some("key"));
    assert_eq!(refused.code, 1, "{refused:?}");
    std::fs::remove_dir_all(machine.world.state().join("bundles")).unwrap();
    let taken = back(Some("key"));
    assert_eq!(taken.code, 0, "{taken:?}");
    assert!(!bundle.exists());
    assert_eq!(machine.world.run(&REFRESH).code, 0);
    machine.ok(&IMPORT);
    assert_eq!(machine.rows(), "1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn logins_of_an_agent_that_was_deleted_meanwhile_stay_in_the_bundle() {
    let machine = Machine::ready();
    machine.world.add_agent("work");
    machine.world.seed(&machine.issuer, "work", 3_600);
    let bundle = interrupt(&machine);
    let deleted = machine.world.run(&["agents", "delete", "work", "--force"]);
    assert_eq!(deleted.code, 0, "{deleted:?}");
    let planned = machine.run(&["gateway", "import", "--dry-run"]);
    assert!(
        planned.out.contains("of agent work: not imported"),
        "{planned:?}"
    );
    for _ in 0..2 {
        machine.fails(&IMPORT, 1, "agents add work");
        assert_eq!(machine.rows(), "1");
        assert!(bundle.exists());
    }
    machine.ok(&REFRESH);
    machine.world.add_agent("work");
    machine.ok(&IMPORT);
    assert_eq!(machine.rows(), "2");
    assert!(!bundle.exists());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_counts_as_already_there_only_if_it_is_that_login() {
    let machine = Machine::ready();
    machine.ok(&IMPORT);
    for _ in 0..2 {
        machine.ok(&REFRESH);
    }
    assert!(machine.ok(&IMPORT).contains("already in the database"));
    for (account, said) in [
        ("acct_1", "of the same account"),
        ("acct_2", "of another account"),
    ] {
        log_in_anew(&machine, account);
        let told = machine.run(&IMPORT);
        let told = [told.out, told.err].concat();
        assert!(told.contains(said), "{told}");
        assert!(!told.contains("already in the database"), "{told}");
    }
    machine.ok(&["models", "auth", "logout", "openai-codex:default", "--yes"]);
    machine.fails(&IMPORT, 1, "was removed there since");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_whose_bundle_is_lost_is_not_passed_over() {
    let machine = Machine::ready();
    let bundle = interrupt(&machine);
    std::fs::remove_file(&bundle).unwrap();
    std::fs::remove_dir_all(machine.world.state().join("bundles")).unwrap();
    let key = serde_json::json!({"type": "api_key", "provider": "groq", "key": "gsk_0123456789-0123456789"});
    let mut document: serde_json::Value =
        serde_json::from_str(&machine.world.read(DOCUMENT)).unwrap();
    document["profiles"]["groq:manual"] = key;
    machine.world.write(DOCUMENT, &document.to_string());
    machine.fails(&IMPORT, 1, "which is gone");
    // The other came in all the same.
    assert_eq!(machine.rows(), "1");
}
