//! The rows of device codes.

use crate::support::issuer::{Codes, Seen};

use super::{FORM, JSON, Pairs, Sent, assert_sent, run};
use crate::support::World;

/// One provider: what it is sent, and under which name its login is stored.
struct Row {
    id: &'static str,
    /// The request for a code, and OpenAI's polls.
    asks: &'static [Sent],
    /// A header with a fresh UUID in the first of them.
    request_id: bool,
    /// Requests to the token endpoint.
    token: &'static [Sent],
    /// None where there is nothing to refresh.
    refresh: Option<Sent>,
    profile: &'static str,
    stored: Pairs,
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[test]
fn openai_codex_logs_in_by_device_code_and_refreshes() {
    const CLIENT: (&str, &str) = ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann");
    drive(&Row {
        id: "openai-codex",
        asks: &[
            Sent {
                path: "/api/accounts/deviceauth/usercode",
                content_type: JSON,
                parameters: &[CLIENT],
            },
            Sent {
                path: "/api/accounts/deviceauth/token",
                content_type: JSON,
                parameters: &[("device_auth_id", "*"), ("user_code", "WDJB-MJHT")],
            },
        ],
        request_id: false,
        token: &[Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "authorization_code"),
                CLIENT,
                ("code", "*"),
                ("redirect_uri", "{url}/deviceauth/callback"),
                ("code_verifier", "*"),
            ],
        }],
        refresh: Some(Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "*"),
                CLIENT,
            ],
        }),
        profile: "openai-codex:me@example.com",
        stored: &[("type", "oauth"), ("accountId", "acct_1")],
    });
}

#[test]
fn github_copilot_logs_in_by_device_code() {
    const CLIENT: (&str, &str) = ("client_id", "Iv1.b507a08c87ecfe98");
    drive(&Row {
        id: "github-copilot",
        asks: &[Sent {
            path: "/login/device/code",
            content_type: FORM,
            parameters: &[CLIENT, ("scope", "read:user")],
        }],
        request_id: false,
        token: &[Sent {
            path: "/login/oauth/access_token",
            content_type: FORM,
            parameters: &[CLIENT, ("device_code", "*"), ("grant_type", DEVICE_CODE)],
        }],
        refresh: None,
        profile: "github-copilot:github",
        stored: &[("type", "token")],
    });
}

#[test]
fn qwen_portal_logs_in_by_device_code_and_refreshes() {
    const CLIENT: (&str, &str) = ("client_id", "f0304373b74a44d2b584a3fb70ca9e56");
    drive(&Row {
        id: "qwen-portal",
        asks: &[Sent {
            path: "/api/v1/oauth2/device/code",
            content_type: FORM,
            parameters: &[
                CLIENT,
                ("scope", "openid profile email model.completion"),
                ("code_challenge", "*43"),
                ("code_challenge_method", "S256"),
            ],
        }],
        request_id: true,
        token: &[Sent {
            path: "/api/v1/oauth2/token",
            content_type: FORM,
            parameters: &[
                CLIENT,
                ("device_code", "*"),
                ("grant_type", DEVICE_CODE),
                ("code_verifier", "*43"),
            ],
        }],
        refresh: Some(Sent {
            path: "/api/v1/oauth2/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "*"),
                CLIENT,
            ],
        }),
        profile: "qwen-portal:default",
        stored: &[("type", "oauth"), ("resourceUrl", "portal.qwen.ai")],
    });
}

#[test]
fn minimax_portal_logs_in_by_device_code_and_refreshes() {
    const CLIENT: (&str, &str) = ("client_id", "78257093-7e40-4613-99e0-527b14b39113");
    const USER_CODE: &str = "urn:ietf:params:oauth:grant-type:user_code";
    drive(&Row {
        id: "minimax-portal",
        asks: &[Sent {
            path: "/oauth2/device/code",
            content_type: FORM,
            parameters: &[
                ("response_type", "code"),
                CLIENT,
                ("scope", "group_id profile model.completion"),
                ("code_challenge", "*43"),
                ("code_challenge_method", "S256"),
                ("state", "*43"),
            ],
        }],
        request_id: true,
        token: &[Sent {
            path: "/oauth2/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", USER_CODE),
                CLIENT,
                ("user_code", "WDJB-MJHT"),
                ("code_verifier", "*43"),
            ],
        }],
        refresh: Some(Sent {
            path: "/oauth2/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "*"),
                CLIENT,
            ],
        }),
        profile: "minimax-portal:default",
        stored: &[
            ("type", "oauth"),
            ("resourceUrl", "https://api.minimax.io/anthropic"),
        ],
    });
}

/// Its endpoints are those that its metadata names.
#[test]
fn xai_logs_in_by_device_code_and_refreshes() {
    const CLIENT: (&str, &str) = ("client_id", "b1a00492-073a-47ea-816f-4c329264a828");
    drive(&Row {
        id: "xai",
        asks: &[Sent {
            path: "/oauth/device/code",
            content_type: FORM,
            parameters: &[
                CLIENT,
                (
                    "scope",
                    "openid profile email offline_access grok-cli:access api:access",
                ),
            ],
        }],
        request_id: false,
        token: &[Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[CLIENT, ("device_code", "*"), ("grant_type", DEVICE_CODE)],
        }],
        refresh: Some(Sent {
            path: "/oauth/token",
            content_type: FORM,
            parameters: &[
                ("grant_type", "refresh_token"),
                ("refresh_token", "*"),
                CLIENT,
            ],
        }),
        profile: "xai:me@example.com",
        stored: &[
            ("type", "oauth"),
            ("accountId", "user-1"),
            ("email", "me@example.com"),
        ],
    });
}

/// The login, then the token, then a refresh where there is one, then the token again.
fn drive(row: &Row) {
    let (world, issuer) = World::with_builtin(row.id);
    issuer.set_device_codes(Codes::default());
    let mut metadata = issuer.metadata();
    let device = format!("{}/oauth/device/code", issuer.url());
    metadata["device_authorization_endpoint"] = device.into();
    issuer.publish_json("/.well-known/openid-configuration", &metadata);
    let login = ["models", "auth", "login", "--provider", row.id];
    let login = [&login[..], &["--method", "device-code", "--json"]].concat();
    let ran = run(&world, &[], &login);
    assert_eq!(ran.code, 0, "{ran:?}");
    let all = |what: &str, seen: &[Seen], expected: &[Sent]| {
        assert_eq!(seen.len(), expected.len(), "{what}: {seen:?}");
        for (seen, expected) in seen.iter().zip(expected) {
            assert_sent(what, seen, expected, &issuer);
        }
    };
    let asked = issuer.device_requests();
    all("request for a code", &asked, row.asks);
    let id = asked[0].header("x-request-id").map(str::len);
    assert_eq!(id, row.request_id.then_some(36));
    all("poll", &issuer.exchanges(), row.token);

    let stored = || world.store()["profiles"][row.profile].clone();
    let first = stored();
    for (name, value) in row.stored {
        assert_eq!(first[name], *value, "{}", world.store());
    }
    let token = || {
        let ran = run(
            &world,
            &[],
            &["models", "auth", "token", "--provider", row.id],
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.trim_end().to_owned()
    };
    let member = if first["type"] == "token" {
        "token"
    } else {
        "access"
    };
    assert_eq!(token(), first[member]);
    let ran = run(&world, &[], &["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let exchanges = issuer.exchanges();
    let after = &exchanges[row.token.len()..];
    all("refresh", after, row.refresh.as_slice());
    assert_eq!(stored() != first, row.refresh.is_some());
    assert_eq!(token(), stored()[member]);
}
