//! Requests as the test issuer logs them, and its answers.

use std::io::Read;

use tiny_http::Request;

/// An answer that is given instead of the right one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scripted {
    /// The status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
    /// The body, where it is no text.
    pub(crate) bytes: Vec<u8>,
    /// Break the connection off without any answer.
    pub(crate) hang_up: bool,
}

impl Scripted {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn redirect(to: String) -> Self {
        Self {
            status: 302,
            headers: vec![("Location", to)],
            ..Self::default()
        }
    }
}

/// A request that asked for a device code, or polled OpenAI's endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its path.
    pub(crate) path: String,
    /// Its headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Its parameters.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Seen {
    /// Reads a request.
    pub(crate) fn read(path: &str, request: &mut Request) -> Option<Self> {
        let headers = request.headers().iter().map(|header| {
            let name = header.field.as_str().as_str().to_ascii_lowercase();
            (name, header.value.to_string())
        });
        Some(Self {
            path: path.to_owned(),
            headers: headers.collect(),
            parameters: parameters(request)?,
        })
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// The value of a parameter; empty if it is not there.
pub(crate) fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> &'a str {
    let found = parameters.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// The value of a header field.
pub(crate) fn header(request: &Request, name: &'static str) -> Option<String> {
    let mut fields = request.headers().iter();
    let field = fields.find(|field| field.field.equiv(name));
    field.map(|field| field.value.to_string())
}

/// The parameters of a body, a form or a JSON object.
pub(crate) fn parameters(request: &mut Request) -> Option<Vec<(String, String)>> {
    let mut body = String::new();
    request
        .as_reader()
        .take(1 << 20)
        .read_to_string(&mut body)
        .ok()?;
    if !body.trim_start().starts_with('{') {
        return Some(pairs(&body));
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&body).ok()?;
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let pairs = object.into_iter().map(|(key, value)| (key, text(value)));
    Some(pairs.collect())
}

pub(crate) fn json((status, body): (u16, serde_json::Value)) -> Scripted {
    Scripted {
        status,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.to_string(),
        ..Scripted::default()
    }
}
