//! Keys with something around them, and what is no key, in variables and in documents: cleaned as by
//! `paste-api-key`, or refused and named.

use serde_json::json;

use super::environment_keys::with;
use crate::support::World;

/// What `paste-api-key` takes away from a key or refuses, wherever the variable is set.
#[test]
fn a_variable_holds_what_a_paste_would_take_or_gives_no_key() {
    let header = [
        "models",
        "auth",
        "token",
        "--provider",
        "openai",
        "--header",
    ];
    for value in [
        "\"sk-proj-x1\"",
        "\u{201c}sk-proj-x1\u{201d}",
        "Bearer sk-proj-x1",
        "Authorization: Bearer sk-proj-x1",
        "OPENAI_API_KEY=sk-proj-x1",
        "\u{feff}sk-proj-x1;",
    ] {
        let ran = with(&World::new(), &header, &[("OPENAI_API_KEY", value)]);
        let expected = "Authorization: Bearer sk-proj-x1\n";
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, expected),
            "{value:?} {ran:?}"
        );
    }
    for (value, why) in [
        ("sk-proj-x1\nsk-proj-x2", "two of them"),
        ("sk-proj-x1 sk-proj-x1", "pasted twice"),
        ("sk-proj-0123sk-proj-0123", "pasted twice"),
        ("\"sk-proj-x1", "character"),
        ("sk\u{2013}proj\u{2013}x1", "character"),
        ("sk-proj-\u{fc}", "character"),
        ("sk-proj-x1\\n", "character"),
        ("sk-proj-x1\u{1b}[0m", "no header may hold (U+001B at 11)"),
        ("sk-proj-****", "masked"),
        ("sk-proj-x1 # comment", "comment"),
        ("<sk-proj-x1>", "brackets"),
        ("undefined", "nothing"),
        ("${OTHER}", "OTHER"),
    ] {
        let world = World::new();
        let ran = with(&world, &header, &[("OPENAI_API_KEY", value)]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{value:?} {ran:?}");
        let named = "the key in the variable OPENAI_API_KEY";
        assert!(ran.err.contains(named) && ran.err.contains(why), "{ran:?}");
        assert!(!ran.err.contains("x1"), "{ran:?}");

        let mut config = json!({});
        config["env"]["OPENAI_API_KEY"] = value.into();
        world.write("openclaw.json", &config.to_string());
        let ran = with(&world, &header, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{value:?} {ran:?}");
    }
    let world = World::new();
    world.write(".env", "OPENAI_API_KEY=\"sk-proj-x1\nsk-proj-x2\"\n");
    let ran = with(&world, &header, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(ran.err.contains("OPENAI_API_KEY"), "{ran:?}");
}

#[test]
fn a_stored_key_is_handed_out_without_what_stands_around_it() {
    let token = ["models", "auth", "token", "--provider", "openai"];
    for (key, set, printed) in [
        ("\"sk-1\"", "", Ok("sk-1")),
        ("Bearer sk-1", "", Ok("sk-1")),
        ("\"${MY_KEY}\"", "sk-2", Ok("sk-2")),
        ("\u{feff}${MY_KEY}", "sk-2", Ok("sk-2")),
        ("${MY_KEY:-other}", "sk-2", Ok("sk-2")),
        ("\"sk-1", "", Err("character")),
        ("\"${MY_KEY}\"", "", Err("MY_KEY")),
        ("\u{feff}${MY_KEY}", "", Err("MY_KEY")),
        ("${MY_KEY:-other}", "", Err("variable MY_KEY,")),
        ("${MY_KEY}", "sk-1\nsk-2", Err("MY_KEY")),
        ("${A B}", "", Err("A B")),
        ("${}", "", Err("without a name")),
    ] {
        let world = World::new();
        let profile = json!({ "type": "api_key", "provider": "openai", "key": key });
        let store = json!({ "version": 1, "profiles": { "openai:default": profile } });
        world.write("agents/main/agent/auth-profiles.json", &store.to_string());
        let ran = with(&world, &token, &[("MY_KEY", set)]);
        match printed {
            Ok(secret) => assert_eq!((ran.code, ran.out.trim_end()), (0, secret), "{key} {ran:?}"),
            Err(why) => {
                assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{key} {ran:?}");
                assert!(ran.err.contains(why), "{key} {ran:?}");
            }
        }
    }
}
