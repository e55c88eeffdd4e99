//! Every integration test, in one binary, by topic: the head of each says what belongs there.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at real files and processes"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod accounts;
mod architecture;
mod cli;
mod compat;
mod config;
mod documentation;
mod faults;
mod gateway;
mod keyring;
mod login;
#[cfg(feature = "postgres")]
mod postgres;
mod providers;
mod refresh;
mod secrets;
mod security;
mod standards;
mod status;
mod store;
