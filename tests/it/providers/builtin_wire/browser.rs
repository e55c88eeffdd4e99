//! The rows of browser logins.

use crate::support::browser::visit;
use crate::support::issuer::{Issuer, Visit};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{FORM, JSON, Pairs, Sent, assert_same, assert_sent, command, run};
use crate::support::login::Waiting;
use crate::support::{World, millis_from_now};

/// One provider: what it is sent, and what is stored.
struct Row {
    id: &'static str,
    env: Pairs,
    authorize: &'static str,
    request: Pairs,
    exchange: Sent,
    refresh: Sent,
    profile: &'static str,
    stored: Pairs,
    /// Seconds that are subtracted from the expiry when it is stored.
    early: i64,
    /// Whether a refresh gives a new refresh token.
    rotates: bool,
    /// The userinfo endpoint, and what it says.
    userinfo: Option<(&'static str, &'static str)>,
    /// The media type of a revocation and what it sends, where there is an endpoint for it.
    revoke: Option<(&'static str, Pairs)>,
}

const SECRET: &str = crate::support::issuer::CLIENT_SECRET;

#[test]
fn openai_codex_logs_in_by_browser_and_refreshes() {
    const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
    const REDIRECT: &str = "http://localhost:*/auth/callback";
    drive(&Row {
        id: "openai-codex",
        env: &[],
        authorize: "/oauth/authorize",
        request: &[
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("scope", "openid profile email offline_access"),
            ("code_challenge", "*43"),
            ("code_challenge_method", "S256"),
            ("state", "*43"),
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("originator", "openclaw"),
        ],
        exchange: Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "authorization_code"),
                ("client_id", CLIENT),
                ("code", "*"),
                ("redirect_uri", REDIRECT),
                ("code_verifier", "*43"),
            ],
        },
        refresh: Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "*"),
                ("client_id", CLIENT),
            ],
        },
        profile: "openai-codex:me@example.com",
        stored: &[("accountId", "acct_1"), ("email", "me@example.com")],
        early: 0,
        rotates: true,
        userinfo: None,
        revoke: Some((
            JSON,
            &[
                ("token", "*"),
                ("token_type_hint", "refresh_token"),
                ("client_id", CLIENT),
            ],
        )),
    });
}

#[test]
fn anthropic_logs_in_by_browser_and_refreshes() {
    const CLIENT: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
    const REDIRECT: &str = "http://localhost:*/callback";
    drive(&Row {
        id: "anthropic",
        env: &[],
        authorize: "/oauth/authorize",
        request: &[
            ("code", "true"),
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            (
                "scope",
                "org:create_api_key user:profile user:inference user:sessions:claude_code \
                 user:mcp_servers user:file_upload",
            ),
            ("code_challenge", "*43"),
            ("code_challenge_method", "S256"),
            ("state", "*43"),
        ],
        exchange: Sent {
            path: "/v1/oauth/token",
            content_type: JSON,
            parameters: &[
                ("grant_type", "authorization_code"),
                ("client_id", CLIENT),
                ("code", "*"),
                ("state", "*43"),
                ("redirect_uri", REDIRECT),
                ("code_verifier", "*43"),
            ],
        },
        refresh: Sent {
            path: "/v1/oauth/token",
            content_type: JSON,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("client_id", CLIENT),
                ("refresh_token", "*"),
            ],
        },
        profile: "anthropic:me@example.com",
        stored: &[("accountId", "acct_1"), ("email", "me@example.com")],
        early: 300,
        rotates: true,
        userinfo: None,
        revoke: None,
    });
}

#[test]
fn google_gemini_cli_logs_in_by_browser_and_refreshes() {
    const CLIENT: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";
    const REDIRECT: &str = "http://localhost:*/oauth2callback";
    drive(&Row {
        id: "google-gemini-cli",
        env: &[("GEMINI_CLI_OAUTH_CLIENT_SECRET", SECRET)],
        authorize: "/o/oauth2/v2/auth",
        request: &[
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            (
                "scope",
                "https://www.googleapis.com/auth/cloud-platform \
                 https://www.googleapis.com/auth/userinfo.email \
                 https://www.googleapis.com/auth/userinfo.profile",
            ),
            ("code_challenge", "*43"),
            ("code_challenge_method", "S256"),
            ("state", "*43"),
            ("access_type", "offline"),
            ("prompt", "consent"),
        ],
        exchange: Sent {
            path: "/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "authorization_code"),
                ("client_id", CLIENT),
                ("client_secret", SECRET),
                ("code", "*"),
                ("redirect_uri", REDIRECT),
                ("code_verifier", "*43"),
            ],
        },
        refresh: Sent {
            path: "/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("client_id", CLIENT),
                ("client_secret", SECRET),
                ("refresh_token", "*"),
            ],
        },
        profile: "google-gemini-cli:me@example.com",
        stored: &[("accountId", "1157"), ("email", "me@example.com")],
        early: 300,
        rotates: false,
        userinfo: Some((
            "/oauth2/v1/userinfo",
            r#"{ "id": "1157", "email": "me@example.com", "verified_email": true }"#,
        )),
        revoke: Some((
            FORM,
            &[
                ("token", "*"),
                ("token_type_hint", "refresh_token"),
                ("client_id", CLIENT),
                ("client_secret", SECRET),
            ],
        )),
    });
}

