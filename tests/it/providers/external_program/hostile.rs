//! Programs that do what none should.

use super::{DOCUMENT, GRANT, HEAD, LOGIN, Plugins};

/// What is said of each, and nothing that it said.
const LOGINS: [(&str, &str); 14] = [
    ("exit 3", "exited without a response (exit status: 3)"),
    ("exit 0", "openclaw-auth-acme exited without a response"),
    ("kill -9 $$", "exited without a response (signal: 9"),
    (
        "exec >&-; sleep 1000",
        "closed its output without a response",
    ),
    (
        "printf 'MARKER\\033[2J\\n'",
        "line 2 is not valid JSON (column 1)",
    ),
    (
        r#"printf '{"type":"grant","access_token":"MARKER\377"}\n'"#,
        "line 2 is not UTF-8",
    ),
    (
        r#"printf '{"type":"grant","access_token":"MARKER'"#,
        "line 2 is not valid JSON",
    ),
    (
        "say '{\"type\":\"MARKER\"}'",
        "line 2 has a type that is not in the protocol",
    ),
    (
        "say '{\"type\":\"done\",\"x\":\"MARKER\"}'",
        "line 2 is not a response to the request",
    ),
    (
        "say '{\"type\":\"grant\",\"access\":\"MARKER\"}'",
        "returned no access token",
    ),
    (
        "say '{\"type\":\"grant\",\"access_token\":\"MARKER\\u001b[2J\"}'",
        "holds a character that no header may hold (U+001B at 7)",
    ),
    (
        "head -c 2000000 /dev/zero | tr '\\0' x",
        "wrote a line longer than 1048576 bytes",
    ),
    (
        "while :; do say '{\"type\":\"notice\",\"text\":\"x\"}'; done",
        "wrote more than 1000 lines",
    ),
    (
        r#"say '{"type":"error","code":"no\u001b[2J","description":"a\u0007b"}'"#,
        "openclaw-auth-acme answered no [2J: a b",
    ),
];

#[test]
fn whatever_a_program_does_is_a_clear_error_and_stores_nothing() {
    for (body, words) in LOGINS {
        let plugins = Plugins::doing(body);
        let failed = plugins.run(&LOGIN);
        assert!(matches!(failed.code, 3 | 4), "{body}: {failed:?}");
        assert!(failed.err.contains(words), "{body}: {failed:?}");
        assert!(
            failed.err.contains("No credentials were changed."),
            "{body}: {failed:?}"
        );
        let shown = format!("{}{}", failed.out, failed.err);
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{body}: {failed:?}");
        assert!(!shown.contains("MARKER"), "{body}: {failed:?}");
        assert!(!plugins.0.state().join(DOCUMENT).exists(), "{body}");
    }
}

#[test]
fn a_program_that_is_not_of_this_protocol_is_asked_nothing() {
    let hellos = [
        ("exit", "exited without a response"),
        ("echo 'usage: acme login'", "line 1 is not valid JSON"),
        (
            r#"echo '{"type":"hello","protocol":9,"requests":["login"]}'"#,
            "uses protocol version 9",
        ),
        (
            r#"echo '{"type":"hello","protocol":1,"requests":["refresh"]}'"#,
            "does not support login",
        ),
        (
            r#"echo '{"type":"grant","access_token":"x"}'"#,
            "does not start with hello",
        ),
    ];
    for (hello, words) in hellos {
        let plugins = Plugins::new();
        let script = format!(
            "#!/bin/sh\nread -r line\n{hello}\nread -r line && echo \"$line\" > \"${{0%/bin/*}}/requests\"\n"
        );
        plugins.install("openclaw-auth-acme", &script);
        let failed = plugins.run(&LOGIN);
        assert!(failed.err.contains(words), "{hello}: {failed:?}");
        assert_eq!(plugins.left("requests"), "", "{hello}");
    }
}

#[test]
fn an_answer_counts_without_its_line_end_and_whatever_the_exit_status() {
    let plugins = Plugins::doing(&format!("say() {{ printf '%s' \"$1\"; }}\n{GRANT}\nexit 3"));
    let done = plugins.run(&LOGIN);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(plugins.profile("acme:me@example.com")["refresh"], "rt-2");
}

#[test]
fn nothing_secret_is_visible_in_the_process_table() {
    let look = "for p in $$ $PPID; do for f in cmdline environ; do tr '\\0' '\\n' < /proc/$p/$f; done; done >> \"$DIR/visible\"\n";
    let plugins = Plugins::new();
    plugins.install("openclaw-auth-acme", &format!("{HEAD}{look}{GRANT}\n"));
    plugins.seed(-10);
    let token = plugins.run(&super::TOKEN);
    assert_eq!((token.code, token.out.as_str()), (0, "at-2\n"), "{token:?}");
    let visible = plugins.left("visible");
    let program = plugins.program();
    assert!(
        visible
            .lines()
            .any(|line| line == program.to_str().unwrap()),
        "{visible}"
    );
    // Its own; that of ours is open to root alone.
    assert!(visible.contains("HOME="), "{visible}");
    for secret in ["rt-1", "at-1", "rt-2", "at-2"] {
        assert!(!visible.contains(secret), "{secret}");
    }
    assert_eq!(plugins.requests()[0]["refresh_token"], "rt-1");
}
