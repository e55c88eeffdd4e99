//! `secrets audit`: what it finds in a sealed store, what is no finding, and that nothing of a secret
//! is ever shown.

mod references;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SEAL, key_file, set, with_passphrase};
use crate::support::{Ran, World};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
/// In every secret of these tests.
const MARKER: &str = "MARKER";

/// A world whose store is sealed; the key is in a file.
fn sealed() -> World {
    let world = World::new();
    seal(&world);
    world
}

fn seal(world: &World) {
    let ran = world.run(&SEAL);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A document with a login in the clear.
fn login() -> String {
    format!(
        r#"{{"version": 1, "profiles": {{"openai-codex:me": {{"type": "oauth", "provider": "openai-codex",
        "access": "{MARKER}-access", "refresh": "{MARKER}-refresh", "expires": 4102444800000}}}}}}"#
    )
}

/// Runs it both ways; nothing of a secret is in either answer.
fn audit(world: &World, args: &[&str]) -> (Ran, Value) {
    let args = [&["secrets", "audit"], args].concat();
    let text = world.run(&args);
    let json = world.run(&[&args[..], &["--json"]].concat());
    for ran in [&text, &json] {
        assert!(
            !ran.out.contains(MARKER) && !ran.err.contains(MARKER),
            "{ran:?}"
        );
    }
    assert_eq!(text.code, json.code, "{text:?} {json:?}");
    let document = serde_json::from_str(&json.out).unwrap();
    (text, document)
}

/// The findings as `CODE file path`, the files below the world.
fn findings(world: &World, document: &Value) -> Vec<String> {
    let base = world.directory.path().canonicalize().unwrap();
    let all = document["findings"].as_array().unwrap().iter();
    let line = |it: &Value| {
        let file = PathBuf::from(it["file"].as_str().unwrap());
        let file = file.canonicalize().unwrap_or(file);
        let file = file
            .strip_prefix(&base)
            .unwrap_or(&file)
            .display()
            .to_string();
        let [code, path] = ["code", "jsonPath"].map(|name| it[name].as_str().unwrap());
        format!("{code} {file} {path}").trim_end().to_owned()
    };
    all.map(line).collect()
}

fn found(world: &World, args: &[&str]) -> Vec<String> {
    findings(world, &audit(world, args).1)
}

#[test]
fn a_plain_store_is_said_to_be_one_and_its_profiles_are_no_finding() {
    let world = World::new();
    world.write(DOCUMENT, &login());
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.starts_with("Secrets audit: clean. plaintext=0,"),
        "{ran:?}"
    );
    let advice = "The store is plain: profiles are not sealed. To seal them: openclaw";
    assert!(ran.out.contains(advice), "{ran:?}");
    assert!(
        ran.out.contains("secrets migrate --to encrypted_file"),
        "{ran:?}"
    );
    assert_eq!(document["openclaw"]["store"], "plain");
    assert_eq!(document["status"], "clean");
    assert_eq!(document["version"], 1);
    // Configuration has a better place for its keys in every store.
    let settings = format!(r#"{{models: {{providers: {{acme: {{apiKey: "{MARKER}"}}}}}}}}"#);
    world.write("openclaw.json", &settings);
    let expected = ["PLAINTEXT_FOUND state/openclaw.json models.providers.acme.apiKey"];
    assert_eq!(found(&world, &[]), expected);
}

