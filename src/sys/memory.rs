//! The memory of this process, which holds refresh tokens: no core dump shows it, and no other
//! process of this user that is not root.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit};

/// The limit of core dumps with which this process was started.
static CORE_LIMIT: OnceLock<Rlimit> = OnceLock::new();

/// Allows no core dump of this process, and nobody to look into it. Must come first: what crashes
/// before is not covered. A system that refuses goes without.
pub fn protect() {
    if let Ok(before) = forbid_cores() {
        // Once per process; a second time it would be our own limit.
        let _ = CORE_LIMIT.set(before);
    }
    // A core that goes to a program (core_pattern(5)) knows no limit, but this it heeds; so do
    // ptrace(2) and /proc/<pid>/mem. `execve` ends it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Gives the program that takes our place the limit that it would have had.
pub(super) fn restore_core_limit() {
    if let Some(before) = CORE_LIMIT.get() {
        let _ = rustix::process::setrlimit(Resource::Core, *before);
    }
}

/// Sets the limit to zero; returns the one before. One system call where nothing bounds the limit,
/// as is usual.
#[cfg(target_os = "linux")]
fn forbid_cores() -> rustix::io::Result<Rlimit> {
    let none_of = |maximum| Rlimit {
        current: Some(0),
        maximum,
    };
    let set = |limit| rustix::process::prlimit(None, Resource::Core, limit);
    let Ok(before) = set(none_of(None)) else {
        let bound = rustix::process::getrlimit(Resource::Core);
        return set(none_of(bound.maximum)).map(|_| bound);
    };
    if before.maximum.is_some() {
        set(none_of(before.maximum))?;
    }
    Ok(before)
}

#[cfg(not(target_os = "linux"))]
fn forbid_cores() -> rustix::io::Result<Rlimit> {
    let before = rustix::process::getrlimit(Resource::Core);
    let none = Rlimit {
        current: Some(0),
        ..before
    };
    rustix::process::setrlimit(Resource::Core, none).map(|()| before)
}
