//! Floor 3: use cases. A request in, an outcome out; nothing here prints, and nothing here knows
//! which files, clocks or networks are behind the ports.

pub mod context;
pub mod deposit;
mod dirs;
pub mod failure;

pub mod access;
pub mod agents;
mod batch;
pub mod credential;
pub mod database;
pub mod doctor;
pub mod explain;
pub mod gateway;
pub mod hooks;
mod issuer;
pub mod login;
pub mod maintenance;
pub mod models;
pub mod onboard;
mod own;
pub mod paste;
pub mod refresh;
mod revoke;
pub mod secrets;
pub mod status;
pub mod usecase;
mod vault_failure;
