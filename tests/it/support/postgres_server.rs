//! A PostgreSQL server of the tests, with a database of its own for each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::guarded::{Guarded, free_port, hand_over, unprivileged};

/// The passwords: of the administrator, and of the role that the program connects as.
const ADMIN: &str = "admin-pw";
pub(crate) const PASSWORD: &str = "database-password-MARKER";

/// So long that no busy machine reaches it.
const PATIENT: Duration = Duration::from_secs(120);

/// What a server that is thrown away need not do.
const CARELESS: [&str; 3] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// A server on loopback in a directory of its own, which ends when it is dropped.
pub(crate) struct PostgresServer {
    settings: Vec<String>,
    pub(crate) port: u16,
    databases: AtomicUsize,
    /// Dropped before the directory.
    running: Mutex<Option<Guarded>>,
    directory: tempfile::TempDir,
}

/// A database of a server, and its address.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) server: Arc<PostgresServer>,
    pub(crate) name: String,
}

impl PostgresServer {
    /// The one that the tests which run just now share: it keeps nothing if the machine stops.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Self::with(&CARELESS);
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// One that keeps what it committed.
    pub(crate) fn durable() -> Arc<Self> {
        Self::with(&[])
    }

    /// One that speaks TLS with the certificate of the tests, for 127.0.0.1.
    pub(crate) fn with_tls() -> Arc<Self> {
        Self::with(
            &[
                &CARELESS[..],
                &[
                    "ssl=on",
                    "ssl_cert_file=server.pem",
                    "ssl_key_file=server-key.pem",
                ],
            ]
            .concat(),
        )
    }

    fn with(settings: &[&str]) -> Arc<Self> {
        let settings = settings.iter().map(|&setting| setting.to_owned());
        let server = Self::unprepared(settings.collect());
        server.initialise();
        server.start();
        let role = format!("CREATE ROLE openclaw LOGIN PASSWORD '{PASSWORD}'");
        server.sql("postgres", &role);
        Arc::new(server)
    }

    fn unprepared(settings: Vec<String>) -> Self {
        Self {
            settings,
            port: free_port(),
            running: Mutex::new(None),
            databases: AtomicUsize::new(0),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A standby of this one, which has each commit before it counts.
    pub(crate) fn standby(&self) -> Arc<Self> {
        let standby = Self::unprepared(self.settings.clone());
        hand_over(standby.directory.path());
        let mut copy = unprivileged(&program("pg_basebackup"));
        copy.args(["--host=127.0.0.1", "--username=admin", "--no-password"])
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .arg(format!("--port={}", self.port))
            .arg("--pgdata")
            .arg(standby.data())
            .env("PGPASSWORD", ADMIN);
        let copied = copy.output().unwrap();
        assert!(copied.status.success(), "{copied:?}");
        standby.start();
        self.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()",
        );
        let follows = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        let begun = Instant::now();
        while self.sql("postgres", follows).is_empty() {
            assert!(begun.elapsed() < PATIENT);
            std::thread::sleep(Duration::from_millis(20));
        }
        Arc::new(standby)
    }

    /// Makes a standby a server that can be written to.
    pub(crate) fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote()");
    }

    fn initialise(&self) {
        let directory = self.directory.path();
        std::fs::write(directory.join("password"), ADMIN).unwrap();
        hand_over(directory);
        let mut initdb = unprivileged(&program("initdb"));
        initdb
            .args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--username=admin", "--pwfile"])
            .arg(directory.join("password"))
            .arg(self.data());
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        for name in ["server.pem", "server-key.pem"] {
            let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
            let copy = self.data().join(name);
            std::fs::copy(fixtures.join(name), &copy).unwrap();
            super::users::set_mode(&copy, 0o600);
        }
        hand_over(directory);
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&self) {
        let data = self.data().to_str().unwrap().to_owned();
        let port = format!("port={}", self.port);
        let fixed = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
        ];
        let mut args = vec!["-D".to_owned(), data, "-c".to_owned(), port];
        for setting in fixed
            .iter()
            .map(|&fixed| fixed.to_owned())
            .chain(self.settings.clone())
        {
            args.extend(["-c".to_owned(), setting]);
        }
        let log = self.directory.path().join("log");
        let mut server = Guarded::start(&program("postgres"), &args, "QUIT", &log);
        let begun = Instant::now();
        loop {
            let asked = self.psql("postgres", "SELECT 1");
            if asked.status.success() {
                break;
            }
            let is_late = begun.elapsed() > PATIENT;
            let told = || std::fs::read_to_string(&log).unwrap();
            assert!(!server.has_ended() && !is_late, "{asked:?}: {}", told());
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.running.lock().unwrap() = Some(server);
    }

    /// Ends it as `pg_ctl stop -m immediate` does: what it does next begins with a recovery.
    pub(crate) fn stop(&self) {
        drop(self.running.lock().unwrap().take());
    }

    /// The roles with the password of the program.
    pub(crate) fn roles(&self) -> Vec<String> {
        let all = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper";
        let found = self.sql("postgres", all).into_iter();
        found.flatten().collect()
    }

