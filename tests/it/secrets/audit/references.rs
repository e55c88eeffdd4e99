//! References that lead to nothing, and slots whose key is gone.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{DOCUMENT, audit, findings, found};
use crate::secrets::{key_file, set};
use crate::support::World;

#[test]
fn references_to_nothing_are_found() {
    let world = World::new();
    set(&world, "STORED", "MARKER-0123456789");
    let script = r#"#!/bin/sh
cat > /dev/null
echo asked >> "${0%/*}/../calls"
printf '{"protocolVersion":1,"values":{"x":"MARKER-x"},"errors":{"none":{"code":"NOT_FOUND","message":"MARKER"}}}'
"#;
    let program = world.install("bin/secrets", script);
    let calls = world.directory.path().join("calls");
    let secrets = world.directory.path().join("secrets.json");
    std::fs::write(&secrets, r#"{"there": "MARKER"}"#).unwrap();
    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o600)).unwrap();
    world.write(
        "config.yaml",
        "# ${secret:COMMENT}\nx: ${secret:STORED} ${secret:NONE}\n",
    );
    world.write(
        "openclaw.json",
        &format!(
            r#"{{"secrets": {{"providers": {{
                "files": {{"source": "file", "path": "{}"}},
                "there": {{"source": "exec", "command": "{}"}},
                "gone": {{"source": "exec", "command": "/nowhere/x"}}}}}},
            "models": {{"providers": {{"openai": {{"apiKey": {{"source": "store", "provider": "default", "id": "STORED"}}}}}}}}}}"#,
            secrets.display(),
            program.display(),
        ),
    );
    let profile = |id: &str, reference: (&str, &str, &str)| {
        let (source, provider, name) = reference;
        format!(
            r#""acme:{id}": {{"type": "api_key", "provider": "acme",
            "keyRef": {{"source": "{source}", "provider": "{provider}", "id": "{name}"}}}}"#
        )
    };
    let profiles = [
        profile("alias", ("exec", "unknown", "x")),
        profile("unset", ("env", "default", "NOT_SET_ANYWHERE")),
        profile("pointer", ("file", "files", "/there")),
        profile("missing", ("file", "files", "/gone")),
        profile("other", ("file", "there", "/x")),
        profile("program", ("exec", "there", "x")),
        profile("none", ("exec", "there", "none")),
        profile("gone", ("exec", "gone", "x")),
        r#""openai:a": {"type": "api_key", "provider": "openai", "key": "MARKER"}"#.to_owned(),
    ];
    world.write(
        DOCUMENT,
        &format!(
            r#"{{"version": 1, "profiles": {{{}}}}}"#,
            profiles.join(",")
        ),
    );
    let unresolved =
        |id: &str| format!("REF_UNRESOLVED state/{DOCUMENT} profiles.acme:{id}.keyRef");
    let mut expected: Vec<String> = ["alias", "unset", "missing", "other"]
        .map(unresolved)
        .into();
    expected.push("REF_UNRESOLVED state/config.yaml".to_owned());
    expected.push("REF_SHADOWED state/openclaw.json models.providers.openai.apiKey".to_owned());
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let mut all = findings(&world, &document);
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(document["status"], "unresolved");
    assert_eq!(document["resolution"]["skippedExecRefs"], 3);
    assert!(!calls.exists());
    assert_eq!(document["resolution"]["refsChecked"], 8);
    assert!(
        ran.out.contains("${secret:NONE} leads to nothing"),
        "{ran:?}"
    );
    assert!(ran.out.contains("openclaw secrets set NONE"), "{ran:?}");
    // Without --check it only tells.
    assert_eq!(audit(&world, &[]).0.code, 0);
    expected.extend([unresolved("gone"), unresolved("none")]);
    let (ran, document) = audit(&world, &["--allow-exec"]);
    let mut all = findings(&world, &document);
    all.sort();
    assert!(
        ran.out.contains("has no such secret (NOT_FOUND)"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("MARKER"), "{ran:?}");
    assert!(!document.to_string().contains("MARKER"), "{document}");
    // By the text and the JSON, once each for both of its secrets.
    assert_eq!(std::fs::read_to_string(&calls).unwrap(), "asked\nasked\n");
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn a_file_that_others_can_read_is_judged_as_when_it_is_used() {
    let world = World::new();
    let secrets = world.directory.path().join("secrets.json");
    std::fs::write(&secrets, r#"{"key": "MARKER-0123456789"}"#).unwrap();
    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o644)).unwrap();
    let config = json!({ "secrets": { "providers": { "f": {
        "source": "file", "path": secrets,
    } } } });
    world.write("openclaw.json", &config.to_string());
    let reference = json!({ "source": "file", "provider": "f", "id": "/key" });
    let profile = json!({ "type": "api_key", "provider": "acme", "keyRef": reference });
    let store = json!({ "version": 1, "profiles": { "acme:a": profile } });
    world.write(DOCUMENT, &store.to_string());
    let expected = format!("REF_UNRESOLVED state/{DOCUMENT} profiles.acme:a.keyRef");
    assert_eq!(found(&world, &[]), [expected]);
    let token = ["models", "auth", "token", "--profile", "acme:a"];
    assert_eq!(world.run(&token).code, 5);
    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(found(&world, &[]), Vec::<String>::new());
}

#[test]
fn a_reference_of_a_manifest_to_nothing_is_found() {
    let world = World::new();
    let manifest = "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n[client]\nid = \"c\"\n\
        secret = { source = \"env\", id = \"NOT_SET_ANYWHERE\" }\n\
        authorize = \"https://acme.example/a\"\ntoken = \"https://acme.example/t\"\n\n\
        [[flow]]\nkind = \"browser\"\nscopes = [\"a\"]\nhost = \"localhost\"\nports = [0]\npath = \"/cb\"\n";
    world.write("providers/acme.toml", manifest);
    assert_eq!(
        found(&world, &[]),
        ["REF_UNRESOLVED state/providers/acme.toml"]
    );
}

#[test]
fn a_slot_whose_key_is_gone_is_found() {
    let world = World::new();
    set(&world, "A", "MARKER-0123456789");
    let add = ["secrets", "slot", "add", "--key-file", "second.key"];
    assert_eq!(world.run(&add).code, 0);
    std::fs::remove_file(key_file(&world)).unwrap();
    let (ran, document) = audit(&world, &["--check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(
        findings(&world, &document),
        ["REF_UNRESOLVED state/secrets.enc slots.0"]
    );
    assert!(
        ran.out.contains("openclaw secrets slot remove 1"),
        "{ran:?}"
    );
}
