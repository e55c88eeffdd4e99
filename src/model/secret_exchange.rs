//! How OpenClaw asks a program for secrets: exec protocol 1, one JSON object on standard input and
//! one on standard output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// What is asked of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRequest {
    /// [`VERSION`].
    #[serde(rename = "protocolVersion")]
    pub version: u32,
    /// Under which name the configuration knows the program.
    #[serde(default)]
    pub provider: String,
    /// What the secrets are called.
    pub ids: Vec<String>,
}

/// What it answers, with values of the type `V`.
#[derive(Serialize, Deserialize)]
pub struct SecretResponse<V> {
    /// [`VERSION`].
    #[serde(rename = "protocolVersion")]
    pub version: u32,
    /// The secrets by their ids.
    pub values: BTreeMap<String, V>,
    /// Why an id has none.
    #[serde(default)]
    pub errors: BTreeMap<String, SecretError>,
}

/// Why an id has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretError {
    /// For programs: `NOT_FOUND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For people; the reference release shows it and not the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The codes that this program gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SecretErrorCode {
    /// There is no such secret, or it is kept by another program.
    NotFound,
    /// It is sealed, and a person must open the vault.
    Locked,
    /// It is a token that has expired.
    Expired,
    /// It is there, and could not be read.
    Unavailable,
}
