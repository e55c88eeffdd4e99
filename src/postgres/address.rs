//! The address of a database, and what of it may be shown.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::model::secret::Secret;

/// How long it may take to connect, whatever the number of hosts.
pub(super) const CONNECT: Duration = Duration::from_secs(6);

/// Where a database is.
#[derive(Clone)]
pub(super) struct Address {
    /// How each of its hosts is connected to, in their order.
    pub(super) hosts: Vec<Config>,
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
        Ok(Self {
            shown: shown(&config),
            needs_tls: config.get_ssl_mode() == SslMode::Require,
            is_here,
            hosts: one_by_one(&config)?,
        })
    }
}

/// The same for each host alone. Of several only one that can be written to is used: the others follow it,
/// until one of them takes its place.
fn one_by_one(all: &Config) -> Result<Vec<Config>, String> {
    let hosts = all.get_hosts();
    let (ports, addresses) = (all.get_ports(), all.get_hostaddrs());
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err("it names more or fewer ports than hosts".to_owned());
    }
    if !addresses.is_empty() && addresses.len() != hosts.len() {
        return Err("it names more or fewer hostaddr than hosts".to_owned());
    }
    let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
    let one = |(place, host): (usize, &Host)| {
        let mut one = without_host(all);
        match host {
            Host::Tcp(name) => one.host(name),
            #[cfg(unix)]
            Host::Unix(path) => one.host_path(path),
        };
        if let Some(port) = ports.get(place).or(ports.first()) {
            one.port(*port);
        }
        if let Some(address) = addresses.get(place) {
            one.hostaddr(*address);
        }
        if hosts.len() > 1 {
            one.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        // A name may stand for two addresses, and the first may be one that nobody answers at.
        one.connect_timeout(CONNECT / count / 2);
        one
    };
    Ok(hosts.iter().enumerate().map(one).collect())
}

fn without_host(all: &Config) -> Config {
    let mut one = Config::new();
    one.ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .target_session_attrs(all.get_target_session_attrs())
        .load_balance_hosts(all.get_load_balance_hosts())
        .keepalives(all.get_keepalives())
        .tcp_user_timeout(Duration::from_secs(10))
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(2))
        .keepalives_retries(3)
        .application_name(all.get_application_name().unwrap_or("openclaw"));
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(name) = all.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    one
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
    fn each_host_is_asked_for_itself_and_only_one_that_can_be_written_to_is_used() {
        let address = parse("postgres://me:pw@a:1,b:2/x?hostaddr=192.0.2.1,192.0.2.2").unwrap();
        let seen: Vec<_> = (address.hosts.iter())
            .map(|one| (one.get_hosts(), one.get_ports(), one.get_hostaddrs()))
            .collect();
        let [first, second] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        assert_eq!(
            seen,
            [
                (&[Host::Tcp("a".to_owned())][..], &[1][..], &[first][..]),
                (&[Host::Tcp("b".to_owned())], &[2], &[second]),
            ]
        );
        for one in &address.hosts {
            assert_eq!(one.get_password(), Some(&b"pw"[..]));
            let wanted = one.get_target_session_attrs();
            assert_eq!(wanted, TargetSessionAttrs::ReadWrite);
        }
        let alone = parse("postgres://me@a/x").unwrap();
        let wanted = alone.hosts[0].get_target_session_attrs();
        assert_eq!(wanted, TargetSessionAttrs::Any);
        assert!(parse("postgres://me@a:1,b:2,c:3/x?hostaddr=192.0.2.1").is_err());
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
