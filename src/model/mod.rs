//! Floor 0: plain data and rules. Nothing here does I/O, reads a clock or the environment.

pub mod audit;
pub mod bearer;
pub mod bundle;
pub mod collation;
pub mod dotenv;
pub mod json;
pub mod kind;
pub mod malformed;
pub mod near;
pub mod path;
pub mod secret;
pub mod state_digest;
pub mod state_files;
pub mod tenant;
pub mod text;
pub mod time;

pub mod pairs;

pub mod id;
pub mod moved;
pub mod named;

pub mod clean;
pub mod credential;
pub mod env_reference;
pub mod exec_id;
pub mod expiry;
pub mod glimpse;
pub mod grant;
pub mod grant_digest;
pub mod seal;
pub mod secret_buffer;
pub mod secret_exchange;
pub mod secret_fault;
pub mod secret_ref;
pub mod secret_shape;
pub mod secret_source;

pub mod hint;

pub mod access;
pub mod access_key;

pub mod cooldown;
pub mod history;
pub mod inheritance;
pub mod usage;
pub mod variable;
pub mod vault;

pub mod mentions;
pub mod saved_response;

pub mod persona;
pub mod profile_index;
pub mod profiles;

pub mod alert;
pub mod database_key;
pub mod declared;
pub mod provider;
pub mod reference;
pub mod settings;
pub mod sidecar;

pub mod selection;
