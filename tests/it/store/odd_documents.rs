//! Documents that another program or a person left odd: what is in them is used, and nothing of it
//! is lost at the next write.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::World;

const PASTE: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "groq"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "minimax"];

fn world_with(document: &[u8]) -> (World, PathBuf) {
    let world = World::new();
    let path = world.state().join("agents/main/agent/auth-profiles.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, document).unwrap();
    (world, path)
}

/// The contents of the copies beside a document.
fn copies(document: &Path) -> Vec<Vec<u8>> {
    let all = fs::read_dir(document.parent().unwrap()).unwrap();
    let all = all.map(|entry| entry.unwrap().path());
    let copies = all.filter(|path| path.to_string_lossy().contains(".unreadable-"));
    copies.map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn a_letter_that_is_not_utf_8_keeps_no_login_away() {
    let document = b"{\"version\":1,\"profiles\":{\"minimax:default\":{\"type\":\"api_key\",\
        \"provider\":\"minimax\",\"key\":\"mm-0123456789\",\"displayName\":\"Caf\xe9\"}}}";
    let (world, path) = world_with(document);
    assert_eq!(world.run(&TOKEN).out, "mm-0123456789\n");
    assert!(copies(&path).is_empty());
    let pasted = world.pipe(&PASTE, "gsk_0123456789abcdef");
    assert_eq!(pasted.code, 0, "{pasted:?}");
    assert!(pasted.err.contains("a copy is in"), "{pasted:?}");
    assert_eq!(copies(&path), [document]);
    assert_eq!(world.run(&TOKEN).out, "mm-0123456789\n");
    let again = world.pipe(&PASTE, "gsk_fedcba9876543210");
    assert!(!again.err.contains("copy"), "{again:?}");
    assert_eq!(copies(&path).len(), 1);
}

#[test]
fn profiles_of_another_shape_are_copied_before_they_are_replaced() {
    for profiles in [
        r#"[{"id":"openai:default","type":"api_key","provider":"openai","key":"sk-MARKER"}]"#,
        r#""sk-MARKER""#,
    ] {
        let document = format!("{{\"version\":1,\"profiles\":{profiles}}}");
        let (world, path) = world_with(document.as_bytes());
        let order = [
            "models",
            "auth",
            "order",
            "set",
            "--provider",
            "groq",
            "groq:manual",
        ];
        world.run(&order);
        assert!(copies(&path).is_empty());
        assert!(fs::read_to_string(&path).unwrap().contains("sk-MARKER"));
        let pasted = world.pipe(&PASTE, "gsk_0123456789abcdef");
        assert_eq!(pasted.code, 0, "{pasted:?}");
        let copies = copies(&path);
        assert_eq!(copies.len(), 1, "{pasted:?}");
        assert!(String::from_utf8_lossy(&copies[0]).contains(profiles));
    }
}

/// The largest document that is read, in bytes.
const LIMIT: u64 = (64 << 20) + (64 << 10);

#[test]
fn a_document_over_64_mib_and_64_kib_is_refused_with_its_size_and_left_alone() {
    let (world, path) = world_with(b"{}");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(LIMIT + 1).unwrap();
    for run in [
        world.run(&TOKEN),
        world.run(&["models", "status"]),
        world.pipe(&PASTE, "gsk_0123456789abcdef"),
    ] {
        assert_ne!(run.code, 0, "{run:?}");
        let told = "it is 65 MiB long, and at most 64 MiB are read";
        assert!(run.err.contains(told), "{run:?}");
        assert!(run.err.contains("move it out of the way"), "{run:?}");
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), LIMIT + 1);
    // It could be read, and is not made larger.
    let filler = "x".repeat(LIMIT as usize - 8);
    fs::write(&path, format!("{{\"x\":\"{filler}\"}}")).unwrap();
    let pasted = world.pipe(&PASTE, "gsk_0123456789abcdef");
    let told = "it would become 65 MiB long, and at most 64 MiB are read";
    assert!(pasted.code != 0 && pasted.err.contains(told), "{pasted:?}");
}
