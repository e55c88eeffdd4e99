//! Codes and refresh tokens of the test issuer: each is good for one use.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::message::parameter;
use super::openid::{OpenId, base64url};
use openclaw::model::time::Timestamp;

/// Whose login the issuer gives out.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// `chatgpt_account_id` of the access token.
    pub(crate) id: String,
    /// `email` of the ID token; `None` leaves it out.
    pub(crate) email: Option<String>,
    /// `expires_in` of a token, in seconds.
    pub(crate) expires_in: i64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: "acct_1".to_owned(),
            email: Some("me@example.com".to_owned()),
            expires_in: 3_600,
        }
    }
}

/// What became of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was never given out.
    Unknown,
    /// It can be used.
    Living,
    /// It was used, and its successor was given out or lost on the way.
    Spent,
    /// A token of its family was used twice, or revoked.
    Dead,
}

struct Code {
    value: String,
    challenge: String,
    redirect_uri: String,
    client_id: String,
    nonce: Option<String>,
    used: bool,
}

struct Refresh {
    value: String,
    family: usize,
    spent: bool,
}

/// Everything that was given out.
#[derive(Default)]
pub(crate) struct Grants {
    /// Whose login is given out next.
    pub(crate) account: Account,
    /// What makes its ID tokens; without it they are claims that nobody signed.
    pub(crate) openid: Option<OpenId>,
    codes: Vec<Code>,
    refresh: Vec<Refresh>,
    dead_families: Vec<usize>,
    counter: usize,
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
pub(crate) fn challenge_of(verifier: &str) -> String {
    base64url(Sha256::digest(verifier))
}

fn refused(code: &str) -> (u16, Value) {
    (
        400,
        json!({ "error": code, "error_description": "the test issuer says no" }),
    )
}

impl Grants {
    /// Nothing given out yet.
    pub(crate) fn new(account: Account) -> Self {
        Self {
            account,
            ..Self::default()
        }
    }

    /// A text with this beginning that was never given out before.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}-MARKER-{:04}", self.counter)
    }

