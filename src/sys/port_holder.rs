//! Who holds a TCP port, so that a login that cannot listen names the program to close, and a token
//! is sent to no other user's server.
//!
//! Best effort and Linux only: the socket tables name an inode, and a process that has it open is
//! found if we may look into it. Not finding one is no failure.

use std::fs;
use std::path::{Path, PathBuf};

use super::owner_support::us;
use super::socket_table::{self, Socket};
use crate::model::id::printable;
use crate::ports::callback::Holder;
use crate::ports::listeners::Listeners;

/// The listeners of this machine.
pub struct SystemListeners;

impl Listeners for SystemListeners {
    /// A process that forwards the port to another machine is of this user as well. What it has
    /// open can be seen, unlike that of this program, unless it is root who looks.
    fn are_ours(&self, port: u16) -> bool {
        let sockets = socket_table::listeners(port);
        let name = |process: &Path| fs::read_to_string(process.join("comm")).ok();
        let ours = name(Path::new("/proc/self"));
        let mut seen = holders(&sockets);
        socket_table::are_ours(&sockets) && seen.all(|(_, process)| name(&process) == ours)
    }
}

/// Who listens on `port` at any address.
pub(crate) fn find(port: u16) -> Option<Holder> {
    let sockets = socket_table::listeners(port);
    let us = us();
    let foreign = sockets.iter().find(|socket| socket.uid != us);
    let uid = foreign.or(sockets.first())?.uid;
    let mut holders = holders(&sockets);
    Some(Holder {
        process: holders.next().map(|(pid, path)| describe(pid, &path)),
        // Root could take whatever it wanted.
        foreign: (uid != us && uid != 0).then_some(uid),
    })
}

/// The processes that are seen to have one of these sockets open: their numbers and directories.
fn holders(sockets: &[Socket]) -> impl Iterator<Item = (u32, PathBuf)> + use<> {
    let links = sockets.iter();
    let links: Vec<String> = links
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let path = entry.path();
        holds_one(&path, &links).then_some((pid, path))
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
