//! The dialogs, from outside: through a pseudo-terminal and through pipes.
//!
//! The program at the far end is this test binary again, running [`child`] alone.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use std::cell::Cell;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use openclaw::cli::events::JsonDialog;
use openclaw::cli::hint::Renderer;
use openclaw::cli::printer::{Color, Printer};
use openclaw::cli::terminal::{Abilities, TerminalDialog};
use openclaw::model::secret::Secret;
use openclaw::ports::dialog::{Dialog, DialogError, Notice, Question};
use openclaw::ports::host::{Interrupt, Signal};
use openclaw::sys::clock::SystemClock;
use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

const TASK: &str = "OPENCLAW_TEST_TERMINAL_TASK";
/// Milliseconds until a test gives up; no test passes because of it.
const PATIENCE: u64 = 60_000;
/// What leaves bracketed paste mode.
const PASTE_OFF: &str = "\u{1b}[?2004l";

/// Reports a signal from the given look on; 0 for never.
struct Interrupted {
    from: u32,
    looks: AtomicU32,
}

impl Interrupt for Interrupted {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
        (self.from != 0 && look >= self.from).then_some(Signal::INTERRUPT)
    }
}

fn interrupted(from: u32) -> Arc<dyn Interrupt> {
    Arc::new(Interrupted {
        from,
        looks: AtomicU32::new(0),
    })
}

fn secret() -> Question {
    Question::Secret("Token".to_owned())
}

fn paste() -> Question {
    Question::Paste("Redirect URL".to_owned())
}

fn confirm(dialog: &dyn Dialog, stop: &dyn Fn() -> bool) -> String {
    match dialog.confirm("Go on?", false, stop) {
        Ok(true) => "<answer: Yes>".to_owned(),
        Ok(false) => "<answer: No>".to_owned(),
        Err(error) => format!("<answer: {error:?}>"),
    }
}

/// The answer without the answer: the terminal's log must not hold it.
fn report(answer: &Result<Secret<String>, DialogError>) -> String {
    match answer {
        Ok(text) => format!("<answer: {}>", summary(text.expose())),
        Err(error) => format!("<answer: {error:?}>"),
    }
}

fn summary(text: &str) -> String {
    let breaks = text.matches('\n').count();
    let fingerprint = Secret::from(text).fingerprint().unwrap();
    format!("{} bytes, {breaks} breaks, {fingerprint}", text.len())
}

/// The body of the program at the far end; nothing in an ordinary run.
#[test]
fn child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test tells its own child what to do"
    )]
    let task = std::env::var(TASK);
    match task.as_deref() {
        Err(_) => {}
        Ok("pipe") => on_pipes(),
        Ok(task) => on_terminal(task),
    }
}

fn on_terminal(task: &str) {
    let before = echoing();
    let state = move || {
        let now = tcgetattr(std::io::stdin()).unwrap();
        let same = format!("{now:?}") == format!("{before:?}");
        if same { "<same>" } else { "<changed>" }
    };
    let printer = Arc::new(Printer::new(Color::Never));
    let out = Arc::clone(&printer);
    let from = if task == "interrupt" { 4 } else { 0 };
    let dialog = TerminalDialog::new(
        Arc::clone(&printer),
        interrupted(from),
        Renderer::default(),
        || Abilities {
            moves_cursor: true,
            ..Abilities::default()
        },
        Arc::new(SystemClock::new()),
    );
    if task == "panic" {
        let state = state.clone();
        // Runs before anything is unwound: what an aborting release would leave behind.
        std::panic::set_hook(Box::new(move |_| {
            printer.line_out(&format!("<hook: {}>", state())).unwrap();
        }));
    }
    let looks = Cell::new(0);
    let stop = || {
        looks.set(looks.get() + 1);
        match task {
            "panic" if looks.get() == 3 => panic!("planted"),
            "notice" if looks.get() == 3 => {
                dialog.notice(&Notice::Info("first\nsecond".into()));
            }
            _ => {}
        }
        task == "stop" && looks.get() > 3
    };
    let answer = match task {
        "confirm" => confirm(&dialog, &stop),
        _ => report(&dialog.ask(&secret(), &stop)),
    };
    out.line_out(&format!("{answer} {}", state())).unwrap();
}

/// The pseudo-terminal comes with echo switched off, which would make every test here pass.
fn echoing() -> Termios {
    let mut termios = tcgetattr(std::io::stdin()).unwrap();
    termios.local_modes |= LocalModes::ECHO;
    tcsetattr(std::io::stdin(), OptionalActions::Now, &termios).unwrap();
    let termios = tcgetattr(std::io::stdin()).unwrap();
    assert!(
        termios
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
    termios
}

fn on_pipes() {
    let printer = Arc::new(Printer::new(Color::Never));
    let say = |answer| printer.line_out(&report(&answer)).unwrap();
    let json = JsonDialog::new(Arc::clone(&printer), interrupted(0), Renderer::default());
    let person = TerminalDialog::new(
        Arc::clone(&printer),
        interrupted(0),
        Renderer::default(),
        || Abilities {
            moves_cursor: true,
            ..Abilities::default()
        },
        Arc::new(SystemClock::new()),
    );
    json.notice(&Notice::Exchanging);
    person.notice(&Notice::Warning("to the side".into()));
    say(json.ask(&paste(), &|| false));
    for dialog in [&json as &dyn Dialog, &person] {
        printer.line_out(&confirm(dialog, &|| false)).unwrap();
    }
    say(json.ask(&secret(), &|| false));
    say(person.ask(&paste(), &|| false));
    say(person.ask(&secret(), &|| false));
}

fn far_end(task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["cli::prompts::child", "--exact", "--nocapture"])
        .env(TASK, task);
    command
}

