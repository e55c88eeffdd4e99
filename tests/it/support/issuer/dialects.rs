//! Servers of browser logins as they are, told apart by the paths of their endpoints: Anthropic
//! (JSON bodies, `state` in the exchange, the account in the answer), Google (a client secret, a
//! refresh token that stays), Chutes (a client of one's own, an opaque access token).
//!
//! What a real one would refuse is refused: the other content type, a wrong secret, no `state`.

use serde_json::{Value, json};

use super::grants::{Account, Grants};
use super::message::{Seen, parameter};
use openclaw::model::time::Timestamp;

/// The secret of the clients that have one.
pub(crate) const CLIENT_SECRET: &str = "s3cret-MARKER-of-the-client";

/// How one server differs.
pub(crate) struct Dialect {
    token: &'static str,
    content_type: &'static str,
    needs_secret: bool,
    needs_state: bool,
    keeps_refresh_token: bool,
    /// What its access and refresh tokens begin with.
    prefixes: [&'static str; 2],
    has_id_token: bool,
    more: fn(&Account) -> Value,
}

const FORM: &str = "application/x-www-form-urlencoded";

const DIALECTS: [Dialect; 3] = [
    Dialect {
        token: "/v1/oauth/token",
        content_type: "application/json",
        needs_secret: false,
        needs_state: true,
        keeps_refresh_token: false,
        prefixes: ["sk-ant-oat01-", "sk-ant-ort01-"],
        has_id_token: false,
        more: |account| {
            json!({
                "account": { "uuid": account.id, "email_address": account.email },
                "organization": { "uuid": "org-1", "name": "Test" },
            })
        },
    },
    Dialect {
        token: "/token",
        content_type: FORM,
        needs_secret: true,
        needs_state: false,
        keeps_refresh_token: true,
        prefixes: ["ya29.", "1//"],
        has_id_token: true,
        more: |_| json!({}),
    },
    Dialect {
        token: "/idp/token",
        content_type: FORM,
        needs_secret: true,
        needs_state: false,
        keeps_refresh_token: false,
        prefixes: ["cak_", "crt_"],
        has_id_token: false,
        more: |_| json!({}),
    },
];

/// The dialect of a token endpoint.
pub(crate) fn of(path: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.token == path)
}

/// Whether a path is an authorization endpoint of one of them.
pub(crate) fn is_authorization_endpoint(path: &str) -> bool {
    ["/o/oauth2/v2/auth", "/idp/authorize"].contains(&path)
}

/// Whether a path is a revocation endpoint of one of them.
pub(crate) fn is_revocation_endpoint(path: &str) -> bool {
    path == "/revoke"
}

/// A refresh token of any of them as the grants know it.
pub(crate) fn plain(token: &str) -> &str {
    let of = |dialect: &Dialect| token.strip_prefix(dialect.prefixes[1]);
    DIALECTS.iter().find_map(of).unwrap_or(token)
}

impl Dialect {
    /// Answers a token request: status and body.
    pub(crate) fn answer(&self, seen: &Seen, grants: &mut Grants, now: Timestamp) -> (u16, Value) {
        let get = |name| parameter(&seen.parameters, name);
        if seen.header("content-type") != Some(self.content_type) {
            return (415, json!({ "error": "invalid_request" }));
        }
        if self.needs_secret && get("client_secret") != CLIENT_SECRET {
            return (401, json!({ "error": "invalid_client" }));
        }
        let is_refresh = get("grant_type") == "refresh_token";
        if self.needs_state && !is_refresh && get("state").is_empty() {
            return (400, json!({ "error": "invalid_request" }));
        }
        let (status, mut body) = if is_refresh && self.keeps_refresh_token {
            let token = plain(get("refresh_token"));
            grants.renew(token, get("client_id"), now)
        } else {
            let plain = seen.parameters.iter().map(|(name, value)| {
                let value = match name.as_str() {
                    "refresh_token" => plain(value),
                    _ => value,
                };
                (name.clone(), value.to_owned())
            });
            grants.token(&plain.collect::<Vec<_>>(), now)
        };
        if status == 200 {
            self.dress(&mut body, grants);
        }
        (status, body)
    }

    /// Makes the plain answer the server's own.
    fn dress(&self, body: &mut Value, grants: &mut Grants) {
        let [access, refresh] = self.prefixes;
        body["access_token"] = json!(grants.next(&format!("{access}at")));
        if let Some(token) = body["refresh_token"].as_str() {
            body["refresh_token"] = json!(format!("{refresh}{token}"));
        }
        let Some(members) = body.as_object_mut() else {
            return;
        };
        if !self.has_id_token {
            members.remove("id_token");
        }
        if let Value::Object(more) = (self.more)(&grants.account) {
            members.extend(more);
        }
    }
}
