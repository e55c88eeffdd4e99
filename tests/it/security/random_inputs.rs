//! Whatever the bytes: no panic, nothing lost, nothing believed that is not proven, and nothing
//! repeated that may be a secret.
//!
//! Two hundred inputs of each kind in every run of the suite, always the same ones, and fewer stores,
//! each of which is put in eight places; a minute of each kind where the ignored tests are asked for,
//! other ones each time.

mod engine;
pub(crate) mod targets;

use std::time::{Duration, SystemTime};

use crate::support::World;

use engine::{Limit, Target, run};
use targets::{callback, declared, document, manifest, paste, store, vault};

/// What a JSON document of ours is made of.
const MEMBERS: [&str; 22] = [
    "\"version\":1,",
    "\"profiles\":{",
    "\"order\":{\"anthropic\":[\"anthropic:default\"]},",
    "\"lastGood\":{\"anthropic\":\"anthropic:default\"},",
    "\"usageStats\":{\"anthropic:default\":{\"lastUsed\":1795230521000,\"errorCount\":3}},",
    "\"type\":\"oauth\",",
    "\"type\":\"token\",",
    "\"type\":\"api_key\",",
    "\"mode\":\"api_key\",",
    "\"provider\":\"anthropic\",",
    "\"provider\":\"openai-codex\",",
    "\"access\":\"at\",",
    "\"refresh\":\"rt-good\",",
    "\"expires\":1795230521,",
    "\"token\":{\"source\":\"env\"},",
    "\"key\":\"sk\",",
    "\"email\":\"me@example.com\",",
    "\"groq:manual\":{\"type\":\"token\",\"provider\":\"groq\",\"token\":\"t\"},",
    "\" groq:manual\":5,",
    "\"groq:added \":{\"type\":\"token\",\"provider\":\"groq\"},",
    "\"x\":1e999,",
    "// a comment\n",
];

const DOCUMENT: Target = Target {
    name: "document",
    check: document::check,
    words: &MEMBERS,
};

const STORE: Target = Target {
    name: "store",
    check: store::check,
    words: &MEMBERS,
};

const CALLBACK: Target = Target {
    name: "callback",
    check: callback::check,
    words: &[
        "GET /auth/callback?",
        " HTTP/1.1\r\n",
        "Host: localhost:{PORT}\r\n",
        "Host: evil.example\r\n",
        "code=CODE-MARKER",
        "&state={STATE}",
        "&error=access_denied",
        "&error_description=CODE-MARKER",
        "&iss=https://login.example",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "\r\n\r\n",
        "#",
    ],
};

const PASTE: Target = Target {
    name: "paste",
    check: paste::check,
    words: &[
        "http://localhost:1455/auth/callback?",
        "code=",
        "&state={STATE}",
        "#{STATE}",
        "&error=access_denied&error_description=no",
        "&code_challenge=x",
        "&iss=https://login.example",
        "sk-ant-oat01-",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\u{a0}",
        "\u{200b}",
    ],
};

const MANIFEST: Target = Target {
    name: "manifest",
    check: manifest::check,
    words: &[
        "schema = 1\n",
        "id = \"acme\"\n",
        "name = \"Acme\"\n",
        "replaces = true\n",
        "[client]\n",
        "authorize = \"https://a.example/\"\n",
        "token = \"http://localhost.evil.example/\"\n",
        "token = \"http://127.0.0.1:9/\"\n",
        "[[flow]]\nkind = \"browser\"\n",
        "ports = [0, 65536]\n",
        "params.state = \"x\"\n",
        "[dialect]\nheaders = { Authorization = \"x\" }\n",
        "[refresh]\nmargin = \"1e18d\"\n",
        "\"\\u001b[2J\" = 1\n",
        "'''",
        "\"\"\"",
    ],
};

const DECLARED: Target = Target {
    name: "declared",
    check: declared::check,
    words: &[
        "providers:\n",
        "  codex:\n",
        "    type: openai-codex\n",
        "    auth:\n",
        "      flow: client_credentials\n",
        "      client_secret: \"${secret:X}\"\n",
        "      redirect_uri: http://localhost:8080/cb\n",
        "      scopes: [a, \"b\\u001b[2J\"]\n",
        "\"\\u001b[2J\": 1\n",
        "\r",
        "- ",
        "[",
        "&a ",
        "*a",
        "!!str ",
        "---\n",
    ],
};

const VAULT: Target = Target {
    name: "vault",
    check: vault::check,
    words: &[
        "\"openclawSecrets\":1,",
        "\"openclawSecrets\":2,",
        "\"vault\":\"07070707070707070707070707070707\",",
        "\"store\":\"keychain\",",
        "\"seal\":\"refresh\",",
        "\"slots\":[],",
        "{\"type\":\"passphrase\",\"kdf\":\"argon2id\",\"m\":64,\"t\":1,\"p\":1,\"salt\":\"AA\",\"nonce\":\"AA\",\"key\":\"AA\"},",
        "{\"type\":\"key_file\",\"path\":\"../../x\",\"nonce\":\"AA\",\"key\":\"AA\"},",
        "{\"type\":\"later\"},",
        "\"m\":4294967295,",
        "\"p\":0,",
        "\"before\":[{\"nonce\":\"\",\"key\":\"\"}],",
        "\"body\":{\"salt\":\"\",\"nonce\":\"\",\"data\":\"\"},",
        "\"v\":1,",
        "\"v\":2,",
        "\"fields\":[\"key\"],",
        "\"fp\":\"\\u001b[2J\",",
    ],
};

