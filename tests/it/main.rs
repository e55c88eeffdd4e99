//! Every integration test, in one binary.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at real files and processes"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod alerts;
mod architecture;
mod at_a_terminal;
mod beside_openclaw;
mod busy_locks;
mod callback;
mod cli_reference;
mod client_credentials;
mod config_edits;
mod config_properties;
mod declared;
mod device;
mod discovery;
mod disks;
mod doctor;
mod exec;
mod exit_codes;
mod explain;
mod faults;
mod fixture_edits;
mod history;
mod id_tokens;
mod includes;
mod inheritance;
mod keys;
mod leaks;
mod login;
mod manifests;
mod oidc_provider;
mod onboard;
mod openclaw_package;
mod order;
mod paste;
mod pins;
mod probe;
mod programs;
mod races;
mod random_inputs;
mod refresh;
mod rescue;
mod restored;
mod revocation;
mod rotation;
mod routes;
mod same_answers;
mod screens;
mod short_writes;
mod signals;
mod standards;
mod status;
mod store_documents;
mod store_faults;
mod store_files;
mod store_properties;
mod store_rescue;
mod terminal;
mod tick;
mod time;
mod transcripts;
mod use_profile;
mod wire_flows;
mod wizard;
