//! Logging in, whatever the way, and logging out: what is sent, what comes back, and what is stored.

pub(crate) mod at_a_terminal;
pub(crate) mod browser;
pub(crate) mod client_credentials;
mod device_code;
mod id_token;
mod logout_revocation;
pub(crate) mod metadata_discovery;
pub(crate) mod methods;
mod odd_identities;
mod onboard;
mod paste_token;
mod redirect_callback;
mod setup_token;
mod stopped_at_a_prompt;
pub(crate) mod unstored_login;
mod which_browser;
mod whose_login;
mod wizard;
