//! The `auth` block of a provider in `config.yaml`.

use std::time::Duration;

use serde_json::{Map, Value};
use strum::VariantNames as _;

use crate::model::declared::{Declared, DeclaredFlow, Finding, Severity, SourceLocation};
use crate::model::hint::Command;
use crate::model::id::{ProviderId, printable};
use crate::model::provider::{ClientAuth, ClientValue};
use crate::model::secret_ref::{self, SecretRef};
use crate::model::text::is_unprintable;
use crate::model::time::parse_duration;
use crate::model::vault::TokenStore;

use super::finding::{error, finding, near};
use super::redirect;
use super::yaml::{Data, Name, Node};

/// Its members.
const MEMBERS: [&str; 11] = [
    "method",
    "flow",
    "client_id",
    "client_secret",
    "scopes",
    "redirect_uri",
    "token_auto_refresh",
    "token_refresh_buffer",
    "pkce",
    "token_store",
    "token_endpoint_auth_method",
];

/// Members that could only hold a credential.
const TOKENS: [&str; 5] = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
];

/// Reads the block; `None` if the findings hold an error that leaves nothing to go by.
pub(super) fn read(
    id: &ProviderId,
    (base, place): (ProviderId, SourceLocation),
    node: &Node,
    findings: &mut Vec<Finding>,
) -> Option<Declared> {
    if node.members().is_none() {
        findings.push(error(&node.place, "auth must be a mapping"));
        return None;
    }
    let mut block = Block { id, node, findings };
    block.names();
    block.one_of("method", &["oauth"]);
    let flow = block.one_of("flow", &["authorization_code", "client_credentials"]);
    if node.get("flow").is_none() {
        let message = "this block needs a `flow`: authorization_code or client_credentials";
        block.findings.push(error(&node.place, message));
    }
    let store = block.token_store();
    let client_id = block.given("client_id");
    let client_secret = block.given("client_secret");
    let client_auth = block.client_auth();
    let scopes = block.scopes();
    let automatic = block.truth("token_auto_refresh").unwrap_or(true);
    let margin = block.margin();
    let flow = match flow? {
        "client_credentials" => block.client_credentials(scopes.as_deref()),
        _ => block.authorization_code(scopes.as_deref(), client_secret.is_some()),
    };
    Some(Declared {
        id: id.clone(),
        base,
        place,
        flow,
        scopes: scopes.map(|scopes| {
            scopes
                .iter()
                .filter_map(|scope| Some(scope.text()?.to_owned()))
                .collect()
        }),
        client_id,
        client_secret,
        client_auth,
        automatic,
        margin,
        store,
        findings: Vec::new(),
    })
}

