//! Refreshing an access token: exactly one process spends a refresh token, and nothing that came
//! back is lost.

pub mod backoff;
pub mod binding;
pub mod client_credentials;
pub mod ensure_fresh;
pub mod notify;
pub mod outcome;
pub mod recover;
mod refresh_grant;
mod request;
pub mod rotation;
mod stale_copy;
pub mod target;
