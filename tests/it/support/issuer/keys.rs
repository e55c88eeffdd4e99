//! A browser login that ends in an API key, in OpenRouter's dialect: the page redirects to the
//! `callback_url` it was given, and code and verifier become a key once.

use serde_json::json;
use url::Url;

use super::grants::challenge_of;
use super::message::{self, Scripted, parameter};

/// The path of the page.
pub(crate) const PAGE: &str = "/auth";
/// The path of the exchange.
pub(crate) const EXCHANGE: &str = "/api/v1/auth/keys";

/// Codes that were given out, each with its challenge, and what the exchange was sent.
#[derive(Default)]
pub(crate) struct Keys {
    codes: Vec<(String, String)>,
    pub(crate) seen: Vec<Vec<(String, String)>>,
    counter: usize,
}

impl Keys {
    /// The page: the person agrees at once.
    pub(crate) fn page(&mut self, query: &[(String, String)]) -> Scripted {
        let get = |name| parameter(query, name);
        let is_whole = get("code_challenge_method") == "S256" && !get("code_challenge").is_empty();
        let Some(mut callback) = Url::parse(get("callback_url")).ok().filter(|_| is_whole) else {
            return refused(400, "bad request");
        };
        self.counter += 1;
        let code = format!("kc-MARKER-{:04}", self.counter);
        self.codes
            .push((code.clone(), get("code_challenge").to_owned()));
        callback.query_pairs_mut().append_pair("code", &code);
        Scripted::redirect(callback.into())
    }

    /// Exchanges a code for a key, once.
    pub(crate) fn exchange(&mut self, parameters: &[(String, String)]) -> Scripted {
        let get = |name| parameter(parameters, name);
        let proof = (get("code").to_owned(), challenge_of(get("code_verifier")));
        let is_s256 = get("code_challenge_method") == "S256";
        let known = self.codes.iter().position(|known| *known == proof);
        let Some(at) = known.filter(|_| is_s256) else {
            return refused(403, "Invalid code or code_verifier");
        };
        self.codes.remove(at);
        self.counter += 1;
        let key = format!("sk-or-v1-MARKER{:04}", self.counter);
        message::json((200, json!({ "key": key, "user_id": "user_1" })))
    }
}

fn refused(code: u16, message: &str) -> Scripted {
    message::json((
        code,
        json!({ "error": { "code": code, "message": message } }),
    ))
}
