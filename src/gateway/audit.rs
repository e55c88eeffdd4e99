//! The audit: lines of the log that tell which key did what, and never a secret.

/// The target of these lines.
pub(super) const AUDIT: &str = "openclaw::gateway::audit";