/// So many inputs, the corpus first, and the same ones every time.
fn always(target: &Target, runs: u64) {
    assert!(run(target, 7, Limit::Runs(runs)) >= runs);
}

#[test]
fn no_document_of_two_hundred_breaks_anything() {
    always(&DOCUMENT, 200);
}

#[test]
fn no_store_of_sixty_breaks_anything() {
    always(&STORE, 60);
}

#[test]
#[ignore = "takes minutes: every command on each store in eight places"]
fn no_store_of_two_hundred_breaks_anything() {
    always(&STORE, 200);
}

#[test]
fn no_callback_of_two_hundred_breaks_anything() {
    always(&CALLBACK, 200);
}

#[test]
fn no_paste_of_two_hundred_breaks_anything() {
    always(&PASTE, 200);
}

#[test]
fn no_manifest_of_two_hundred_breaks_anything() {
    always(&MANIFEST, 200);
}

#[test]
fn no_declaration_of_two_hundred_breaks_anything() {
    always(&DECLARED, 200);
}

#[test]
fn the_vaults_of_the_corpus_open() {
    for (name, opens) in [
        ("key-file", [true, false, false]),
        ("key-file-and-passphrase", [true, true, false]),
        ("two-slots-and-the-key-before", [true, false, false]),
        ("slots-of-a-later-release", [false; 3]),
        ("sealed-profile", [false, false, true]),
        ("sealed-profile-of-another-vault", [false; 3]),
    ] {
        let path = format!("{}/tests/corpus/vault/{name}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(vault::opens(&std::fs::read(path).unwrap()), opens, "{name}");
    }
}

#[test]
fn no_vault_of_two_hundred_breaks_anything() {
    always(&VAULT, 200);
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// `OPENCLAW_TEST_SECONDS` of one target, from `OPENCLAW_TEST_SEED` or the clock.
fn a_minute(target: &Target) {
    let clock = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let seed = setting("OPENCLAW_TEST_SEED").unwrap_or(u64::try_from(clock).unwrap());
    let time = Duration::from_secs(setting("OPENCLAW_TEST_SECONDS").unwrap_or(60));
    assert!(run(target, seed, Limit::Time(time)) > 100);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_documents() {
    a_minute(&DOCUMENT);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_stores() {
    a_minute(&STORE);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_callbacks() {
    a_minute(&CALLBACK);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_pastes() {
    a_minute(&PASTE);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_manifests() {
    a_minute(&MANIFEST);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_declarations() {
    a_minute(&DECLARED);
}

#[test]
#[ignore = "needs a minute"]
fn a_minute_of_vaults() {
    a_minute(&VAULT);
}

/// The real program over each store of the corpus: an answer or an error, and bytes that are not
/// understood are there afterwards.
#[test]
fn every_command_stands_every_store() {
    for bytes in engine::corpus("store") {
        let world = World::new();
        let path = "agents/main/agent/auth-profiles.json";
        world.write(path, "");
        std::fs::write(world.state().join(path), &bytes).unwrap();
        let commands = [
            &["models", "status"][..],
            &["models", "status", "--json"],
            &["models", "auth", "list"],
            &["models", "auth", "token", "--profile", "x:y"],
            &["models", "auth", "logout", "x:y", "--yes"],
        ];
        for args in commands {
            let ran = world.run(args);
            assert!([0, 1, 3, 5].contains(&ran.code), "{args:?}: {ran:?}");
            assert!(!ran.err.contains("panicked"), "{args:?}: {ran:?}");
        }
        assert_eq!(std::fs::read(world.state().join(path)).unwrap(), bytes);
        let ran = world.pipe(
            &["models", "auth", "paste-token", "--provider", "groq"],
            "tok",
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        let document = targets::raw::members(&world.read(path)).unwrap();
        let profiles = targets::raw::within(&document, "profiles");
        assert!(profiles["groq:manual"].get().contains("\"tok\""));
    }
}

#[test]
fn a_check_can_fall() {
    let fall = |check: fn(&[u8]), bytes: &[u8]| std::panic::catch_unwind(|| check(bytes)).is_err();
    fn no_brace(bytes: &[u8]) {
        assert!(!bytes.starts_with(b"{"), "planted");
    }
    assert!(fall(no_brace, b"{}"));
    assert!(!fall(no_brace, b"[]"));
    let before = targets::raw::members(r#"{"profiles": {"a": 1.0}, "x": 1e999}"#).unwrap();
    for after in [
        r#"{"profiles": {"a": 1}, "x": 1e999}"#,
        r#"{"profiles": {"a": 1.0}}"#,
    ] {
        let after = targets::raw::members(after).unwrap();
        let kept = || targets::raw::assert_kept(&before, &after, &|_| false);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(kept)).is_err());
    }
}
