//! Who holds a TCP port, so that a login that cannot listen names the program to close.
//!
//! Best effort and Linux only: the socket tables name an inode, and a process that has it open is
//! found if we may look into it. Not finding one is no failure.

use std::fs;
use std::path::Path;

use crate::model::id::printable;

/// `TCP_LISTEN` in the tables of the kernel.
const LISTEN: &str = "0A";

/// The process that listens on `port` at any address, as `pid 123 (node)`.
pub(crate) fn find(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let sockets: Vec<String> = tables
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let path = entry.path();
        holds_one(&path, &sockets).then(|| describe(pid, &path))
    })
}

/// The inodes of the sockets that listen on `port`, from a table in the kernel's own format:
/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let matches = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == LISTEN;
        matches.then(|| fields.get(9).map(|&inode| inode.to_owned()))?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_one(process: &Path, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    descriptors.flatten().any(|descriptor| {
        fs::read_link(descriptor.path())
            .is_ok_and(|target| sockets.iter().any(|socket| Path::new(socket) == target))
    })
}

fn describe(pid: u32, process: &Path) -> String {
    // A process chooses its own name, so it is cleaned before it reaches a terminal.
    match fs::read_to_string(process.join("comm")) {
        Ok(name) => format!("pid {pid} ({})", printable(&name, 32)),
        Err(_) => format!("pid {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listening_socket_on_that_port_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:05AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n\
             1: 0100007F:05AF 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 0 10 -1\n\
             2: 0100007F:05B1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0\n";
        assert_eq!(listening_inodes(table, 1455), ["4711"]);
        assert!(listening_inodes("garbage\nmore", 1455).is_empty());
    }
}
