//! Refresh of access tokens: exactly one process spends a refresh token, and no response is lost.

pub(in crate::app) mod accept_endpoint;
pub mod backoff;
pub mod binding;
pub mod client_credentials;
pub mod ensure_fresh;
pub mod leave;
pub(in crate::app) mod lock_grant;
pub mod notify;
pub mod outcome;
pub mod recover;
mod refresh_grant;
mod request;
pub mod rotation;
mod stale_copy;
pub mod target;
