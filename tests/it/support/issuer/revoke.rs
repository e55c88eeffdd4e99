//! Revocation at the test issuer (RFC 7009): form and JSON, and whatever a test wants it to answer.

use super::message::Scripted;

/// One revocation request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// Its parameters, of a form or of JSON.
    pub(crate) parameters: Vec<(String, String)>,
    /// Its media type.
    pub(crate) content_type: String,
    /// The value of its `Authorization` header.
    pub(crate) authorization: Option<String>,
}

/// What was asked, and what is answered instead of the right thing.
#[derive(Default)]
pub(crate) struct Revocations {
    pub(crate) seen: Vec<Revocation>,
    pub(crate) next: Vec<Scripted>,
}
