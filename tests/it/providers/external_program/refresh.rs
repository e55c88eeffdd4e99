//! A refresh token of a program is as single-use as any other.

use std::process::{Child, Stdio};

use serde_json::json;

use super::{DOCUMENT, GRANT, Plugins, TOKEN, until};
use crate::support::{Ran, ran};

fn start(plugins: &Plugins) -> Child {
    let mut command = plugins.command(&TOKEN);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap()
}

fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

#[test]
fn an_expired_token_is_renewed_by_the_program_that_gave_it() {
    let plugins = Plugins::doing(&format!(
        "say '{}'\n{GRANT}",
        r#"{"type":"ask","text":"nobody is there"}"#
    ));
    plugins.seed(-10);
    let token = plugins.run(&TOKEN);
    assert_eq!(
        (token.code, token.out.as_str(), token.err.as_str()),
        (0, "at-2\n", "")
    );
    let asked = &plugins.requests()[0];
    let expected = json!({
        "type": "refresh", "access_token": "at-1", "refresh_token": "rt-1",
        "account": { "id": "7", "email": null }, "fields": { "tenant": { "id": 1 } },
    });
    assert_eq!(*asked, expected);
    let profile = plugins.profile("acme:me");
    assert_eq!(profile["refresh"], "rt-2");
    assert_eq!(profile["authProgram"], plugins.program().to_str().unwrap());
    // What is fresh asks nobody.
    assert_eq!(plugins.run(&TOKEN).out, "at-2\n");
    assert_eq!(plugins.requests().len(), 1);
}

#[test]
fn eight_processes_make_one_request() {
    let plugins = Plugins::doing(&format!("sleep 0.3\n{GRANT}"));
    plugins.seed(-10);
    let children: Vec<Child> = (0..8).map(|_| start(&plugins)).collect();
    for child in children {
        let token = end(child);
        assert_eq!((token.code, token.out.as_str()), (0, "at-2\n"), "{token:?}");
    }
    assert_eq!(plugins.requests().len(), 1);
}

