//! `models status --probe`: what is tried, what is said of it, and for how long.

mod bounds;
mod hosts;
mod references;
pub(crate) mod server;

use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now};
use server::{Answer, Server};

pub(crate) const PROBE: [&str; 3] = ["models", "status", "--probe"];

/// A world in which `acme` is a provider with that server's probe.
pub(crate) fn world(server: &Server) -> World {
    let world = World::new();
    let manifest = format!(
        "schema = 1\nid = \"acme\"\nname = \"Acme\"\nenv = [\"ACME_API_KEY\"]\n\n\
         [[flow]]\nkind = \"key\"\n\n[probe]\nurl = \"{}\"\n",
        server.url("/v1/models")
    );
    world.write("providers/acme.toml", &manifest);
    world
}

/// Stores these profiles, each a name and its credential without the provider.
pub(crate) fn store(world: &World, provider: &str, profiles: &[(&str, Value)]) {
    let mut document = json!({ "version": 1, "profiles": {} });
    for (id, credential) in profiles {
        document["profiles"][*id] = credential.clone();
        document["profiles"][*id]["provider"] = provider.into();
    }
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
}

pub(crate) fn key(secret: &str) -> Value {
    json!({ "type": "api_key", "key": secret })
}

fn token(secret: &str, ends_in: i64) -> Value {
    json!({ "type": "token", "token": secret, "expires": millis_from_now(ends_in) })
}

/// `auth.probes` of the document.
pub(crate) fn probes(world: &World, args: &[&str]) -> Value {
    let ran = run(world, &[&["--json"], args].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    document["auth"]["probes"].clone()
}

fn run(world: &World, args: &[&str]) -> Ran {
    world.run(&[&PROBE[..], args].concat())
}

/// The result of one label.
pub(crate) fn of<'v>(probes: &'v Value, label: &str) -> &'v Value {
    let results = probes["results"].as_array().unwrap();
    let mut found = results.iter().filter(|result| result["label"] == label);
    found.next().unwrap_or_else(|| panic!("{label}: {probes}"))
}

/// What each answer says of a credential.
#[test]
fn every_bucket_has_its_answer() {
    let server = Server::start();
    let world = world(&server);
    let answers = [
        (200, "[]", "ok", ""),
        (204, "", "ok", ""),
        (
            401,
            r#"{"error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            "auth",
            "HTTP 401: authentication_error: invalid x-api-key",
        ),
        (403, "<html>no</html>", "auth", "HTTP 403"),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#,
            "rate_limit",
            "HTTP 429: insufficient_quota: You exceeded your current quota",
        ),
        (
            402,
            r#"{"detail":"Pay first"}"#,
            "billing",
            "HTTP 402: Pay first",
        ),
        (
            400,
            r#"{"error":{"message":"Your credit balance is too low"}}"#,
            "billing",
            "HTTP 400: Your credit balance is too low",
        ),
        (408, "", "timeout", "HTTP 408"),
        (422, r#"{"message":"what?"}"#, "format", "HTTP 422: what?"),
        (500, "", "unknown", "HTTP 500"),
        (
            400,
            "{\"error\":{\"message\":\"\\u001b[31mred\\u0007 \\u202e and\\nmore\"}}",
            "format",
            "",
        ),
    ];
    let name = |at: usize| (format!("acme:{at}"), format!("sk-MARKER-{at:02}-of-acme"));
    let mut profiles = Vec::new();
    for (at, (status, body, ..)) in answers.iter().enumerate() {
        let (id, secret) = name(at);
        server.answer(&secret, Answer::of(*status, body));
        profiles.push((id, key(&secret)));
    }
    let borrowed: Vec<(&str, Value)> = profiles
        .iter()
        .map(|(id, c)| (id.as_str(), c.clone()))
        .collect();
    store(&world, "acme", &borrowed);
    let probes = probes(&world, &["--probe-concurrency", "4"]);
    assert_eq!(probes["totalTargets"], answers.len());
    for (at, (_, _, bucket, error)) in answers.iter().enumerate() {
        let result = of(&probes, &name(at).0);
        assert_eq!(result["status"], *bucket, "{result}");
        assert!(result["latencyMs"].is_u64(), "{result}");
        assert_eq!(result["error"].is_null(), *bucket == "ok", "{result}");
        if !error.is_empty() {
            assert_eq!(result["error"], *error);
        }
        assert!(result["reasonCode"].is_null(), "{result}");
    }
    let cleaned = of(&probes, &name(10).0)["error"].as_str().unwrap();
    assert!(
        !cleaned.contains(|c: char| c.is_control() || c == '\u{202e}'),
        "{cleaned:?}"
    );
    for seen in server.seen() {
        assert_eq!(seen.line, "GET /v1/models HTTP/1.1");
        assert!(
            seen.header("authorization")
                .unwrap()
                .starts_with("Bearer sk-MARKER-")
        );
    }
    // Nothing is learnt from it.
    let mut stored = world.store();
    let profiles = stored.as_object_mut().unwrap();
    profiles.retain(|name, _| name != "version" && name != "profiles");
    assert_eq!(stored, json!({}));
}