struct Block<'a> {
    id: &'a ProviderId,
    node: &'a Node,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Block<'a> {
    fn error(&mut self, node: &Node, message: &str) {
        self.findings.push(error(&node.place, message));
    }

    fn warn(&mut self, node: &Node, message: &str) {
        self.findings
            .push(finding(Severity::Warning, &node.place, message));
    }

    /// A name that is not known is an error: misspelt, it would switch something off.
    fn names(&mut self) {
        for (name, node) in self.node.members().unwrap_or_default() {
            let text = name.text.as_str();
            if MEMBERS.contains(&text) {
                continue;
            }
            if TOKENS.contains(&text) {
                let message = "is not allowed in this file and is ignored; remove it";
                let message = format!("{text} {message}");
                self.findings.push(Finding {
                    instead: Some(Command::paste_token(self.id, None)),
                    ..finding(Severity::Warning, &node.place, &message)
                });
                continue;
            }
            let shown = printable(text, 80);
            let message = match near(text, &MEMBERS) {
                Some(near) => format!("unknown key {shown}; did you mean {near}?"),
                None => format!("unknown key {shown}; expected {}", MEMBERS.join(", ")),
            };
            self.findings.push(error(&name.place, &message));
        }
    }

    /// One of a few words.
    fn one_of(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let node = self.node.get(name)?;
        let text = node.text().unwrap_or_default();
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        let message = match (near(text, words), words) {
            (Some(near), _) => format!("unknown {name}; did you mean {near}?"),
            (None, [only]) => format!("{name} can only be {only}"),
            (None, words) => format!("{name} must be one of {}", words.join(", ")),
        };
        self.error(node, &message);
        None
    }

    fn truth(&mut self, name: &str) -> Option<bool> {
        let node = self.node.get(name)?;
        let truth = node.truth();
        if truth.is_none() {
            self.error(
                node,
                &format!("{name} must be true or false, without quotes"),
            );
        }
        truth
    }

    fn token_store(&mut self) -> Option<TokenStore> {
        self.one_of("token_store", TokenStore::VARIANTS)?
            .parse()
            .ok()
    }

    fn client_auth(&mut self) -> Option<ClientAuth> {
        let words = ["client_secret_basic", "client_secret_post"];
        match self.one_of("token_endpoint_auth_method", &words)? {
            "client_secret_basic" => Some(ClientAuth::Basic),
            _ => Some(ClientAuth::Post),
        }
    }

    fn margin(&mut self) -> Option<Duration> {
        let node = self.node.get("token_refresh_buffer")?;
        match parse_duration(node.text().unwrap_or_default(), "s") {
            Ok(margin) => Some(margin),
            Err(_) => {
                let message =
                    "token_refresh_buffer must be a number of seconds or a duration such as 5m";
                self.error(node, message);
                None
            }
        }
    }

    /// `${secret:NAME}`, or the value itself.
    fn given(&mut self, name: &str) -> Option<ClientValue> {
        let node = self.node.get(name)?;
        if let Data::Map(members) = &node.data {
            return self.referred(name, node, members);
        }
        let Some(text) = node.text() else {
            self.error(node, &format!("{name} must be a string"));
            return None;
        };
        if text.contains("${") {
            let secret = secret_ref::name_of(text);
            if secret.is_none() {
                let message = format!(
                    "{name}: a reference must be the whole value, written as \"${{secret:NAME}}\""
                );
                self.error(node, &message);
            }
            return secret.map(|secret| ClientValue {
                secret: Some(secret.to_owned()),
                ..ClientValue::default()
            });
        }
        if text.contains(is_unprintable) {
            self.error(
                node,
                &format!("{name} cannot contain control or invisible characters"),
            );
            return None;
        }
        if name == "client_secret" {
            let variable = variable(self.id);
            let message = format!(
                "the client secret is in plain text; write \"${{secret:{variable}}}\" here"
            );
            self.findings.push(Finding {
                instead: Some(Command::new("secrets set").arg(&variable)),
                ..finding(Severity::Warning, &node.place, &message)
            });
        }
        Some(ClientValue::fixed(text))
    }

    /// A reference to a secret: a mapping of source, provider and id.
    fn referred(
        &mut self,
        what: &str,
        node: &Node,
        members: &[(Name, Node)],
    ) -> Option<ClientValue> {
        let mut written = Map::new();
        for (name, value) in members {
            let known = ["source", "provider", "id"].contains(&name.text.as_str());
            let (true, Some(text)) = (known, value.text()) else {
                let fault = "is none of source, provider and id of a reference to a secret";
                self.findings.push(error(
                    &name.place,
                    &format!("{} {fault}", printable(&name.text, 80)),
                ));
                return None;
            };
            written.insert(name.text.clone(), text.into());
        }
        let text = Value::Object(written).to_string();
        // Which provider is meant where none is named, openclaw.json says.
        if let Err(fault) = SecretRef::read(&text, &|_| "default".to_owned()) {
            self.error(node, &format!("{what}: the reference {fault}"));
            return None;
        }
        Some(ClientValue {
            reference: Some(text),
            ..ClientValue::default()
        })
    }

    fn scopes(&mut self) -> Option<Vec<&'a Node>> {
        let node = self.node.get("scopes")?;
        let Data::List(items) = &node.data else {
            self.error(node, "scopes must be a list");
            return None;
        };
        // RFC 6749 section 3.3.
        let is_scope = |text: &&str| {
            let mut bytes = text.bytes();
            bytes.all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
        };
        let mut scopes = Vec::new();
        for item in items {
            match item.text().filter(is_scope) {
                Some(_) => scopes.push(item),
                None => self.error(
                    item,
                    "invalid scope: it must be one word without quotes or backslashes",
                ),
            }
        }
        Some(scopes)
    }

    fn client_credentials(&mut self, scopes: Option<&[&Node]>) -> DeclaredFlow {
        for name in ["redirect_uri", "pkce"] {
            if let Some(node) = self.node.get(name) {
                self.warn(
                    node,
                    &format!("{name} does not apply to client_credentials, which needs no browser"),
                );
            }
        }
        for scope in scopes.unwrap_or_default() {
            let text = scope.text().unwrap_or_default();
            let why = match text {
                "openid" => "which returns no ID token",
                "offline_access" => "which returns no refresh token",
                _ => continue,
            };
            let message = format!("{text} has no effect with client_credentials, {why}");
            self.warn(scope, &message);
        }
        if self.node.get("client_secret").is_none() {
            let message = "client_credentials needs a client_secret";
            self.findings.push(error(&self.node.place, message));
        }
        DeclaredFlow::ClientCredentials
    }

    fn authorization_code(&mut self, scopes: Option<&[&Node]>, has_secret: bool) -> DeclaredFlow {
        let has = |wanted: &str| {
            scopes.is_none_or(|all| all.iter().any(|scope| scope.text() == Some(wanted)))
        };
        if let (false, Some(node)) = (has("offline_access"), self.node.get("scopes")) {
            let message = "without offline_access the server may issue no refresh token, and the login then ends when its first token expires";
            self.warn(node, message);
        }
        if let (Some(false), Some(node)) = (self.truth("pkce"), self.node.get("pkce")) {
            let message = "pkce: false on a client without a secret lets anyone who sees a code use it; remove the line";
            match has_secret {
                true => self.warn(node, "pkce: false is ignored: every login uses S256"),
                false => self.error(node, message),
            }
        }
        let redirect = self.node.get("redirect_uri").and_then(|node| {
            let (redirect, finding) = redirect::check(node.text().unwrap_or_default(), &node.place);
            self.findings.extend(finding);
            redirect
        });
        DeclaredFlow::AuthorizationCode { redirect }
    }
}

/// The variable that we propose for a provider's client secret.
fn variable(id: &ProviderId) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name: String = id.as_str().chars().map(plain).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("ID_{name}_CLIENT_SECRET"),
        false => format!("{name}_CLIENT_SECRET"),
    }
}
