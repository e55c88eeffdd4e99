//! The address of a database, and what of it may be shown.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::model::secret::Secret;

/// How long one attempt to connect may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// Where a database is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    /// Host, port and name: nothing secret.
    pub(super) shown: String,
    /// Whether a connection is encrypted, or not made.
    pub(super) needs_tls: bool,
    /// Whether it is on this machine.
    pub(super) is_here: bool,
}

impl Address {
    /// Takes a URL or `key=value` pairs, as libpq does. A password goes over a network only encrypted,
    /// unless `sslmode=disable` says otherwise, and a server is always verified: libpq's `verify-full` is
    /// `require` here.
    ///
    /// # Errors
    /// What is wrong with it, and nothing of its values.
    pub(super) fn parse(text: &Secret<String>) -> Result<Self, String> {
        let mut text = Secret::from(text.expose().trim());
        for mode in ["verify-full", "verify-ca"] {
            let before = format!("sslmode={mode}");
            text = Secret::new(text.expose().replace(&before, "sslmode=require"));
        }
        let config = text.expose().parse::<Config>();
        let mut config = config.map_err(|error| match text.expose().contains("sslrootcert") {
            true => "sslrootcert is not known here: name the authority in SSL_CERT_FILE".to_owned(),
            false => error.to_string(),
        })?;
        if config.get_hosts().is_empty() {
            return Err("it names no host".to_owned());
        }
        if config.get_user().is_none() {
            return Err("it names no user".to_owned());
        }
        check_hosts(&config)?;
        let is_here = config.get_hosts().iter().all(is_local)
            && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        if !is_here && config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("openclaw");
        }
        Ok(Self {
            shown: shown(&config),
            needs_tls: config.get_ssl_mode() == SslMode::Require,
            is_here,
            config,
        })
    }
}

/// Refuses what is no name of a host or a database: mostly it is a part of a password that was not
/// encoded, and would be shown.
fn check_hosts(config: &Config) -> Result<(), String> {
    let is_odd =
        |text: &str| text.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
    let is_odd_host = |host: &Host| match host {
        Host::Tcp(name) => is_odd(name) || name.contains('/'),
        #[cfg(unix)]
        Host::Unix(_) => false,
    };
    if config.get_hosts().iter().any(is_odd_host) {
        return Err(
            "its host is no name of one: in a password write %40 for @ and %2F for /".to_owned(),
        );
    }
    match config.get_dbname().is_some_and(is_odd) {
        true => Err("the name of its database holds white space or an @".to_owned()),
        false => Ok(()),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let mut shown = String::new();
    for (place, host) in config.get_hosts().iter().enumerate() {
        if place > 0 {
            shown.push(',');
        }
        let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
        // Into memory.
        let _ = match host {
            Host::Tcp(name) => write!(shown, "{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => write!(shown, "{}", path.display()),
        };
    }
    let name = config.get_dbname().or(config.get_user());
    format!("{shown}/{}", name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, String> {
        Address::parse(&Secret::from(text))
    }

    #[test]
    fn what_is_shown_holds_no_password() {
        for (text, shown) in [
            (
                "postgres://me:MARKER@db.example/logins",
                "db.example:5432/logins",
            ),
            (
                "postgres://me:MARKER@a:1,b:2/x?sslmode=verify-full\n",
                "a:1,b:2/x",
            ),
            ("host=/run/pg user=me password=MARKER", "/run/pg/me"),
        ] {
            assert_eq!(parse(text).unwrap().shown, shown);
        }
        for text in [
            "postgres://me:MARKER@db/x?odd=MARKER",
            "MARKER",
            "postgres://me:p@MARKER@db/x",
            "postgres://me:p@db/x\n# MARKER",
            "postgres://me@db/x postgres://you:MARKER@db/x",
            "host=a",
            "user=a",
            "",
        ] {
            let error = parse(text).err().unwrap();
            assert!(!error.contains("MARKER"), "{error}");
        }
    }

    #[test]
    fn a_password_crosses_a_network_encrypted_unless_that_is_forbidden() {
        for (text, needs_tls) in [
            ("postgres://me@db.example/x", true),
            ("postgres://me@db.example/x?sslmode=disable", false),
            ("postgres://me@127.0.0.1/x", false),
            ("postgres://me@localhost/x?sslmode=require", true),
            ("postgres://me@localhost,db.example/x", true),
            ("postgres://me@localhost/x?hostaddr=192.0.2.2", true),
            ("postgres://me@localhost/x?hostaddr=127.0.0.2", false),
        ] {
            assert_eq!(parse(text).unwrap().needs_tls, needs_tls, "{text}");
        }
    }
}
