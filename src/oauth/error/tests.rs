use super::*;
use crate::ports::http::HttpErrorKind;

const NOW: Timestamp = Timestamp(1_795_242_600_000);

fn answer(status: u16, body: &str) -> OAuthError {
    let response = Response {
        status,
        headers: Vec::new(),
        body: Secret::new(body.as_bytes().to_vec()),
    };
    OAuthError::of_answer(
        &response,
        NOW,
        &[&Secret::from("rt-MARKER")],
        &Refusals::default(),
    )
}

fn refused(status: u16, body: &str) -> String {
    match answer(status, body) {
        OAuthError::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_known_shape_of_a_refusal_is_understood() {
    let openai = r#"{"error":{"message":"used","type":"invalid_request_error","param":null,"code":"refresh_token_reused"}}"#;
    assert_eq!(refused(401, openai), "refresh_token_reused");
    assert_eq!(refused(400, openai), "refresh_token_reused");
    assert_eq!(
        refused(400, r#"{"error":"invalid_grant"}"#),
        "invalid_grant"
    );
    assert_eq!(refused(401, r#"{"code":"token_expired"}"#), "token_expired");
    assert_eq!(refused(400, r#""invalid_grant""#), "invalid_grant");
    let both = r#"{"error":"invalid_request","code":"refresh_token_expired"}"#;
    assert_eq!(refused(400, both), "refresh_token_expired");
    assert_eq!(refused(401, ""), "http_401");
    assert_eq!(refused(401, r#"{"error":"other"}"#), "other");
}

#[test]
fn what_does_not_judge_the_grant_is_no_refusal() {
    for (status, body) in [
        (403, ""),
        (403, "<html>blocked</html>"),
        (401, "<html>blocked</html>"),
        (200, "<!doctype html><title>Sign in</title>"),
        (429, r#"{"error":"invalid_grant"}"#),
        (500, r#"{"error":"invalid_grant"}"#),
        (503, ""),
        (400, r#"{"error":"invalid_scope"}"#),
        (
            403,
            r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
        ),
        (
            401,
            r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
        ),
    ] {
        let error = answer(status, body);
        assert!(error.is_transient(), "{status} {body}: {error:?}");
        assert!(!error.is_permanent() && !error.is_unknown());
    }
    let region = answer(403, r#"{"error":"unsupported_country_region_territory"}"#);
    assert!(region.to_string().contains("HTTPS_PROXY"));
    assert!(answer(302, "").is_unknown());
}

#[test]
fn descriptions_are_cleaned_and_hold_no_secret() {
    let body = "{\"error\":\"invalid_grant\",\"error_description\":\"bad rt-MARKER\\n\\u001b[2JLogged in\"}";
    let text = answer(400, body).to_string();
    assert_eq!(
        text,
        "refused: invalid_grant: bad (hidden) [2JLogged in (HTTP 400)"
    );
    let long = format!(
        r#"{{"error":"x","error_description":"{}"}}"#,
        "y".repeat(999)
    );
    assert!(answer(400, &long).to_string().chars().count() < 300);
    assert!(!format!("{:?}", answer(400, "secret body")).contains("secret"));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let seconds = |value| parse_retry_after(value, NOW).map(|wait| wait.as_secs());
    assert_eq!(seconds("120"), Some(120));
    assert_eq!(seconds("99999999"), Some(86_400));
    assert_eq!(seconds("soon"), None);
    assert_eq!(NOW.iso8601(), "2026-11-21T06:30:00.000Z");
    assert_eq!(seconds("Sat, 21 Nov 2026 06:31:00 GMT"), Some(60));
    assert_eq!(seconds("Sat, 21 Nov 2026 06:29:00 GMT"), Some(0));
    let response = Response {
        status: 429,
        headers: vec![("retry-after".into(), "7".into())],
        body: Secret::new(Vec::new()),
    };
    let error = OAuthError::of_answer(&response, NOW, &[], &Refusals::default());
    let RefreshOutcome::Passing { retry_at, .. } = error.outcome(NOW) else {
        panic!("{error:?}");
    };
    assert_eq!(retry_at, Some(Timestamp(NOW.0 + 7_000)));
}

#[test]
fn a_request_that_may_have_been_sent_leaves_the_outcome_open() {
    let error = |kind| {
        OAuthError::from(HttpError {
            kind,
            detail: "x".into(),
        })
    };
    assert!(error(HttpErrorKind::Connect).is_transient());
    assert!(error(HttpErrorKind::Tls).is_transient());
    assert!(error(HttpErrorKind::NoAnswer).is_unknown());
    assert!(error(HttpErrorKind::AnswerTimeout).is_unknown());
}
