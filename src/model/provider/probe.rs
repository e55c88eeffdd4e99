//! The cheapest request that tells whether a credential works.

/// One real request of a provider, for `models status --probe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// POST, or else GET.
    pub posts: bool,
    /// The route for an API key; `None` if a key cannot be probed.
    pub key: Option<ProbeRoute>,
    /// The route for an access token; `None` if a token cannot be probed.
    pub token: Option<ProbeRoute>,
    /// Headers that carry a member of the stored credential: name, and the member.
    pub credential_headers: Vec<(String, String)>,
    /// A JSON body, in which `{model}` and `{max_tokens}` stand for what is asked.
    pub body: Option<String>,
    /// The model that is asked where the configuration names none of this provider.
    pub model: Option<String>,
    /// The statuses that mean yes; without one, every 2xx.
    pub success: Vec<u16>,
}

/// The address of a probe, and the place of the credential in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRoute {
    /// The address.
    pub url: String,
    /// The place of the credential.
    pub carrier: Carrier,
    /// More headers.
    pub headers: Vec<(String, String)>,
}

/// The place of the credential in a request. Never in the address (RFC 6750 section 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization`, behind this word.
    Scheme(String),
    /// A header of this name, alone.
    Header(String),
}

impl Carrier {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    pub fn bearer() -> Self {
        Self::Scheme("Bearer".to_owned())
    }
}

/// Stands for the model, inside a text of the body.
const MODEL: &str = "{model}";
/// Stands for the number of tokens, in the place of a number.
const MAX_TOKENS: &str = "{max_tokens}";

impl Probe {
    /// Reports whether the request names a model.
    pub fn asks_a_model(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains(MODEL))
    }

    /// Reports whether an answer of this status means that the credential works.
    pub fn is_success(&self, status: u16) -> bool {
        match self.success.as_slice() {
            [] => (200..300).contains(&status),
            named => named.contains(&status),
        }
    }
}

/// The body with everything put in. Tokens come first: a model may be called anything.
pub fn fill_body(body: &str, model: &str, max_tokens: u64) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    let model: String = model.chars().map(escape).collect();
    body.replace(MAX_TOKENS, &max_tokens.to_string())
        .replace(MODEL, &model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_any_name_stays_a_text() {
        let body = r#"{"model":"{model}","max_tokens":{max_tokens}}"#;
        let fill_body = fill_body(body, "a\"b\\c\u{1}{max_tokens}", 8);
        let read: serde_json::Value = serde_json::from_str(&fill_body).unwrap();
        assert_eq!(read["model"], "a\"b\\c\u{1}{max_tokens}");
        assert_eq!(read["max_tokens"], 8);
    }
}
