//! Addresses of a session bus (D-Bus specification, "Server Addresses").
//!
//! A secret goes through a Unix socket and nowhere else: over TCP others could read it, and `unixexec`
//! and `autolaunch` start programs.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::model::id::printable;

/// The name of a Unix socket. One of the abstract namespace (unix(7)) begins with a zero byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BusSocket(PathBuf);

impl BusSocket {
    /// The socket that a session has by custom.
    pub(super) fn within(runtime_dir: &Path) -> Self {
        Self(runtime_dir.join("bus"))
    }

    /// The name as the system takes it.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The name for people.
    pub(super) fn shown(&self) -> String {
        printable(&self.0.to_string_lossy().replacen('\0', "@", 1), 100)
    }
}

/// Returns the Unix sockets that an address list names, in its order; none if it has only others.
pub(super) fn sockets(list: &str, runtime_dir: &Path) -> Vec<BusSocket> {
    let entries = list.split(';');
    entries.filter_map(|it| socket(it, runtime_dir)).collect()
}

fn socket(entry: &str, runtime_dir: &Path) -> Option<BusSocket> {
    let pairs = entry.trim().strip_prefix("unix:")?.split(',');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    let mut names = pairs.filter_map(|(key, value)| {
        let value: Vec<u8> = percent_decode_str(value).collect();
        let is_name = !value.is_empty() && !value.contains(&0);
        match key {
            "path" if is_name => Some(value),
            "abstract" if is_name => Some([&[0], value.as_slice()].concat()),
            "runtime" if value == b"yes" => {
                let usual = BusSocket::within(runtime_dir);
                Some(usual.0.as_os_str().as_bytes().to_vec())
            }
            _ => None,
        }
    });
    let name = names.next()?;
    // Of two, nobody knows which is meant.
    let is_one = names.next().is_none();
    is_one.then(|| BusSocket(PathBuf::from(OsString::from_vec(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &str) -> Vec<String> {
        let sockets = sockets(list, Path::new("/run/user/7"));
        sockets.iter().map(BusSocket::shown).collect()
    }

    #[test]
    fn unix_sockets_are_found_in_their_order() {
        for (list, expected) in [
            ("unix:path=/run/user/7/bus", &["/run/user/7/bus"][..]),
            (
                "unix:path=/tmp/dbus-a%20b%2cc,guid=d0c5",
                &["/tmp/dbus-a b,c"],
            ),
            ("unix:guid=d0c5,abstract=/tmp/dbus-x", &["@/tmp/dbus-x"]),
            ("unix:runtime=yes", &["/run/user/7/bus"]),
            (
                "tcp:host=localhost,port=1;;unix:path=/a;unix:abstract=b",
                &["/a", "@b"],
            ),
            ("unix:path=/tmp/\u{1b}[2J", &["/tmp/ [2J"]),
        ] {
            assert_eq!(shown(list), expected, "{list:?}");
        }
    }

    #[test]
    fn what_is_no_unix_socket_is_left_out() {
        for list in [
            "",
            ";",
            "tcp:host=127.0.0.1,port=9",
            "nonce-tcp:host=127.0.0.1,port=9,noncefile=/tmp/n",
            "unixexec:path=/bin/sh,argv1=-c",
            "autolaunch:",
            "launchd:env=DBUS_LAUNCHD_SESSION_BUS_SOCKET",
            "unix:",
            "unix:path=",
            "unix:path",
            "unix:abstract=",
            "unix:runtime=no",
            "unix:dir=/tmp",
            "unix:path=/a,abstract=b",
            "unix:path=%00name",
            "unix:path=/a%00b",
            "/run/user/7/bus",
        ] {
            assert_eq!(shown(list), [""; 0], "{list:?}");
        }
    }
}
