//! Floor 2: `openclaw.json`, read and edited without losing what people wrote.

mod error;
mod json5;

pub mod edit;
pub mod read;

pub mod file;
pub mod workspace;
