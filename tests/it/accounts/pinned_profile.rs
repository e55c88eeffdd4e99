//! A profile that is named with the model, or pinned by a session of OpenClaw's.

use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const SESSIONS: &str = "agents/main/sessions/sessions.json";
const A: &str = "anthropic:me@example.com";
const B: &str = "anthropic:b";

/// Two accounts of one provider, of which the second cools down, and a key of another.
fn world() -> World {
    let world = World::new();
    let token = |token: &str| json!({ "type": "token", "provider": "anthropic", "token": token });
    let store = json!({
        "version": 1,
        "profiles": {
            A: token("token-a"),
            B: token("token-b"),
            "openai:x": { "type": "api_key", "provider": "openai", "key": "key-x" },
        },
        "usageStats": { B: { "cooldownUntil": millis_from_now(3_600) } },
    });
    world.write(MAIN, &store.to_string());
    world
}

fn token(world: &World, args: &[&str]) -> Ran {
    world.run(&[&["models", "auth", "token"][..], args].concat())
}

fn gives(world: &World, args: &[&str], token_: &str) -> Ran {
    let ran = token(world, args);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, token_),
        "{args:?} {ran:?}"
    );
    ran
}

fn fails(world: &World, args: &[&str], code: i32, words: &str) {
    let ran = token(world, args);
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{args:?} {ran:?}");
    assert!(ran.err.contains(words), "{args:?} {ran:?}");
}

fn pin(profile: &str, source: &str) -> Value {
    json!({ "sessionId": "1", "authProfileOverride": profile, "authProfileOverrideSource": source })
}

fn sessions(world: &World, entry: &Value) {
    world.write(SESSIONS, &json!({ "agent:main:chat": entry }).to_string());
}

const CHAT: [&str; 4] = ["--provider", "anthropic", "--session", "agent:main:chat"];

#[test]
fn a_model_names_its_provider() {
    let world = world();
    gives(&world, &["--model", "anthropic/claude-opus-4-6"], "token-a");
    gives(&world, &["--model", " OpenAI / gpt-5/x"], "key-x");
    // Without a slash an alias, else the default model's provider.
    gives(&world, &["--model", "claude-opus-4-6"], "token-a");
    let config = r#"{ agents: { defaults: {
        model: { primary: "openai/gpt-5.2" },
        models: { "anthropic/claude-opus-4-6": {}, "anthropic/x": { alias: "Mine" } },
    } } }"#;
    world.write("openclaw.json", config);
    gives(&world, &["--model", "gpt-4"], "key-x");
    gives(&world, &["--model", "mine"], "token-a");
    gives(&world, &["--model", "OPUS"], "token-a");
    gives(&world, &[], "key-x");
    fails(
        &world,
        &["--model", "@anthropic:b"],
        1,
        "does not name a model",
    );
    fails(&world, &["--model", "/x"], 1, "");
    fails(&world, &["--model", "nobody/x"], 1, "nobody");
}

#[test]
fn what_follows_the_first_at_sign_is_the_profile() {
    let world = world();
    let named = |profile: &str| format!("anthropic/claude-opus-4-6@{profile}");
    gives(&world, &["--model", &named(A)], "token-a");
    // A person's choice counts in a cooldown, too.
    gives(&world, &["--model", &named(B)], "token-b");
    gives(&world, &["--model", &named(" ")], "token-a");
    gives(&world, &["--model", "claude@anthropic:b"], "token-b");
    fails(
        &world,
        &["--model", &named("anthropic:nobody")],
        1,
        "anthropic:nobody",
    );
    let other = "openai:x is for openai, not for anthropic";
    fails(&world, &["--model", &named("openai:x")], 1, other);
    fails(&world, &["--model", &named("a\u{1b}b")], 1, r"a\u{1b}b");
    for other in [["--provider", "anthropic"], ["--profile", A]] {
        let both = [&["--model", "a/b"][..], &other].concat();
        assert_eq!(token(&world, &both).code, 1);
    }
}

#[test]
fn a_profile_that_was_named_is_not_replaced_by_another() {
    let (world, issuer) = World::with_issuer(Account::default());
    let login = |issuer: &Issuer, left| {
        let (access, refresh) = issuer.issue();
        let expires = millis_from_now(left);
        json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": expires,
        })
    };
    let store = json!({
        "version": 1,
        "profiles": {
            "openai-codex:dead": login(&issuer, -10), "openai-codex:good": login(&issuer, 3_600),
        },
    });
    world.write(MAIN, &store.to_string());
    let refuse = || {
        issuer.answer_next(Scripted {
            status: 400,
            body: r#"{"error":"invalid_grant"}"#.to_owned(),
            ..Scripted::default()
        });
    };
    refuse();
    let all = ["--model", "openai-codex/gpt-5.3-codex"];
    assert_eq!(token(&world, &all).code, 0);
    refuse();
    let one = ["--model", "openai-codex/gpt-5.3-codex@openai-codex:dead"];
    fails(&world, &one, 3, "openai-codex:dead");
}

