//! Every integration test, in one binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at real files and processes"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod alerts;
mod architecture;
mod beside_openclaw;
mod cli_reference;
mod config;
mod declared;
mod disks;
mod doctor;
mod exec;
mod exit_codes;
mod explain;
mod faults;
mod fixture_edits;
mod inheritance;
mod keys;
mod leaks;
mod login;
mod manifests;
mod oidc_provider;
mod openclaw_package;
mod order;
mod pins;
mod probe;
mod programs;
mod random_inputs;
mod refresh;
mod rescue;
mod rotation;
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
mod use_profile;
mod wire_flows;
