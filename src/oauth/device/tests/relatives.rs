//! Qwen, MiniMax and xAI.

use super::*;

#[test]
fn qwen_is_asked_as_it_expects() {
    let case = Case::builtin("qwen-portal");
    let answer = r#"{"device_code":"dc-MARKER","user_code":"AB12","verification_uri":"https://chat.qwen.ai/authorize","verification_uri_complete":"https://chat.qwen.ai/authorize?user_code=AB12","expires_in":900}"#;
    let mut begun = case.begin(200, answer).unwrap();
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://chat.qwen.ai/api/v1/oauth2/device/code");
    let challenge = code_challenge(&Secret::from(FIRST));
    assert_eq!(
        form(&body),
        [
            "client_id=f0304373b74a44d2b584a3fb70ca9e56".to_owned(),
            format!("code_challenge={}", challenge.as_str()),
            "code_challenge_method=S256".to_owned(),
            "scope=openid profile email model.completion".to_owned(),
        ]
    );
    assert_eq!(case.header("x-request-id").unwrap().len(), 36);
    assert_eq!(begun.interval, Duration::from_secs(2));
    assert_eq!(
        begun.verification_uri_complete.as_deref(),
        Some("https://chat.qwen.ai/authorize?user_code=AB12")
    );
    let slow = r#"{"error":"slow_down"}"#;
    assert_eq!(word(&case.poll(&mut begun, 429, slow)), "slow down");
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://chat.qwen.ai/api/v1/oauth2/token");
    assert_eq!(
        form(&body),
        [
            "client_id=f0304373b74a44d2b584a3fb70ca9e56",
            &format!("code_verifier={FIRST}"),
            "device_code=dc-MARKER",
            "grant_type=urn:ietf:params:oauth:grant-type:device_code",
        ]
    );
    assert_eq!(case.header("x-request-id"), None);
    let echoed = format!(r#"{{"error":"invalid_grant","error_description":"{FIRST}"}}"#);
    let poll = word(&case.poll(&mut begun, 400, &echoed));
    assert!(poll.contains("(hidden)") && !poll.contains(FIRST), "{poll}");
}

#[test]
fn xai_is_asked_as_it_expects() {
    let case = Case::builtin("xai");
    let answer = r#"{"device_code":"dc-MARKER","user_code":"AB12","verification_uri":"https://accounts.x.ai/device","expires_in":1800,"interval":5}"#;
    let mut begun = case.begin(200, answer).unwrap();
    assert_eq!(
        form(&case.sent(0).1),
        [
            "client_id=b1a00492-073a-47ea-816f-4c329264a828",
            "scope=openid profile email offline_access grok-cli:access api:access",
        ]
    );
    let denied = r#"{"error":"authorization_denied"}"#;
    let poll = case.poll(&mut begun, 400, denied);
    assert_eq!(word(&poll), "failed: authorization_denied");
}

fn minimax(state: &str) -> String {
    let ends = NOW.0 + 600_000;
    format!(
        r#"{{"user_code":"AB12-CD","verification_uri":"https://platform.minimax.io/oauth","expired_in":{ends},"interval":3000,"state":"{state}"}}"#
    )
}

#[test]
fn minimax_is_asked_as_it_expects() {
    let case = Case::builtin("minimax-portal");
    let mut begun = case.begin(200, &minimax(SECOND)).unwrap();
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://account.minimax.io/oauth2/device/code");
    let challenge = code_challenge(&Secret::from(FIRST));
    assert_eq!(
        form(&body),
        [
            "client_id=78257093-7e40-4613-99e0-527b14b39113".to_owned(),
            format!("code_challenge={}", challenge.as_str()),
            "code_challenge_method=S256".to_owned(),
            "response_type=code".to_owned(),
            "scope=group_id profile model.completion".to_owned(),
            format!("state={SECOND}"),
        ]
    );
    assert_eq!(case.header("x-request-id").unwrap().len(), 36);
    assert_eq!(begun.interval, Duration::from_secs(3));
    assert_eq!(begun.lifetime, Duration::from_secs(600));
    let pending = r#"{"status":"pending","base_resp":{"status_code":0,"status_msg":"success"}}"#;
    assert_eq!(word(&case.poll(&mut begun, 200, pending)), "pending");
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://account.minimax.io/oauth2/token");
    assert_eq!(
        form(&body),
        [
            "client_id=78257093-7e40-4613-99e0-527b14b39113".to_owned(),
            format!("code_verifier={FIRST}"),
            "grant_type=urn:ietf:params:oauth:grant-type:user_code".to_owned(),
            "user_code=AB12-CD".to_owned(),
        ]
    );
    let ends = NOW.0 + 3_600_000;
    let granted = format!(
        r#"{{"status":"success","access_token":"at-1","refresh_token":"rt-1","expired_in":{ends}}}"#
    );
    let Poll::Grant(grant) = case.poll(&mut begun, 200, &granted) else {
        panic!("no grant");
    };
    assert_eq!(grant.access.expose(), "at-1");
    assert_eq!(grant.expires, Some(Timestamp(ends)));
}

#[test]
fn the_status_of_minimax_is_heeded() {
    let case = Case::builtin("minimax-portal");
    let mut begun = case.begin(200, &minimax(SECOND)).unwrap();
    let mut poll = |status, body: &str| word(&case.poll(&mut begun, status, body));
    assert_eq!(
        poll(200, r#"{"status":"waiting_for_something"}"#),
        "pending"
    );
    let error = r#"{"status":"error","base_resp":{"status_code":1004,"status_msg":"not\u001b[2J allowed"}}"#;
    assert_eq!(
        poll(200, error),
        "failed: refused: 1004: not [2J allowed (HTTP 200)"
    );
    let bare = r#"{"base_resp":{"status_code":2013,"status_msg":"invalid params"}}"#;
    assert_eq!(
        poll(200, bare),
        "failed: refused: 2013: invalid params (HTTP 200)"
    );
    assert!(poll(400, bare).starts_with("failed: refused: 2013"));
    assert_eq!(poll(500, bare), "trouble None");
    assert_eq!(poll(200, r#"{"error":"slow_down"}"#), "slow down");
    let success = r#"{"status":"success"}"#;
    assert!(poll(200, success).ends_with("returned no access token"));
}

#[test]
fn a_state_of_somebody_else_is_no_answer() {
    let case = Case::builtin("minimax-portal");
    for state in ["", "another", FIRST] {
        let refused = case.refusal(200, &minimax(state));
        assert!(refused.contains("does not repeat our state"), "{refused}");
    }
    let refused = case.refusal(
        200,
        r#"{"base_resp":{"status_code":1004,"status_msg":"no"}}"#,
    );
    assert_eq!(refused, "refused: 1004: no (HTTP 200)");
    assert!(
        case.refusal(500, "")
            .contains("device authorization endpoint")
    );
}
