//! What is wrong with a manifest, and what `models auth providers` says of one.

use std::path::PathBuf;

use openclaw::providers::manifest::parse_bytes;

use super::{Transcript, compare};
use crate::providers::manifests::ACME;
use crate::support::World;

fn broken() -> Vec<(String, Vec<u8>)> {
    let directory =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifests/broken");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Each says where, what, and what to write instead; `INSTA_UPDATE=always` writes them anew.
#[test]
fn a_broken_manifest_says_what_to_write() {
    let files = broken();
    assert!(files.len() >= 20, "{}", files.len());
    let mut text = String::new();
    for (name, bytes) in files {
        let lines = bytes.split(|byte| *byte == b'\n').count();
        let error = parse_bytes(bytes, &name).unwrap_err();
        assert!((1..=lines).contains(&error.line), "{error}");
        assert!(error.column >= 1, "{error}");
        assert!(!error.message.contains("MARKER"), "{error}");
        text.push_str(&format!("{error}\n"));
    }
    compare("manifests_broken", &text);
}

#[test]
fn a_manifest_is_checked_and_a_provider_shown() {
    let world = World::new();
    let odd = ACME
        .replace("id = \"acme\"", "id = \"groq\"")
        .replace("policy", "default_model")
        .replace(
            "https://login.acme.example/token",
            "http://127.0.0.1:9/token",
        )
        .replace(", \"offline_access\"", "");
    for (name, text) in [("acme.toml", ACME), ("odd.toml", &odd)] {
        std::fs::write(world.directory.path().join(name), text).unwrap();
    }
    let faulty = ACME.replace("ports = [0]", "ports = [\"any\"]");
    std::fs::write(world.directory.path().join("faulty.toml"), faulty).unwrap();
    let check = ["models", "auth", "providers", "check"];
    let of = |file: &'static str| [&check[..], &[file]].concat();
    Transcript::of(&world)
        .run(&of("acme.toml"))
        .run(&of("odd.toml"))
        .run(&of("faulty.toml"))
        .run(&of("nowhere.toml"))
        .run(&["models", "auth", "providers", "--provider", "anthropic"])
        .run(&["models", "auth", "providers", "--provider", "google-vertex"])
        .run(&["models", "auth", "providers", "--provider", "antropic"])
        .matches("providers");
}
