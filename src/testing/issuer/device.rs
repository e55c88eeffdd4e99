//! Device codes of the test issuer, in each dialect, told apart by the path of the request: RFC
//! 8628, GitHub (errors with status 200), Qwen (PKCE), MiniMax (user code, milliseconds) and OpenAI
//! (JSON, a PKCE pair that the server makes).
//!
//! It really checks: client, grant type, code, verifier, and that nobody polls faster than allowed.

mod codes;

use std::sync::Mutex;

use tiny_http::Request;

use super::{Issuer, Scripted, State, json, locked, parameters};

pub(super) use codes::{Devices, is_own, is_token_endpoint};

/// What a poll gets before the person's yes.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Not decided yet.
    Pending,
    /// Too fast; with the new interval in seconds, where the server names one.
    SlowDown(Option<u64>),
    /// The person said no.
    Denied,
    /// The code has ended.
    Expired,
    /// The server is in trouble: status 503.
    Trouble,
}

/// How the issuer gives out device codes.
#[derive(Clone, Debug)]
pub struct Codes {
    /// What the polls get, in order; then the person agrees.
    pub replies: Vec<Reply>,
    /// The wait between two polls, in seconds.
    pub interval: u64,
    /// How long a code lives, in seconds.
    pub expires_in: i64,
    /// The code that people type in.
    pub user_code: String,
    /// Where they type it; by default the page of the dialect.
    pub verification_uri: Option<String>,
    /// Whether no codes are given out at all.
    pub switched_off: bool,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            replies: Vec::new(),
            interval: 1,
            expires_in: 900,
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: None,
            switched_off: false,
        }
    }
}

/// A request that asked for a device code, or polled OpenAI's endpoint.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its path.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
}

impl Issuer {
    /// How device codes are given out from now on.
    pub fn set_device_codes(&self, codes: Codes) {
        locked(&self.state).devices.codes = codes;
    }

    /// The requests that asked for a device code, and those that polled OpenAI's endpoint.
    pub fn device_requests(&self) -> Vec<Seen> {
        locked(&self.state).devices.seen.clone()
    }

    /// How many polls of device codes came faster than was allowed.
    pub fn polled_too_fast(&self) -> usize {
        locked(&self.state).devices.too_fast
    }
}

/// Answers a request to a path of our own.
pub(super) fn serve(state: &Mutex<State>, path: &str, request: &mut Request) -> Option<Scripted> {
    let headers = request.headers().iter().map(|header| {
        let name = header.field.as_str().as_str().to_ascii_lowercase();
        (name, header.value.to_string())
    });
    let seen = Seen {
        path: path.to_owned(),
        headers: headers.collect(),
        parameters: parameters(request)?,
    };
    let mut state = locked(state);
    let State {
        devices,
        grants,
        clock,
        url,
        ..
    } = &mut *state;
    Some(json(devices.answer(
        seen,
        url,
        grants,
        (clock.now(), clock.monotonic()),
    )))
}
