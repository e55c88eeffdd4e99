//! The whole program at a real terminal: what a person types is not shown, whoever brings the code
//! first wins, and Ctrl-C stores nothing.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};
use rexpect::session::{PtySession, spawn_command};

use crate::login::browser::redirect;
use crate::support::World;

const LOGIN: [&str; 4] = ["models", "auth", "login", "--no-browser"];

pub(crate) fn at_terminal(world: &World, args: &[&str]) -> PtySession {
    session(world.command(args))
}

/// A command at a pseudo-terminal.
pub(crate) fn session(mut command: std::process::Command) -> PtySession {
    // The terminal is the pseudo-terminal's, not the null device that other tests give.
    command
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::inherit());
    spawn_command(command, Some(30_000)).unwrap()
}

pub(crate) fn ends_with(session: &PtySession, code: i32) {
    let status = session.process().wait().unwrap();
    // The type's own name is not exported; its text is `Exited(Pid(…), 130)`.
    let expected = format!(", {code})");
    assert!(format!("{status:?}").ends_with(&expected), "{status:?}");
}

fn cancelled(world: &World, args: &[&str], prompt: &str) {
    let mut session = at_terminal(world, args);
    session.exp_string(prompt).unwrap();
    session.send_control('c').unwrap();
    session
        .exp_string("Cancelled. Nothing was stored.")
        .unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
    assert!(!world.has_store());
}

/// Starts a login and reads up to the prompt: the session and the URL that it told.
fn login(world: &World) -> (PtySession, String) {
    let mut session = at_terminal(world, &LOGIN);
    let (_, url) = session.exp_regex(r"http://\S+").unwrap();
    session.exp_string("Or paste").unwrap();
    (session, url)
}

/// Sends text as a terminal that knows about pastes sends it, and Enter.
fn paste(session: &mut PtySession, text: &str) {
    session
        .send(&format!("\u{1b}[200~{text}\u{1b}[201~\r"))
        .unwrap();
    session.flush().unwrap();
}

/// Reads to the end and returns what was shown from here on.
fn rest(session: &mut PtySession) -> String {
    session.exp_eof().unwrap()
}

fn code_of(redirected: &str) -> String {
    let url = url::Url::parse(redirected).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap().1.into_owned()
}

fn stored(world: &World) -> usize {
    world.store()["profiles"].as_object().unwrap().len()
}

fn start() -> (World, Issuer) {
    World::with_issuer(Account::default())
}

#[test]
fn ctrl_c_at_the_prompt_for_a_token() {
    cancelled(
        &World::new(),
        &["models", "auth", "paste-token", "--provider", "anthropic"],
        "input is hidden",
    );
}

#[test]
fn a_login_where_there_are_only_keys_says_where_they_are_made_and_hides_one() {
    let world = World::new();
    let login = ["models", "auth", "login", "--provider", "openai"];
    cancelled(&world, &login, "input is hidden");
    let mut session = at_terminal(&world, &login);
    let page = "https://platform.openai.com/api-keys";
    session.exp_string(page).unwrap();
    session.exp_string("input is hidden").unwrap();
    paste(
        &mut session,
        "export OPENAI_API_KEY=\"sk-MARKER-0123456789\"",
    );
    let shown = rest(&mut session);
    ends_with(&session, 0);
    assert!(!shown.contains("MARKER"), "{shown}");
    let key = &world.store()["profiles"]["openai:manual"]["key"];
    assert_eq!(key, "sk-MARKER-0123456789");
}

#[test]
fn a_server_of_ones_own_needs_no_login_and_its_key_can_be_stored() {
    let world = World::new();
    let login = ["models", "auth", "login", "--provider"];
    for provider in ["ollama", "lmstudio", "vllm", "sglang"] {
        let ran = world.run(&[&login[..], &[provider]].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(" needs no login"), "{ran:?}");
        let paste = format!("models auth paste-api-key --provider {provider}");
        assert!(ran.err.contains(&paste), "{ran:?}");
    }
    let named = [&login[..], &["ollama", "--method", "api-key"]].concat();
    let ran = world.pipe(&named, "a-key-of-0123456789");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(stored(&world), 1);
}

#[test]
fn a_terminal_without_a_cursor_gets_no_control_sequence_at_a_hidden_prompt() {
    let (world, _issuer) = start();
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    for (args, prompt) in [(&paste[..], "input is hidden): "), (&LOGIN, "here: ")] {
        let mut command = world.command(args);
        command
            .env("TERM", "dumb")
            .env_remove("NO_COLOR")
            .stdin(std::process::Stdio::inherit());
        let mut session = spawn_command(command, Some(30_000)).unwrap();
        let before = session.exp_string(prompt).unwrap();
        // Not accepted: told above the prompt, which is shown again.
        session.send_line("no-token").unwrap();
        session.send_control('c').unwrap();
        let after = session.exp_eof().unwrap();
        assert!(!(before + &after).contains('\u{1b}'), "{after:?}");
    }
}

#[test]
fn ctrl_c_while_a_login_waits() {
    let (world, issuer) = start();
    cancelled(&world, &LOGIN, "Or paste");
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
fn a_pasted_address_wins_and_is_not_shown() {
    let (world, issuer) = start();
    let (mut session, url) = login(&world);
    let redirected = redirect(&issuer, &url);
    paste(&mut session, &redirected);
    let shown = rest(&mut session);
    ends_with(&session, 0);
    assert!(shown.contains("Saved profile"), "{shown}");
    assert!(!shown.contains(&code_of(&redirected)), "{shown}");
    assert_eq!(stored(&world), 1);
}

#[test]
fn a_callback_wins_and_the_prompt_goes_away() {
    let (world, _issuer) = start();
    let (mut session, url) = login(&world);
    assert_eq!(visit(&url).unwrap().status, 200);
    let shown = rest(&mut session);
    ends_with(&session, 0);
    assert!(shown.contains("Saved profile"), "{shown}");
    assert_eq!(stored(&world), 1);
}

#[test]
fn an_address_of_another_login_is_not_used_and_the_wait_goes_on() {
    let (world, issuer) = start();
    let (mut session, url) = login(&world);
    let redirected = redirect(&issuer, &url);
    let state = redirected.split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap();
    paste(&mut session, &redirected.replace(state, "of-another-login"));
    session.exp_string("not accepted").unwrap();
    session.exp_string("Or paste").unwrap();
    assert_eq!(issuer.token_requests().len(), 0);
    paste(&mut session, &redirected);
    let shown = rest(&mut session);
    ends_with(&session, 0);
    assert!(shown.contains("Saved profile"), "{shown}");
}

#[test]
fn a_bare_code_is_used_only_after_a_yes() {
    let (world, issuer) = start();
    let (mut session, url) = login(&world);
    let code = code_of(&redirect(&issuer, &url));
    paste(&mut session, &code);
    session.exp_string("may belong to another login").unwrap();
    session.send("n").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    session.exp_string("Or paste").unwrap();
    assert_eq!(issuer.token_requests().len(), 0);
    paste(&mut session, &code);
    session.exp_string("may belong to another login").unwrap();
    session.send("y").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    let shown = rest(&mut session);
    ends_with(&session, 0);
    assert!(shown.contains("Saved profile"), "{shown}");
    assert_eq!(stored(&world), 1);
}
