//! Floor 2: the protocols, written against `ports::http::Http`.

pub mod address;
pub mod authorization;
pub mod claims;
pub mod client_credentials;
pub mod code_exchange;
pub mod device;
mod encoding;
pub mod error;
pub mod grant;
pub mod id_token;
pub mod jwks;
mod jwt;
pub mod key_exchange;
mod lifetime;
pub mod metadata;
pub mod paste;
mod pkce;
pub mod plugin;
pub mod refresh;
pub mod revoke;
mod signature;
mod state_nonce;
mod token_request;
pub mod token_response;
pub mod userinfo;
