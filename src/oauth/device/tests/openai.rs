//! OpenAI's own scheme.

use super::*;

const USER_CODE: &str =
    r#"{"device_auth_id":"deviceauth_MARKER","user_code":"ABCD-12345","interval":"5"}"#;
const APPROVED: &str =
    r#"{"authorization_code":"ac-MARKER","code_challenge":"c","code_verifier":"cv-MARKER"}"#;
const GRANT: &str = r#"{"access_token":"at-1","refresh_token":"rt-1","expires_in":60}"#;

fn begun_with(case: &Case) -> DeviceAuthorization {
    case.begin(200, USER_CODE).unwrap()
}

#[test]
fn openai_is_asked_as_it_expects() {
    let case = Case::builtin("openai-codex");
    let mut begun = begun_with(&case);
    let client = "app_EMoamEEZ73f0CkXaXp7hrann";
    assert_eq!(
        case.sent(0),
        (
            "https://auth.openai.com/api/accounts/deviceauth/usercode".to_owned(),
            format!(r#"{{"client_id":"{client}"}}"#)
        )
    );
    assert_eq!(
        case.header("content-type").as_deref(),
        Some("application/json")
    );
    assert_eq!(begun.user_code, "ABCD-12345");
    assert_eq!(
        begun.verification_uri,
        "https://auth.openai.com/codex/device"
    );
    assert_eq!(begun.interval, Duration::from_secs(5));
    assert_eq!(begun.lifetime, Duration::from_secs(900));

    for status in [403, 404] {
        let poll = case.poll(
            &mut begun,
            status,
            r#"{"error":{"code":"deviceauth_pending"}}"#,
        );
        assert_eq!(word(&poll), "pending");
    }
    case.http.answer(200, APPROVED);
    let poll = case.poll(&mut begun, 200, GRANT);
    assert_eq!(word(&poll), "grant at-1");
    assert_eq!(
        case.sent(1),
        (
            "https://auth.openai.com/api/accounts/deviceauth/token".to_owned(),
            r#"{"device_auth_id":"deviceauth_MARKER","user_code":"ABCD-12345"}"#.to_owned()
        )
    );
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://auth.openai.com/oauth/token");
    assert_eq!(
        form(&body),
        [
            format!("client_id={client}"),
            "code=ac-MARKER".to_owned(),
            "code_verifier=cv-MARKER".to_owned(),
            "grant_type=authorization_code".to_owned(),
            "redirect_uri=https://auth.openai.com/deviceauth/callback".to_owned(),
        ]
    );
    assert!(!format!("{begun:?}").contains("MARKER"));
}

#[test]
fn interval_and_user_code_come_in_two_shapes() {
    let case = Case::builtin("openai-codex");
    let begun = |body: &str| case.begin(200, body).unwrap();
    let number = begun(r#"{"device_auth_id":"d","usercode":"AB","interval":7}"#);
    assert_eq!(number.user_code, "AB");
    assert_eq!(number.interval, Duration::from_secs(7));
    let none = begun(r#"{"device_auth_id":"d","user_code":"AB"}"#);
    assert_eq!(none.interval, Duration::from_secs(5));
}

#[test]
fn a_first_404_means_that_device_codes_are_switched_off() {
    let case = Case::builtin("openai-codex");
    let error = case.begin(404, "").unwrap_err();
    assert!(matches!(error, DeviceError::SwitchedOff));
    let error = case.begin(403, "").unwrap_err();
    assert!(matches!(error, DeviceError::OAuth(_)));
}

#[test]
fn anything_but_pending_trouble_and_yes_ends_the_wait() {
    let case = Case::builtin("openai-codex");
    let mut begun = begun_with(&case);
    let mut poll = |status, body: &str| word(&case.poll(&mut begun, status, body));
    assert!(
        poll(
            400,
            r#"{"error":{"code":"invalid","message":"deviceauth_MARKER"}}"#
        )
        .ends_with("HTTP 400: invalid: (hidden)")
    );
    assert_eq!(
        poll(403, r#"{"error":{"code":"access_denied"}}"#),
        "failed: access_denied"
    );
    assert!(poll(200, "{}").ends_with("returned no authorization code"));
    assert_eq!(poll(502, "<html>"), "trouble None");
    assert_eq!(poll(429, ""), "trouble None");
}

#[test]
fn a_code_that_the_token_endpoint_never_saw_is_kept() {
    let case = Case::builtin("openai-codex");
    let mut begun = begun_with(&case);
    case.http.answer(200, APPROVED);
    case.http.fail(HttpErrorKind::Connect);
    assert_eq!(
        word(&device::poll(&case.device(), &mut begun, NOW)),
        "trouble None"
    );
    // Not polled again: the next request is the exchange.
    assert_eq!(word(&case.poll(&mut begun, 503, "")), "trouble None");
    assert_eq!(word(&case.poll(&mut begun, 200, GRANT)), "grant at-1");
    assert!(case.sent(0).0.ends_with("/oauth/token"));

    let mut begun = begun_with(&case);
    case.http.answer(200, APPROVED);
    case.http.fail(HttpErrorKind::NoAnswer);
    let poll = device::poll(&case.device(), &mut begun, NOW);
    assert!(
        word(&poll).starts_with("failed: "),
        "a spent code is not sent twice"
    );
    let refusal = r#"{"error":"invalid_grant","error_description":"cv-MARKER ac-MARKER"}"#;
    let mut begun = begun_with(&case);
    case.http.answer(200, APPROVED);
    let poll = case.poll(&mut begun, 400, refusal);
    assert!(!word(&poll).contains("MARKER"), "{}", word(&poll));
}
