//! Floor 2: `openclaw.json`, read and edited without losing what people wrote.

pub mod edit;
pub mod file;
pub mod read;
