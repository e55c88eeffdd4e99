//! Floor 2: the real doors to the outside.

pub mod browser;
pub mod callback;
pub mod clock;
pub mod env;
pub mod files;
pub mod http;
pub mod interrupt;
pub mod lock;
pub mod page;
pub mod paths;
pub mod random;
