//! Revocation at the test issuer (RFC 7009): form and JSON, and whatever a test wants it to answer.

use super::message::Scripted;

/// One revocation request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its parameters, of a form or of JSON.
    pub parameters: Vec<(String, String)>,
    /// Its media type.
    pub content_type: String,
    /// The value of its `Authorization` header.
    pub authorization: Option<String>,
}

/// What was asked, and what is answered instead of the right thing.
#[derive(Default)]
pub(super) struct Revocations {
    pub(super) seen: Vec<Revocation>,
    pub(super) next: Vec<Scripted>,
}
