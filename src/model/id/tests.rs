//! Names, and what must not be one.

use super::*;

#[test]
fn agents_are_normalised_as_in_the_reference() {
    let id = |text| AgentId::normalise(text).0.to_string();
    assert_eq!(id("Work_1"), "work_1");
    assert_eq!(id("My Agent! v2"), "my-agent-v2");
    assert_eq!(id("a:b"), "a-b");
    assert_eq!(id("!!!"), "main");
    assert_eq!(id("工作"), "main");
    assert_eq!(id(""), "main");
    assert_eq!(id("../../etc"), "etc");
    assert_eq!(id(&"x".repeat(80)).len(), 64);
}

#[test]
fn providers_have_aliases() {
    let id = |text| ProviderId::parse(text).unwrap().0.to_string();
    assert_eq!(id(" Z.AI "), "zai");
    assert_eq!(id("qwen"), "qwen-portal");
    assert_eq!(id("OpenAI-Codex"), "openai-codex");
    let zai = ProviderId::parse("zai").unwrap();
    assert_eq!(zai.aliases().collect::<Vec<_>>(), ["z.ai", "z-ai"]);
}

#[test]
fn stored_profile_ids_are_shown_escaped_and_no_two_alike() {
    let cases = [
        (" weird id ", "weird id"),
        ("..", ".."),
        ("a/b", "a/b"),
        ("a\\b", "a\\b"),
        ("DOMAIN\\new", "DOMAIN\\new"),
        ("\\\\server\\x", "\\\\\\\\server\\\\x"),
        ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
        ("a\\u{1b}[2Jb", "a\\\\u{1b}[2Jb"),
        ("a\\\nb\0", "a\\\\\\u{a}b\\u{0}"),
        ("a\u{202e}b", "a\\u{202e}b"),
        ("a\u{200b}b", "a\\u{200b}b"),
        ("profil:ü漢", "profil:ü漢"),
    ];
    for (stored, shown) in cases {
        let id = ProfileId::parse(stored).unwrap();
        assert_eq!(id.as_str(), stored.trim());
        assert_eq!(id.to_string(), shown);
        let is_escaped = shown != stored.trim();
        let back = ProfileId::parse_shown(shown);
        assert_eq!(back, is_escaped.then_some(id), "{shown}");
    }
    assert!(ProfileId::parse(&"x".repeat(100_000)).is_ok());
    assert!(ProfileId::parse(" ").is_err());
}

#[test]
fn new_profile_ids_cannot_act() {
    for wrong in ["", " ", "a\u{1b}[2Jb", "a\nb", "a\u{202e}b"] {
        assert!(ProfileId::parse_new(wrong).is_err(), "{wrong:?}");
    }
    assert!(ProfileId::parse_new(&"x".repeat(257)).is_err());
    let new = |text| ProfileId::parse_new(text).unwrap().0.to_string();
    assert_eq!(new("openai:team/a"), "openai:team/a");
    assert_eq!(new("openai:a\\u{1b}"), "openai:a\u{1b}");
}

#[test]
fn any_name_can_become_part_of_a_profile_id() {
    let provider = ProviderId::parse("acme").unwrap();
    let id = |name: &str| {
        let id = ProfileId::escaped(&provider, name, 1);
        assert_eq!(ProfileId::parse(id.as_str()).as_ref(), Ok(&id));
        id.0.to_string()
    };
    assert_eq!(id("me@example.com"), "acme:me@example.com");
    assert_eq!(
        id("team/me\\x@example.com"),
        "acme:team%2Fme%5Cx@example.com"
    );
    assert_eq!(id("a\u{1b}\u{202e}b"), "acme:a%1B%E2%80%AEb");
    assert_eq!(id(" "), "acme:default");
    assert_eq!(id(".."), "acme:..");
    assert_eq!(id(&"ü".repeat(300)).len(), "acme:".len() + LONGEST_NAME);
    let second = ProfileId::escaped(&provider, &"x".repeat(300), 2);
    assert!(second.as_str().ends_with("x-2"));
}

#[test]
fn printable_text_stays_on_one_line() {
    assert_eq!(
        printable("a\r\n\u{1b}[32mLogged in\u{7}", 99),
        "a [32mLogged in"
    );
    assert_eq!(printable("aaaa", 2), "aa…");
}
