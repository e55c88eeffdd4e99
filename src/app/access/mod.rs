//! Who may ask the gateway: its own token, and the keys of others.

pub mod gateway_token;
pub mod keys;