    /// Checks an authorization request and gives a code.
    pub(crate) fn authorize(&mut self, query: &[(String, String)]) -> Result<String, &'static str> {
        let get = |name| Some(parameter(query, name)).filter(|value| !value.is_empty());
        if get("response_type") != Some("code") {
            return Err("response_type is not code");
        }
        if get("code_challenge_method") != Some("S256") {
            return Err("code_challenge_method is not S256");
        }
        let challenge = get("code_challenge").ok_or("no code_challenge")?;
        let redirect_uri = get("redirect_uri").ok_or("no redirect_uri")?;
        let client_id = get("client_id").ok_or("no client_id")?;
        get("state").ok_or("no state")?;
        let code = self.code(challenge, redirect_uri, client_id);
        if let Some(made) = self.codes.last_mut() {
            made.nonce = get("nonce").map(str::to_owned);
        }
        Ok(code)
    }

    /// An authorization code that is good for one use.
    pub(crate) fn code(&mut self, challenge: &str, redirect_uri: &str, client_id: &str) -> String {
        let value = self.next("ac");
        self.codes.push(Code {
            value: value.clone(),
            challenge: challenge.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            client_id: client_id.to_owned(),
            nonce: None,
            used: false,
        });
        value
    }

    /// The answer to a token request that is granted.
    pub(crate) fn grant(&mut self, client_id: &str, now: Timestamp) -> Value {
        self.counter += 1;
        let family = self.counter;
        self.answer(family, (client_id, None), now)
    }

    /// Answers a token request: status and body.
    pub(crate) fn token(
        &mut self,
        parameters: &[(String, String)],
        now: Timestamp,
    ) -> (u16, Value) {
        let get = |name| parameter(parameters, name);
        match get("grant_type") {
            "authorization_code" => {
                let challenge = challenge_of(get("code_verifier"));
                let code = self.codes.iter_mut().find(|code| code.value == get("code"));
                match code {
                    Some(code)
                        if !code.used
                            && code.challenge == challenge
                            && code.redirect_uri == get("redirect_uri")
                            && code.client_id == get("client_id") =>
                    {
                        code.used = true;
                        let nonce = code.nonce.clone();
                        self.counter += 1;
                        let family = self.counter;
                        let asked = (get("client_id"), nonce.as_deref());
                        (200, self.answer(family, asked, now))
                    }
                    _ => refused("invalid_grant"),
                }
            }
            "client_credentials" => (200, self.for_client(get("scope"))),
            "refresh_token" => self.rotate(get("refresh_token"), get("client_id"), now),
            _ => refused("unsupported_grant_type"),
        }
    }

    /// A token for the client itself: opaque, without a refresh token.
    fn for_client(&mut self, scope: &str) -> Value {
        json!({
            "access_token": self.next("cc"),
            "token_type": "Bearer",
            "expires_in": self.account.expires_in,
            "scope": scope,
        })
    }

    /// One use of a refresh token. A second use kills the whole family, as RFC 9700 section 4.14
    /// has it.
    fn rotate(&mut self, value: &str, client_id: &str, now: Timestamp) -> (u16, Value) {
        let Some(token) = self.refresh.iter_mut().find(|token| token.value == value) else {
            return refused("invalid_grant");
        };
        let family = token.family;
        if token.spent {
            self.dead_families.push(family);
            let error = json!({
                "message": "Your refresh token has already been used to generate a new access token.",
                "type": "invalid_request_error", "param": null, "code": "refresh_token_reused",
            });
            return (401, json!({ "error": error }));
        }
        token.spent = true;
        if self.dead_families.contains(&family) {
            return refused("invalid_grant");
        }
        (200, self.answer(family, (client_id, None), now))
    }

    /// Ends the family of a refresh token; one that is not known is as good as revoked.
    pub(crate) fn revoke(&mut self, value: &str) {
        let token = self.refresh.iter().find(|token| token.value == value);
        self.dead_families.extend(token.map(|token| token.family));
    }

    /// A refresh that leaves the refresh token as it is, and gives none.
    pub(crate) fn renew(&mut self, value: &str, client_id: &str, now: Timestamp) -> (u16, Value) {
        let living = self.fate(value) == Fate::Living;
        let token = self.refresh.iter().find(|token| token.value == value);
        match token.map(|token| token.family) {
            Some(family) if living => {
                let mut answer = self.answer(family, (client_id, None), now);
                self.refresh.pop();
                if let Some(members) = answer.as_object_mut() {
                    members.remove("refresh_token");
                }
                (200, answer)
            }
            _ => refused("invalid_grant"),
        }
    }

    /// What became of a refresh token.
    pub(crate) fn fate(&self, value: &str) -> Fate {
        match self.refresh.iter().find(|token| token.value == value) {
            None => Fate::Unknown,
            Some(token) if self.dead_families.contains(&token.family) => Fate::Dead,
            Some(token) if token.spent => Fate::Spent,
            Some(_) => Fate::Living,
        }
    }

    /// Access and refresh token of a login that nobody saw.
    pub(crate) fn issue(&mut self, now: Timestamp) -> (String, String) {
        let answer = self.grant("", now);
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    /// Tokens for a client id and a nonce.
    fn answer(
        &mut self,
        family: usize,
        (client_id, nonce): (&str, Option<&str>),
        now: Timestamp,
    ) -> Value {
        let refresh_token = self.next("rt");
        self.refresh.push(Refresh {
            value: refresh_token.clone(),
            family,
            spent: false,
        });
        let account = self.account.clone();
        let end = now.0 / 1_000 + account.expires_in;
        // `?>~` makes the characters that base64url and base64 write differently.
        let auth =
            json!({ "chatgpt_account_id": account.id, "chatgpt_plan_type": "plus", "x": "?>~" });
        let access =
            json!({ "https://api.openai.com/auth": auth, "exp": end, "jti": self.next("at") });
        let mut id = json!({ "sub": "user-1", "exp": end, "https://api.openai.com/auth": auth });
        if let Some(email) = &account.email {
            id["email"] = json!(email);
        }
        let id_token = match &self.openid {
            Some(openid) => openid.token(id, client_id, nonce, now.0 / 1_000),
            None => jwt(&id),
        };
        json!({
            "access_token": jwt(&access), "refresh_token": refresh_token, "id_token": id_token,
            "expires_in": account.expires_in, "token_type": "Bearer",
            "scope": "openid profile email offline_access",
        })
    }
}

/// A token with these claims and a signature that nobody checks.
fn jwt(claims: &Value) -> String {
    let head = json!({ "alg": "RS256", "typ": "JWT" }).to_string();
    let parts = [head, claims.to_string(), "MARKER-signature".to_owned()];
    parts.map(base64url).join(".")
}
