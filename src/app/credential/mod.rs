//! A credential: which one is selected, the facts about it, and its assessment.

pub mod account;
pub mod assessment;
pub mod candidates;
pub mod document_faults;
pub mod env_keys;
pub mod facts;
pub(in crate::app) mod facts_reader;
pub mod forecast;
pub(in crate::app) mod getting_started;
pub(in crate::app) mod in_use;
pub mod model_ref;
pub mod obstacle;
pub mod outlook;
pub mod outside_key;
pub mod pins;
pub mod profile_id;
pub mod profile_name;
pub mod provider_name;
pub mod reason_text;
pub mod resolve;
pub mod selector;
pub mod state;
pub mod stored;
pub(in crate::app) mod strays;
pub(in crate::app) mod taken_away;
