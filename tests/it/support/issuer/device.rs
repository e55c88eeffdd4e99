//! Device codes of the test issuer, in each dialect, told apart by the path of the request: RFC
//! 8628, GitHub (errors with status 200), Qwen (PKCE), MiniMax (user code, milliseconds) and OpenAI
//! (JSON, a PKCE pair that the server makes).
//!
//! It really checks: client, grant type, code, verifier, and that nobody polls faster than allowed.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::grants::{Grants, challenge_of};
use super::message::{Seen, parameter};
use openclaw::model::time::Timestamp;

/// What a poll gets before the person's yes.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Not decided yet.
    Pending,
    /// The person said no.
    Denied,
    /// The code has ended.
    Expired,
}

/// How the issuer gives out device codes.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    /// What the polls get, in order; then the person agrees.
    pub(crate) replies: Vec<Reply>,
    /// The wait between two polls, in seconds.
    pub(crate) interval: u64,
    /// How long a code lives, in seconds.
    pub(crate) expires_in: i64,
    /// The code that people type in.
    pub(crate) user_code: String,
    /// Where they type it; by default the page of the dialect.
    pub(crate) verification_uri: Option<String>,
    /// Whether no codes are given out at all.
    pub(crate) switched_off: bool,
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

/// The codes that were given out, and what polls get.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) codes: Codes,
    pub(crate) seen: Vec<Seen>,
    pub(crate) too_fast: usize,
    replies: VecDeque<Reply>,
    begun: Option<Begun>,
    counter: usize,
}

struct Begun {
    code: String,
    client_id: String,
    challenge: Option<String>,
    polled: Duration,
    interval: Duration,
}

/// The moment of a request: wall clock, and the one that never goes back.
pub(crate) type Moment = (Timestamp, Duration);

const GITHUB: [&str; 2] = ["/login/device/code", "/login/oauth/access_token"];
const QWEN: [&str; 2] = ["/api/v1/oauth2/device/code", "/api/v1/oauth2/token"];
const MINIMAX: [&str; 2] = ["/oauth2/device/code", "/oauth2/token"];
const OPENAI: [&str; 2] = [
    "/api/accounts/deviceauth/usercode",
    "/api/accounts/deviceauth/token",
];
const RFC_8628: &str = "/oauth/device/code";

/// Whether a path asks for a code, or is one that only OpenAI has.
pub(crate) fn is_own(path: &str) -> bool {
    let asks = [RFC_8628, GITHUB[0], QWEN[0], MINIMAX[0]];
    asks.contains(&path) || OPENAI.contains(&path)
}

/// Whether a path is a token endpoint of one of the dialects.
pub(crate) fn is_token_endpoint(path: &str) -> bool {
    [GITHUB[1], QWEN[1], MINIMAX[1]].contains(&path)
}

impl Codes {
    /// Nobody enters them before [`Devices::enter`].
    pub(crate) fn not_entered() -> Self {
        Self {
            replies: vec![Reply::Pending; 10_000],
            ..Self::default()
        }
    }
}

impl Devices {
    pub(crate) fn enter(&mut self, replies: Vec<Reply>) {
        self.replies = replies.into();
    }

    /// Answers a request to one of our own paths; `url` is the address of the issuer.
    pub(crate) fn answer(
        &mut self,
        seen: Seen,
        url: &str,
        grants: &mut Grants,
        now: Moment,
    ) -> (u16, Value) {
        let (path, parameters) = (seen.path.clone(), seen.parameters.clone());
        self.seen.push(seen);
        match path.as_str() {
            path if path == OPENAI[1] => self.poll_openai(&parameters, url, grants, now),
            _ if self.codes.switched_off => (404, json!({ "detail": "Not Found" })),
            path => self.begin(path, &parameters, url, now),
        }
    }

    fn begin(
        &mut self,
        path: &str,
        parameters: &[(String, String)],
        url: &str,
        now: Moment,
    ) -> (u16, Value) {
        self.counter += 1;
        let code = format!("dc-MARKER-{:04}", self.counter);
        let codes = self.codes.clone();
        let challenge = Some(parameter(parameters, "code_challenge").to_owned());
        let challenge = challenge.filter(|challenge| !challenge.is_empty());
        let needs_challenge = [QWEN[0], MINIMAX[0]].contains(&path);
        let is_s256 = parameter(parameters, "code_challenge_method") == "S256";
        if parameter(parameters, "client_id").is_empty() || needs_challenge && !is_s256 {
            return (400, json!({ "error": "invalid_request" }));
        }
        let is_minimax = path == MINIMAX[0];
        self.replies = codes.replies.clone().into();
        self.begun = Some(Begun {
            code: if is_minimax {
                codes.user_code.clone()
            } else {
                code.clone()
            },
            client_id: parameter(parameters, "client_id").to_owned(),
            challenge,
            polled: now.1,
            interval: Duration::from_secs(codes.interval),
        });
        let user_code = codes.user_code;
        let uri = |page: &str| {
            codes
                .verification_uri
                .clone()
                .unwrap_or(format!("{url}{page}"))
        };
        let answer = if path == OPENAI[0] {
            // A text, as the real one sends it.
            json!({ "device_auth_id": code, "user_code": user_code, "interval": codes.interval.to_string() })
        } else if is_minimax {
            json!({
                "user_code": user_code, "verification_uri": uri("/oauth-authorize"),
                "expired_in": now.0.0 + codes.expires_in * 1_000,
                "interval": codes.interval * 1_000, "state": parameter(parameters, "state"),
            })
        } else {
            let page = if path == GITHUB[0] {
                "/login/device"
            } else {
                "/authorize"
            };
            let mut answer = json!({
                "device_code": code, "user_code": user_code, "verification_uri": uri(page),
                "expires_in": codes.expires_in, "interval": codes.interval,
            });
            if path == QWEN[0] {
                let complete = format!("{}?user_code={user_code}&client=qwen-code", uri(page));
                answer["verification_uri_complete"] = complete.into();
            }
            answer
        };
        (200, answer)
    }

