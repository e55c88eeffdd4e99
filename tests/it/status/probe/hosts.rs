//! To whom a credential goes, and how it is shown there: as each manifest says, and to nobody else.

use openclaw::providers::manifest::parse_bytes;
use serde_json::{Value, json};

use super::bounds::{login, with_issuer};
use super::server::{Answer, Server};
use super::{key, of, probes, store, world};
use crate::support::{World, builtin};

/// The built-in manifest under a name of its own, with everything at that server.
fn like(id: &str, server: &Server) -> World {
    let text = builtin::manifest(id, &server.url(""));
    let text = text.replace("replaces = true\n", "");
    let text = text.replace(&format!("id = \"{id}\""), "id = \"acme\"");
    let world = World::new();
    world.write("providers/acme.toml", &text);
    world
}

/// What the server saw of one credential.
fn sent(id: &str, credential: Value) -> super::server::Seen {
    let server = Server::start();
    let world = like(id, &server);
    store(&world, "acme", &[("acme:a", credential)]);
    let probes = probes(&world, &[]);
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "{id}: {probes}");
    seen[0].clone()
}

#[test]
fn anthropic_is_asked_in_two_ways() {
    let seen = sent("anthropic", key("sk-ant-api-1"));
    assert_eq!(seen.line, "GET /v1/models?limit=1 HTTP/1.1");
    assert_eq!(seen.header("x-api-key"), Some("sk-ant-api-1"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(
        (seen.header("authorization"), seen.header("anthropic-beta")),
        (None, None)
    );

    let seen = sent(
        "anthropic",
        json!({ "type": "token", "token": "sk-ant-oat01-1" }),
    );
    assert_eq!(seen.line, "GET /v1/models?limit=1 HTTP/1.1");
    assert_eq!(seen.header("authorization"), Some("Bearer sk-ant-oat01-1"));
    assert_eq!(seen.header("anthropic-beta"), Some("oauth-2025-04-20"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.header("x-api-key"), None);
}

#[test]
fn codex_is_told_the_account() {
    let grant = ("at-1".to_owned(), "rt-1".to_owned());
    let seen = sent("openai-codex", login(&grant, 3_600));
    assert_eq!(seen.line, "GET /backend-api/wham/usage HTTP/1.1");
    assert_eq!(seen.header("authorization"), Some("Bearer at-1"));
    assert_eq!(seen.header("chatgpt-account-id"), Some("acct_1"));
}

#[test]
fn other_providers_have_words_and_headers_of_their_own() {
    let seen = sent("deepgram", key("k-1"));
    assert_eq!(seen.header("authorization"), Some("Token k-1"));
    let seen = sent("google", key("k-2"));
    assert_eq!(seen.header("x-goog-api-key"), Some("k-2"));
    assert_eq!(seen.header("authorization"), None);
}

/// A key of Chutes is no token of its userinfo endpoint.
#[test]
fn what_has_no_way_is_not_tried() {
    let server = Server::start();
    let world = like("chutes", &server);
    store(&world, "acme", &[("acme:a", key("cpk_1"))]);
    let probes = probes(&world, &[]);
    assert_eq!(of(&probes, "acme:a")["status"], "no_model");
    assert!(server.seen().is_empty());
}

/// No built-in probe asks a model, posts anything, or shows a credential over plain http.
#[test]
fn the_built_in_probes_cost_nothing() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/builtin");
    let mut probed = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let parsed = parse_bytes(std::fs::read(&path).unwrap(), "built-in").unwrap();
        let Some(probe) = parsed.0.probe else {
            continue;
        };
        probed += 1;
        assert!(!probe.posts && probe.body.is_none(), "{probe:?}");
        for way in probe.key.iter().chain(&probe.token) {
            assert!(way.url.starts_with("https://"), "{way:?}");
        }
    }
    assert!(probed > 20, "{probed}");
}

#[test]
fn a_model_is_asked_where_nothing_else_tells() {
    let server = Server::start();
    let world = World::new();
    let manifest = |more: &str| {
        format!(
            "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n[probe]\nurl = \"{}\"\n{more}\
             body = '{{\"model\": \"{{model}}\", \"max_tokens\": {{max_tokens}}}}'\n",
            server.url("/v1/chat")
        )
    };
    world.write("providers/acme.toml", &manifest(""));
    store(&world, "acme", &[("acme:a", key("sk-a"))]);
    let result = probes(&world, &[]);
    let result = of(&result, "acme:a");
    assert_eq!(result["error"], "No model available for probe");
    assert_eq!(result["reasonCode"], "no_model");

    world.write(
        "providers/acme.toml",
        &manifest("model = \"small\"\nsuccess = [404]\n"),
    );
    let result = probes(&world, &["--probe-max-tokens", "3"]);
    let result = of(&result, "acme:a");
    assert_eq!(
        (&result["status"], &result["model"]),
        (&json!("ok"), &json!("acme/small"))
    );
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /v1/chat HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.body, r#"{"model": "small", "max_tokens": 3}"#);

    // What is configured comes first, by whatever alias.
    let config = json!({ "agents": { "defaults": {
        "model": { "primary": "big" },
        "models": { "acme/x/large": { "alias": "big" } },
    } } });
    world.write("openclaw.json", &config.to_string());
    probes(&world, &[]);
    assert!(server.seen()[1].body.contains(r#""x/large""#));
}

/// A redirect is an answer; nobody follows it with a credential.
#[test]
fn a_redirect_takes_nothing_along() {
    let (server, elsewhere) = (Server::start(), Server::start());
    let world = world(&server);
    let to = Some(("Location", elsewhere.url("/")));
    server.answer("sk-a", Answer::Says(302, String::new(), to));
    store(&world, "acme", &[("acme:a", key("sk-a"))]);
    let probes = probes(&world, &[]);
    let result = of(&probes, "acme:a");
    assert_eq!(result["status"], "unknown", "{result}");
    assert!(
        result["error"].as_str().unwrap().contains("HTTP 302"),
        "{result}"
    );
    assert!(elsewhere.seen().is_empty());
}

/// Says that it is not sent, and does not send it.
fn is_kept(world: &World, server: &Server, label: &str, why: &str) {
    let before = server.seen().len();
    let probes = probes(world, &[]);
    let result = of(&probes, label);
    assert_eq!(
        (&result["status"], &probes["totalTargets"]),
        (&json!("unknown"), &json!(0))
    );
    assert!(result["error"].as_str().unwrap().contains(why), "{result}");
    assert_eq!(server.seen().len(), before);
}

#[test]
fn a_file_takes_no_credential_of_a_built_in_provider_elsewhere() {
    let server = Server::start();
    for (id, credential) in [
        ("groq", key("gsk_1")),
        (
            "anthropic",
            json!({ "type": "token", "token": "sk-ant-oat01-1" }),
        ),
        (
            "openai-codex",
            login(&("at-1".to_owned(), "rt-1".to_owned()), 3_600),
        ),
    ] {
        let world = World::new();
        let manifest = builtin::manifest(id, &server.url(""));
        world.write(&format!("providers/{id}.toml"), &manifest);
        let label = format!("{id}:a");
        store(&world, id, &[(label.as_str(), credential)]);
        is_kept(&world, &server, &label, "Your file");
    }
    // Of one whose host this program does not know, the file is the only word.
    let world = World::new();
    let text = builtin::manifest("litellm", &server.url(""));
    let probe = format!("\n[probe]\nurl = \"{}\"\n", server.url("/v1/models"));
    world.write("providers/litellm.toml", &format!("{text}{probe}"));
    server.answer("sk-lite", Answer::of(200, ""));
    store(&world, "litellm", &[("litellm:a", key("sk-lite"))]);
    assert_eq!(of(&probes(&world, &[]), "litellm:a")["status"], "ok");
}

/// A key that the configuration sends to a gateway is none of the provider's.
#[test]
fn a_key_of_a_gateway_does_not_go_to_the_provider() {
    let (server, gateway) = (Server::start(), Server::start());
    let world = world(&server);
    store(&world, "acme", &[("acme:a", key("sk-gateway"))]);
    for base in ["https://gateway.example/v1", "${GATEWAY}/v1", "not a URL"] {
        let provider = json!({ "baseUrl": base, "apiKey": "sk-gateway-2", "models": [] });
        let config = json!({ "models": { "providers": { " Acme": provider } } });
        world.write("openclaw.json", &config.to_string());
        is_kept(
            &world,
            &server,
            "acme:a",
            "models.providers sends acme to another host",
        );
    }
    store(&world, "acme", &[]);
    is_kept(
        &world,
        &server,
        "models.json",
        "models.providers sends acme to another host",
    );
    assert!(gateway.seen().is_empty());
}

#[test]
fn rfc9700_4_4_a_login_is_not_shown_to_another_server_than_its_own() {
    let server = Server::start();
    let (world, issuer) = with_issuer(&server);
    server.answer("Bearer ", Answer::of(200, ""));
    store(&world, "acme", &[("acme:a", login(&issuer.issue(), -60))]);
    // Renewed by us, it is known where it comes from.
    assert_eq!(of(&probes(&world, &[]), "acme:a")["status"], "ok");
    let manifest = world.read("providers/acme.toml");
    let moved = manifest.replace("/oauth/token", "/elsewhere/token");
    world.write("providers/acme.toml", &moved);
    is_kept(&world, &server, "acme:a", "was issued by");
    // The same with an issuer that tells its endpoints.
    let told = manifest
        .lines()
        .filter(|line| !line.starts_with("token = "));
    let told = told.collect::<Vec<_>>().join("\n");
    let of_issuer =
        |issuer: &str| told.replace("[client]", &format!("[client]\nissuer = \"{issuer}\""));
    world.write("providers/acme.toml", &of_issuer("https://login.example"));
    is_kept(&world, &server, "acme:a", "was issued by");
    world.write("providers/acme.toml", &of_issuer(issuer.url()));
    assert_eq!(of(&probes(&world, &[]), "acme:a")["status"], "ok");
}
