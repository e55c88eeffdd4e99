//! A login that is under way belongs to this user: no other finishes it, sees the address that
//! could, or gets the redirect.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};
use crate::support::login::Waiting;
use crate::support::users::{ATTACKER, VICTIM, give, set_mode};
use crate::support::{Ran, World, ran};

/// Notes its arguments beside itself.
const OPENER: &str = "#!/bin/sh\necho \"$*\" > \"$0.part\"\n/bin/mv \"$0.part\" \"$0.url\"\n";

/// The address that the program of the test was handed.
fn handed_to(opener: &Path) -> String {
    let noted = format!("{}.url", opener.display());
    loop {
        match std::fs::read_to_string(&noted) {
            Ok(text) => return text.trim().to_owned(),
            Err(_) => std::thread::yield_now(),
        }
    }
}

/// A login whose page is opened by a program of the test, and the address that this was handed.
fn opened() -> (World, Issuer, Waiting, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    let opener = world.install("bin/xdg-open", OPENER);
    let mut command = world.command(&["models", "auth", "login", "--json"]);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", opener.parent().unwrap().display()),
    );
    let login = Waiting::of(command);
    let address = handed_to(&opener);
    (world, issuer, login, address)
}

#[test]
fn what_opens_the_page_is_handed_no_state_and_no_challenge() {
    let (_world, _issuer, login, address) = opened();
    let url = url::Url::parse(&address).unwrap();
    assert_eq!((url.scheme(), url.host_str()), ("http", Some("127.0.0.1")));
    assert_eq!((url.path().len(), url.query()), (44, None));
    assert!(!address.contains(&login.state()));
    assert_eq!(visit(&address).unwrap().status, 200);
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Where one opener failed and its browser was slow, the next one opens the page as well.
#[cfg(target_os = "linux")]
#[test]
fn a_second_visit_of_this_user_is_refused_and_the_login_waits_on() {
    let (_world, _issuer, login, address) = opened();
    assert!(get(&address).starts_with("HTTP/1.1 303"));
    assert!(get(&address).starts_with("HTTP/1.1 410"));
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Not known to be this user's: that of root, who is not refused.
#[test]
#[ignore = "needs root"]
fn a_second_visit_at_the_address_ends_the_login() {
    let (world, issuer, login, address) = opened_by_victim();
    assert!(get(&address).starts_with("HTTP/1.1 303"));
    assert!(get(&address).starts_with("HTTP/1.1 410"));
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended
            .err
            .contains("was opened twice, so somebody else may have seen"),
        "{ended:?}"
    );
    assert!(issuer.token_requests().is_empty());
    assert!(!world.has_store());
}

/// What an address answers, without following it.
fn get(address: &str) -> String {
    let url = url::Url::parse(address).unwrap();
    let port = url.port().unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "GET {} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        url.path()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::io::read_to_string(stream).unwrap()
}

#[test]
#[ignore = "needs root"]
fn a_second_visit_at_the_page_of_a_plugin_ends_its_login() {
    let world = World::new();
    let opener = world.install("bin/xdg-open", OPENER);
    let plugin = "#!/bin/sh\nIFS= read -r line\n\
        echo '{\"type\":\"hello\",\"protocol\":1,\"name\":\"Acme\",\"requests\":[\"login\"]}'\n\
        IFS= read -r line\n\
        echo '{\"type\":\"notice\",\"text\":\"Log in\",\"url\":\"https://acme.example/?u=MARKER\"}'\n\
        IFS= read -r line\n";
    world.install("bin/openclaw-auth-acme", plugin);
    hand_over(&world, VICTIM);
    let mut command = world.command(&["models", "auth", "login", "--provider", "acme"]);
    of(VICTIM, &mut command);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", opener.parent().unwrap().display()),
    );
    let login = command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address = handed_to(&opener);
    assert!(!address.contains("MARKER"), "{address}");
    let first = get(&address);
    assert!(
        first.contains("Location: https://acme.example/?u=MARKER"),
        "{first}"
    );
    assert!(get(&address).starts_with("HTTP/1.1 410"));
    let ended = ran(login.wait_with_output().unwrap());
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(words(&ended.err).contains("was opened twice"), "{ended:?}");
}

/// Its answer would reach nobody.
#[test]
fn no_browser_is_opened_where_neither_port_nor_terminal_takes_its_answer() {
    let (world, issuer) = World::with_issuer(Account::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let manifest = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &manifest);
    let opener = world.install("bin/xdg-open", OPENER);
    let mut command = world.command(&["models", "auth", "login", "--method", "oauth"]);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", opener.parent().unwrap().display()),
    );
    let ended = ran(command.output().unwrap());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        words(&ended.err).contains("no way to receive the code"),
        "{ended:?}"
    );
    assert!(!Path::new(&format!("{}.url", opener.display())).exists());
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Everybody may go through the directory of the test, and what lies there is one user's.
fn hand_over(world: &World, user: u32) {
    give(world.directory.path(), user);
    set_mode(world.directory.path(), 0o755);
}

