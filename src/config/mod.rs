//! Floor 2: `openclaw.json`, read and edited without losing what people wrote, and `config.yaml`,
//! which is only read.

mod auth_block;
mod error;
mod finding;
mod json5;
mod redirect;
mod yaml;

pub mod declared;
pub mod directories;
pub mod edit;
pub mod read;
pub mod sessions;

pub mod file;
mod hooks;
pub mod workspace;
