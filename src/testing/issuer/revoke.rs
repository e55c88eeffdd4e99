//! Revocation at the test issuer (RFC 7009): form and JSON, and whatever a test wants it to answer.

use std::sync::Mutex;

use tiny_http::Request;

use super::grants::parameter;
use super::{Issuer, Scripted, State, dialects, header, locked, parameters};

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
    seen: Vec<Revocation>,
    next: Vec<Scripted>,
}

impl Issuer {
    /// The next revocation gets this answer, and nothing is revoked.
    pub fn answer_revocation(&self, answer: Scripted) {
        locked(&self.state).revocations.next.push(answer);
    }

    /// The revocation requests so far.
    pub fn revocations(&self) -> Vec<Revocation> {
        locked(&self.state).revocations.seen.clone()
    }
}

pub(super) fn serve(state: &Mutex<State>, request: &mut Request) -> Option<Scripted> {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let authorization = header(request, "Authorization");
    let parameters = parameters(request)?;
    let token = parameter(&parameters, "token").to_owned();
    let gate = {
        let mut state = locked(state);
        state.revocations.seen.push(Revocation {
            parameters,
            content_type,
            authorization,
        });
        if !state.revocations.next.is_empty() {
            return Some(state.revocations.next.remove(0));
        }
        if token.is_empty() {
            return Some(Scripted::text(400, r#"{"error":"invalid_request"}"#));
        }
        state.grants.revoke(dialects::plain(&token));
        std::sync::Arc::clone(&state.gate)
    };
    gate.pass();
    Some(Scripted::text(200, ""))
}
