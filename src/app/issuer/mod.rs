//! Issuers of tokens: client registration, metadata, verification of a login, plugins.

pub(super) mod metadata_cache;
pub(super) mod plugin;
pub(super) mod registration;
pub(super) mod verify_login;
