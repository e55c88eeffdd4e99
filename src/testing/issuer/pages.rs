//! Documents that the test issuer publishes: metadata, keys, userinfo. None is there until a test
//! says so.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use tiny_http::Request;

use super::{Issuer, Scripted, State, header, json, locked};

/// One request for a document, published or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The path.
    pub path: String,
    /// The value of its `Authorization` header.
    pub authorization: Option<String>,
}

/// What is published, and who came.
#[derive(Default)]
pub(super) struct Pages {
    published: HashMap<String, Scripted>,
    /// Path, header and what is answered once instead.
    once: Vec<(String, String, Scripted)>,
    visits: Vec<Visit>,
}

impl Issuer {
    /// Publishes a document at a path, in the place of what was there.
    pub fn publish(&self, path: &str, answer: Scripted) {
        let published = &mut locked(&self.state).pages.published;
        published.insert(path.to_owned(), answer);
    }

    /// The next request for a document with this `Authorization` gets another answer.
    pub fn answer_once(&self, path: &str, authorization: &str, answer: Scripted) {
        let once = &mut locked(&self.state).pages.once;
        once.push((path.to_owned(), authorization.to_owned(), answer));
    }

    /// Publishes a JSON document.
    pub fn publish_json(&self, path: &str, document: &Value) {
        self.publish(path, json((200, document.clone())));
    }

    /// Takes a document back.
    pub fn withdraw(&self, path: &str) {
        locked(&self.state).pages.published.remove(path);
    }

    /// Who asked for a document so far, whether or not it was there.
    pub fn visits(&self) -> Vec<Visit> {
        locked(&self.state).pages.visits.clone()
    }

    /// The metadata of this server: all that is true of it (RFC 8414 section 2).
    pub fn metadata(&self) -> Value {
        let url = self.url();
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth/authorize"),
            "token_endpoint": format!("{url}/oauth/token"),
            "revocation_endpoint": format!("{url}/oauth/revoke"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        })
    }

    /// A manifest of the provider `acme` that gives this server as its issuer and no endpoint.
    pub fn issuer_manifest(&self) -> String {
        let url = self.url();
        format!(
            "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n\
             [client]\nid = \"test-client\"\nissuer = \"{url}\"\n\n\
             [[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/callback\"\n\
             scopes = [\"openid\", \"email\", \"offline_access\"]\n\n\
             [account]\nid = [\"id_token:/sub\"]\nemail = [\"id_token:/email\"]\n"
        )
    }
}

pub(super) fn serve(state: &Mutex<State>, path: &str, request: &Request) -> Scripted {
    let authorization = header(request, "Authorization");
    let pages = &mut locked(state).pages;
    pages.visits.push(Visit {
        path: path.to_owned(),
        authorization: authorization.clone(),
    });
    let mut once = pages.once.iter();
    let is_it = |(other, whose, _): &(String, String, Scripted)| {
        other == path && Some(whose) == authorization.as_ref()
    };
    if let Some(place) = once.position(is_it) {
        return pages.once.remove(place).2;
    }
    let found = pages.published.get(path).cloned();
    found.unwrap_or_else(|| Scripted::text(404, ""))
}
