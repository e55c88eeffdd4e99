//! What is sent for a grant, and what is read out of the answer.

use super::*;
use crate::model::credential::Identity;
use crate::model::id::ProviderId;
use crate::model::provider::{
    Account, Billing, Body, Client, ClientAuth, Dialect, IdTokenCheck, RefreshSettings,
};
use crate::oauth::authorization::AuthorizationCode;
use crate::oauth::authorization::tests::pending;
use crate::oauth::claims::tests::jwt;
use crate::oauth::code_exchange::exchange;
use crate::oauth::refresh::refresh;
use crate::ports::http::{HttpErrorKind, Response};
use crate::testing::http::ScriptedHttp;
use serde_json::json;

pub(in crate::oauth) const NOW: Timestamp = Timestamp(1_795_242_600_000);

pub(in crate::oauth) fn provider(body: Body, baked: u64) -> Provider {
    Provider {
        id: ProviderId::parse("acme").unwrap(),
        name: "Acme".into(),
        aliases: Vec::new(),
        env: Vec::new(),
        tool_env: Vec::new(),
        ambient: Vec::new(),
        policy: None,
        default_model: None,
        billing: Billing::default(),
        registration: None,
        flows: Vec::new(),
        dialect: Dialect {
            body,
            headers: Vec::new(),
            state_in_token_request: body == Body::Json,
            ..Dialect::default()
        },
        account: Account::default(),
        id_token: IdTokenCheck::None,
        refresh: RefreshSettings {
            baked_margin: Duration::from_secs(baked),
            ..RefreshSettings::default()
        },
        probe: None,
    }
}

fn client() -> Client {
    Client::public("client-1", "https://login.example/token")
}

fn renew(http: &ScriptedHttp, baked: u64) -> Result<Grant, OAuthError> {
    let provider = provider(Body::Form, baked);
    refresh(http, &provider, &client(), &"rt-old".into(), NOW)
}

