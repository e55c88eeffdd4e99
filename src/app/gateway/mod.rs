//! The client of a gateway, which keeps logins for others and may run on another machine.
//!
//! The invariants: a token goes to the address that was named and nowhere else, over a connection
//! that nobody listens to; and of an answer nothing is shown that could steer a terminal, or that
//! was sent.

mod address;
mod answer;
mod client;
pub mod lease;
pub mod leased_token;
pub mod link;
pub mod logout;
mod naming;
pub mod provider;
pub mod status;
mod token;

use std::path::PathBuf;

/// How the gateway is reached.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its URL, instead of the one that the variables name.
    pub url: Option<String>,
    /// A file with the token, instead of the variables; below the working directory.
    pub token_file: Option<PathBuf>,
    /// Whether the token may be sent over a connection that others can read.
    pub insecure_http: bool,
}