/// The same as [`opened`], of the victim.
fn opened_by_victim() -> (World, Issuer, Waiting, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    let opener = world.install("bin/xdg-open", OPENER);
    hand_over(&world, VICTIM);
    let mut command = world.command(&["models", "auth", "login", "--json"]);
    command.env("PATH", opener.parent().unwrap());
    of(VICTIM, &mut command);
    let login = Waiting::of(command);
    let address = handed_to(&opener);
    (world, issuer, login, address)
}

fn of(user: u32, command: &mut Command) -> &mut Command {
    command.uid(user).gid(user)
}

/// What a user gets from a port of this machine. The shell keeps the connection open meanwhile.
fn asked_by(user: u32, port: u16, request: &str) -> String {
    let script = "exec 3<>/dev/tcp/127.0.0.1/$0 && printf '%s' \"$1\" >&3 && cat <&3";
    let mut client = Command::new("/bin/bash");
    client.args(["-c", script, &port.to_string(), request]);
    ran(of(user, &mut client).output().unwrap()).out
}

fn login_of(user: u32, world: &World, more: &[&str]) -> Command {
    let mut command =
        world.command(&[&["models", "auth", "login", "--json", "--no-browser"], more].concat());
    of(user, &mut command);
    command
}

#[test]
#[ignore = "needs root"]
fn the_code_of_another_user_is_refused_and_the_login_waits_on() {
    let (world, issuer) = World::with_issuer(Account::default());
    hand_over(&world, VICTIM);
    let login = Waiting::of(login_of(VICTIM, &world, &[]));
    let callback = login.callback(&format!("code=ATTACKER&state={}", login.state()));
    let url = url::Url::parse(&callback).unwrap();
    let port = url.port().unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    let answer = asked_by(ATTACKER, port, &request);
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(issuer.token_requests().is_empty());
    // The browser of the user, and one of root.
    let wrong = request
        .replace("ATTACKER", "x")
        .replace(&login.state(), "wrong");
    let answer = asked_by(VICTIM, port, &wrong);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("another user of this machine")
            || ended.err.contains("another user of this machine"),
        "{ended:?}"
    );
}

/// One that has left before anybody looks is shown as root's.
#[test]
#[ignore = "needs root"]
fn the_code_of_another_user_who_does_not_wait_for_an_answer_is_refused() {
    let (world, issuer) = World::with_issuer(Account::default());
    hand_over(&world, VICTIM);
    let login = Waiting::of(login_of(VICTIM, &world, &[]));
    let callback = login.callback(&format!("code=ATTACKER&state={}", login.state()));
    let url = url::Url::parse(&callback).unwrap();
    let (port, target) = (
        url.port().unwrap(),
        format!("{}?{}", url.path(), url.query().unwrap()),
    );
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do \
        exec 3<>/dev/tcp/127.0.0.1/$0; printf '%s' \"$1\" >&3; exec 3>&-; done";
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    let mut client = Command::new("/bin/bash");
    client.args(["-c", script, &port.to_string(), &request]);
    assert!(of(ATTACKER, &mut client).status().unwrap().success());
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs root"]
fn the_address_that_a_browser_is_given_is_of_no_use_to_another_user() {
    let (_world, _issuer, login, address) = opened_by_victim();
    let url = url::Url::parse(&address).unwrap();
    let port = url.port().unwrap();
    let host = format!("Host: 127.0.0.1:{port}");
    let request = format!("GET {} HTTP/1.1\r\n{host}\r\n\r\n", url.path());
    for _ in 0..2 {
        let answer = asked_by(ATTACKER, port, &request);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(!answer.contains(&login.state()), "{answer}");
    }
    assert_eq!(visit(&address).unwrap().status, 200);
    let (ended, _) = login.finish();
    assert_eq!(ended.code, 0, "{ended:?}");
    let all = words(&format!("{} {}", ended.out, ended.err));
    let warned = "asked for the address that your browser was given, and was refused";
    assert!(all.contains(warned), "{ended:?}");
}

#[test]
#[ignore = "needs root"]
fn a_port_of_another_user_is_not_where_the_browser_is_sent() {
    let (squatter, _issuer) = World::with_issuer(Account::default());
    hand_over(&squatter, ATTACKER);
    let held = Waiting::of(login_of(ATTACKER, &squatter, &[]));
    let port = url::Url::parse(&held.callback("")).unwrap().port().unwrap();

    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    assert!(manifest.contains(&format!("[{port}]")), "{manifest}");
    world.write("providers/openai-codex.toml", &manifest);
    let opener = world.install("bin/xdg-open", OPENER);
    hand_over(&world, VICTIM);
    let mut command = world.command(&["models", "auth", "login", "--method", "oauth"]);
    command
        .env("PATH", opener.parent().unwrap())
        .stdin(Stdio::null());
    let ended: Ran = ran(of(VICTIM, &mut command).output().unwrap());
    assert_eq!(ended.code, 1, "{ended:?}");
    let told = format!(
        "port {port}: Address already in use (os error 98), used by another user (uid {ATTACKER})"
    );
    assert!(words(&ended.err).contains(&told), "{ended:?}");
    assert!(!Path::new(&format!("{}.url", opener.display())).exists());
    let mut held = held;
    held.child.kill().unwrap();
    held.child.wait().unwrap();
}
