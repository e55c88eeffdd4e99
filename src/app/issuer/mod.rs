//! Who issues tokens: the client registered there, its metadata, its plugin, and what its ID tokens
//! prove.

pub(super) mod metadata_cache;
pub(super) mod plugin;
pub(super) mod registration;
pub(super) mod verify_login;
