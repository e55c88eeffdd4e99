//! Fakes of the ports.

pub mod clock;
pub mod disk;
pub mod env;
pub mod files;
pub mod fixed_vault;
pub mod http;
pub mod key_cache;
pub mod keyring;
pub mod program;
pub mod quirk;
pub mod vault;
