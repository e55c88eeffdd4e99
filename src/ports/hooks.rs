//! The commands that a user wants to be run when something happens.
//!
//! An implementation owes: nothing is read before it is asked; what is wrong with one command keeps
//! no other from being run.

use crate::model::alert::Hooks;
use crate::model::declared::Finding;

use super::declarations::DeclareError;

/// Where hooks are configured.
pub trait HookSource: Send + Sync {
    /// What can be run, and what is wrong with the rest.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError>;
}
