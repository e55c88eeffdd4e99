//! `/openapi.json` says what the gateway does: which paths there are, with which methods, and which
//! status, type, members and code each answer may have.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::device_login;
use crate::login::browser::redirect;
use crate::support::World;
use crate::support::issuer::{Account, Codes, Issuer};
use crate::support::running_gateway::{Answer, Gateway, TOKEN};

/// Every operation, in an order in which each can succeed.
const OPERATIONS: [(&str, &str); 21] = [
    ("get", "/livez"),
    ("get", "/readyz"),
    ("get", "/openapi.json"),
    ("get", "/metrics"),
    ("get", "/v1/auth/{provider}/status"),
    ("post", "/v1/auth/{provider}/start"),
    ("get", "/v1/auth/{provider}/flow"),
    ("post", "/v1/auth/{provider}/callback"),
    ("post", "/v1/auth/{provider}/cancel"),
    ("get", "/v1/token"),
    ("get", "/v1/credentials"),
    ("get", "/v1/events"),
    ("post", "/v1/auth/{provider}/logout"),
    ("post", "/v1/auth/{provider}/credential"),
    ("post", "/v1/keys"),
    ("get", "/v1/keys"),
    ("delete", "/v1/keys/{id}"),
    ("post", "/v1/session"),
    ("get", "/v1/session"),
    ("delete", "/v1/session"),
    ("post", "/v1/links"),
];

/// The document, as the gateway serves it.
struct Document(Value);

impl Document {
    fn of(gateway: &Gateway) -> Self {
        let answer = gateway.ask("GET", "/openapi.json", "", "");
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        Self(answer.json())
    }

    /// What stands behind a reference.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else {
            return value;
        };
        let pointer = reference.trim_start_matches('#');
        let pointer = pointer.replace("%7B", "{").replace("%7D", "}");
        let target = self.0.pointer(&pointer);
        target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    fn item(&self, path: &str) -> &Value {
        self.resolved(&self.0["paths"][path])
    }

    fn methods(&self, path: &str) -> BTreeSet<String> {
        let members = self.item(path).as_object().unwrap().keys();
        let methods = members.filter(|name| *name != "parameters");
        methods.map(|name| name.to_uppercase()).collect()
    }

    /// Fails unless an operation may be answered so.
    fn check(&self, operation: &Value, answer: &Answer) {
        let name = &operation["operationId"];
        let described = &operation["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{name} is not to say {answer:?}");
        let described = self.resolved(described);
        let Some(content) = described["content"].as_object() else {
            assert_eq!(answer.body, "", "{name}: {answer:?}");
            return;
        };
        let kind = answer.header("Content-Type").unwrap_or_default();
        let content = content
            .get(kind)
            .unwrap_or_else(|| panic!("{name}: {answer:?}"));
        if kind != "application/json" {
            return;
        }
        let body = answer.json();
        let faults = self.faults(&content["schema"], &body);
        assert_eq!(faults, [""; 0], "{name}: {answer:?}");
        if let (400.., Some(code)) = (answer.status, body["code"].as_str()) {
            let text = described["description"].as_str().unwrap();
            assert!(text.contains(&format!("`{code}`")), "{name}: {answer:?}");
        }
    }

    /// What of a value is not as a schema says; a member that it does not name is a fault, too.
    fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let schema = self.resolved(schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = |choice: &Value| self.faults(choice, value).is_empty();
            return match choices.iter().any(fits) {
                true => Vec::new(),
                false => vec![format!("{value} is none of the choices")],
            };
        }
        let mut faults = Vec::new();
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_kind = schema["type"] == kind
            || schema["type"]
                .as_array()
                .is_some_and(|kinds| kinds.contains(&json!(kind)));
        let is_value = schema.get("const").is_none_or(|only| only == value)
            && schema["enum"]
                .as_array()
                .is_none_or(|all| all.contains(value));
        if !is_kind || !is_value {
            faults.push(format!("{value} is not {schema}"));
        }
        for item in value.as_array().into_iter().flatten() {
            faults.extend(self.faults(&schema["items"], item));
        }
        if let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object())
        {
            for (name, member) in members {
                match known.get(name) {
                    Some(schema) => faults.extend(self.faults(schema, member)),
                    None => faults.push(format!("{name} is not described")),
                }
            }
            let required = schema["required"].as_array().into_iter().flatten();
            let missing = required.filter(|name| !members.contains_key(name.as_str().unwrap()));
            faults.extend(missing.map(|name| format!("{name} is missing")));
        }
        faults
    }
}

/// The paths that the routers of the source have.
fn routed() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gateway");
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        // The files of the page are for browsers.
        if path.is_dir() || path.ends_with("page.rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for route in text.split(".route(").skip(1) {
            let mut words = route.trim_start().split('"');
            let (before, word) = (words.next().unwrap(), words.next().unwrap());
            match before {
                "" => paths.insert(word.to_owned()),
                _ => ["", "chatgpt/"]
                    .map(|kind| paths.insert(format!("/v1/auth/{kind}{{provider}}/{word}")))
                    .contains(&true),
            };
        }
    }
    paths
}