#[test]
fn an_error_means_what_it_says_of_the_grant() {
    let error = |kind: &str| {
        format!(r#"say '{{"type":"error","code":"acme_no","description":"not rt-1"{kind}}}'"#)
    };
    let table = [
        (
            r#","kind":"lasting""#,
            3,
            "rejected by the provider (acme_no: not (hidden))",
        ),
        (
            r#","kind":"passing""#,
            4,
            "openclaw-auth-acme answered acme_no: not (hidden)",
        ),
        (
            r#","kind":"unknown""#,
            7,
            "openclaw-auth-acme answered acme_no: not (hidden)",
        ),
        ("", 7, "the refresh token may already be used"),
    ];
    for (kind, code, words) in table {
        let plugins = Plugins::doing(&error(kind));
        plugins.seed(-10);
        let before = plugins.0.read(DOCUMENT);
        let failed = plugins.run(&TOKEN);
        assert_eq!(failed.code, code, "{kind}: {failed:?}");
        let status = plugins.run(&["models", "status"]).out;
        assert!(
            failed.err.contains(words) || status.contains(words),
            "{kind}: {failed:?} {status}"
        );
        assert!(!failed.err.contains("rt-1"), "{failed:?}");
        assert_eq!(plugins.0.read(DOCUMENT), before, "{kind}");
        assert!(rescued(&plugins).is_empty(), "{kind}");
    }
    // A crash before anything was sent costs nothing, and one after it may have cost the token.
    let plugins = Plugins::doing("exit 1");
    plugins.seed(-10);
    assert_eq!(plugins.run(&TOKEN).code, 7);
    let plugins = Plugins::new();
    plugins.install("openclaw-auth-acme", "#!/bin/sh\nexit 1\n");
    plugins.seed(-10);
    let crashed = plugins.run(&TOKEN);
    assert_eq!(crashed.code, 4, "{crashed:?}");
    assert!(crashed.err.contains("exit status: 1"), "{crashed:?}");
}

#[test]
fn a_token_that_lives_is_handed_out_whatever_the_program_does() {
    let plugins = Plugins::doing("exit 1");
    plugins.seed(60);
    let due = plugins.run(&TOKEN);
    assert_eq!((due.code, due.out.as_str()), (0, "at-1\n"), "{due:?}");
    assert!(due.err.contains("could not be refreshed"), "{due:?}");
    // Nor is a program needed for a token that is fresh.
    std::fs::remove_file(plugins.program()).unwrap();
    plugins.seed(60);
    let gone = plugins.run(&TOKEN);
    assert_eq!((gone.code, gone.out.as_str()), (0, "at-1\n"), "{gone:?}");
    plugins.seed(3_600);
    let fresh = plugins.run(&TOKEN);
    assert_eq!((fresh.code, fresh.err.as_str()), (0, ""), "{fresh:?}");
}

fn rescued(plugins: &Plugins) -> Vec<String> {
    let entries = std::fs::read_dir(plugins.0.state().join("rescue"));
    let paths = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    paths
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect()
}

#[test]
fn an_answer_that_could_not_be_stored_is_taken_in_later() {
    let plugins = Plugins::doing(&format!(
        "while [ ! -e \"$DIR/go\" ]; do sleep 0.01; done\n{GRANT}"
    ));
    plugins.seed(-10);
    let before = plugins.0.read(DOCUMENT);
    let child = start(&plugins);
    until(|| !plugins.requests().is_empty());
    plugins.0.write(DOCUMENT, "{ half a docu");
    std::fs::write(plugins.0.directory.path().join("go"), "").unwrap();
    let failed = end(child);
    assert_eq!((failed.code, failed.out.as_str()), (5, ""), "{failed:?}");
    assert!(rescued(&plugins)[0].contains(r#""refresh_token":"rt-2""#));

    plugins.0.write(DOCUMENT, &before);
    let taken = plugins.run(&TOKEN);
    assert_eq!((taken.code, taken.out.as_str()), (0, "at-2\n"), "{taken:?}");
    assert!(
        taken.err.contains("stored the refresh response"),
        "{taken:?}"
    );
    assert_eq!(plugins.profile("acme:me")["tenant"], json!({ "id": 1 }));
    assert_eq!((plugins.requests().len(), rescued(&plugins).len()), (1, 0));
}

#[test]
fn a_kill_between_answer_and_store_loses_nothing() {
    // As soon as the answer is saved the program kills who asked for it, who still waits for its end.
    let plugins = Plugins::doing(&format!(
        "{GRANT}\nuntil grep -aq rt-2 \"$DIR\"/state/rescue/*; do sleep 0.01; done\nkill -9 $PPID"
    ));
    plugins.seed(-10);
    let killed = end(start(&plugins));
    assert_eq!((killed.code, killed.out.as_str()), (-1, ""), "{killed:?}");
    assert_eq!(plugins.profile("acme:me")["refresh"], "rt-1");
    let taken = plugins.run(&["models", "status"]);
    assert!(
        taken.err.contains("stored the refresh response"),
        "{taken:?}"
    );
    assert_eq!(plugins.profile("acme:me")["refresh"], "rt-2");
    assert_eq!(plugins.run(&TOKEN).out, "at-2\n");
    assert_eq!(plugins.requests().len(), 1);
}

#[test]
fn a_grant_whose_access_token_no_header_holds_is_kept_and_its_refresh_token_with_it() {
    let grant = GRANT.replace("at-2", "at-2\\r\\nX: 1");
    let plugins = Plugins::doing(&grant);
    plugins.seed(-10);
    for _ in 0..2 {
        let ran = plugins.run(&TOKEN);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        assert!(ran.err.contains("(U+000D at 5)"), "{ran:?}");
    }
    assert_eq!(plugins.requests().len(), 1);
    assert_eq!(plugins.profile("acme:me")["refresh"], "rt-1");
    let [kept] = plugins.0.rescued().try_into().unwrap();
    assert!(kept.contains("rt-2"));
}

#[test]
fn a_refresh_token_of_a_program_may_hold_any_character() {
    let plugins = Plugins::doing(&GRANT.replace("rt-2", "rt\\t2"));
    plugins.seed(-10);
    assert_eq!(plugins.run(&TOKEN).out, "at-2\n");
    assert_eq!(plugins.profile("acme:me")["refresh"], "rt\t2");
}
