//! The `ssh` command that forwards the callback port to a user whose browser is on another machine.

use std::net::IpAddr;

use crate::model::hint::shell_word;
use crate::model::text::is_unprintable;
use crate::ports::host::Env;

/// The default port of SSH.
const SSH_PORT: &str = "22";

/// Returns the command that forwards `port` of the user's machine to this one; `None` if no SSH
/// session tells this machine's address. `redirect_host` is the host of the redirect URI.
pub(in crate::app) fn ssh_forward(env: &dyn Env, redirect_host: &str, port: u16) -> Option<String> {
    // `SSH_CONNECTION`: address and port of the client, address and port of the server.
    let connection = env.plain("SSH_CONNECTION")?;
    let mut words = connection.split_ascii_whitespace().skip(2);
    // One with a zone (`fe80::1%eth0`) means something else on the other machine.
    let host: IpAddr = words.next()?.parse().ok()?;
    let ssh_port = words.next().filter(|port| *port != SSH_PORT);
    let ssh_port: Option<u16> = ssh_port.and_then(|port| port.parse().ok());
    let ssh_port = ssh_port.map_or_else(String::new, |port| format!("-p {port} "));
    // The callback listens on both loopback addresses where the redirect says `localhost`. Brackets
    // keep the colons of an address apart from those of `-L`; the destination has no port.
    let here = match redirect_host {
        "[::1]" => "[::1]",
        _ => "127.0.0.1",
    };
    let user = ["USER", "LOGNAME"].iter().find_map(|name| env.plain(name));
    // Else it would be an option of `ssh`, or steer the terminal.
    let user = user.filter(|user| !user.starts_with('-') && !user.contains(is_unprintable));
    let destination = match user {
        Some(user) => format!("{user}@{host}"),
        None => host.to_string(),
    };
    let destination = shell_word(&destination);
    Some(format!(
        "ssh {ssh_port}-L {port}:{here}:{port} {destination}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    fn line(connection: &'static str, more: &[(&'static str, &'static str)]) -> Option<String> {
        let mut set = vec![("SSH_CONNECTION", connection)];
        set.extend(more);
        ssh_forward(&FixedEnv::of(&set), "localhost", 1455)
    }

    #[test]
    fn the_line_can_be_pasted_as_it_is() {
        let me = [("USER", "me"), ("LOGNAME", "other")];
        let table = [
            (
                "192.0.2.1 50000 192.0.2.2 22",
                "ssh -L 1455:127.0.0.1:1455 me@192.0.2.2",
            ),
            (
                "192.0.2.1 50000 192.0.2.2 2222",
                "ssh -p 2222 -L 1455:127.0.0.1:1455 me@192.0.2.2",
            ),
            (
                "2001:db8::1 50000 2001:db8::2 22",
                "ssh -L 1455:127.0.0.1:1455 me@2001:db8::2",
            ),
        ];
        for (connection, expected) in table {
            assert_eq!(line(connection, &me).as_deref(), Some(expected));
        }
        let set = FixedEnv::of(&[("SSH_CONNECTION", "::1 50000 ::1 22")]);
        assert_eq!(
            ssh_forward(&set, "[::1]", 9).as_deref(),
            Some("ssh -L 9:[::1]:9 ::1")
        );
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let plain = "192.0.2.1 50000 192.0.2.2 22";
        let unnamed = "ssh -L 1455:127.0.0.1:1455 192.0.2.2";
        assert_eq!(line(plain, &[]).as_deref(), Some(unnamed));
        let logname = line(plain, &[("LOGNAME", "me")]).unwrap();
        assert!(logname.ends_with(" me@192.0.2.2"));
        for user in ["-oProxyCommand=x", "a\u{1b}[2J"] {
            assert_eq!(line(plain, &[("USER", user)]).as_deref(), Some(unnamed));
        }
        let odd = line(plain, &[("USER", "DOM\\it's me")]).unwrap();
        assert!(odd.ends_with(r"'DOM\it'\''s me@192.0.2.2'"), "{odd}");
        assert_eq!(line("fe80::1%eth0 1 fe80::2%eth0 22", &[]), None);
        assert_eq!(line("192.0.2.1 50000", &[]), None);
        assert_eq!(ssh_forward(&FixedEnv::default(), "localhost", 1455), None);
    }
}
