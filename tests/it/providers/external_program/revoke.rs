//! `logout --revoke` of a login that a program gave: the program is asked, and nobody else.

use serde_json::json;

use super::Plugins;

const REVOKE: [&str; 6] = ["models", "auth", "logout", "acme:me", "--revoke", "--yes"];

fn revoked_by(body: &str) -> (Plugins, crate::support::Ran) {
    let plugins = Plugins::doing(body);
    plugins.seed(3_600);
    let ran = plugins.run(&REVOKE);
    (plugins, ran)
}

#[test]
fn the_program_that_gave_it_revokes_it() {
    // That it is dead already is as good.
    let dead =
        r#"say '{"type":"error","code":"invalid_grant","description":"gone","kind":"lasting"}'"#;
    for answer in [r#"say '{"type":"done"}'"#, dead] {
        let (plugins, ran) = revoked_by(answer);
        assert_eq!(ran.code, 0, "{ran:?}");
        let program = plugins.program();
        assert!(
            ran.out
                .contains(&format!("Revoked at {}\n", program.display())),
            "{ran:?}"
        );
        assert_eq!(plugins.profile("acme:me"), serde_json::Value::Null);
        let requests = plugins.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert_eq!(requests[0]["type"], "revoke");
        assert_eq!(requests[0]["refresh_token"], "rt-1");
        assert_eq!(plugins.run(&["models", "auth", "undo", "acme:me"]).code, 3);
    }
}

#[test]
fn a_program_that_does_not_revoke_it_keeps_it_here() {
    let passing = r#"say '{"type":"error","code":"later","kind":"passing","retry_after":60}'"#;
    let head = super::HEAD.replace(r#","revoke"]"#, "]");
    for (script, code, words) in [
        (format!("{}{passing}\n", super::HEAD), 4, "was not revoked"),
        (super::HEAD.to_owned(), 4, "may or may not be revoked"),
        (head, 1, "does not support revoke"),
    ] {
        let plugins = Plugins::new();
        plugins.install("openclaw-auth-acme", &script);
        plugins.seed(3_600);
        let ran = plugins.run(&REVOKE);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
        assert!(plugins.profile("acme:me").is_object(), "{ran:?}");
    }
}

#[test]
fn another_program_is_not_asked() {
    let plugins = Plugins::doing(r#"say '{"type":"done"}'"#);
    plugins.seed_from(3_600, &plugins.bin().join("elsewhere"));
    let ran = plugins.run(&REVOKE);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(plugins.requests(), Vec::<serde_json::Value>::new());
    assert_eq!(plugins.profile("acme:me")["refresh"], json!("rt-1"));
}
