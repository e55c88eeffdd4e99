//! The TCP sockets of this machine and whose they are, as Linux lists them (proc_net_tcp(5)).
//!
//! Elsewhere nothing is known, and within another network namespace neither.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};

use super::owner_support::us;

/// `TCP_ESTABLISHED` and `TCP_LISTEN` of the kernel.
const ESTABLISHED: u8 = 0x01;
const LISTEN: u8 = 0x0A;
/// What a user is shown as who does not exist in our user namespace (user_namespaces(7)), unless
/// the system was told otherwise.
const OVERFLOW_UID: u32 = 65_534;

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    state: u8,
    /// Who made it.
    pub(super) uid: u32,
    /// Zero once no process has it open; then `uid` says nothing.
    pub(super) inode: u64,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// This user.
    Ours,
    /// Root, which is not this user.
    Root,
    /// Another user.
    Foreign,
    /// Nobody any more.
    Gone,
    /// The system does not say.
    Unknown,
}

/// Finds out who is at the other end of a connection on a loopback address.
pub(super) fn peer(stream: &TcpStream) -> Peer {
    let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
        return Peer::Gone;
    };
    let look = || judge(&all(), local, remote, us(), is_mapped);
    match look() {
        // The table is not read in one moment: a client may have left in between, and such a one
        // would be nobody's.
        Peer::Unknown => look(),
        known => known,
    }
}

/// Judges by the rows of both ends. `is_mapped` tells whether users may be shown as who they are not.
fn judge(
    table: &[Socket],
    local: SocketAddr,
    remote: SocketAddr,
    us: u32,
    is_mapped: impl Fn() -> bool,
) -> Peer {
    let find = |from: SocketAddr, to: SocketAddr| {
        let mut rows = table.iter();
        rows.find(|row| row.local == canonical(from) && row.remote == canonical(to))
    };
    match find(remote, local) {
        Some(row) if row.inode == 0 => Peer::Gone,
        Some(row) if row.uid == us => Peer::Ours,
        Some(row) if row.uid == 0 => Peer::Root,
        Some(row) if row.uid == OVERFLOW_UID && is_mapped() => Peer::Unknown,
        Some(_) => Peer::Foreign,
        None if find(local, remote).is_some_and(|ours| ours.state == ESTABLISHED) => Peer::Unknown,
        // Our end is gone as well, from a table that would list it.
        None if table.iter().any(|row| is_listener(row, local.port())) => Peer::Gone,
        None => Peer::Unknown,
    }
}

/// The sockets that listen on `port`, at any address.
pub(super) fn listeners(port: u16) -> Vec<Socket> {
    let mut table = all();
    table.retain(|row| is_listener(row, port));
    table
}

/// Whether there are listeners, and all of them are of this user. Who does not exist in our user
/// namespace looks like nobody, and so may this user.
pub(super) fn are_ours(listeners: &[Socket]) -> bool {
    !listeners.is_empty() && are_of(listeners, us(), is_mapped)
}

fn are_of(listeners: &[Socket], us: u32, is_mapped: impl Fn() -> bool) -> bool {
    let is_known = || us != OVERFLOW_UID || !is_mapped();
    let mut rows = listeners.iter();
    rows.all(|row| row.uid == us && row.inode != 0) && is_known()
}

fn is_listener(row: &Socket, port: u16) -> bool {
    row.state == LISTEN && row.local.port() == port
}

fn all() -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter();
    let tables = tables.filter_map(|path| fs::read_to_string(path).ok());
    tables.flat_map(|table| parse(&table)).collect()
}

/// Reads a table: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn parse(table: &str) -> Vec<Socket> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        Some(Socket {
            local: address(fields.get(1)?)?,
            remote: address(fields.get(2)?)?,
            state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
            uid: fields.get(7)?.parse().ok()?,
            inode: fields.get(9)?.parse().ok()?,
        })
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// Reads an address: words of 32 bits in the byte order of this machine, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| {
        let word = u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(canonical(SocketAddr::new(ip, port)))
}

