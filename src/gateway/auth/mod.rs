//! `/v1/auth/…`: the login of a provider.

pub(super) mod callback;
pub(super) mod cancel;
pub(super) mod credential;
pub(super) mod flow;
pub(super) mod logout;
pub(super) mod start;
pub(super) mod status;
mod stored;
mod whose;

pub(super) use whose::named;
