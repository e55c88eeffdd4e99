//! A browser login that ends in an API key, in OpenRouter's dialect: the page redirects to the
//! `callback_url` it was given, and code and verifier become a key once.

use std::sync::Mutex;

use serde_json::json;
use tiny_http::Request;
use url::Url;

use super::grants::{challenge_of, parameter};
use super::{Issuer, Scripted, State, device, locked};

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
    let get = |name| parameter(query, name);
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
    Scripted::redirect(callback.into())
}

/// The exchange.
pub(super) fn exchange(state: &Mutex<State>, request: &mut Request) -> Option<Scripted> {
    let request = device::seen(EXCHANGE, request)?;
    let parameters = request.parameters.clone();
    let get = |name| parameter(&parameters, name);
    let proof = (get("code").to_owned(), challenge_of(get("code_verifier")));
    let is_s256 = get("code_challenge_method") == "S256";
    let mut state = locked(state);
    state.keys.seen.push(parameters.clone());
    state.exchanges.push(request);
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
