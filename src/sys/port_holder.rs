//! Who holds a TCP port, so that a login that cannot listen names the program to close, and a token
//! is sent to no other user's server.
//!
//! Best effort and Linux only: the socket tables name an inode, and a process that has it open is
//! found if we may look into it. Not finding one is no failure.

use std::fs;
use std::path::Path;

use super::owner_support::us;
use super::socket_table;
use crate::model::id::printable;
use crate::ports::callback::Holder;
use crate::ports::listeners::Listeners;

/// The listeners of this machine.
pub struct SystemListeners;

impl Listeners for SystemListeners {
    fn are_trusted(&self, port: u16) -> bool {
        socket_table::is_trusted(port)
    }
}

/// Who listens on `port` at any address.
pub(crate) fn find(port: u16) -> Option<Holder> {
    let sockets = socket_table::listeners(port);
    let us = us();
    let foreign = sockets.iter().find(|socket| socket.uid != us);
    let uid = foreign.or(sockets.first())?.uid;
    let links: Vec<String> = sockets
        .iter()
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    Some(Holder {
        process: process(&links),
        // Root could take whatever it wanted.
        foreign: (uid != us && uid != 0).then_some(uid),
    })
}

/// The process that has one of these sockets open, as `pid 123 (node)`.
fn process(sockets: &[String]) -> Option<String> {
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let path = entry.path();
        holds_one(&path, sockets).then(|| describe(pid, &path))
    })
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
