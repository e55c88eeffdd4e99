//! The userinfo endpoint (OpenID Connect Core section 5.3): a name for a login, and nothing that the
//! login depends on.

use serde_json::Value;

use super::answer_body::json;
use super::claims::text;
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::ports::http::{Http, Method, Request};

/// Fetches the claims about the owner of an access token. `subject` is that of the ID token, if
/// there was one.
///
/// # Errors
/// Returns why there is no answer that can be used, in words without any part of it.
pub fn ask(
    http: &dyn Http,
    endpoint: &str,
    access: &Secret<String>,
    subject: Option<&str>,
) -> Result<Value, String> {
    let bearer = format!("Bearer {}", access.expose());
    let answer = http
        .send(&Request {
            method: Method::Get,
            url: endpoint.to_owned(),
            headers: vec![
                ("accept".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), bearer),
            ],
            body: Secret::new(Vec::new()),
        })
        .map_err(|error| printable(&error.to_string(), 200))?;
    if !(200..300).contains(&answer.status) {
        return Err(format!("it returned HTTP {}", answer.status));
    }
    let Value::Object(claims) = json(&answer) else {
        return Err("its response is not a JSON object".to_owned());
    };
    match (subject, claims.get("sub").and_then(text)) {
        // Tokens can be substituted on the way (section 16.11).
        (Some(expected), Some(told)) if expected != told => {
            Err("it describes another account than the ID token".to_owned())
        }
        _ => Ok(Value::Object(claims)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http::ScriptedHttp;

    fn asked(status: u16, body: &str, subject: Option<&str>) -> Result<Value, String> {
        let http = ScriptedHttp::answering(status, body);
        let access = Secret::from("at-MARKER");
        let answer = ask(&http, "https://a.example/userinfo", &access, subject);
        let request = &http.requests()[0];
        let bearer = ("authorization".to_owned(), "Bearer at-MARKER".to_owned());
        assert_eq!(request.method, Method::Get);
        assert!(request.headers.contains(&bearer));
        assert!(!request.url.contains("MARKER"));
        answer
    }

    #[test]
    fn oidc_core_5_3_2_the_subject_is_that_of_the_id_token() {
        let body = r#"{"sub":"user-1","email":"me@example.com"}"#;
        let told = asked(200, body, Some("user-1")).unwrap();
        assert_eq!(told["email"], "me@example.com");
        let error = asked(200, body, Some("user-2")).unwrap_err();
        assert!(error.contains("another account"), "{error}");
        // Without an ID token, and from a server that names people otherwise.
        assert!(asked(200, body, None).is_ok());
        assert!(asked(200, r#"{"id":"7"}"#, Some("user-1")).is_ok());
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for (status, body) in [(401, "{}"), (302, ""), (200, "<html>"), (200, "[]")] {
            let error = asked(status, body, None).unwrap_err();
            assert!(!error.contains("MARKER"), "{error}");
        }
    }
}
