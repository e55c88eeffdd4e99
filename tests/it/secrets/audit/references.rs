//! References that lead to nothing, and slots whose key is gone.

use std::os::unix::fs::PermissionsExt;

use super::{DOCUMENT, audit, findings, found};
use crate::secrets::{key_file, set};
use crate::support::World;

#[test]
fn references_to_nothing_are_found() {
    let world = World::new();
    set(&world, "STORED", "MARKER-0123456789");
    let program = world.install("bin/secrets", "#!/bin/sh\n");
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
    assert_eq!(document["resolution"]["skippedExecRefs"], 2);
    assert_eq!(document["resolution"]["refsChecked"], 8);
    assert!(
        ran.out.contains("${secret:NONE} leads to nothing"),
        "{ran:?}"
    );
    assert!(ran.out.contains("openclaw secrets set NONE"), "{ran:?}");
    // Without --check it only tells.
    assert_eq!(audit(&world, &[]).0.code, 0);
    expected.push(unresolved("gone"));
    let mut all = found(&world, &["--allow-exec"]);
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
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
