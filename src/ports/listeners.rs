//! Who listens on the ports of this machine.

/// Tells whose the servers of this machine are.
pub trait Listeners: Send + Sync {
    /// Whether whatever listens on a TCP port, at any address, is of this user, and, as far as can be
    /// seen, this program. False where nothing listens, or the system does not tell.
    fn are_ours(&self, port: u16) -> bool;
}