/// A terminal, and all that was seen on it.
struct Screen {
    pty: PtySession,
    seen: String,
}

impl Screen {
    /// Starts the far end and waits for `prompt`.
    fn at(task: &str, prompt: &str) -> Self {
        let pty = spawn_command(far_end(task), Some(PATIENCE)).unwrap();
        let mut screen = Self {
            pty,
            seen: String::new(),
        };
        screen.until(prompt);
        screen
    }

    fn until(&mut self, needle: &str) {
        let before = self.pty.exp_string(needle).unwrap();
        self.seen.push_str(&before);
        self.seen.push_str(needle);
    }

    fn send(&mut self, keys: &str) {
        let mut keys = keys;
        while !keys.is_empty() {
            // Takes what fits, which may be less than all.
            let sent = self.pty.send(keys).unwrap();
            keys = &keys[sent..];
        }
        self.pty.flush().unwrap();
    }

    /// The rest, until the far end has gone.
    fn finish(mut self) -> String {
        let rest = self.pty.exp_eof().unwrap();
        self.seen.push_str(&rest);
        self.seen
    }
}

fn token(length: usize) -> String {
    "MARKER-0123456789-".chars().cycle().take(length).collect()
}

/// Types `keys` at the prompt for a secret; the far end must have got `text`, and the screen not.
fn entered(keys: &str, text: &str) {
    let mut screen = Screen::at("secret", "Token: ");
    screen.send(keys);
    let seen = screen.finish();
    let answer = format!("<answer: {}> <same>", summary(text));
    assert!(seen.contains(&answer), "{seen}");
    assert!(seen.contains(PASTE_OFF), "{seen}");
    assert!(!seen.contains("MARKER"), "{seen}");
}

#[test]
fn a_typed_secret_is_not_echoed() {
    entered("MARKERX\u{7f}-typed\r", "MARKER-typed");
    entered("\rwrong\u{15}MARKER\r", "MARKER");
}

#[test]
fn a_token_longer_than_any_terminal_line_arrives_whole() {
    let token = token(10_000);
    entered(&format!("{token}\r"), &token);
}

#[test]
fn a_paste_with_line_breaks_arrives_whole() {
    let (head, tail) = (token(3_000), token(5_000));
    let whole = format!("{head}\n{tail}\n");
    entered(
        &format!("\u{1b}[200~{head}\r\n{tail}\r\u{1b}[201~\r"),
        &whole,
    );
    entered("MARKER-one\rMARKER-two\r", "MARKER-one\nMARKER-two");
}

#[test]
fn cancelling_gives_no_answer_and_the_terminal_back() {
    for key in ["\u{3}", "\u{4}"] {
        let mut screen = Screen::at("secret", "Token: ");
        screen.send(&format!("MARKER{key}MARKER\r"));
        let seen = screen.finish();
        assert!(seen.contains("<answer: Cancelled> <same>"), "{seen}");
        assert!(seen.contains(PASTE_OFF), "{seen}");
        assert!(!seen.contains("MARKER"), "{seen}");
    }
}

#[test]
fn a_question_is_withdrawn_or_interrupted_without_a_key() {
    for (task, answer) in [("stop", "Withdrawn"), ("interrupt", "Cancelled")] {
        let seen = Screen::at(task, "Token: ").finish();
        // The prompt's line is ended, so that the shell's prompt has its own.
        let ended = format!("{PASTE_OFF}\r\n<answer: {answer}> <same>");
        assert!(seen.contains(&ended), "{seen:?}");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_anything_is_unwound() {
    let seen = Screen::at("panic", "Token: ").finish();
    assert!(seen.contains("<hook: <same>>"), "{seen}");
    assert!(seen.contains(PASTE_OFF), "{seen}");
}

#[test]
fn a_notice_goes_above_the_prompt() {
    let mut screen = Screen::at("notice", "Token: ");
    screen.until("\r\u{1b}[Kfirst\r\nsecond\r\nToken: ");
    screen.send("MARKER\r");
    assert!(screen.finish().contains("<answer: 6 bytes"));
}

#[test]
fn a_confirmation_wants_a_clear_answer() {
    let mut screen = Screen::at("confirm", "Go on? [y/N] ");
    screen.send("maybe\r");
    screen.until("Answer y or n.");
    screen.until("Go on? [y/N] ");
    screen.send("nox\u{7f}\u{7f}\u{7f}yes\r");
    assert!(screen.finish().contains("<answer: Yes> <same>"));
    for (keys, answer) in [("\r", "No"), ("\u{4}", "Cancelled")] {
        let mut screen = Screen::at("confirm", "Go on? [y/N] ");
        screen.send(keys);
        let seen = screen.finish();
        assert!(
            seen.contains(&format!("<answer: {answer}> <same>")),
            "{seen}"
        );
    }
}

#[test]
fn a_pipe_answers_what_it_can() {
    let token = token(100_000);
    let mut far = far_end("pipe")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = far.stdin.take().unwrap();
    stdin.write_all(b"https://localhost/?code=1\r\n").unwrap();
    stdin.write_all(token.as_bytes()).unwrap();
    drop(stdin);
    let output = far.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = [
        r#"{"event":"exchanging"}"#.to_owned(),
        format!("<answer: {}>", summary("https://localhost/?code=1")),
        "<answer: NobodyThere>".to_owned(),
        "<answer: NobodyThere>".to_owned(),
        format!("<answer: {}>", summary(&token)),
        "<answer: NobodyThere>".to_owned(),
        r#"<answer: Failed("standard input is empty")>"#.to_owned(),
    ];
    assert!(stdout.contains(&expected.join("\n")), "{stdout}");
    assert!(stderr.contains("Warning: to the side"), "{stderr}");
    assert!(!stdout.contains("to the side"), "{stdout}");
}
