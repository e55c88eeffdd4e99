//! Every integration test, in one binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at real files and processes"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod accounts;
mod alerts;
mod architecture;
mod beside_openclaw;
mod cli_reference;
mod config;
mod disks;
mod doctor;
mod exec;
mod exit_codes;
mod faults;
mod fixture_edits;
mod leaks;
mod login;
mod oidc_provider;
mod openclaw_package;
mod probe;
mod providers;
mod random_inputs;
mod refresh;
mod rescue;
mod same_answers;
mod screens;
mod short_writes;
mod signals;
mod standards;
mod status;
mod store;
mod store_faults;
mod store_rescue;
mod terminal;
mod transcripts;
