//! Fakes of the ports.

pub mod clock;
pub mod disk;
pub mod env;
pub mod files;
pub mod http;
pub mod program;
pub mod quirk;
