//! A device code at a real terminal.

use rexpect::session::{PtySession, spawn_command};

use super::*;
use crate::login::at_a_terminal::ends_with;
use crate::status::screens::at;

/// A login on a pseudo-terminal, whose person has not typed the code yet.
fn waiting(provider: &str, env: &[(&str, &str)]) -> (World, Issuer, PtySession) {
    let (world, issuer) = World::with_builtin(provider);
    issuer.set_device_codes(Codes {
        interval: 60,
        ..Codes::default()
    });
    let login = ["models", "auth", "login", "--provider", provider];
    let mut command = world.command(&login);
    command
        .args(["--method", "device-code"])
        .env("TERM", "xterm")
        .env("LANG", "C.UTF-8")
        .stdin(std::process::Stdio::inherit())
        .envs(env.iter().copied());
    let session = spawn_command(command, Some(30_000)).unwrap();
    (world, issuer, session)
}

/// What a camera in front of the screen reads.
fn scanned(screen: &str) -> Option<String> {
    let is_qr = |line: &&str| line.chars().count() > 20 && line.chars().all(|c| "█▀▄ ".contains(c));
    let lines: Vec<Vec<char>> = screen
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(is_qr)
        .map(|line| line.chars().collect())
        .collect();
    let width = lines.first()?.len();
    assert!(lines.iter().all(|line| line.len() == width) && width <= 80);
    // Half a character is a module, and a module is four pixels wide and high.
    let light = |x: usize, y: usize| match lines[y / 8][x / 4] {
        '█' => true,
        '▀' => y % 8 < 4,
        '▄' => y % 8 >= 4,
        _ => false,
    };
    let pixel = |x, y| if light(x, y) { 255 } else { 0 };
    let (wide, high) = (width * 4, lines.len() * 8);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(wide, high, pixel);
    let (_, content) = image.detect_grids().first()?.decode().ok()?;
    Some(content)
}

/// Reads up to the wait, leaves with Ctrl-C, and gives what was shown.
fn shown(mut session: PtySession) -> String {
    let text = session.exp_string("Ctrl-C cancels.").unwrap();
    session.send_control('c').unwrap();
    session
        .exp_string("Cancelled. Nothing was stored.")
        .unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
    // The session takes each byte for a character.
    let bytes = text.chars().map(|c| u8::try_from(c).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn the_screen_shows_a_qr_code_that_a_phone_reads_and_both_as_text() {
    let (world, issuer, session) = waiting("github-copilot", &[]);
    let screen = shown(session);
    let uri = format!("{}/login/device", issuer.url());
    assert_eq!(scanned(&screen).as_deref(), Some(uri.as_str()), "{screen}");
    assert!(screen.contains(&format!("\n{uri}\r\n")), "{screen}");
    assert!(screen.contains("\n    WDJB-MJHT\r\n"), "{screen}");
    assert!(
        screen.contains("if you started this login yourself"),
        "{screen}"
    );
    assert!(!stored_anything(&world));
}

#[test]
fn rfc8628_3_3_1_the_qr_code_holds_the_complete_address_and_the_code_still_stands_there() {
    let (world, issuer) = World::with_builtin("qwen-portal");
    issuer.set_device_codes(Codes {
        interval: 60,
        ..Codes::default()
    });
    let args = ["models", "auth", "login", "--provider", "qwen-portal"];
    let env = [("NO_COLOR", "1"), ("LANG", "C.UTF-8")];
    let screen = shown(at(&world, &args, (80, 30), &env));
    let uri = format!("{}/authorize", issuer.url());
    let complete = format!("{uri}?user_code=WDJB-MJHT&client=qwen-code");
    assert_eq!(scanned(&screen), Some(complete), "{screen}");
    assert!(screen.contains(&format!("\n{uri}\r\n")), "{screen}");
    // Who confirms the code on the other screen compares it with this one.
    assert!(screen.contains("\n    WDJB-MJHT\r\n"), "{screen}");
}

#[test]
fn where_the_complete_address_does_not_fit_the_qr_code_holds_the_short_one() {
    let (_world, issuer, session) = waiting("qwen-portal", &[]);
    let uri = format!("{}/authorize", issuer.url());
    assert_eq!(scanned(&shown(session)), Some(uri));
}

#[test]
fn with_colors_the_qr_code_is_white_on_black_whatever_the_theme() {
    let (_world, _issuer, session) = waiting("github-copilot", &[("NO_COLOR", "")]);
    let screen = shown(session);
    let style = "\u{1b}[97m\u{1b}[40m";
    assert!(screen.contains(&format!("{style}█")), "{screen:?}");
    let plain = screen.replace(style, "").replace("\u{1b}[0m", "");
    assert!(scanned(&plain).is_some(), "{plain}");
}

#[test]
fn a_terminal_that_cannot_draw_shows_text_alone() {
    for cannot in [("LC_ALL", "C"), ("TERM", "dumb")] {
        let (_world, _issuer, session) = waiting("github-copilot", &[cannot]);
        let screen = shown(session);
        assert!(!screen.contains('█'), "{screen}");
        assert!(screen.contains("\n    WDJB-MJHT\r\n"), "{screen}");
    }
}