/// A socket for both families shows an IPv4 address as `::ffff:127.0.0.1`.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether this process is in a user namespace with some of the users of the machine.
fn is_mapped() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let fields: Vec<&str> = map.split_whitespace().collect();
    fields != ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
         0: 0100007F:05AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n\
         1: 0100007F:05AF 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 0 10 -1\n\
         2: 0100007F:05B1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0\n";
    const TABLE_6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
         0: 0000000000000000FFFF00000100007F:C001 0000000000000000FFFF00000100007F:05AF 01 00000000:00000000 00:00000000 00000000  2002        0 4714 1 0 20 4 0 10 -1\n\
         1: 00000000000000000000000001000000:C002 00000000000000000000000001000000:05AF 01 00000000:00000000 00:00000000 00000000  2002        0 4715 1 0 20 4 0 10 -1\n";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn rows_are_read_in_both_families() {
        let rows = parse(TABLE);
        assert_eq!(rows[1].local, at("127.0.0.1:1455"));
        assert_eq!(rows[1].remote, at("127.0.0.1:49153"));
        assert_eq!((rows[1].uid, rows[1].inode), (1000, 4712));
        let rows = parse(TABLE_6);
        assert_eq!(rows[0].local, at("127.0.0.1:49153"));
        assert_eq!(rows[1].remote, at("[::1]:1455"));
        assert!(parse("garbage\nmore").is_empty());
    }

    #[test]
    fn only_a_listening_socket_on_that_port_is_a_listener() {
        let rows = parse(TABLE);
        let found: Vec<u64> = rows
            .iter()
            .filter(|row| is_listener(row, 1455))
            .map(|row| row.inode)
            .collect();
        assert_eq!(found, [4711]);
    }

    #[test]
    fn listeners_are_ours_if_all_are_of_this_user() {
        let mut rows = parse(TABLE);
        rows.remove(1);
        let ours = |rows: &[Socket], us: u32, mapped| are_of(rows, us, || mapped);
        assert!(ours(&rows, 1000, false));
        assert!(!ours(&rows, 1001, false));
        for other in [0, 1001] {
            rows[0].uid = other;
            assert!(!ours(&rows, 1000, false), "{other}");
        }
        rows.remove(0);
        rows[0].uid = OVERFLOW_UID;
        assert!(ours(&rows, OVERFLOW_UID, false));
        assert!(!ours(&rows, OVERFLOW_UID, true));
        assert!(!are_ours(&[]));
    }

    #[test]
    fn a_client_is_whose_socket_it_is() {
        let (ours, client) = (at("127.0.0.1:1455"), at("127.0.0.1:49153"));
        let table = [parse(TABLE), parse(TABLE_6)].concat();
        let with = |change: &dyn Fn(&mut Socket)| {
            let mut table = table.clone();
            change(&mut table[3]);
            judge(&table, ours, client, 1000, || false)
        };
        assert_eq!(with(&|_| {}), Peer::Foreign);
        assert_eq!(with(&|row| row.uid = 1000), Peer::Ours);
        assert_eq!(with(&|row| row.uid = 0), Peer::Root);
        // What nobody has open any more is shown as root's.
        assert_eq!(with(&|row| (row.uid, row.inode) = (0, 0)), Peer::Gone);
    }

    #[test]
    fn a_client_without_a_row_is_unknown_only_while_its_connection_stands() {
        let (ours, client) = (at("127.0.0.1:1455"), at("127.0.0.1:49153"));
        let mut table = parse(TABLE);
        let judged = |table: &[Socket]| judge(table, ours, client, 1000, || false);
        assert_eq!(judged(&table), Peer::Unknown);
        table.remove(1);
        assert_eq!(judged(&table), Peer::Gone);
        assert_eq!(judged(&[]), Peer::Unknown);
    }

    #[test]
    fn a_user_of_another_namespace_is_unknown() {
        let (ours, client) = (at("127.0.0.1:1455"), at("127.0.0.1:49153"));
        let mut table = parse(TABLE_6);
        table[0].uid = OVERFLOW_UID;
        let judged = |mapped: bool| judge(&table, ours, client, 1000, || mapped);
        assert_eq!(judged(true), Peer::Unknown);
        assert_eq!(judged(false), Peer::Foreign);
    }
}
