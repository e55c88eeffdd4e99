//! Floor 1: interfaces to the outside, as traits and their small data.
//!
//! Each file opens with what an implementation owes. The real ones are in `sys` and `store`, fakes of
//! them in `testing`.

pub mod access_keys;
pub mod database;
pub mod declarations;
pub mod host;

pub mod http;

pub mod program;

pub mod exec;

pub mod disk;
mod file_error;
pub mod files;
pub mod lock;
pub mod login_attempts;
pub mod page_passes;
mod pieces;

pub mod browser;
pub mod bundle;
pub mod callback;

pub mod dialog;

pub mod key_cache;
pub mod keyring;
pub mod listeners;

pub mod secrets;

pub mod stat;
pub mod store;
pub mod store_error;
pub mod store_files;
pub mod swap;
pub mod vault;
pub mod vault_keys;
