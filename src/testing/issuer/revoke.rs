//! Revocation at the test issuer (RFC 7009): form and JSON, and whatever a test wants it to answer.

use std::sync::Mutex;

use tiny_http::Request;

use super::{Issuer, Scripted, State, dialects, locked, parameters};

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
    let field = |name: &'static str| {
        let mut fields = request.headers().iter();
        let field = fields.find(|field| field.field.equiv(name));
        field.map(|field| field.value.to_string())
    };
    let content_type = field("Content-Type").unwrap_or_default();
    let authorization = field("Authorization");
    let parameters = parameters(request)?;
    let token = parameters.iter().find(|(name, _)| name == "token");
    let token = token.map(|(_, token)| token.clone());
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
        let Some(token) = token else {
            return Some(Scripted {
                status: 400,
                body: r#"{"error":"invalid_request"}"#.to_owned(),
                ..Scripted::default()
            });
        };
        state.grants.revoke(dialects::plain(&token));
        std::sync::Arc::clone(&state.gate)
    };
    gate.pass();
    Some(Scripted {
        status: 200,
        ..Scripted::default()
    })
}
