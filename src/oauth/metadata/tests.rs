use serde_json::json;

use super::*;
use crate::model::secret::Secret;

const ISSUER: &str = "https://auth.example";

fn answer(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: Secret::new(body.as_bytes().to_vec()),
    }
}

fn registration(issuer: &str, hosts: &[&str]) -> Registration {
    Registration {
        issuer: Some(issuer.to_owned()),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        ..Registration::default()
    }
}

fn read(document: &Value) -> Result<Metadata, MetadataError> {
    read_answer(
        &answer(200, &document.to_string()),
        &registration(ISSUER, &[]),
    )
}

#[test]
fn rfc8414_3_1_the_well_known_part_goes_between_host_and_path() {
    let of = |issuer, wants| addresses(issuer, wants).unwrap();
    assert_eq!(
        of("https://example.com/issuer1", false),
        [
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
            "https://example.com/.well-known/openid-configuration/issuer1",
        ]
    );
    let plain = [
        "https://auth.example/.well-known/openid-configuration",
        "https://auth.example/.well-known/oauth-authorization-server",
    ];
    assert_eq!(of(ISSUER, true), plain);
    // A terminating slash is removed before anything is put in.
    assert_eq!(of("https://auth.example/", true), plain);
    assert_eq!(
        of("https://a.example:8443/t/", true)[0],
        "https://a.example:8443/t/.well-known/openid-configuration"
    );
    assert!(addresses("https://a.example/?t=1", true).is_err());
}

#[test]
fn rfc8414_3_3_the_issuer_is_the_one_that_was_asked_for() {
    assert!(read(&json!({ "issuer": ISSUER })).is_ok());
    for told in [
        "https://auth.example/",
        "https://AUTH.example",
        "https://auth.example:443",
        "http://auth.example",
        "https://evil.example",
    ] {
        let error = read(&json!({ "issuer": told })).unwrap_err();
        assert!(matches!(error, MetadataError::Unfit(_)), "{told}");
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(matches!(
        read(&json!({ "token_endpoint": "https://auth.example/t" })),
        Err(MetadataError::Unfit(_))
    ));
}

#[test]
fn every_endpoint_is_on_an_allowed_host() {
    let with = |name: &str, value: Value, hosts: &[&str]| {
        let document = json!({ "issuer": ISSUER, name: value }).to_string();
        read_answer(&answer(200, &document), &registration(ISSUER, hosts))
    };
    for name in MEMBERS.iter().filter(|name| is_address(name)) {
        assert!(with(name, json!("https://auth.example/x"), &[]).is_ok());
        for wrong in [
            json!("https://evil.example/x"),
            json!("https://auth.example:8443/x"),
            json!("http://auth.example/x"),
            json!("http://127.0.0.1/x"),
            json!(["https://auth.example/x"]),
            Value::Null,
        ] {
            let error = with(name, wrong.clone(), &[]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    let elsewhere = json!("https://api.x.ai/t");
    assert!(with("token_endpoint", elsewhere.clone(), &["*.x.ai"]).is_ok());
    assert!(with("token_endpoint", elsewhere, &["x.ai"]).is_err());
    let other_port = json!("https://auth.example:8443/t");
    assert!(with("token_endpoint", other_port, &["auth.example"]).is_ok());
}

#[test]
fn what_the_server_announces_is_told() {
    let metadata = read(&json!({
        "issuer": ISSUER,
        "token_endpoint": "https://auth.example/t",
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["plain"],
        "grant_types_supported": ["refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "x-secret": "not kept",
    }))
    .unwrap();
    assert_eq!(
        metadata.text("token_endpoint"),
        Some("https://auth.example/t")
    );
    assert!(metadata.sends_iss() && metadata.lacks_s256());
    assert!(metadata.lacks_grant("authorization_code") && !metadata.lacks_grant("refresh_token"));
    let others = |has_secret, auth| metadata.other_auth_methods(has_secret, auth);
    assert_eq!(others(true, ClientAuth::Basic), None);
    let basic = Some("client_secret_basic".to_owned());
    assert_eq!(others(true, ClientAuth::Post), basic);
    assert_eq!(others(false, ClientAuth::Post), basic);
    assert!(!metadata.members().contains_key("x-secret"));
    // What is not announced is not known to be missing.
    let silent = read(&json!({ "issuer": ISSUER })).unwrap();
    assert!(!silent.lacks_s256() && !silent.sends_iss() && !silent.lacks_grant("x"));
}

#[test]
fn only_some_answers_end_the_search() {
    let of =
        |status, body| read_answer(&answer(status, body), &registration(ISSUER, &[])).unwrap_err();
    for (status, body) in [
        (404, ""),
        (302, ""),
        (403, "{}"),
        (200, "<html>"),
        (200, "[]"),
    ] {
        let error = of(status, body);
        assert!(matches!(error, MetadataError::NotHere(_)), "{error:?}");
    }
    for status in [429, 500, 503] {
        assert!(matches!(of(status, ""), MetadataError::Later(_)));
    }
    let long = format!("{{\"issuer\":\"{}\"}}", "x".repeat(LONGEST));
    assert!(matches!(of(200, &long), MetadataError::Unfit(_)));
}

#[test]
fn a_document_is_kept_for_as_long_as_its_server_says_within_bounds() {
    let of = |value: Option<&str>| {
        let mut answer = answer(200, "{}");
        let header = value.map(|value| ("cache-control".to_owned(), value.to_owned()));
        answer.headers.extend(header);
        cache_lifetime(&answer).map(|life| life.as_secs())
    };
    assert_eq!(of(None), Some(86_400));
    assert_eq!(of(Some("public, max-age=3600")), Some(3_600));
    assert_eq!(of(Some("max-age=0")), Some(300));
    assert_eq!(of(Some("no-cache")), Some(300));
    assert_eq!(of(Some("max-age=99999999")), Some(86_400));
    assert_eq!(of(Some("max-age=soon")), Some(86_400));
    assert_eq!(of(Some("private, no-store")), None);
}
