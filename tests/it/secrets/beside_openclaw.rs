//! `secrets migrate --openclaw`: the references and the entry of `openclaw.json` by which OpenClaw gets
//! what is sealed, what they name, and that they go as they came.

use serde_json::{Value, json};

use super::assert_nowhere;
use crate::support::{Ran, World};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const SEAL: [&str; 6] = [
    "secrets",
    "migrate",
    "--to",
    "encrypted_file",
    "--no-recovery",
    "--openclaw",
];
const UNSEAL: [&str; 4] = ["secrets", "migrate", "--to", "plain"];
const CONFIG: &str = r#"{
  // the agents of this machine
  agents: { list: [{ id: "main" }, { id: "secret" }] },
}
"#;

fn done(world: &World, args: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{args:?} {ran:?}");
    ran
}

fn key(text: &str) -> Value {
    json!({ "type": "api_key", "provider": "minimax", "key": text })
}

fn store(profiles: &Value) -> String {
    json!({ "version": 1, "profiles": profiles }).to_string()
}

/// Two agents, one of which is called as the named secrets are.
fn world() -> World {
    let world = World::new();
    world.write("openclaw.json", CONFIG);
    let login = json!({ "type": "oauth", "provider": "openai-codex", "access": "MARKER-access",
        "refresh": "MARKER-refresh", "expires": 32_503_680_000_000_i64 });
    let token = json!({ "type": "token", "provider": "anthropic", "token": "MARKER-token" });
    let theirs = json!({ "source": "env", "provider": "default", "id": "SOME_KEY" });
    let main = json!({
        "minimax:default": key("MARKER-key-1"),
        "minimax:me@example.com": key("MARKER-key-2"),
        "minimax:variable": key("${SOME_KEY}"),
        "minimax:elsewhere": { "type": "api_key", "provider": "minimax", "keyRef": theirs },
        "anthropic:token": token,
        "openai-codex:default": login,
    });
    world.write(DOCUMENT, &store(&main));
    let other = json!({ "minimax:default": key("MARKER-key-3") });
    let path = "agents/secret/agent/auth-profiles.json";
    world.write(path, &store(&other));
    world
}

/// `secrets.providers` of `openclaw.json`.
fn providers(world: &World) -> Value {
    let text = world.read("openclaw.json");
    let start = text.find("\"secrets\"").or_else(|| text.find("secrets:"));
    match start {
        None => Value::Null,
        Some(_) => {
            let text = text.lines().filter(|line| !line.trim().starts_with("//"));
            let text: String = text.collect();
            let tree: Value = json5(&text);
            tree["secrets"]["providers"].clone()
        }
    }
}

/// What the program itself reads there.
fn json5(text: &str) -> Value {
    let path = std::path::Path::new("openclaw.json");
    openclaw::config::file::parse_tree(text.as_bytes(), path).unwrap()
}