#[test]
fn every_secret_in_the_clear_of_a_sealed_store_is_found() {
    let world = sealed();
    let key = format!(r#"{{"openai": {{"type": "api_key", "key": "{MARKER}"}}}}"#);
    let models =
        format!(r#"{{"providers": {{"acme": {{"apiKey": "{MARKER}", "baseUrl": "https://x"}}}}}}"#);
    let history = format!(
        r#"{{"version": 1, "profile": "openai-codex:me", "generations": {{"1": {{"credential": {{"refresh": "{MARKER}"}}}}}}}}"#
    );
    let copilot = format!(r#"{{"token": "{MARKER}", "expiresAt": 1}}"#);
    let answer = format!("{{}}\n9\n{{\"refresh_token\": \"{MARKER}\"}}");
    for (path, text) in [
        (DOCUMENT, &login()),
        ("agents/main/agent/auth-profiles.json.bak", &login()),
        (
            "agents/main/agent/auth-profiles.json.unreadable-1",
            &login()[..170].to_owned(),
        ),
        ("agents/main/agent/auth-history/0.json", &history),
        ("agents/main/agent/auth.json", &key),
        ("agents/main/agent/models.json", &models),
        ("agents/main/agent/catalog.json", &models),
        ("trash/agent-a-20261121-030758/auth-profiles.json", &login()),
        ("credentials/oauth.json", &key),
        ("credentials/github-copilot.token.json", &copilot),
        ("rescue/x.login", &answer),
        (
            "pending/a.json",
            &format!(r#"{{"schema": 1, "codeVerifier": "{MARKER}"}}"#),
        ),
        ("rescue/y.login", &answer.replacen("9\n", "9 sealed\n", 1)),
        (".env", &format!("ACME_API_KEY={MARKER}\nPLAIN=x\n")),
        (
            "openclaw.json",
            &format!(r#"{{gateway: {{auth: {{token: "{MARKER}"}}}}}}"#),
        ),
    ] {
        world.write(path, text);
    }
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let agent = "state/agents/main/agent";
    let mut expected = vec![
        "PLAINTEXT_FOUND state/.env $env.ACME_API_KEY".to_owned(),
        format!("PLAINTEXT_FOUND {agent}/auth-history/0.json generations.1.credential.refresh"),
        format!("PLAINTEXT_FOUND {agent}/auth-profiles.json.unreadable-1"),
        format!("LEGACY_RESIDUE {agent}/auth.json openai.key"),
        format!("PLAINTEXT_FOUND {agent}/catalog.json providers.acme.apiKey"),
        format!("PLAINTEXT_FOUND {agent}/models.json providers.acme.apiKey"),
        "LEGACY_RESIDUE state/credentials/github-copilot.token.json token".to_owned(),
        "LEGACY_RESIDUE state/credentials/oauth.json openai.key".to_owned(),
        "PLAINTEXT_FOUND state/openclaw.json gateway.auth.token".to_owned(),
        "PLAINTEXT_FOUND state/rescue/x.login".to_owned(),
        "PLAINTEXT_FOUND state/pending/a.json".to_owned(),
    ];
    let trash = "state/trash/agent-a-20261121-030758/auth-profiles.json".to_owned();
    for file in [
        format!("{agent}/auth-profiles.json"),
        format!("{agent}/auth-profiles.json.bak"),
        trash,
    ] {
        for member in ["access", "refresh"] {
            expected.push(format!(
                "PLAINTEXT_FOUND {file} profiles.openai-codex:me.{member}"
            ));
        }
    }
    let mut all = findings(&world, &document);
    expected.sort();
    all.sort();
    assert_eq!(all, expected);
    assert_eq!(document["status"], "findings");
    assert_eq!(document["summary"]["plaintextCount"], 14);
    assert_eq!(document["summary"]["legacyResidueCount"], 3);
    let of_profile = document["findings"].as_array().unwrap().iter();
    let mut of_profile = of_profile.filter(|it| it["profileId"] == "openai-codex:me");
    let first = of_profile.next().unwrap();
    assert_eq!(
        (&first["severity"], &first["provider"]),
        (&"warn".into(), &Value::Null)
    );
    assert!(of_profile.any(|it| it["provider"] == "openai-codex"));
    let (ran, _) = audit(&world, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out
            .contains("openclaw secrets migrate --to encrypted_file"),
        "{ran:?}"
    );
    let doctor = world.run(&["doctor", "--timeout", "10m"]);
    assert!(
        doctor
            .out
            .contains("the audit of the secrets has 17 findings"),
        "{doctor:?}"
    );
    assert!(doctor.out.contains("openclaw secrets audit"), "{doctor:?}");
}

#[test]
fn a_store_that_is_sealed_and_references_are_clean() {
    let world = World::new();
    for key in [
        "gsk_MARKER0123456789MARKER0123456789",
        "gsk_MARKER9876543210MARKER9876543210",
    ] {
        let paste = ["models", "auth", "paste-api-key", "--provider", "groq"];
        let ran = world.pipe(&paste, key);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    seal(&world);
    assert!(!world.read(DOCUMENT).contains(MARKER));
    world.write("pending/a.json", r#"{"sealed": {"data": "MARKER"}}"#);
    let answer = "{}\n{\"length\": 6, \"sealed\": true}\nMARKER";
    world.write("rescue/a.login", answer);
    world.write(".env", "ACME_KEY=${OTHER}\nACME_SECRET=\n");
    world.write(
        "openclaw.json",
        r#"{models: {providers: {
            a: {apiKey: "${ACME_KEY}"}, b: {apiKey: "$ACME_KEY"}, c: {apiKey: "secretref-env:ACME_KEY"},
            d: {apiKey: "ACME_KEY"}, e: {apiKey: "", headers: {Authorization: "Bearer ${ACME_KEY}"}},
            f: {apiKey: {source: "env", provider: "default", id: "HOME"}},
        }}, session: {mainKey: "main"}}"#,
    );
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(findings(&world, &document), Vec::<String>::new());
    assert_eq!(document["resolution"]["refsChecked"], 1);
    assert_eq!(document["resolution"]["resolvabilityComplete"], true);
    assert!(!ran.out.contains("The store is plain"), "{ran:?}");
    let doctor = world.run(&["doctor", "--timeout", "10m"]);
    assert!(
        doctor.out.contains("sealed, and none found in the clear"),
        "{doctor:?}"
    );
}

#[test]
fn the_value_of_a_stored_secret_is_found_unless_it_is_locked() {
    let world = World::new();
    set(&world, "CLIENT_SECRET", "MARKER-\"value\"");
    set(&world, "SHORT", "a");
    world.write("config.yaml", "# MARKER-\"value\"\n");
    world.write("openclaw.json", r#"{"x": "MARKER-\"value\""}"#);
    let expected = [
        "STORE_PLAINTEXT_RESIDUE state/config.yaml",
        "STORE_PLAINTEXT_RESIDUE state/openclaw.json",
    ];
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(findings(&world, &document), expected);
    assert_eq!(document["openclaw"]["valuesTooShort"], 1);
    assert_eq!(document["summary"]["storeResidueCount"], 2);

    let world = World::new();
    std::fs::write(world.directory.path().join("value"), "MARKER-value").unwrap();
    let set = [
        "secrets",
        "set",
        "A",
        "--value-file",
        "value",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    assert_eq!(with_passphrase(&world, &set, "correct horse").code, 0);
    let _ = world.run(&["secrets", "lock"]);
    world.write("config.yaml", "# MARKER-value\n# ${secret:NONE}\n");
    world.write("providers/acme.toml", "# a\nsecret = \"${secret:NONE}\"\n");
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("were not looked for"), "{ran:?}");
    assert!(ran.out.contains("openclaw secrets unlock"), "{ran:?}");
    assert!(document["openclaw"]["valuesLeftOut"].is_string());
    assert_eq!(document["openclaw"]["skippedLockedRefs"], 1);
    assert_eq!(document["resolution"]["resolvabilityComplete"], false);
}

#[test]
fn modes_hard_links_working_trees_and_a_key_beside_the_store_are_found() {
    let world = sealed();
    world.write(DOCUMENT, r#"{"version": 1, "profiles": {}}"#);
    let document = world.state().join(DOCUMENT);
    std::fs::set_permissions(&document, PermissionsExt::from_mode(0o640)).unwrap();
    let other = world.directory.path().join("copy");
    std::fs::hard_link(&document, &other).unwrap();
    let mode = format!("MODE state/{DOCUMENT}");
    assert_eq!(found(&world, &[]), [&*mode, &*mode]);
    std::fs::remove_file(other).unwrap();
    std::fs::set_permissions(&document, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(found(&world, &["--check"]), Vec::<String>::new());

    let base = world.directory.path();
    std::fs::create_dir(base.join(".git")).unwrap();
    let key = key_file(&world);
    let key = key.strip_prefix(base).unwrap().display().to_string();
    let beside = format!("KEY_BESIDE_STORE {key}");
    let mut all = found(&world, &[]);
    all.sort();
    assert_eq!(all, [&*beside, &format!("TRACKED state/{DOCUMENT}")]);
    std::fs::write(base.join(".gitignore"), "state/\n/home/.config\n").unwrap();
    assert_eq!(found(&world, &[]), Vec::<String>::new());

    // A key that is moved into the state directory: the slot names a link to it.
    let key = key_file(&world);
    let moved = world.state().join("k");
    std::fs::rename(&key, &moved).unwrap();
    link(&moved, &key);
    assert_eq!(found(&world, &[]), ["KEY_BESIDE_STORE state/k"]);
}

fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}
