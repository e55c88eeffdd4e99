//! On a machine that is reached by SSH callback, paste and device code are offered together; the
//! first wins, and the others leave nothing behind.

use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::support::browser::visit;
use crate::support::issuer::{Account, Codes, Issuer, Reply};
use rexpect::session::{PtySession, spawn_command};
use serde_json::Value;

use super::{by_ssh, never, world};
use crate::login::browser::redirect;
use crate::support::login::Waiting;
use crate::support::{Ran, World};

const LOGIN: [&str; 3] = ["models", "auth", "login"];

/// What leaves bracketed paste mode.
const PASTE_OFF: &str = "\u{1b}[?2004l";

/// A login at the terminal of a shell, which tells afterwards how it ended, and whether the terminal
/// is as it was.
fn at_a_shell(world: &World, args: &[&str]) -> PtySession {
    let script = r#"stty echo; before=$(stty -g)
"$@"
echo "<exit $?>"; [ "$(stty -g)" = "$before" ] && echo "<terminal as before>""#;
    let mut shell = world.command(args);
    by_ssh(&mut shell);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script, "sh", crate::support::program()])
        .args(args)
        .env_clear()
        .envs(
            shell
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .current_dir(world.directory.path())
        .stdin(Stdio::inherit());
    spawn_command(command, Some(60_000)).unwrap()
}

#[test]
fn the_wizard_offers_every_method_together_too() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    let mut session = at_a_shell(&world, &["models", "auth", "add"]);
    session.exp_string("type to search").unwrap();
    for (keys, shown) in [
        ("openai-codex", "> OpenAI Codex"),
        ("\r", "How do you want to log in to"),
        ("\r", "Open this URL"),
    ] {
        session.send(keys).unwrap();
        session.flush().unwrap();
        session.exp_string(shown).unwrap();
    }
    let (_, url) = session.exp_regex(r"http://\S+").unwrap();
    session.exp_string("WDJB-MJHT").unwrap();
    visit(&url).unwrap();
    session.exp_string("<exit 0>").unwrap();
    session.exp_string("<terminal as before>").unwrap();
}

/// Everything is offered: the session, the URL, and the port of the callback.
fn offered(world: &World) -> (PtySession, String, u16) {
    let mut session = at_a_shell(world, &LOGIN);
    let (_, url) = session.exp_regex(r"http://\S+").unwrap();
    let (_, line) = session
        .exp_regex(r"ssh -L \d+:127.0.0.1:\d+ me@192.0.2.2\r\n")
        .unwrap();
    let port = line.split([' ', ':']).nth(2).unwrap().parse().unwrap();
    // Whichever came first, the prompt stands below the code.
    session.exp_string("WDJB-MJHT").unwrap();
    session
        .exp_string("Or paste the redirect URL or code here: ")
        .unwrap();
    (session, url, port)
}

/// Nothing is left of the login but what it stored.
fn is_clean(mut session: PtySession, world: &World, port: u16) -> String {
    let seen = session.exp_eof().unwrap();
    assert!(
        seen.contains("Saved profile openai-codex:me@example.com"),
        "{seen}"
    );
    assert!(seen.contains(PASTE_OFF), "{seen:?}");
    assert!(
        seen.contains("<exit 0>\r\n<terminal as before>"),
        "{seen:?}"
    );
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
    seen
}

#[test]
fn the_callback_wins() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    let (session, url, port) = offered(&world);
    assert_eq!(visit(&url).unwrap().status, 200);
    is_clean(session, &world, port);
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn the_paste_wins() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    let (mut session, url, port) = offered(&world);
    let redirected = redirect(&issuer, &url);
    session
        .send(&format!("\u{1b}[200~{redirected}\u{1b}[201~\r"))
        .unwrap();
    session.flush().unwrap();
    let seen = is_clean(session, &world, port);
    assert!(!seen.contains("code="), "{seen}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn the_device_code_wins() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(Codes {
        replies: vec![Reply::Pending; 2],
        ..Codes::default()
    });
    let (session, _, port) = offered(&world);
    is_clean(session, &world, port);
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(issuer.polled_too_fast(), 0);
}

/// A login that is told as events, with nobody to paste.
fn told(world: &World, more: &[&str], with: impl FnOnce(&mut Command) -> &mut Command) -> Waiting {
    let mut args = LOGIN.to_vec();
    args.push("--json");
    args.extend(more);
    let mut command = world.command(&args);
    with(&mut command);
    Waiting::of(command)
}

fn event<'a>(events: &'a [Value], name: &str) -> Option<&'a Value> {
    events.iter().find(|event| event["event"] == name)
}

fn asked_for_a_code(issuer: &Issuer) -> bool {
    !issuer.device_requests().is_empty()
}

#[test]
fn codes_that_are_switched_off_bar_one_way_alone() {
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(Codes {
        switched_off: true,
        ..Codes::default()
    });
    let mut login = told(&world, &[], |command| by_ssh(command));
    let (warning, _) = login.until("warning");
    let text = warning["message"].as_str().unwrap();
    assert!(text.contains("device codes are disabled"), "{text}");
    assert!(text.contains("ChatGPT security settings"), "{text}");
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(event(&events, "saved").is_some(), "{events:?}");
}