/// The ids of all references to this program, with the file that they stand in.
fn ids(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for agent in ["main", "secret"] {
        let text = world.read(&format!("agents/{agent}/agent/auth-profiles.json"));
        let tree: Value = serde_json::from_str(&text).unwrap();
        for profile in tree["profiles"].as_object().unwrap().values() {
            for (secret, name) in [("key", "keyRef"), ("token", "tokenRef")] {
                if profile[name]["provider"] == "openclaw-vault" {
                    assert_eq!(profile[secret], "", "in the clear beside a reference");
                    found.push(profile[name]["id"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    found
}

fn resolve(world: &World, ids: &[String]) -> Value {
    let request = json!({ "protocolVersion": 1, "provider": "openclaw-vault", "ids": ids });
    let ran = world.pipe(&["secrets", "resolve"], &request.to_string());
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn every_sealed_key_is_referred_to_by_an_id_that_gives_it() {
    let world = world();
    let told = done(&world, &SEAL);
    assert!(
        told.out
            .contains("OpenClaw gets 4 keys and tokens from this program"),
        "{told:?}"
    );
    let expected = [
        ("main/minimax:default", "MARKER-key-1"),
        ("profile:main/minimax:me.40example.2ecom", "MARKER-key-2"),
        ("main/anthropic:token", "MARKER-token"),
        ("profile:secret/minimax:default", "MARKER-key-3"),
    ];
    let found = ids(&world);
    assert_eq!(found, expected.map(|(id, _)| id));
    let told = resolve(&world, &found);
    for (id, secret) in expected {
        assert_eq!(told["values"][id], secret, "{told}");
    }
    let program = &providers(&world)["openclaw-vault"];
    assert_eq!(program["command"], crate::support::program());
    assert_eq!(program["source"], "exec");
    assert_eq!(program["args"], json!(["secrets", "resolve"]));
    assert!(
        world
            .read("openclaw.json")
            .contains("// the agents of this machine")
    );
    assert_nowhere(&world, "MARKER");
    // A reference is no other key.
    let history = done(&world, &["models", "auth", "history"]);
    assert!(history.out.contains("No previous versions"), "{history:?}");
    // Again, and nothing changes.
    let before = (world.read("openclaw.json"), world.store());
    done(&world, &SEAL);
    assert_eq!((world.read("openclaw.json"), world.store()), before);
    let token = [
        "models",
        "auth",
        "token",
        "--profile",
        "minimax:me@example.com",
    ];
    assert_eq!(done(&world, &token).out.trim_end(), "MARKER-key-2");
}

#[test]
fn a_key_that_is_stored_later_is_referred_to_as_well() {
    let world = world();
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    done(&world, &SEAL[..5]);
    let pasted = world.pipe(&paste, "sk-MARKER-0123456789abcdef0123456789");
    assert_eq!((pasted.code, ids(&world).len()), (0, 0), "{pasted:?}");
    done(&world, &SEAL);
    let before = ids(&world).len();
    let other = [&paste[..], &["--profile-id", "openai:other"]].concat();
    for args in [&paste[..], &other] {
        let pasted = world.pipe(args, "sk-MARKER-again-0123456789abcdef0123");
        assert_eq!(pasted.code, 0, "{pasted:?}");
    }
    assert_eq!(ids(&world).len(), before + 1);
    let told = resolve(&world, &ids(&world));
    assert_eq!(told["errors"], json!({}), "{told}");
    assert_nowhere(&world, "MARKER");
}

#[test]
fn a_store_in_the_clear_has_no_reference_to_this_program() {
    let world = world();
    let before = world.store();
    done(&world, &SEAL);
    done(&world, &UNSEAL);
    assert_eq!(world.store(), before);
    assert_eq!(ids(&world), [""; 0]);
    assert_eq!(world.read("openclaw.json").trim_end(), CONFIG.trim_end());
    // Of which the keys are to lie in the clear, too.
    done(&world, &SEAL);
    let part = [&SEAL[..5], &["--seal", "refresh"]].concat();
    done(&world, &part);
    assert_eq!(ids(&world), [""; 0]);
    assert_eq!(
        world.store()["profiles"]["minimax:default"]["key"],
        "MARKER-key-1"
    );
    assert_eq!(providers(&world), Value::Null);
}

#[test]
fn what_somebody_else_made_or_uses_stays() {
    let world = world();
    done(&world, &SEAL);
    let key = json!({ "source": "exec", "provider": "openclaw-vault", "id": "secret/A" });
    let mut config = json5(&world.read("openclaw.json"));
    config["models"] = json!({ "providers": { "groq": { "apiKey": key } } });
    world.write("openclaw.json", &config.to_string());
    done(&world, &UNSEAL);
    assert_eq!(ids(&world), [""; 0]);
    assert_eq!(
        world.store()["profiles"]["minimax:elsewhere"]["keyRef"]["id"],
        "SOME_KEY"
    );
    assert!(providers(&world)["openclaw-vault"].is_object());
    config.as_object_mut().unwrap().remove("models");
    config["secrets"]["providers"]["openclaw-vault"]["timeoutMs"] = json!(9_000);
    world.write("openclaw.json", &config.to_string());
    done(&world, &UNSEAL);
    assert_eq!(providers(&world)["openclaw-vault"]["timeoutMs"], 9_000);
    // As it was made, and the program elsewhere.
    let entry = config["secrets"]["providers"]["openclaw-vault"]
        .as_object_mut()
        .unwrap();
    entry.remove("timeoutMs");
    entry.insert("command".to_owned(), json!("/opt/openclaw"));
    world.write("openclaw.json", &config.to_string());
    done(&world, &UNSEAL);
    assert_eq!(providers(&world), Value::Null);
}

#[test]
fn where_there_is_nothing_to_refer_to_or_no_place_for_it_nothing_is_lost() {
    let world = world();
    let before = world.store();
    for args in [
        [&UNSEAL[..], &["--openclaw"]].concat(),
        [&SEAL[..], &["--seal", "refresh"]].concat(),
    ] {
        let ran = world.run(&args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("nothing was changed"), "{ran:?}");
    }
    assert_eq!(world.store(), before);
    let theirs = json!({ "source": "exec", "command": "/bin/pass", "args": ["show"] });
    let config = json!({ "secrets": { "providers": { "openclaw-vault": theirs } } });
    world.write("openclaw.json", &config.to_string());
    let ran = world.run(&SEAL);
    assert_eq!(ran.code, 1, "{ran:?}");
    let words = "secrets.providers.openclaw-vault is there, and another program or source";
    assert!(ran.err.contains(words), "{ran:?}");
    assert_eq!(providers(&world)["openclaw-vault"], theirs);
    assert_eq!(ids(&world), [""; 0]);
    let token = ["models", "auth", "token", "--profile", "minimax:default"];
    assert_eq!(done(&world, &token).out.trim_end(), "MARKER-key-1");
}
