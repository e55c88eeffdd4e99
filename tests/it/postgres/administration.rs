//! The commands about the database, and what a gateway makes of one that is not ready.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::issuer::{Account, Issuer};
use crate::support::postgres_server::{Database, PASSWORD};
use crate::support::running_gateway::Gateway;
use crate::support::users::set_mode;
use crate::support::{Ran, World, ran};

/// The bytes from 0 to 31, and others.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// A token that GoClaw sealed under those bytes, as Python's `cryptography` does it.
const SEALED: &str = "aes-gcm:AQIDBAUGBwgJCgsMZIk5sJ/n3csN8CgCQiSawgrek3kjCixYX0Vqkzo=";
const REFRESH: [&str; 4] = ["models", "auth", "refresh", "--force"];
const BUNDLE: &str = "logins-of-files.openclaw";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A machine with a login in its files, and a database.
struct Machine {
    world: World,
    _issuer: Issuer,
    database: Database,
    refresh: String,
    rescue: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, refresh) = world.seed(&issuer, "main", 3_600);
        let database = Database::new();
        for (name, text) in [("url", &*database.url()), ("key", KEY), ("other", OTHER)] {
            world.write(name, text);
            set_mode(&world.state().join(name), 0o600);
        }
        let rescue = world.directory.path().join("rescue-of-database");
        std::fs::create_dir(&rescue).unwrap();
        set_mode(&rescue, 0o700);
        Self {
            world,
            _issuer: issuer,
            database,
            refresh,
            rescue,
        }
    }

    /// One whose database has its tables.
    fn ready() -> Self {
        let machine = Self::new();
        machine.ok(&["gateway", "migrate"]);
        machine
    }

    /// A command with the database under a key.
    fn command(&self, key: &str, args: &[&str]) -> Command {
        let mut command = self.world.command(args);
        let file = |name: &str| self.world.state().join(name);
        command
            .env("OPENCLAW_DATABASE_URL_FILE", file("url"))
            .env("GOCLAW_ENCRYPTION_KEY_FILE", file(key));
        if args[0] == "gateway" {
            command.arg("--rescue-dir").arg(&self.rescue);
        }
        command
    }

    fn run_under(&self, key: &str, args: &[&str]) -> Ran {
        let ran = ran(self.command(key, args).output().unwrap());
        let told = [ran.out.as_str(), &ran.err].concat();
        for secret in [PASSWORD, KEY, OTHER, &self.refresh] {
            assert!(!told.contains(secret), "{args:?}: {told}");
        }
        ran
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_under("key", args)
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.out
    }

    fn fails(&self, args: &[&str], code: i32, why: &str) {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        let told = [ran.out, ran.err].concat();
        assert!(told.contains(why), "{args:?}: {told}");
    }

    fn rows(&self) -> String {
        self.database
            .value("SELECT count(*) FROM openclaw.credential")
    }
}

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
    machine.fails(&["gateway", "import"], 1, "there is nothing to import");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_import_that_was_killed_after_the_files_gave_up_the_login_is_completed() {
    let machine = Machine::ready();
    let bundle = machine.rescue.join(BUNDLE);
    let bundle = bundle.to_str().unwrap();
    let export = [
        "secrets",
        "export",
        "--move",
        "--to",
        bundle,
        "--bundle-passphrase-fd",
        "0",
    ];
    let mut export = machine.world.command(&export);
    let key = std::fs::File::open(machine.world.state().join("key")).unwrap();
    let export = ran(export.stdin(Stdio::from(key)).output().unwrap());
    assert_eq!(export.code, 0, "{export:?}");
    machine.ok(&["gateway", "import"]);
    assert_eq!(machine.rows(), "1");
    machine.ok(&REFRESH);
    assert!(!machine.rescue.join(BUNDLE).exists());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_the_database_holds_by_the_same_name_stays_unless_it_is_to_be_replaced() {
    let machine = Machine::ready();
    let paste = |mut command: Command, name: &str| {
        machine.world.write("pasted", name);
        let input = std::fs::File::open(machine.world.state().join("pasted")).unwrap();
        let pasted = ran(command.stdin(Stdio::from(input)).output().unwrap());
        assert_eq!(pasted.code, 0, "{pasted:?}");
    };
    let args = ["models", "auth", "paste-api-key", "--provider", "groq"];
    let (here, there) = (
        "gsk_here-0123456789-0123456789",
        "gsk_there-0123456789-0123456789",
    );
    paste(machine.world.command(&args), here);
    paste(machine.command("key", &args), there);
    let before = machine.world.read(DOCUMENT);
    machine.fails(&["gateway", "import"], 1, "--replace");
    assert_eq!(
        (machine.world.read(DOCUMENT), &*machine.rows()),
        (before, "1")
    );
    machine.ok(&["gateway", "import", "--replace"]);
    let token = machine.ok(&["models", "auth", "token", "--provider", "groq"]);
    assert_eq!(token.trim(), here);
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