#[test]
fn a_refresh_sends_the_body_that_was_recorded() {
    let http = ScriptedHttp::answering(200, r#"{"access_token":"at","expires_in":3600}"#);
    let grant = renew(&http, 300).unwrap();
    assert_eq!(
        http.first_body(),
        "grant_type=refresh_token&refresh_token=rt-old&client_id=client-1"
    );
    assert_eq!(grant.refresh, None);
    assert_eq!(grant.expires, Some(Timestamp(NOW.0 + 3_300_000)));
    let seen = http.requests();
    assert_eq!(seen[0].url, "https://login.example/token");
    assert!(
        seen[0]
            .headers
            .iter()
            .all(|(name, _)| name != "authorization")
    );
}

#[test]
fn a_client_with_a_secret_shows_it_where_it_is_registered_to() {
    let sent = |auth| {
        let http = ScriptedHttp::answering(200, r#"{"access_token":"at"}"#);
        let client = Client {
            secret: Some("s: cret".into()),
            auth,
            ..client()
        };
        let provider = provider(Body::Form, 0);
        refresh(&http, &provider, &client, &"rt".into(), NOW).unwrap();
        let headers = http.requests()[0].headers.clone();
        let header = headers
            .into_iter()
            .find(|(name, _)| name == "authorization");
        (header.map(|(_, value)| value), http.first_body())
    };
    let body = "grant_type=refresh_token&refresh_token=rt";
    // Each half is form-encoded before Base64: RFC 6749 section 2.3.1.
    let basic = "Basic Y2xpZW50LTE6cyUzQStjcmV0".to_owned();
    assert_eq!(sent(ClientAuth::Basic), (Some(basic), body.to_owned()));
    let post = format!("{body}&client_id=client-1&client_secret=s%3A+cret");
    assert_eq!(sent(ClientAuth::Post), (None, post));
}

#[test]
fn an_exchange_sends_verifier_and_redirect_uri() {
    let http = ScriptedHttp::answering(
        200,
        r#"{"access_token":"at","refresh_token":"rt","id_token":"it","expires_in":"60"}"#,
    );
    let pending = pending(None);
    let code = AuthorizationCode::unproven("ac_1".into());
    let provider = provider(Body::Json, 0);
    let grant = exchange(&http, &provider, &client(), &pending, &code, NOW).unwrap();
    let sent: Value = serde_json::from_str(&http.first_body()).unwrap();
    assert_eq!(
        sent,
        json!({
            "grant_type": "authorization_code",
            "client_id": "client-1",
            "code": "ac_1",
            "code_verifier": pending.code_verifier.expose(),
            "redirect_uri": pending.redirect_uri,
            "state": pending.state.expose(),
        })
    );
    assert_eq!(grant.id_token, Some("it".into()));
    assert_eq!(grant.expires, Some(Timestamp(NOW.0 + 60_000)));
    let id = ProviderId::parse("acme").unwrap();
    let stored = grant.into_credential(&id, Identity::default());
    assert_eq!(stored.refresh, Some("rt".into()));
    assert_eq!(stored.provider, "acme");
}

#[test]
fn an_expiry_is_found_and_never_lies_in_the_past() {
    let expires = |body: Value, baked| {
        renew(&ScriptedHttp::answering(200, &body.to_string()), baked)
            .unwrap()
            .expires
    };
    let jwt = jwt(&json!({"exp": NOW.0 / 1000 + 600}));
    let after = |seconds: i64| Some(Timestamp(NOW.0 + seconds * 1000));
    assert_eq!(expires(json!({"access_token": jwt}), 0), after(600));
    assert_eq!(
        expires(json!({"access_token": jwt, "expires_in": 0}), 60),
        after(540)
    );
    assert_eq!(
        expires(json!({"access_token": "at", "expires_in": 120}), 300),
        after(30)
    );
    assert_eq!(
        expires(json!({"access_token": "at", "expires_in": 10}), 300),
        after(10)
    );
    assert_eq!(expires(json!({"access_token": "at"}), 0), None);
}

#[test]
fn errors_are_judged_and_hold_no_token() {
    let error = |status, body: &str| renew(&ScriptedHttp::answering(status, body), 0).unwrap_err();
    assert!(error(200, r#"{"error":"invalid_grant"}"#).is_permanent());
    assert!(error(400, r#"{"error":"invalid_grant"}"#).is_permanent());
    assert!(error(503, "").is_transient());
    assert!(error(302, "").is_unknown());
    assert!(error(200, "<html>MARKER").is_transient());
    for body in [
        r#"{"access":"MARKER"}"#,
        "MARKER",
        r#"{"access_token":""}"#,
        "{\"access_token\":\"at\",\"refresh_token\":\"MARKER\\ufffd\"}",
        "",
    ] {
        let error = error(200, body);
        assert!(matches!(error, OAuthError::NotUnderstood { .. }), "{body}");
        assert!(!format!("{error:?} {error}").contains("MARKER"));
    }
    let http = ScriptedHttp::new();
    http.fail(HttpErrorKind::AnswerTimeout);
    assert!(renew(&http, 0).unwrap_err().is_unknown());
    let nowhere = Client::public("client-1", "nowhere");
    let provider = provider(Body::Form, 0);
    let nothing = refresh(&http, &provider, &nowhere, &"rt".into(), NOW).unwrap_err();
    assert!(matches!(nothing, OAuthError::Unsupported { .. }));
}

#[test]
fn the_servers_clock_is_compared_with_ours() {
    let http = ScriptedHttp::new();
    http.push(Ok(Response {
        status: 200,
        headers: vec![("date".into(), "Sat, 21 Nov 2026 06:29:00 GMT".into())],
        body: Secret::new(br#"{"access_token":"at"}"#.to_vec()),
    }));
    let grant = renew(&http, 0).unwrap();
    assert_eq!(grant.clock_skew, Some(-60_000));
    assert_eq!(grant.skew_warning(), None);
    let words = |skew| {
        let clock_skew = Some(skew);
        let grant = Grant {
            clock_skew,
            ..grant.clone()
        };
        match grant.skew_warning().map(|warning| warning.parts) {
            Some(parts) => format!("{:?}", parts[0]),
            None => String::new(),
        }
    };
    assert!(words(300_001).contains("5m behind the provider's"));
    assert!(words(-7_200_000).contains("2h ahead of the provider's"));
    assert!(words(i64::MIN).contains("ahead of"));
    assert_eq!(words(300_000), "");
}

#[test]
fn an_error_with_status_200_is_an_error() {
    let answer = |status, body: &str| {
        is_success(&Response {
            status,
            headers: Vec::new(),
            body: Secret::new(body.into()),
        })
    };
    assert!(!answer(200, r#"{"error":"bad_verification_code"}"#));
    assert!(answer(200, r#"{"access_token":"at","error":""}"#));
    assert!(answer(
        200,
        r#"{"access_token":"at","error":"scope was reduced"}"#
    ));
    assert!(!answer(200, "<html>access_token"));
    for no in [
        r#"{"base_resp":{"status_code":1004,"status_msg":"expired"}}"#,
        r#"{"success":false,"msg":"no"}"#,
        r#"{"ok":false}"#,
        r#"{"status":"error"}"#,
    ] {
        assert!(!answer(200, no), "{no}");
    }
    assert!(answer(
        200,
        r#"{"status":"ok","base_resp":{"status_code":0}}"#
    ));
    assert!(answer(
        201,
        r#"{"access_token":"at","error":null,"expires_in":"60"}"#
    ));
}
