//! Floor 2: the real doors to the outside.

mod bind;
pub mod browser;
pub mod callback;
pub mod clock;
pub mod disk;
pub mod env;
mod errand;
pub mod exec;
pub mod files;
mod group;
mod head;
pub mod http;
pub mod interrupt;
pub mod lock;
pub mod login_shell;
mod page;
pub mod paths;
mod port_holder;
mod prepare;
pub mod program;
pub mod random;
mod replace;
mod trust;
