//! The store in PostgreSQL, for logins that several machines share.
//!
//! Rows are sealed, each bound to its place. One refresh for any number of machines: a lease row
//! says who may spend a grant, the intent is committed before anything is sent, and the answer is
//! in a file of this machine before anybody parses it. No session state is used, so that a pool by
//! transaction may stand between.

pub mod settings;
pub mod store;

mod access_keys;
mod address;
mod admin;
mod agents;
mod audit;
mod commit;
mod context;
mod deployment;
mod dial;
mod documents;
mod fault;
mod history;
mod history_batch;
mod history_listing;
mod holder;
mod kept;
mod lease;
mod leases;
mod link;
mod login_attempts;
mod once;
mod page_passes;
mod pool;
mod roles;
mod scan;
mod schema;
mod seal;
mod tenants;
mod watch;
mod writing;
