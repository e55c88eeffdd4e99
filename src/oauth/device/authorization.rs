//! A device authorization: what the server gave when it was asked for a code.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// A device authorization that waits for a person.
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// The code that the person types in; at most 64 characters, all of them printable.
    pub user_code: String,
    /// The page to type it at, on one of the flow's hosts.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code, if the server gave one; on one of the flow's
    /// hosts.
    pub verification_uri_complete: Option<String>,
    /// The expiry of the code.
    pub expires: Timestamp,
    /// The lifetime of the code, from before it was asked for.
    pub lifetime: Duration,
    /// The wait between two polls.
    pub interval: Duration,
    /// `device_code`, or what a relative of the RFC has in its place.
    pub(super) device_code: Secret<String>,
    /// The verifier of the PKCE pair that was sent.
    pub(super) code_verifier: Option<Secret<String>>,
    /// The authorization code that the approval brought, where it brings one.
    pub(super) approval: Option<Approval>,
}

/// An authorization code, and the verifier that the server made for it.
#[derive(Debug)]
pub(super) struct Approval {
    pub(super) code: Secret<String>,
    pub(super) code_verifier: Secret<String>,
}
