//! Floor 2: the ports implemented on the operating system, one a file.

mod atomic_write;
pub mod browser;
pub mod callback;
mod callback_page;
pub mod clock;
pub mod disk;
pub mod env;
pub mod exec;
mod exec_permissions;
pub mod files;
mod fs_error;
mod hook_process;
pub mod http;
pub mod interrupt;
pub mod lock;
pub mod login_shell;
mod loopback;
mod ownership;
pub mod paths;
mod port_holder;
mod preallocated;
mod process_group;
pub mod program;
pub mod random;
mod request_head;
mod strangers;
mod sync;