    /// Answers a token request, if it is a poll.
    pub(crate) fn token(
        &mut self,
        path: &str,
        parameters: &[(String, String)],
        grants: &mut Grants,
        now: Moment,
    ) -> Option<(u16, Value)> {
        let is_minimax = path == MINIMAX[1];
        let (grant_type, code) = match is_minimax {
            true => ("user_code", "user_code"),
            false => ("device_code", "device_code"),
        };
        let wanted = format!("urn:ietf:params:oauth:grant-type:{grant_type}");
        if parameter(parameters, "grant_type") != wanted {
            return None;
        }
        let status = if path == GITHUB[1] { 200 } else { 400 };
        let reply = match self.poll(parameters, code, now.1) {
            Ok(reply) => reply,
            Err(why) => return Some((status, json!({ "error": why }))),
        };
        if is_minimax {
            return Some(minimax(reply.as_ref(), grants, now.0));
        }
        let answer = match reply {
            Some(Reply::Pending) => json!({ "error": "authorization_pending" }),
            Some(Reply::Denied) => {
                json!({ "error": "access_denied", "error_description": "the user said no" })
            }
            Some(Reply::Expired) => json!({ "error": "expired_token" }),
            None if path == GITHUB[1] => {
                let token = grants.next("ghu");
                json!({ "access_token": token, "token_type": "bearer", "scope": "read:user" })
            }
            None => {
                let mut answer = grants.grant(parameter(parameters, "client_id"), now.0);
                if path == QWEN[1] {
                    answer["resource_url"] = "portal.qwen.ai".into();
                }
                answer
            }
        };
        let status = if answer.get("error").is_none() {
            200
        } else {
            status
        };
        Some((status, answer))
    }

    /// Checks a poll: what it gets, `None` for the grant.
    fn poll(
        &mut self,
        parameters: &[(String, String)],
        code: &str,
        now: Duration,
    ) -> Result<Option<Reply>, &'static str> {
        let begun = self.begun.as_mut().ok_or("invalid_grant")?;
        let early = now.saturating_sub(begun.polled) < begun.interval;
        self.too_fast += usize::from(early);
        begun.polled = now;
        let hash = challenge_of(parameter(parameters, "code_verifier"));
        let is_proven = begun.challenge.as_ref().is_none_or(|asked| *asked == hash);
        let is_ours = parameter(parameters, "client_id") == begun.client_id;
        if parameter(parameters, code) != begun.code || !is_proven || !is_ours {
            return Err("invalid_grant");
        }
        let reply = self.replies.pop_front();
        if reply.is_none() {
            // Good for one use.
            self.begun = None;
        }
        Ok(reply)
    }

    /// 403 until the person agrees; then an authorization code and the verifier to it.
    fn poll_openai(
        &mut self,
        parameters: &[(String, String)],
        url: &str,
        grants: &mut Grants,
        now: Moment,
    ) -> (u16, Value) {
        let client_id = self.begun.as_ref().map(|begun| begun.client_id.clone());
        let client_id = client_id.unwrap_or_default();
        let mut all = parameters.to_vec();
        all.push(("client_id".to_owned(), client_id.clone()));
        let error = |code: &str| json!({ "error": { "message": "no", "code": code } });
        if parameter(parameters, "user_code") != self.codes.user_code {
            return (400, error("invalid_request"));
        }
        match self.poll(&all, "device_auth_id", now.1) {
            Ok(Some(Reply::Denied)) => (403, error("access_denied")),
            Ok(Some(Reply::Expired)) => (403, error("expired_token")),
            Ok(Some(Reply::Pending)) => (403, error("deviceauth_authorization_pending")),
            Ok(None) => {
                let verifier = format!("{}-{}", grants.next("cv"), "x".repeat(43));
                let challenge = challenge_of(&verifier);
                let redirect = format!("{url}/deviceauth/callback");
                let code = grants.code(&challenge, &redirect, &client_id);
                let answer = json!({
                    "authorization_code": code, "code_challenge": challenge,
                    "code_verifier": verifier,
                });
                (200, answer)
            }
            Err(why) => (400, error(why)),
        }
    }
}

fn minimax(reply: Option<&Reply>, grants: &mut Grants, now: Timestamp) -> (u16, Value) {
    let base = |code: i64, text: &str| json!({ "status_code": code, "status_msg": text });
    let answer = match reply {
        Some(Reply::Pending) => {
            json!({ "status": "pending", "base_resp": base(0, "success") })
        }
        Some(Reply::Denied) => {
            json!({ "status": "error", "base_resp": base(1004, "the user said no") })
        }
        Some(Reply::Expired) => json!({ "status": "error", "base_resp": base(1005, "expired") }),
        None => {
            let granted = grants.grant("", now);
            let life = granted["expires_in"].as_i64().unwrap_or_default();
            json!({
                "status": "success", "access_token": granted["access_token"],
                "refresh_token": granted["refresh_token"],
                "expired_in": now.0 + life * 1_000,
                "resource_url": "https://api.minimax.io/anthropic",
                "base_resp": base(0, "success"),
            })
        }
    };
    (200, answer)
}