#[test]
fn who_refuses_on_the_page_of_the_code_has_refused_the_login() {
    let (world, issuer) = custom(Codes {
        replies: vec![Reply::Denied],
        ..Codes::default()
    });
    let (ran, events) = told(&world, &[], |command| by_ssh(command)).finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(events.last().unwrap()["code"], "access_denied");
    assert_eq!(issuer.token_requests().len(), 1, "the one poll");
    let store = world.state().join("agents/main/agent/auth-profiles.json");
    assert!(!store.exists());
}

/// A provider with a browser and an RFC 8628 flow.
fn custom(codes: Codes) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(crate::support::issuer::Account::default());
    issuer.set_device_codes(codes);
    let url = issuer.url();
    let manifest = issuer
        .manifest()
        .replace(
            "[client]\n",
            &format!("[client]\ndevice = \"{url}/oauth/device/code\"\n"),
        )
        .replace(
            "[account]",
            "[[flow]]\nkind = \"device\"\nhosts = [\"127.0.0.1\"]\n\n[account]",
        );
    world.write("providers/openai-codex.toml", &manifest);
    (world, issuer)
}

#[test]
fn an_expired_code_bars_one_way_alone() {
    let (world, _issuer) = custom(Codes {
        replies: vec![Reply::Expired],
        ..Codes::default()
    });
    let mut login = told(&world, &[], |command| by_ssh(command));
    let (warning, _) = login.until("warning");
    let text = warning["message"].as_str().unwrap();
    assert!(text.contains("the code expired"), "{text}");
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn at_a_display_there_is_no_device_code_unless_no_port_can_be_had() {
    let (world, issuer) = world("openai-codex");
    let login = told(&world, &["--no-browser"], |command| command);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    assert!(!asked_for_a_code(&issuer));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let path = "providers/openai-codex.toml";
    let manifest = world
        .read(path)
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write(path, &manifest);
    let (ran, events) = told(&world, &["--no-browser"], |command| command).finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let warning = event(&events, "warning").unwrap()["message"]
        .as_str()
        .unwrap();
    assert!(warning.contains(&format!("port {port}")), "{warning}");
    assert!(event(&events, "device_code").is_some(), "{events:?}");
}

#[test]
fn whoever_names_a_method_gets_that_one_alone() {
    let (world, issuer) = world("openai-codex");
    let login = told(&world, &["--method", "oauth"], |command| by_ssh(command));
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!asked_for_a_code(&issuer));
}

#[test]
fn a_container_and_a_machine_without_a_display_are_remote_and_know_no_ssh_line() {
    let mut variables: Vec<&[(&str, &str)]> = vec![
        &[("REMOTE_CONTAINERS", "1"), ("DISPLAY", ":0")],
        &[("CODESPACES", "true"), ("DISPLAY", ":0")],
    ];
    if cfg!(target_os = "linux") {
        variables.push(&[]);
    }
    for set in variables {
        let (world, issuer) = world("openai-codex");
        issuer.set_device_codes(never());
        let mut login = told(&world, &[], |command| {
            command.env_remove("DISPLAY").envs(set.iter().copied())
        });
        let (_, url) = login.until("device_code");
        assert_eq!(url["remote"], true, "{set:?}");
        assert_eq!(url["sshForward"], Value::Null, "{set:?}");
        assert_eq!(visit(&login.url).unwrap().status, 200);
        assert_eq!(login.finish().0.code, 0);
    }
}

#[test]
fn the_ssh_line_is_exact() {
    let table = [
        (
            "192.0.2.1 5 192.0.2.2 22",
            "ssh -L PORT:127.0.0.1:PORT me@192.0.2.2",
        ),
        (
            "192.0.2.1 5 192.0.2.2 2222",
            "ssh -p 2222 -L PORT:127.0.0.1:PORT me@192.0.2.2",
        ),
        (
            "2001:db8::1 5 2001:db8::2 22",
            "ssh -L PORT:127.0.0.1:PORT me@2001:db8::2",
        ),
    ];
    let (world, issuer) = world("openai-codex");
    issuer.set_device_codes(never());
    for (connection, expected) in table {
        let mut login = told(&world, &[], |command| {
            by_ssh(command).env("SSH_CONNECTION", connection)
        });
        let (_, url) = login.until("waiting");
        let port = url["port"].as_u64().unwrap().to_string();
        assert_eq!(url["sshForward"], expected.replace("PORT", &port));
        assert_eq!(visit(&login.url).unwrap().status, 200);
        let Ran { code, .. } = login.finish().0;
        assert_eq!(code, 0);
    }
}

/// The device code is asked for at a server that takes the connection and never answers.
#[test]
fn a_login_that_is_stored_waits_for_no_other_way_in() {
    let (world, issuer) = World::with_issuer(Account::default());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let device = format!("http://{}/device", silent.local_addr().unwrap());
    let manifest = issuer.manifest();
    let manifest = manifest.replace("[client]", &format!("[client]\ndevice = \"{device}\""));
    let manifest = manifest.replace("[account]", "[[flow]]\nkind = \"device\"\n\n[account]");
    world.write("providers/openai-codex.toml", &manifest);
    let args = ["models", "auth", "login", "--json", "--no-browser"];
    let mut command = world.command(&args);
    by_ssh(&mut command);
    let login = Waiting::of(command);
    let (_held, _) = silent.accept().unwrap();
    visit(&login.url).unwrap();
    let stored = std::time::Instant::now();
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(events.last().unwrap()["event"], "saved");
    // The request is given up after half a minute.
    assert!(stored.elapsed() < std::time::Duration::from_secs(20));
}
