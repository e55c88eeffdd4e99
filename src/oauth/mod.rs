//! Floor 2: the protocols, written against `ports::http::Http`.

pub mod attempt;
pub mod claims;
pub mod client_credentials;
pub mod device;
pub mod dialect;
pub mod error;
pub mod grant;
pub mod key_exchange;
mod lifetime;
pub mod paste;
pub mod program;