#[test]
fn what_a_person_pinned_is_used_and_nothing_else() {
    let world = world();
    sessions(&world, &pin(B, "user"));
    let before = world.read(SESSIONS);
    gives(&world, &CHAT, "token-b");
    // The short form of the key, and a pin of an early release, which names no source.
    gives(
        &world,
        &["--provider", "anthropic", "--session", "Chat"],
        "token-b",
    );
    sessions(&world, &json!({ "authProfileOverride": B }));
    gives(&world, &CHAT, "token-b");
    // What was named with the command counts more.
    gives(&world, &["--profile", A, "--session", "chat"], "token-a");
    let model = format!("anthropic/claude@{A}");
    gives(&world, &["--model", &model, "--session", "chat"], "token-a");
    sessions(&world, &pin(B, "user"));
    assert_eq!(world.read(SESSIONS), before);
    let mut store = world.store();
    store["profiles"][B]["expires"] = 1_600_000_000_000_i64.into();
    world.write(MAIN, &store.to_string());
    // Which has ended is out of the order, and such a pin has no meaning any more.
    let ran = gives(&world, &CHAT, "token-a");
    assert!(ran.err.contains("it has expired"), "{ran:?}");
    assert_eq!(world.read(SESSIONS), before);
}

#[test]
fn what_openclaw_pinned_is_preferred_until_it_cools_down() {
    let world = world();
    sessions(&world, &pin(B, "auto"));
    gives(&world, &CHAT, "token-a");
    let mut store = world.store();
    store["usageStats"] = json!({ A: { "lastUsed": 1 }, B: { "lastUsed": 2 } });
    world.write(MAIN, &store.to_string());
    gives(&world, &["--provider", "anthropic"], "token-a");
    gives(&world, &CHAT, "token-b");
    sessions(
        &world,
        &json!({ "authProfileOverride": B, "authProfileOverrideCompactionCount": 1 }),
    );
    gives(&world, &CHAT, "token-b");
    // A person bound the directory; OpenClaw's own choice counts less.
    let bind = world.run(&["models", "auth", "use", A, "--here"]);
    assert_eq!(bind.code, 0, "{bind:?}");
    gives(&world, &CHAT, "token-a");
    sessions(&world, &pin(B, "user"));
    gives(&world, &CHAT, "token-b");
}

#[test]
fn a_pin_without_meaning_is_passed_over_and_told() {
    let world = world();
    for (profile, words) in [
        ("anthropic:gone", "is not stored"),
        ("openai:x", "is not for anthropic"),
        ("a\u{7}b", r"a\u{7}b: it is not stored"),
    ] {
        sessions(&world, &pin(profile, "user"));
        let ran = gives(&world, &CHAT, "token-a");
        assert!(ran.err.contains(words), "{profile:?} {ran:?}");
        assert!(!ran.err.contains('\u{7}'), "{ran:?}");
    }
}

#[test]
fn a_session_tells_the_provider_of_its_model() {
    let world = world();
    let chat = ["--session", "chat"];
    sessions(
        &world,
        &json!({ "providerOverride": "openai", "modelOverride": "gpt-5.2" }),
    );
    gives(&world, &chat, "key-x");
    sessions(&world, &json!({ "modelOverride": "openai/gpt-5.2" }));
    gives(&world, &chat, "key-x");
    sessions(
        &world,
        &json!({ "providerOverride": "anthropic", "authProfileOverride": B }),
    );
    gives(&world, &chat, "token-b");
    // What the command names counts more.
    gives(
        &world,
        &["--session", "chat", "--provider", "openai"],
        "key-x",
    );
    sessions(&world, &json!({}));
    fails(&world, &chat, 1, "several providers");
}

#[test]
fn a_session_that_is_not_there_is_an_error() {
    let world = world();
    fails(&world, &CHAT, 1, "no session");
    sessions(&world, &pin(B, "user"));
    fails(&world, &["--session", "nobody"], 1, "no session");
    fails(&world, &["--session", "agent:work:chat"], 1, "work");
    for text in ["{ broken", "[]", r#"{ "agent:main:chat": "\ud8" }"#] {
        world.write(SESSIONS, text);
        fails(&world, &CHAT, 1, "sessions.json");
        assert_eq!(world.read(SESSIONS), text);
    }
}

#[test]
fn each_agent_has_sessions_of_its_own() {
    let world = world();
    world.add_agent("work");
    let entry = json!({ "agent:work:chat": pin(B, "user") });
    world.write("agents/work/sessions/sessions.json", &entry.to_string());
    let work = ["--provider", "anthropic", "--agent", "work", "--session"];
    for key in ["chat", "agent:work:chat", "agent:Work:chat"] {
        let args = [&work[..], &[key]].concat();
        gives(&world, &args, "token-b");
    }
}