    /// A database with nothing in it, of a role that may do no more than own it.
    pub(crate) fn database(self: &Arc<Self>) -> Database {
        let number = self.databases.fetch_add(1, Ordering::SeqCst);
        let name = format!("logins_{number}");
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {name} OWNER openclaw"),
        );
        Database {
            server: Arc::clone(self),
            name,
        }
    }

    /// A program of the server that connects as its administrator.
    fn admin(&self, name: &str, database: &str) -> Command {
        let mut command = unprivileged(&program(name));
        command
            .args(["--host=127.0.0.1", "--username=admin", "--no-password"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--dbname={database}"))
            .env("PGPASSWORD", ADMIN);
        command
    }

    fn psql(&self, database: &str, text: &str) -> Output {
        let mut psql = self.admin("psql", database);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args([
                "--field-separator",
                "\u{1f}",
                "--record-separator",
                "\u{1e}",
            ])
            .args(["--set=ON_ERROR_STOP=1", "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let mut input = psql.stdin.take().unwrap();
        // One that cannot connect reads nothing.
        let _ = input.write_all(text.as_bytes());
        drop(input);
        psql.wait_with_output().unwrap()
    }

    fn sql(&self, database: &str, text: &str) -> Vec<Vec<String>> {
        let asked = self.try_sql(database, text);
        asked.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn try_sql(&self, database: &str, text: &str) -> Result<Vec<Vec<String>>, String> {
        let output = self.psql(database, text);
        if !output.status.success() {
            return Err(String::from_utf8(output.stderr).unwrap());
        }
        let rows = String::from_utf8(output.stdout).unwrap();
        let rows = rows.trim_end_matches(['\n', '\u{1e}']);
        let rows = rows.split('\u{1e}').filter(|row| !row.is_empty());
        Ok(rows
            .map(|row| row.split('\u{1f}').map(str::to_owned).collect())
            .collect())
    }
}

impl Database {
    /// A new one of the server that others use, too.
    pub(crate) fn new() -> Self {
        PostgresServer::shared().database()
    }

    /// The address that the program is given; it holds the password.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// The address through somebody who listens at another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!(
            "postgres://openclaw:{PASSWORD}@127.0.0.1:{port}/{}",
            self.name
        )
    }

    /// The rows of a statement of the administrator, each column as text.
    pub(crate) fn sql(&self, text: &str) -> Vec<Vec<String>> {
        self.server.sql(&self.name, text)
    }

    /// The rows of a statement of a role, or what the server said of it.
    pub(crate) fn sql_as(&self, role: &str, text: &str) -> Result<Vec<Vec<String>>, String> {
        let text = format!("SET ROLE {role}; {text}");
        self.server.try_sql(&self.name, &text)
    }

    /// Makes a role that owns nothing, with the same password.
    pub(crate) fn role(&self, name: &str) -> String {
        let role = format!("{}_{name}", self.name);
        self.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
        role
    }

    /// The address for that role, through somebody who listens at a port.
    pub(crate) fn url_of(&self, role: &str, port: u16) -> String {
        self.url_at(port)
            .replace("//openclaw:", &format!("//{role}:"))
    }

    /// The one column of the one row of a statement.
    pub(crate) fn value(&self, text: &str) -> String {
        let rows = self.sql(text);
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{text}: {rows:?}");
        rows[0][0].clone()
    }

    /// Everything that is in it, as its administrator saves it.
    pub(crate) fn dump(&self) -> String {
        let mut dump = self.server.admin("pg_dump", &self.name);
        dump.arg("--inserts");
        let dump = dump.output().unwrap();
        assert!(dump.status.success(), "{dump:?}");
        let dump = String::from_utf8(dump.stdout).unwrap();
        // A word that is made anew for each keeps what is restored from running commands.
        let lines = dump.lines().filter(|line| !line.contains("restrict "));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Holds the locks that a statement takes for as long as what it returns is kept.
    pub(crate) fn hold(&self, statement: &str) -> Held {
        let mut psql = self.server.admin("psql", &self.name);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let input = psql.stdin.as_mut().unwrap();
        writeln!(input, "BEGIN; {statement}; SELECT 'held';").unwrap();
        let mut lines = BufReader::new(psql.stdout.as_mut().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "held");
        Held(psql)
    }

    /// What is heard on a channel meanwhile.
    pub(crate) fn heard(&self, channel: &str, meanwhile: impl FnOnce()) -> String {
        let mut psql = self.server.admin("psql", &self.name);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let mut input = psql.stdin.take().unwrap();
        writeln!(input, "LISTEN \"{channel}\";\nSELECT 'listens';").unwrap();
        let mut lines = BufReader::new(psql.stdout.as_mut().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "listens");
        meanwhile();
        writeln!(input, "SELECT 'over';").unwrap();
        drop(input);
        let heard = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
        assert!(psql.wait().unwrap().success(), "{heard}");
        heard
    }

    /// Cuts every connection to it; how many there were.
    pub(crate) fn kill_backends(&self) -> usize {
        let killed = self.server.sql(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                self.name
            ),
        );
        killed.len()
    }
}

/// A transaction that is under way.
pub(crate) struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of the server: where the distribution keeps them, or wherever they are found.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let programs = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name));
    let newest = programs.filter(|program| program.exists()).max();
    newest.unwrap_or_else(|| name.into())
}
