//! Programs that do what none should.

use super::{DOCUMENT, GRANT, HEAD, LOGIN, Plugins};

/// What is said of each, and nothing that it said.
const LOGINS: [(&str, &str); 14] = [
    ("exit 3", "ended without an answer (exit status: 3)"),
    ("exit 0", "openclaw-auth-acme ended without an answer"),
    ("kill -9 $$", "ended without an answer (signal: 9"),
    (
        "exec >&-; sleep 1000",
        "closed its output without an answer",
    ),
    (
        "printf 'MARKER\\033[2J\\n'",
        "its line 2 is no JSON (column 1)",
    ),
    (
        r#"printf '{"type":"grant","access_token":"MARKER\377"}\n'"#,
        "its line 2 is no UTF-8",
    ),
    (
        r#"printf '{"type":"grant","access_token":"MARKER'"#,
        "its line 2 is no JSON",
    ),
    (
        "say '{\"type\":\"MARKER\"}'",
        "its line 2 has a type that the protocol does not know",
    ),
    (
        "say '{\"type\":\"done\",\"x\":\"MARKER\"}'",
        "its line 2 is no answer to what was asked",
    ),
    (
        "say '{\"type\":\"grant\",\"access\":\"MARKER\"}'",
        "gave no usable access token",
    ),
    (
        "say '{\"type\":\"grant\",\"access_token\":\"MARKER\\u001b[2J\"}'",
        "gave no usable access token",
    ),
    (
        "head -c 2000000 /dev/zero | tr '\\0' x",
        "said a line of more than 1048576 bytes",
    ),
    (
        "while :; do say '{\"type\":\"notice\",\"text\":\"x\"}'; done",
        "said more than 1000 lines",
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
            failed.err.contains("No credential was changed."),
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
        ("exit", "ended without an answer"),
        ("echo 'usage: acme login'", "its line 1 is no JSON"),
        (
            r#"echo '{"type":"hello","protocol":9,"requests":["login"]}'"#,
            "speaks version 9",
        ),
        (
            r#"echo '{"type":"hello","protocol":1,"requests":["refresh"]}'"#,
            "knows no login",
        ),
        (
            r#"echo '{"type":"grant","access_token":"x"}'"#,
            "does not begin with hello",
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
    assert!(visible.contains("OPENCLAW_STATE_DIR="), "{visible}");
    for secret in ["rt-1", "at-1", "rt-2", "at-2"] {
        assert!(!visible.contains(secret), "{secret}");
    }
    assert_eq!(plugins.requests()[0]["refresh_token"], "rt-1");
}
