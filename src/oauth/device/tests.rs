//! What is sent, compared with what the servers expect, and what each answer means.

use super::*;
use crate::model::provider::{Client, ClientAuth, DeviceFlow, Provider, Stored};
use crate::model::secret::Secret;
use crate::oauth::authorization::tests::Counting;
use crate::oauth::device;
use crate::oauth::error::OAuthError;
use crate::oauth::pkce::code_challenge;
use crate::ports::http::HttpErrorKind;
use crate::testing::http::ScriptedHttp;
use serde_json::Value;
use std::time::Duration;

mod openai;
mod relatives;

pub(super) const NOW: Timestamp = Timestamp(1_795_242_600_000);
/// What [`Counting`] gives first, second and third.
const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SECOND: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

pub(super) fn begun(interval: u64, lifetime: u64) -> DeviceAuthorization {
    DeviceAuthorization {
        user_code: "WDJB-MJHT".into(),
        verification_uri: "https://login.example/device".into(),
        verification_uri_complete: None,
        expires: Timestamp(0),
        lifetime: Duration::from_secs(lifetime),
        interval: Duration::from_secs(interval),
        device_code: Secret::from("dc-MARKER"),
        code_verifier: None,
        approval: None,
    }
}

pub(super) fn flow() -> DeviceFlow {
    DeviceFlow {
        scheme: DeviceScheme::Rfc8628,
        scopes: vec!["read:user".into()],
        params: Vec::new(),
        pkce: false,
        hosts: Vec::new(),
        interval: Duration::from_secs(5),
        stores: Stored::OAuth,
        profile: None,
        request_id: None,
    }
}

/// A built-in provider, or one that is like it, and what its server will answer.
struct Case {
    http: ScriptedHttp,
    provider: Provider,
    client: Client,
    flow: DeviceFlow,
}

impl Case {
    fn builtin(id: &str) -> Self {
        let manifest = match id {
            "github-copilot" => include_str!("../../providers/builtin/github-copilot.toml"),
            "qwen-portal" => include_str!("../../providers/builtin/qwen-portal.toml"),
            "minimax-portal" => include_str!("../../providers/builtin/minimax-portal.toml"),
            "openai-codex" => include_str!("../../providers/builtin/openai-codex.toml"),
            _ => include_str!("../../providers/builtin/xai.toml"),
        };
        let (provider, _) = crate::providers::manifest::parse(manifest, id).unwrap();
        let registration = provider.registration.clone().unwrap();
        let id = registration.id.value.as_ref().unwrap().expose().clone();
        // What the metadata of xAI's issuer says.
        let token = "https://auth.x.ai/oauth2/token".to_owned();
        let device = "https://auth.x.ai/oauth2/device/code".to_owned();
        let mut client = Client::public(&id, &registration.token.unwrap_or(token));
        client.device = registration.device.or(Some(device));
        Self {
            http: ScriptedHttp::new(),
            flow: provider.device().unwrap().clone(),
            provider,
            client,
        }
    }

    fn device(&self) -> DeviceClient<'_> {
        DeviceClient {
            http: &self.http,
            provider: &self.provider,
            client: &self.client,
            flow: &self.flow,
            stop: &|| false,
        }
    }

    fn begin(&self, status: u16, answer: &str) -> Result<DeviceAuthorization, DeviceError> {
        self.http.answer(status, answer);
        authorize(&self.device(), &Counting::default(), NOW)
    }

    fn refusal(&self, status: u16, answer: &str) -> String {
        let error = self.begin(status, answer).unwrap_err();
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        error.to_string()
    }

    fn poll(&self, begun: &mut DeviceAuthorization, status: u16, answer: &str) -> Poll {
        self.http.answer(status, answer);
        device::poll(&self.device(), begun, NOW)
    }

    /// Where to, and the body of the request so many from the end.
    fn sent(&self, from_the_end: usize) -> (String, String) {
        let requests = self.http.requests();
        let request = &requests[requests.len() - 1 - from_the_end];
        let body = String::from_utf8(request.body.expose().clone()).unwrap();
        (request.url.clone(), body)
    }

    fn header(&self, name: &str) -> Option<String> {
        let requests = self.http.requests();
        let headers = &requests.last().unwrap().headers;
        let found = headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.clone())
    }
}

/// The parameters of a form, sorted.
fn form(body: &str) -> Vec<String> {
    let mut pairs: Vec<String> = url::form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort_unstable();
    pairs
}

