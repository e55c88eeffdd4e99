//! A login over SSH on a terminal of 80 columns and 24 rows: what is to be copied stays on the
//! screen, whole, and no word is cut.

use rexpect::session::PtySession;

use super::{never, world};
use crate::login::at_a_terminal::ends_with;
use crate::status::screens::{Size, at, bytes, emulator};
use crate::support::World;

const PROMPT: &str = "Or paste the redirect URL or code here: ";

fn by_ssh<'a>() -> [(&'a str, &'a str); 3] {
    [
        ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"),
        ("USER", "me"),
        ("LANG", "C.UTF-8"),
    ]
}

/// The screen once `shown` and the prompt behind it stand there.
fn screen(session: &mut PtySession, shown: &str, prompt: &str, size: Size) -> vt100::Parser {
    let before = session.exp_string(shown).unwrap();
    let between = session.exp_string(prompt).unwrap();
    let mut emulator = emulator(size);
    emulator.process(&bytes(&[&before, shown, &between, prompt].concat()));
    emulator
}

/// The lines of a screen, each whole, and which of them the terminal had to fold.
fn lines(screen: &vt100::Screen) -> Vec<(String, bool)> {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let mut lines = vec![(String::new(), false)];
    for (row, text) in (0..rows).zip(screen.rows(0, columns)) {
        let last = lines.last_mut().unwrap();
        last.0.push_str(&text);
        match screen.row_wrapped(row) {
            true => last.1 = true,
            false => lines.push((String::new(), false)),
        }
    }
    lines
}

fn login(world: &World, size: Size) -> (PtySession, vt100::Parser) {
    let mut session = at(world, &["models", "auth", "login"], size, &by_ssh());
    let emulator = screen(&mut session, "WDJB-MJHT", PROMPT, size);
    (session, emulator)
}

fn cancel(mut session: PtySession) {
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
}

#[test]
fn url_tunnel_address_and_code_are_on_the_screen_at_once() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    let (session, emulator) = login(&world, (80, 24));
    let lines = lines(emulator.screen());
    let text = emulator.screen().contents();
    let is_shown = |wanted: &dyn Fn(&str) -> bool| lines.iter().any(|(line, _)| wanted(line));
    assert!(
        text.starts_with("Log in to") || text.starts_with("Note: "),
        "{text}"
    );
    assert!(
        is_shown(
            &|line| line.starts_with("http://") && line.ends_with("+offline_access")
                || line.contains("/oauth/authorize?") && !line.contains(' ')
        ),
        "{text}"
    );
    assert!(is_shown(
        &|line| line.starts_with("  ssh -L ") && line.ends_with(" me@192.0.2.2")
    ));
    assert!(is_shown(&|line| line.ends_with("/codex/device")), "{text}");
    assert!(is_shown(&|line| line == "    WDJB-MJHT"), "{text}");
    for (line, folded) in &lines {
        assert!(!folded || line.starts_with("http://"), "{line}");
    }
    cancel(session);
}

#[test]
fn a_high_terminal_has_room_for_a_qr_code_too() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    let (session, emulator) = login(&world, (100, 50));
    let text = emulator.screen().contents();
    assert!(
        text.contains('█') && text.contains("/oauth/authorize?"),
        "{text}"
    );
    cancel(session);
}

#[test]
fn a_failure_breaks_between_its_words_and_never_in_its_command() {
    let world = World::new();
    let token = [
        "models",
        "auth",
        "token",
        "--profile",
        "anthropic:nobody@example.com",
    ];
    let size = (40, 24);
    let mut session = at(&world, &token, size, &[]);
    let text = session.exp_eof().unwrap();
    let mut emulator = emulator(size);
    emulator.process(&bytes(&text));
    let lines = lines(emulator.screen());
    for (line, folded) in &lines {
        assert!(!folded || !line.contains("Error"), "{line}");
    }
    let command = "openclaw models auth list";
    assert!(
        lines.iter().any(|(line, _)| line.ends_with(command)),
        "{lines:?}"
    );
}