#[test]
fn every_route_is_described_with_its_methods() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let document = Document::of(&gateway);
    let described: BTreeSet<String> = document.0["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(described, routed());
    for path in described {
        let answer = gateway.ask("TRACE", &path.replace(['{', '}'], ""), "", "");
        assert_eq!(answer.status, 405, "{path}: {answer:?}");
        let allowed = answer.header("Allow").unwrap().split(',');
        let allowed = allowed.map(|method| method.trim().to_owned());
        let allowed: BTreeSet<_> = allowed.filter(|method| method != "HEAD").collect();
        assert_eq!(allowed, document.methods(&path), "{path}");
    }
}

#[test]
fn every_operation_answers_as_described() {
    let (world, issuer) = World::with_issuer(Account::default());
    let gateway = Gateway::start(&world);
    let document = Document::of(&gateway);
    let mut last = Answered::default();
    let mut asked = BTreeSet::new();
    for (method, path) in OPERATIONS {
        let operation = &document.item(path)[method];
        assert!(operation.is_object(), "{method} {path}");
        asked.insert(operation["operationId"].as_str().unwrap().to_owned());
        // The one has a login with a browser, and the other takes keys.
        let provider = match path.ends_with("/credential") {
            true => "anthropic",
            false => "openai",
        };
        let path = path.replace("{provider}", provider);
        let path = path.replace("{id}", &last.key);
        let method = method.to_uppercase();
        let ask = |method: &str, headers: &str, body: &str| {
            let answer = gateway.ask(method, &path, headers, body);
            document.check(operation, &answer);
            answer
        };
        let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
        if operation.get("security").is_none() {
            assert_eq!(ask(&method, "", "").status, 401, "{path}");
        }
        assert_eq!(
            ask(&method, "Host: example.com\r\n", "").status,
            400,
            "{path}"
        );
        assert_eq!(ask(&method, "Origin: null\r\n", "").status, 403, "{path}");
        let json = format!("{bearer}Content-Type: application/json\r\n");
        if operation.get("requestBody").is_some() {
            assert_eq!(ask(&method, &bearer, "text").status, 415, "{path}");
            assert_eq!(
                ask(&method, &json, r#"{"unknown":1}"#).status,
                400,
                "{path}"
            );
        }
        let method = match operation["operationId"] == "events" {
            // Its answer has no end.
            true => "HEAD".to_owned(),
            false => method,
        };
        let answer = ask(&method, &json, &last.body(&issuer, operation));
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        last.remember(&answer);
    }
    let ids = document.0["paths"].as_object().unwrap().values();
    let ids = ids.flat_map(|item| item.as_object().unwrap().values());
    let ids = ids.filter_map(|operation| operation["operationId"].as_str());
    assert_eq!(asked, ids.map(str::to_owned).collect());
}

#[test]
fn a_login_with_a_device_code_answers_as_described() {
    let (world, issuer) = World::with_builtin(device_login::PROVIDER);
    issuer.set_device_codes(Codes::not_entered());
    let gateway = Gateway::start(&world);
    let document = Document::of(&gateway);
    let redirect = json!({ "redirect_url": "http://localhost:1455/?code=x&state=x" });
    for (method, action, body, status) in [
        ("post", "start", json!({}), 200),
        ("get", "flow", json!({}), 200),
        ("post", "callback", redirect, 409),
        ("post", "cancel", json!({}), 200),
    ] {
        let path = device_login::path(action);
        let answer = match method {
            "get" => gateway.get(&path),
            _ => gateway.post(&path, &body),
        };
        assert_eq!(answer.status, status, "{answer:?}");
        let operation = &document.item(&format!("/v1/auth/{{provider}}/{action}"))[method];
        document.check(operation, &answer);
    }
    let listed = gateway.get("/v1/credentials");
    document.check(&document.item("/v1/credentials")["get"], &listed);
}

/// What later operations need of the answers to earlier ones.
#[derive(Default)]
struct Answered {
    auth_url: String,
    key: String,
}

impl Answered {
    fn remember(&mut self, answer: &Answer) {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Some(url) = body["auth_url"].as_str() {
            url.clone_into(&mut self.auth_url);
        }
        if body.get("key").is_some_and(Value::is_string) && body.get("role").is_some() {
            body["id"].as_str().unwrap().clone_into(&mut self.key);
        }
    }

    /// A body that is accepted: the example, where that is one.
    fn body(&self, issuer: &Issuer, operation: &Value) -> String {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        match operation["operationId"].as_str().unwrap() {
            "callback" => json!({ "redirect_url": redirect(issuer, &self.auth_url) }).to_string(),
            "signIn" => json!({ "bearer": TOKEN }).to_string(),
            _ if example.is_null() => String::new(),
            _ => example.to_string(),
        }
    }
}
