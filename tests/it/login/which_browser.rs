//! Which program is asked to open the URL, what is said if none does, and what is said of requests
//! at the callback port that are not the answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::browser::visit;
use crate::support::issuer::Account;
use crate::support::{World, ran};

const LOGIN: [&str; 3] = ["models", "auth", "login"];

/// A program that writes its last argument to a file beside it and ends with `code`.
fn browser(world: &World, name: &str, code: u8) -> String {
    let path = world.directory.path().join(name);
    let script = format!(
        "#!/bin/sh\nfor last; do :; done\necho \"$last\" > \"$0.part\"\nmv \"$0.part\" \"$0.url\"\nexit {code}\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn wait_for(path: &str) -> String {
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) => return text.trim().to_owned(),
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[test]
fn the_browser_that_the_variable_names_is_opened() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let broken = browser(&world, "broken", 1);
    let own = browser(&world, "own", 0);
    let mut command = world.command(&LOGIN);
    // The first fails, and so does one that is not there.
    command.env(
        "BROWSER",
        format!("{broken}:/nowhere/browser:{own} --new-tab '%s'"),
    );
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped());
    let child = child.spawn().unwrap();
    let url = wait_for(&format!("{own}.url"));
    assert_eq!(wait_for(&format!("{broken}.url")), url);
    assert_eq!(visit(&url).unwrap().status, 200);
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.err.contains("could not open"), "{ended:?}");
}

/// As remote editors set it, for a browser on the machine that the user sits at.
#[test]
fn the_browser_that_the_variable_names_is_opened_on_a_remote_machine_too() {
    for (name, value) in [
        ("XDG_SESSION_TYPE", "tty"),
        ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"),
        ("CODESPACES", "true"),
    ] {
        let (world, _issuer) = World::with_issuer(Account::default());
        let own = browser(&world, "own", 0);
        let mut command = world.command(&LOGIN);
        command.env_remove("DISPLAY").env(name, value);
        command.env("BROWSER", &own);
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped());
        let child = child.spawn().unwrap();
        let url = wait_for(&format!("{own}.url"));
        assert_eq!(visit(&url).unwrap().status, 200);
        let ended = ran(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.err.contains("on another machine"), "{ended:?}");
    }
}

/// What the system opens pages with would show them to nobody.
#[test]
fn on_a_remote_machine_nothing_else_is_tried_if_the_named_browser_fails() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let broken = browser(&world, "broken", 1);
    let opener = browser(&world, "xdg-open", 0);
    let mut command = world.command(&LOGIN);
    command.env_remove("DISPLAY").env("BROWSER", &broken);
    let path = format!("{}:/usr/bin:/bin", world.directory.path().display());
    command.env("PATH", path);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    // Not before: a program that fails after the page was fetched has opened it.
    while !seen.contains("could not open a browser ($BROWSER failed); open the URL yourself") {
        assert!(told.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    let url = seen.lines().find(|line| line.starts_with("http")).unwrap();
    assert_eq!(visit(url).unwrap().status, 200);
    told.read_to_string(&mut seen).unwrap();
    assert!(child.wait().unwrap().success(), "{seen}");
    assert!(std::fs::exists(format!("{broken}.url")).unwrap());
    assert!(!std::fs::exists(format!("{opener}.url")).unwrap());
}

/// A login that is waiting: its process, the URL, and what it says from there on.
fn waiting(
    world: &World,
) -> (
    std::process::Child,
    String,
    BufReader<std::process::ChildStderr>,
) {
    let mut command = world.command(&LOGIN);
    // Nothing that could open a page.
    command.env("PATH", world.directory.path());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut url = String::new();
    while !url.starts_with("http") {
        url.clear();
        told.read_line(&mut url).unwrap();
    }
    (child, url.trim().to_owned(), told)
}

#[test]
fn without_a_browser_the_reason_is_in_words_and_the_url_is_not_repeated() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let (mut child, url, mut told) = waiting(&world);
    assert_eq!(visit(&url).unwrap().status, 200);
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    assert!(
        rest.contains("could not open a browser (no program"),
        "{rest}"
    );
    assert!(
        !rest.contains("unix_wait_status") && !rest.contains(&url),
        "{rest}"
    );
}

#[test]
fn a_request_that_is_not_the_answer_is_ignored_and_told_of_once() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let (mut child, url, mut told) = waiting(&world);
    let redirect = url::Url::parse(&url).unwrap();
    let redirect = redirect
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri");
    let port = url::Url::parse(&redirect.unwrap().1)
        .unwrap()
        .port()
        .unwrap();
    let knock = |host: &str| {
        let request = format!(
            "GET /auth/callback?error=access_denied HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    };
    for host in ["localhost", "localhost", "proxy.example"] {
        knock(host);
    }
    let mut seen = String::new();
    while seen
        .matches("ignored a request at the callback port")
        .count()
        < 2
    {
        assert!(told.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    assert!(seen.contains("it names another host"), "{seen}");
    assert_eq!(visit(&url).unwrap().status, 200);
    told.read_to_string(&mut seen).unwrap();
    assert!(child.wait().unwrap().success(), "{seen}");
    let count = seen
        .matches("ignored a request at the callback port")
        .count();
    assert_eq!(count, 2, "{seen}");
}
