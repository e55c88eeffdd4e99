//! Every integration test, in one binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at real files and processes"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod accounts;
mod architecture;
mod beside_openclaw;
mod cli;
mod config;
mod disks;
mod faults;
mod fixture_edits;
mod leaks;
mod login;
mod oidc_provider;
mod openclaw_package;
mod providers;
mod random_inputs;
mod refresh;
mod rescue;
mod same_answers;
mod short_writes;
mod standards;
mod status;
mod store;
mod store_faults;
mod store_rescue;
