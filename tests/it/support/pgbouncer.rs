//! PgBouncer in front of a server of the tests, in transaction mode: what a client does between two
//! transactions, or leaves behind, happens on a connection of somebody else.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::guarded::{Guarded, free_port, hand_over};
use super::postgres_server::{Database, PASSWORD, PostgresServer};

/// A running pool.
pub(crate) struct PgBouncer {
    pub(crate) port: u16,
    /// Dropped before the directory.
    _running: Guarded,
    _directory: tempfile::TempDir,
}

impl PgBouncer {
    /// A pool of three connections for each database of `server`, and each role that is there now.
    pub(crate) fn start(server: &PostgresServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (path, port) = (directory.path(), free_port());
        let users = path.join("users");
        let known = server.roles().into_iter();
        let known: String = known
            .map(|role| format!("\"{role}\" \"{PASSWORD}\"\n"))
            .collect();
        std::fs::write(&users, known).unwrap();
        super::users::set_mode(&users, 0o600);
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 500\n",
            server.port,
            users.display(),
        );
        let file = path.join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        hand_over(path);
        let log = path.join("log");
        let args = [file.to_str().unwrap().to_owned()];
        let mut running = Guarded::start(Path::new("pgbouncer"), &args, "TERM", &log);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let told = || std::fs::read_to_string(&log).unwrap();
            let is_late = begun.elapsed() > Duration::from_secs(60);
            assert!(!running.has_ended() && !is_late, "{}", told());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            _directory: directory,
            _running: running,
            port,
        }
    }

    /// The address of a database of its server through it.
    pub(crate) fn url(&self, database: &Database) -> String {
        database.url_at(self.port)
    }
}
