//! Machines that share the logins of one database: each a state directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use openclaw::model::credential::{Credential, Identity, OAuth};
use openclaw::model::grant::{Binding, GrantDigest, GrantRecord};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::json::Extra;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::{Documents as _, Journal as _, Scope};
use openclaw::postgres::store::PostgresStore;
use openclaw::sys::clock::SystemClock;

use super::issuer::{Account, Issuer};
use super::postgres_node::{KEY, Node};
use super::postgres_server::Database;
use super::running_gateway::Gateway;
use super::{Ran, World, millis_from_now, ran};

/// Two machines, and the issuer of their logins in the place of `openai-codex`.
pub(crate) struct Team {
    pub(crate) database: Database,
    pub(crate) issuer: Issuer,
    pub(crate) machines: [World; 2],
    /// A third machine, through which a test looks at the store.
    observer: Node,
    url: String,
}

impl Team {
    pub(crate) fn new() -> Self {
        let database = Database::new();
        let url = database.url();
        Self::at(database, url)
    }

    /// Its machines reach the database at `url`.
    pub(crate) fn at(database: Database, url: String) -> Self {
        let observer = Node::on(&database);
        Self::seen_by(observer, database, url)
    }

    /// The same; the test reaches it there, too.
    pub(crate) fn wholly_at(database: Database, url: String) -> Self {
        let observer = Node::through(&database, url.clone());
        Self::seen_by(observer, database, url)
    }

    fn seen_by(observer: Node, database: Database, url: String) -> Self {
        let clock = Arc::new(SystemClock::new());
        let issuer = Issuer::start(Account::default(), clock).unwrap();
        let machines = [World::new(), World::new()];
        for machine in &machines {
            machine.write("providers/openai-codex.toml", &issuer.manifest());
            machine.write("database-url", &url);
            machine.write("database-key", &format!("{KEY:02x}").repeat(32));
        }
        Self {
            database,
            issuer,
            machines,
            observer,
            url,
        }
    }

    /// The same command on one of the machines.
    pub(crate) fn command(&self, machine: usize, args: &[&str]) -> Command {
        let world = &self.machines[machine];
        let mut command = world.command(args);
        command
            .env(
                "OPENCLAW_DATABASE_URL_FILE",
                world.state().join("database-url"),
            )
            .env(
                "GOCLAW_ENCRYPTION_KEY_FILE",
                world.state().join("database-key"),
            );
        command
    }

    pub(crate) fn run(&self, machine: usize, args: &[&str]) -> Ran {
        ran(self.command(machine, args).output().unwrap())
    }

    /// Starts a gateway on a machine.
    pub(crate) fn gateway(&self, machine: usize) -> Gateway {
        Gateway::of(self.command(machine, &["gateway", "run", "--listen", "127.0.0.1:0"]))
    }

    /// Everything of the store, seen from elsewhere.
    pub(crate) fn store(&self) -> PostgresStore {
        self.observer.open()
    }

    /// What is that tenant's of it.
    pub(crate) fn store_of(&self, tenant: &str) -> PostgresStore {
        self.observer.open_of(tenant)
    }

    /// A login of the issuer that ends `left` seconds from now: its refresh token.
    pub(crate) fn seed(&self, profile: &str, left: i64) -> String {
        self.seed_in(&self.store(), profile, left)
    }

    /// The same in that store.
    pub(crate) fn seed_in(&self, store: &PostgresStore, profile: &str, left: i64) -> String {
        let (access, refresh) = self.issuer.issue();
        let profile = ProfileId::parse(profile).unwrap();
        let provider = ProviderId::parse("openai-codex").unwrap();
        let login = OAuth {
            provider: provider.to_string(),
            access: Some(Secret::new(access)),
            refresh: Some(Secret::from(&*refresh)),
            expires: Some(Timestamp(millis_from_now(left))),
            identity: Identity {
                account_id: Some("acct_1".into()),
                email: None,
            },
            extra: Extra::default(),
        };
        let put = store.update(&AgentId::main(), &mut |doc| {
            doc.put(profile.clone(), Credential::OAuth(login.clone()))
        });
        put.unwrap();
        let grant = GrantDigest::of(&provider, &Secret::from(&*refresh));
        let binding = Binding {
            token_endpoint: format!("{}/oauth/token", self.issuer.url()),
            client_id: "test-client".into(),
        };
        let record = GrantRecord {
            binding: Some(binding),
            ..GrantRecord::new(grant, &provider, &profile)
        };
        store.record_login(&record).unwrap();
        refresh
    }

    /// Access and refresh token of a profile, as they are stored.
    pub(crate) fn tokens(&self, profile: &str) -> Option<(String, String)> {
        tokens_in(&self.store(), profile)
    }

    /// The files of a machine for answers that are in no row yet.
    pub(crate) fn answers(&self, machine: usize) -> Vec<PathBuf> {
        let directory = self.machines[machine].state().join("postgres");
        let deployments = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let rescues = deployments.map(|entry| entry.path().join("rescue"));
        let files = rescues.flat_map(|path| std::fs::read_dir(path).into_iter().flatten());
        let paths = files.flatten().map(|file| file.path());
        paths.filter(|path| is_answer(path)).collect()
    }

    /// Says of a command that it told no secret of the database.
    pub(crate) fn assert_discreet(&self, ran: &Ran) {
        let told = format!("{}{}", ran.out, ran.err);
        assert!(!told.contains(super::postgres_server::PASSWORD), "{told}");
        assert!(!told.contains(&self.url), "{told}");
    }
}

/// Access and refresh token of a profile, as they are stored there.
pub(crate) fn tokens_in(store: &PostgresStore, profile: &str) -> Option<(String, String)> {
    let doc = store.load(&AgentId::main(), Scope::All).unwrap();
    let login = doc.get(&ProfileId::parse(profile).unwrap())?.as_oauth()?;
    let access = login.access.as_ref()?.expose().clone();
    Some((access, login.refresh_token()?.expose().clone()))
}

/// Whether a file is for an answer.
pub(crate) fn is_answer(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "answer")
}

/// Whether the answer is in its file, behind the line that tells whose the file is.
pub(crate) fn is_answered(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let answer = lines.nth(1);
    answer.is_some_and(|answer| answer.iter().any(|byte| *byte != 0))
}
