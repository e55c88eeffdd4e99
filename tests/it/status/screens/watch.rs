//! `models status --watch`: what it draws, and that the terminal is as it was on every way out.

use rexpect::process::Signal;
use rexpect::session::PtySession;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::{Size, at, bytes, compare, emulator, resize, rows, stores, without_places, written};
use crate::login::at_a_terminal::ends_with;
use crate::support::World;

/// An hour between two frames: what is drawn anew in a test is so because of something else.
const WATCH: [&str; 4] = ["models", "status", "--watch", "3600"];
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
const FRAME_ENDS: &str = "\u{1b}[?2026l";

fn modes(session: &PtySession) -> Termios {
    tcgetattr(session.process().get_file_handle().unwrap()).unwrap()
}

/// A watch after its first frame, and what was written until then.
fn watching(
    world: &World,
    args: &[&str],
    size: Size,
    env: &[(&str, &str)],
) -> (PtySession, String) {
    let mut session = at(world, args, size, env);
    let text = session.exp_string(FRAME_ENDS).unwrap();
    (session, text + FRAME_ENDS)
}

/// Ends a watch in some way: the terminal is as it was, and the exit code tells of it.
fn given_back(code: i32, end: &dyn Fn(&mut PtySession)) {
    let world = stores::week();
    let (mut session, mut text) = watching(&world, &WATCH, (80, 40), &[]);
    assert!(!modes(&session).local_modes.contains(LocalModes::ICANON));
    end(&mut session);
    text.push_str(&session.exp_eof().unwrap());
    ends_with(&session, code);
    assert!(
        modes(&session)
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ISIG)
    );
    assert!(text.contains(ENTER), "{text:?}");
    assert_eq!(text.matches(LEAVE).count(), 1, "{text:?}");
    let mut emulator = emulator((80, 40));
    emulator.process(&bytes(&text));
    let screen = emulator.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    // Nothing of it is left behind, and no word of parting.
    assert_eq!(screen.contents().trim(), "");
}

#[test]
fn the_terminal_is_given_back_on_every_way_out() {
    given_back(130, &|session| session.send_control('c').unwrap());
    given_back(130, &|session| {
        session.process_mut().signal(Signal::SIGINT).unwrap();
    });
    given_back(143, &|session| {
        session.process_mut().signal(Signal::SIGTERM).unwrap();
    });
    given_back(129, &|session| {
        session.process_mut().signal(Signal::SIGHUP).unwrap();
    });
    given_back(0, &|session| {
        session.send("xq").unwrap();
        session.flush().unwrap();
    });
}

#[test]
fn watching_draws_into_what_is_there_and_never_clears_the_screen() {
    let (mut session, text) = watching(&stores::week(), &WATCH, (80, 40), &[]);
    assert!(
        !text.contains("\u{1b}[2J") && !text.contains('\n'),
        "{text:?}"
    );
    let mut emulator = emulator((80, 40));
    emulator.process(&bytes(&text));
    assert!(emulator.screen().alternate_screen() && emulator.screen().hide_cursor());
    let rows = without_places(rows(emulator.screen()));
    compare("watch", &rows.join("\n"));
    session.send("q").unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn a_window_of_another_size_is_drawn_at_once() {
    let world = stores::many(60);
    let (mut session, text) = watching(&world, &WATCH, (80, 100), &[]);
    let size = (44, 12);
    let mut emulator = emulator((80, 100));
    emulator.process(&bytes(&text));
    let new = |n| std::num::NonZeroU16::new(n).unwrap();
    emulator.screen_mut().set_size(new(size.1), new(size.0));
    resize(&session, size);
    let text = session.exp_string(FRAME_ENDS).unwrap();
    emulator.process(&bytes(&(text + FRAME_ENDS)));
    let rows = rows(emulator.screen());
    assert!(rows[0].contains("Agent"), "{rows:?}");
    assert!(
        rows.iter().any(|row| row.contains(" more lines ")),
        "{rows:?}"
    );
    assert!(rows.last().unwrap().contains("q ends"), "{rows:?}");
    session.send("q").unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn ctrl_backslash_gives_the_terminal_back_and_ends_it() {
    let (mut session, text) = watching(&World::new(), &WATCH, (80, 40), &[]);
    session.send("\u{1c}").unwrap();
    session.flush().unwrap();
    let text = text + &session.exp_eof().unwrap();
    assert_eq!(text.matches(LEAVE).count(), 1, "{text:?}");
    let status = format!("{:?}", session.process().wait().unwrap());
    assert!(status.contains("SIGQUIT"), "{status}");
    let kept = LocalModes::ICANON | LocalModes::ISIG;
    assert!(modes(&session).local_modes.contains(kept));
}

#[test]
fn after_a_stop_the_screen_is_drawn_again() {
    let (mut session, _) = watching(&World::new(), &WATCH, (80, 40), &[]);
    // Whoever stopped it gave the terminal to a shell.
    let mut cooked = modes(&session);
    cooked.local_modes |= LocalModes::ICANON | LocalModes::ECHO;
    let terminal = session.process().get_file_handle().unwrap();
    tcsetattr(&terminal, OptionalActions::Now, &cooked).unwrap();
    session.process_mut().signal(Signal::SIGCONT).unwrap();
    let text = session.exp_string(FRAME_ENDS).unwrap();
    assert!(text.contains(ENTER), "{text:?}");
    assert!(!modes(&session).local_modes.contains(LocalModes::ICANON));
    session.send("q").unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 0);
}

#[test]
fn what_changes_is_seen_in_the_next_frame() {
    let world = World::new();
    let args = ["models", "status", "--watch", "0.1"];
    let (mut session, text) = watching(&world, &args, (80, 40), &[]);
    assert!(text.contains("No profiles stored."), "{text}");
    world.write("openclaw.json", "{ no json");
    session.exp_string("Error: ").unwrap();
    world.write("openclaw.json", "{}");
    let key =
        r#"{"version":1,"profiles":{"zai:new":{"type":"api_key","provider":"zai","key":"k"}}}"#;
    world.write("agents/main/agent/auth-profiles.json", key);
    session.exp_string("zai:new").unwrap();
    session.send("q").unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 0);
}

#[test]
fn watching_without_colors_steers_and_does_not_decorate() {
    let env = [("NO_COLOR", "1")];
    let (mut session, text) = watching(&stores::week(), &WATCH, (80, 40), &env);
    let styles = text.split("\u{1b}[").skip(1);
    let mut styles = styles.filter(|part| part.find('m') == part.find(|c: char| c.is_alphabetic()));
    assert_eq!(styles.next(), None);
    session.send("q").unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn watching_where_nothing_can_be_drawn_is_refused() {
    let world = World::new();
    let piped = world.run(&WATCH);
    assert_eq!((piped.code, piped.out.as_str()), (1, ""), "{piped:?}");
    assert!(piped.err.contains("--watch needs a terminal"), "{piped:?}");
    let dumb = written(&world, &WATCH, (80, 24), &[("TERM", "dumb")], 1);
    assert!(!dumb.contains(&0x1b), "{}", String::from_utf8_lossy(&dumb));
}