fn word(poll: &Poll) -> String {
    match poll {
        Poll::Pending => "pending".to_owned(),
        Poll::SlowDown(None) => "slow down".to_owned(),
        Poll::SlowDown(Some(interval)) => format!("slow down to {}", interval.as_secs()),
        Poll::Unavailable { retry_after, .. } => format!("trouble {retry_after:?}"),
        Poll::Grant(grant) => format!("grant {}", grant.access.expose()),
        Poll::Failed(error) => format!("failed: {error}"),
    }
}

const GITHUB: &str = r#"{"device_code":"dc-MARKER","user_code":"WDJB-MJHT","verification_uri":"https://github.com/login/device","expires_in":899,"interval":5}"#;

#[test]
fn github_is_asked_as_it_expects() {
    let case = Case::builtin("github-copilot");
    let mut begun = case.begin(200, GITHUB).unwrap();
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://github.com/login/device/code");
    assert_eq!(
        form(&body),
        ["client_id=Iv1.b507a08c87ecfe98", "scope=read:user"]
    );
    assert_eq!(case.header("accept").as_deref(), Some("application/json"));
    let form_type = "application/x-www-form-urlencoded";
    assert_eq!(case.header("content-type").as_deref(), Some(form_type));
    assert_eq!(begun.user_code, "WDJB-MJHT");
    assert_eq!(begun.verification_uri, "https://github.com/login/device");
    assert_eq!(begun.interval, Duration::from_secs(5));
    assert_eq!(begun.expires, Timestamp(NOW.0 + 899_000));
    let poll = case.poll(
        &mut begun,
        200,
        r#"{"access_token":"ghu_1","token_type":"bearer","scope":"read:user"}"#,
    );
    assert_eq!(word(&poll), "grant ghu_1");
    let (url, body) = case.sent(0);
    assert_eq!(url, "https://github.com/login/oauth/access_token");
    assert_eq!(
        form(&body),
        [
            "client_id=Iv1.b507a08c87ecfe98",
            "device_code=dc-MARKER",
            "grant_type=urn:ietf:params:oauth:grant-type:device_code",
        ]
    );
    assert_eq!(case.header("accept").as_deref(), Some("application/json"));
    assert!(!format!("{begun:?}").contains("MARKER"));
}

