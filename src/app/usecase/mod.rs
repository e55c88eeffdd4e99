//! Use cases of one file each, named after their command.

pub mod cooldown;
pub mod exec;
pub mod history;
pub mod import;
pub mod list;
pub mod logout;
pub mod logout_provider;
pub mod order;
pub mod providers;
pub mod refresh;
pub mod report;
pub mod token;
pub mod token_status;
pub mod undo;
pub mod use_profile;
