//! Floor 2: the protocols, written against `ports::http::Http`.

pub mod address;
pub mod authorization;
pub mod claims;
pub mod client_credentials;
pub mod device;
pub mod dialect;
pub mod error;
pub mod grant;
pub mod id_token;
pub mod jwks;
pub mod key_exchange;
mod lifetime;
pub mod metadata;
pub mod paste;
pub mod plugin;
pub mod revoke;
mod signature;
mod token_request;
pub mod userinfo;
