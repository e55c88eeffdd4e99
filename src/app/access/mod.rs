//! Who may ask the gateway: its own token, and the keys of others.

pub mod gateway_token;
pub mod keys;

use super::context::Context;
use super::failure::{Failure, Kind};
use crate::model::text::hexadecimal;

/// So many random bytes, in hexadecimal.
///
/// # Errors
/// If the system has no randomness.
fn random_hex<const BYTES: usize>(cx: Context<'_>) -> Result<String, Failure> {
    let mut bytes = [0; BYTES];
    let filled = cx.random.fill(&mut bytes);
    filled.map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
    Ok(hexadecimal(&bytes))
}
