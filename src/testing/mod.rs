//! Side room: fakes of the doors and a real loopback authorization server, for tests and the tour.

pub mod browser;
pub mod clock;
pub mod disk;
pub mod env;
pub mod files;
pub mod http;
pub mod issuer;
pub mod program;
pub mod quirk;