/// The sample of the reference: the same members in the same order, with the codes that the later
/// release adds.
#[test]
fn the_probe_document_is_that_of_the_reference_release() {
    let server = Server::start();
    let world = world(&server);
    server.answer("sk-own", Answer::of(200, ""));
    let config = json!({
        "agents": { "defaults": { "model": { "primary": "acme/large" } } },
        "auth": { "order": { "acme": ["acme:old", "acme:default"] } },
    });
    world.write("openclaw.json", &config.to_string());
    store(
        &world,
        "acme",
        &[
            ("acme:old", token("sk-old", -60)),
            ("acme:excl", key("sk-excl")),
            ("acme:default", key("sk-own")),
        ],
    );
    let mut document = world.store();
    document["profiles"]["nobody:x"] =
        json!({ "type": "api_key", "provider": "nobody", "key": "k" });
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
    let ran = run(&world, &["--json", "--probe-timeout", "4000"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let auth: Vec<&String> = document["auth"].as_object().unwrap().keys().collect();
    assert_eq!(auth[auth.len() - 2..], ["oauth", "probes"]);
    let mut probes = document["auth"]["probes"].clone();
    let times = ["startedAt", "finishedAt", "durationMs"];
    let [started, finished, took] = times.map(|name| probes[name].as_i64().unwrap());
    assert_eq!(finished - started, took);
    for name in times {
        probes[name] = 0.into();
    }
    for result in probes["results"].as_array_mut().unwrap() {
        if result["latencyMs"].is_i64() {
            result["latencyMs"] = 0.into();
        }
    }
    let expected = r#"{
  "startedAt": 0,
  "finishedAt": 0,
  "durationMs": 0,
  "totalTargets": 1,
  "options": {
    "profileIds": [],
    "timeoutMs": 4000,
    "concurrency": 2,
    "maxTokens": 8
  },
  "results": [
    {
      "provider": "acme",
      "model": "acme/large",
      "profileId": "acme:old",
      "label": "acme:old",
      "source": "profile",
      "mode": "token",
      "status": "unknown",
      "reasonCode": "expired",
      "error": "Auth profile credentials are missing or expired."
    },
    {
      "provider": "acme",
      "model": "acme/large",
      "profileId": "acme:excl",
      "label": "acme:excl",
      "source": "profile",
      "mode": "api_key",
      "status": "unknown",
      "reasonCode": "excluded_by_auth_order",
      "error": "Excluded by auth.order for this provider."
    },
    {
      "provider": "nobody",
      "profileId": "nobody:x",
      "label": "nobody:x",
      "source": "profile",
      "mode": "api_key",
      "status": "no_model",
      "reasonCode": "no_model",
      "error": "No probe is known for nobody."
    },
    {
      "provider": "acme",
      "model": "acme/large",
      "profileId": "acme:default",
      "label": "acme:default",
      "source": "profile",
      "mode": "api_key",
      "status": "ok",
      "latencyMs": 0
    }
  ]
}"#;
    assert_eq!(serde_json::to_string_pretty(&probes).unwrap(), expected);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn what_cannot_be_sent_has_a_reason() {
    let server = Server::start();
    let world = world(&server);
    let reference = json!({ "source": "env", "provider": "default", "id": "X" });
    store(
        &world,
        "acme",
        &[
            ("acme:empty", json!({ "type": "api_key" })),
            (
                "acme:ref",
                json!({ "type": "api_key", "keyRef": reference }),
            ),
            (
                "acme:token-ref",
                json!({ "type": "token", "tokenRef": reference }),
            ),
            ("acme:expired", token("t-1", -5)),
            (
                "acme:early",
                json!({ "type": "token", "token": "t-2", "expires": 12 }),
            ),
            (
                "acme:endless",
                json!({ "type": "oauth", "access": "t-3", "refresh": "" }),
            ),
            (
                "acme:gone",
                json!({ "type": "oauth", "access": "t-4", "expires": millis_from_now(-5) }),
            ),
            ("acme:other", key("t-5")),
        ],
    );
    let config = json!({ "auth": { "profiles": {
        "acme:other": { "provider": "acme", "mode": "oauth" },
        "acme:expired": { "provider": "acme", "mode": "token" },
    } } });
    world.write("openclaw.json", &config.to_string());
    let probes = probes(&world, &[]);
    for (label, reason) in [
        ("acme:empty", "missing_credential"),
        ("acme:ref", "unresolved_ref"),
        ("acme:token-ref", "unresolved_ref"),
        ("acme:expired", "expired"),
        ("acme:early", "invalid_expires"),
        ("acme:endless", "invalid_expires"),
        ("acme:gone", "expired"),
        ("acme:other", "ineligible_profile"),
    ] {
        let result = of(&probes, label);
        assert_eq!(result["reasonCode"], reason, "{result}");
        assert_eq!(result["status"], "unknown", "{result}");
        assert!(result["latencyMs"].is_null(), "{result}");
    }
    assert_eq!(probes["totalTargets"], 0);
    assert!(server.seen().is_empty());
    let ran = run(&world, &[]);
    assert!(ran.out.contains("\nNo probe targets.\n"), "{ran:?}");
}

#[test]
fn keys_of_no_profile_are_tried_where_nothing_is_stored() {
    let server = Server::start();
    let world = world(&server);
    server.answer("sk-from-env", Answer::of(200, ""));
    server.answer("sk-from-config", Answer::of(401, ""));
    let provider =
        json!({ "baseUrl": server.url("/v1"), "apiKey": "sk-from-config", "models": [] });
    let config = json!({ "models": { "providers": { "acme": provider } } });
    world.write("openclaw.json", &config.to_string());
    let from_config = probes(&world, &[]);
    let result = of(&from_config, "models.json");
    assert_eq!(
        (&result["source"], &result["status"]),
        (&json!("models.json"), &json!("auth"))
    );
    assert_eq!(result["mode"], "api_key");
    assert!(result["profileId"].is_null());

    let mut command = world.command(&[&PROBE[..], &["--json"]].concat());
    let ran = crate::support::ran(command.env("ACME_API_KEY", "sk-from-env").output().unwrap());
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let result = of(&document["auth"]["probes"], "env");
    assert_eq!(
        (&result["source"], &result["status"]),
        (&json!("env"), &json!("ok"))
    );

    // With a profile nobody looks at them, nor where profiles are named.
    assert_eq!(
        probes(&world, &["--probe-profile", "acme:x"])["results"],
        json!([])
    );
    server.answer("sk-stored", Answer::of(200, ""));
    store(&world, "acme", &[("acme:x", key("sk-stored"))]);
    let stored = probes(&world, &[]);
    assert_eq!(stored["results"].as_array().unwrap().len(), 1);
    assert_eq!(of(&stored, "acme:x")["status"], "ok");
}

#[test]
fn providers_and_profiles_are_picked() {
    let server = Server::start();
    let world = world(&server);
    let profiles = ["acme:a", "acme:b", "acme:c"].map(|id| (id, key(&format!("sk-{id}"))));
    store(&world, "acme", &profiles);
    let labels = |args: &[&str]| {
        let probes = probes(&world, args);
        let results = probes["results"].as_array().unwrap().clone();
        let labels = results
            .iter()
            .map(|result| result["label"].as_str().unwrap().to_owned());
        (labels.collect::<Vec<_>>(), probes["options"].clone())
    };
    let (picked, options) = labels(&[
        "--probe-profile",
        "acme:c,acme:a",
        "--probe-provider",
        " ACME ",
    ]);
    assert_eq!(picked, ["acme:a", "acme:c"]);
    assert_eq!(options["profileIds"], json!(["acme:c", "acme:a"]));
    assert_eq!(options["provider"], "ACME");
    let first = options.as_object().unwrap().keys().next();
    assert_eq!(first.unwrap(), "provider");
    assert!(labels(&["--probe-provider", "groq"]).0.is_empty());
    assert_eq!(labels(&["--probe-profile", "b"]).0, ["acme:b"]);
    assert!(labels(&["--probe-profile", "nobody"]).0.is_empty());
}
