//! Side room: fakes of the doors.

pub mod clock;
pub mod disk;
pub mod env;
pub mod files;
pub mod http;
pub mod program;
pub mod quirk;
