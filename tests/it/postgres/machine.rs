//! A machine whose logins are in its files, and a database that they may move into.

use std::path::PathBuf;
use std::process::Command;

use crate::support::issuer::{Account, Issuer};
use crate::support::postgres_server::{Database, PASSWORD};
use crate::support::users::set_mode;
use crate::support::{Ran, World, ran};

/// The bytes from 0 to 31, and others.
pub(super) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(super) const REFRESH: [&str; 4] = ["models", "auth", "refresh", "--force"];
pub(super) const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A machine with a login in its files, and a database.
pub(super) struct Machine {
    pub(super) world: World,
    pub(super) issuer: Issuer,
    pub(super) database: Database,
    pub(super) refresh: String,
    pub(super) rescue: PathBuf,
}

impl Machine {
    pub(super) fn new() -> Self {
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
            issuer,
            database,
            refresh,
            rescue,
        }
    }

    /// One whose database has its tables.
    pub(super) fn ready() -> Self {
        let machine = Self::new();
        machine.ok(&["gateway", "migrate"]);
        machine
    }

    /// A command with the database under a key.
    pub(super) fn command(&self, key: &str, args: &[&str]) -> Command {
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

    pub(super) fn run_under(&self, key: &str, args: &[&str]) -> Ran {
        let ran = ran(self.command(key, args).output().unwrap());
        let told = [ran.out.as_str(), &ran.err].concat();
        for secret in [PASSWORD, KEY, OTHER, &self.refresh] {
            assert!(!told.contains(secret), "{args:?}: {told}");
        }
        ran
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.run_under("key", args)
    }

    pub(super) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.out
    }

    pub(super) fn fails(&self, args: &[&str], code: i32, why: &str) {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        let told = [ran.out, ran.err].concat();
        assert!(told.contains(why), "{args:?}: {told}");
    }

    pub(super) fn rows(&self) -> String {
        self.database
            .value("SELECT count(*) FROM openclaw.credential")
    }
}
