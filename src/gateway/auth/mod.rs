//! `/v1/auth/…`: the login of a provider.

pub(super) mod provider;
pub(super) mod status;
