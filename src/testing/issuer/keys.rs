//! A browser login that ends in an API key, in OpenRouter's dialect: the page redirects to the
//! `callback_url` it was given, and code and verifier become a key once.

use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tiny_http::Request;
use url::Url;

use super::{Issuer, Scripted, State, locked, parameters};

/// The path of the page.
pub(super) const PAGE: &str = "/auth";
/// The path of the exchange.
pub(super) const EXCHANGE: &str = "/api/v1/auth/keys";

/// Codes that were given out, each with its challenge, and what the exchange was sent.
#[derive(Default)]
pub(super) struct Keys {
    codes: Vec<(String, String)>,
    seen: Vec<Vec<(String, String)>>,
    counter: usize,
}

impl Issuer {
    /// The parameters of every exchange of a code for a key.
    pub fn key_requests(&self) -> Vec<Vec<(String, String)>> {
        locked(&self.state).keys.seen.clone()
    }
}

/// The page: the person agrees at once.
pub(super) fn page(state: &Mutex<State>, query: &[(String, String)]) -> Scripted {
    let get = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let is_whole = get("code_challenge_method") == "S256" && !get("code_challenge").is_empty();
    let Some(mut callback) = Url::parse(get("callback_url")).ok().filter(|_| is_whole) else {
        return refused(400, "bad request");
    };
    let keys = &mut locked(state).keys;
    keys.counter += 1;
    let code = format!("kc-MARKER-{:04}", keys.counter);
    keys.codes
        .push((code.clone(), get("code_challenge").to_owned()));
    callback.query_pairs_mut().append_pair("code", &code);
    Scripted {
        status: 302,
        headers: vec![("Location", callback.into())],
        ..Scripted::default()
    }
}

/// The exchange.
pub(super) fn exchange(state: &Mutex<State>, request: &mut Request) -> Option<Scripted> {
    let parameters = parameters(request)?;
    let get = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let digest = Sha256::digest(get("code_verifier").as_bytes());
    let proof = (
        get("code").to_owned(),
        BASE64_URL_SAFE_NO_PAD.encode(digest),
    );
    let is_s256 = get("code_challenge_method") == "S256";
    let mut state = locked(state);
    state.keys.seen.push(parameters.clone());
    if !state.next.is_empty() {
        return Some(state.next.remove(0));
    }
    let known = state.keys.codes.iter().position(|known| *known == proof);
    let Some(at) = known.filter(|_| is_s256) else {
        return Some(refused(403, "Invalid code or code_verifier"));
    };
    state.keys.codes.remove(at);
    state.keys.counter += 1;
    let key = format!("sk-or-v1-MARKER{:04}", state.keys.counter);
    let body = json!({ "key": key, "user_id": "user_1" });
    Some(super::json((200, body)))
}

fn refused(code: u16, message: &str) -> Scripted {
    super::json((
        code,
        json!({ "error": { "code": code, "message": message } }),
    ))
}
