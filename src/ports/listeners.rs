//! Who listens on the ports of this machine.

/// Tells whose the servers of this machine are.
pub trait Listeners: Send + Sync {
    /// Whether whatever listens on a TCP port, at any address, is of this user or of root. False
    /// where nothing listens, or the system does not tell.
    fn are_trusted(&self, port: u16) -> bool;
}
