//! One stored credential: which one is meant, what is known of it, and what it is worth now.

pub mod account;
pub mod document_faults;
pub mod env_keys;
pub mod facts;
pub mod forecast;
pub mod model_ref;
mod pins;
pub mod profile_id;
pub mod reason_text;
pub mod resolve;
pub mod selector;
pub mod state;