#[test]
fn rfc8628_3_5_every_error_code_is_heeded_whatever_the_status() {
    let case = Case::builtin("github-copilot");
    let mut begun = begun(5, 900);
    let mut poll = |status, body: &str| word(&case.poll(&mut begun, status, body));
    for status in [200, 400, 428, 429] {
        let pending = r#"{"error":"authorization_pending"}"#;
        assert_eq!(poll(status, pending), "pending");
        let slow = r#"{"error":"slow_down","interval":10}"#;
        assert_eq!(poll(status, slow), "slow down to 10");
        assert_eq!(poll(status, r#"{"error":"slow_down"}"#), "slow down");
    }
    for status in [200, 400, 403] {
        let expired = r#"{"error":"expired_token","error_description":"dc-MARKER"}"#;
        assert_eq!(poll(status, expired), "failed: the code has expired");
        let denied = r#"{"error":"access_denied","error_description":"no\u001b[2J\nway"}"#;
        assert_eq!(poll(status, denied), "failed: access_denied: no [2J way");
        let denied =
            r#"{"error":"access_denied","error_description":"you sent device_code=dc-MARKER"}"#;
        assert_eq!(
            poll(status, denied),
            "failed: access_denied: you sent device_code=(hidden)"
        );
        let denied = r#"{"error":"authorization_denied"}"#;
        assert_eq!(poll(status, denied), "failed: authorization_denied");
    }
    let other = r#"{"error":"incorrect_device_code","error_description":"dc-MARKER is not known"}"#;
    assert_eq!(
        poll(200, other),
        "failed: the token endpoint returned HTTP 400: incorrect_device_code: (hidden) is not known"
    );
    assert!(poll(200, "{}").starts_with("failed: the token endpoint returned no"));
    assert!(poll(302, "").starts_with("failed: "));
}

#[test]
fn rfc8628_3_5_trouble_of_network_and_server_is_waited_out() {
    let case = Case::builtin("github-copilot");
    let mut begun = begun(5, 900);
    for kind in [
        HttpErrorKind::Connect,
        HttpErrorKind::ConnectTimeout,
        HttpErrorKind::AnswerTimeout,
        HttpErrorKind::NoAnswer,
        HttpErrorKind::Tls,
    ] {
        case.http.fail(kind);
        let poll = device::poll(&case.device(), &mut begun, NOW);
        assert_eq!(word(&poll), "trouble None");
    }
    for (status, body) in [
        (500, "<html>"),
        (503, r#"{"error":"access_denied"}"#),
        (429, ""),
    ] {
        assert_eq!(word(&case.poll(&mut begun, status, body)), "trouble None");
    }
    let headers = vec![("retry-after".into(), "7".into())];
    case.http.push(Ok(crate::ports::http::Response {
        status: 429,
        headers,
        body: Secret::new(Vec::new()),
    }));
    let poll = device::poll(&case.device(), &mut begun, NOW);
    assert_eq!(word(&poll), "trouble Some(7s)");
    // A request that cannot be made at all never gets better: here the script is at its end.
    let poll = device::poll(&case.device(), &mut begun, NOW);
    assert!(word(&poll).starts_with("failed: "));
}

#[test]
fn rfc8628_3_2_what_is_missing_gets_its_default_or_is_an_error() {
    let case = Case::builtin("github-copilot");
    let least = r#"{"device_code":"d","user_code":"A","verification_uri":"https://github.com/d"}"#;
    let begun = case.begin(200, least).unwrap();
    assert_eq!(begun.interval, Duration::from_secs(5));
    assert_eq!(begun.lifetime, Duration::from_secs(900));
    assert_eq!(begun.verification_uri_complete, None);
    let older = r#"{"device_code":"d","user_code":"A","verification_url":"https://github.com/d","expires_in":1e12}"#;
    let begun = case.begin(200, older).unwrap();
    assert_eq!(begun.lifetime, Duration::from_secs(86_400));
    for (body, what) in [
        (
            r#"{"user_code":"A","verification_uri":"https://github.com/d"}"#,
            "has no device code",
        ),
        (
            r#"{"device_code":"MARKER","verification_uri":"https://github.com/d"}"#,
            "has no user code",
        ),
        (
            r#"{"device_code":"MARKER","user_code":"A"}"#,
            "has no verification address",
        ),
        ("MARKER", "has no device code"),
        ("<html>MARKER", "a web page came instead of an answer"),
    ] {
        assert!(case.refusal(200, body).contains(what), "{body}");
    }
}

#[test]
fn rfc8628_5_4_an_address_of_somebody_else_is_refused() {
    let case = Case::builtin("github-copilot");
    for member in ["verification_uri", "verification_uri_complete"] {
        let mut answer: Value = serde_json::from_str(GITHUB).unwrap();
        answer[member] = "https://evil.example/device".into();
        let refused = case.refusal(200, &answer.to_string());
        assert!(refused.contains("https://evil.example/device"), "{refused}");
    }
}

#[test]
fn errors_of_the_first_request_name_their_endpoint_and_no_secret() {
    let case = Case::builtin("github-copilot");
    assert_eq!(
        case.refusal(404, "Not Found MARKER"),
        "the device authorization endpoint returned HTTP 404"
    );
    let disabled = r#"{"error":"device_flow_disabled","error_description":"Device Flow must be explicitly enabled"}"#;
    assert_eq!(
        case.refusal(200, disabled),
        "the device authorization endpoint returned HTTP 200: device_flow_disabled: Device Flow must be explicitly enabled"
    );
    case.http.fail(HttpErrorKind::Connect);
    let error = authorize(&case.device(), &Counting::default(), NOW).unwrap_err();
    assert!(
        error.to_string().starts_with("could not connect"),
        "{error}"
    );
}

#[test]
fn a_client_with_a_secret_shows_it_as_registered() {
    let mut case = Case::builtin("github-copilot");
    case.client.id = "my client".into();
    case.client.secret = Some(Secret::from("s:MARKER"));
    case.begin(200, GITHUB).unwrap();
    assert_eq!(
        form(&case.sent(0).1),
        [
            "client_id=my client",
            "client_secret=s:MARKER",
            "scope=read:user"
        ]
    );
    case.client.auth = ClientAuth::Basic;
    case.begin(200, GITHUB).unwrap();
    assert_eq!(form(&case.sent(0).1), ["scope=read:user"]);
    // `my+client:s%3AMARKER`
    assert_eq!(
        case.header("authorization").as_deref(),
        Some("Basic bXkrY2xpZW50OnMlM0FNQVJLRVI=")
    );
}

#[test]
fn a_flow_without_an_endpoint_sends_nothing() {
    let mut case = Case::builtin("github-copilot");
    case.client.device = None;
    let error = authorize(&case.device(), &Counting::default(), NOW).unwrap_err();
    assert!(matches!(
        error,
        DeviceError::OAuth(OAuthError::Unsupported { .. })
    ));
    assert_eq!(case.http.requests().len(), 0);
}