#[test]
fn chutes_logs_in_by_browser_and_refreshes() {
    const REDIRECT: &str = "http://127.0.0.1:*/oauth-callback";
    drive(&Row {
        id: "chutes",
        env: &[
            ("CHUTES_CLIENT_ID", "cid_test"),
            ("CHUTES_CLIENT_SECRET", SECRET),
        ],
        authorize: "/idp/authorize",
        request: &[
            ("client_id", "cid_test"),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", "openid profile chutes:invoke"),
            ("code_challenge", "*43"),
            ("code_challenge_method", "S256"),
            ("state", "*43"),
        ],
        exchange: Sent {
            path: "/idp/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "authorization_code"),
                ("client_id", "cid_test"),
                ("client_secret", SECRET),
                ("code", "*"),
                ("redirect_uri", REDIRECT),
                ("code_verifier", "*43"),
            ],
        },
        refresh: Sent {
            path: "/idp/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("client_id", "cid_test"),
                ("client_secret", SECRET),
                ("refresh_token", "*"),
            ],
        },
        profile: "chutes:me",
        stored: &[
            ("clientId", "cid_test"),
            ("accountId", "user-1"),
            ("email", "me"),
        ],
        early: 300,
        rotates: true,
        userinfo: Some(("/idp/userinfo", r#"{ "sub": "user-1", "username": "me" }"#)),
        revoke: None,
    });
}

/// The login, then the token, then a refresh, then the token again.
fn drive(row: &Row) {
    let (world, issuer) = World::with_builtin(row.id);
    if let Some((path, document)) = row.userinfo {
        issuer.publish_json(path, &serde_json::from_str(document).unwrap());
    }
    let login = [
        "models",
        "auth",
        "login",
        "--provider",
        row.id,
        "--method",
        "oauth",
    ];
    let login = [&login[..], &["--json", "--no-browser"]].concat();
    let login = Waiting::of(command(&world, row.env, &login));
    let url = url::Url::parse(&login.url).unwrap();
    assert_eq!(url.path(), row.authorize);
    let request: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_same("authorization request", &request, row.request, &issuer);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");

    let exchanges = issuer.exchanges();
    assert_eq!(exchanges.len(), 1);
    let exchange = &exchanges[0];
    assert_sent("code exchange", exchange, &row.exchange, &issuer);
    let of = |pairs: &[(String, String)], name: &str| {
        let found = pairs.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let same = ["client_id", "redirect_uri"];
    for name in same {
        assert_eq!(of(&exchange.parameters, name), of(&request, name));
    }
    let digest = Sha256::digest(of(&exchange.parameters, "code_verifier"));
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest);
    assert_eq!(of(&request, "code_challenge"), challenge);

    let stored = check_stored(row, &world);
    assert_eq!(token(row, &world), stored["access"]);
    let ran = run(&world, row.env, &["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let exchanges = issuer.exchanges();
    assert_eq!(exchanges.len(), 2);
    assert_sent("refresh", &exchanges[1], &row.refresh, &issuer);
    assert_eq!(
        of(&exchanges[1].parameters, "refresh_token"),
        stored["refresh"]
    );
    let renewed = check_stored(row, &world);
    assert_ne!(renewed["access"], stored["access"]);
    assert_eq!(renewed["refresh"] != stored["refresh"], row.rotates);
    assert_eq!(token(row, &world), renewed["access"]);
    check_userinfo(row, &issuer, &stored);
    check_revocation(row, &world, &issuer);
}

/// Asked once, at login, with the token in its header.
fn check_userinfo(row: &Row, issuer: &Issuer, stored: &Value) {
    let bearer = format!("Bearer {}", stored["access"].as_str().unwrap());
    let expected = row.userinfo.map(|(path, _)| Visit {
        path: path.to_owned(),
        authorization: Some(bearer),
    });
    assert_eq!(issuer.visits(), Vec::from_iter(expected));
}

fn check_revocation(row: &Row, world: &World, issuer: &Issuer) {
    let logout = ["models", "auth", "logout", row.profile, "--revoke", "--yes"];
    let ran = run(world, row.env, &logout);
    let Some((content_type, parameters)) = row.revoke else {
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(world.store()["profiles"][row.profile].is_object());
        return;
    };
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = &issuer.revocations()[0];
    assert_eq!(sent.content_type, content_type);
    assert_same("revocation", &sent.parameters, parameters, issuer);
    assert!(world.store()["profiles"][row.profile].is_null());
}

fn check_stored(row: &Row, world: &World) -> Value {
    let store = world.store();
    let stored = &store["profiles"][row.profile];
    assert_eq!(stored["type"], "oauth", "{store}");
    assert_eq!(stored["provider"], row.id);
    for (name, value) in row.stored {
        assert_eq!(stored[name], *value, "{stored}");
    }
    let expires = stored["expires"].as_i64().unwrap();
    let end = 3_600 - row.early;
    let near = millis_from_now(end - 120)..=millis_from_now(end);
    assert!(near.contains(&expires), "{expires} in {near:?}");
    stored.clone()
}

fn token(row: &Row, world: &World) -> String {
    let ran = run(
        world,
        row.env,
        &["models", "auth", "token", "--provider", row.id],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out.trim_end().to_owned()
}
