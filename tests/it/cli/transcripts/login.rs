//! `models auth login`, as people see it and as programs do.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};

use super::Transcript;
use crate::support::login::Waiting;
use crate::support::{Ran, World, ran};

const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "openai-codex"];

/// Logs in at a prompt without a terminal; the browser is the test's. `then` gets the URL.
pub(super) fn at_a_prompt(world: &World, args: &[&str], then: impl FnOnce(&str)) -> Ran {
    driven(world.command(args), "http", then)
}

/// `then` gets the URL, once a line that begins so has been told.
pub(super) fn driven(mut command: Command, first: &str, then: impl FnOnce(&str)) -> Ran {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        seen.push_str(&line);
        if line.starts_with(first) {
            let url = seen.lines().find(|line| line.starts_with("http"));
            then(url.unwrap());
            break;
        }
        line.clear();
    }
    reader.read_to_string(&mut seen).unwrap();
    let mut ran = ran(child.wait_with_output().unwrap());
    ran.err = seen;
    ran
}

fn no_browser() -> Vec<&'static str> {
    let mut args = LOGIN.to_vec();
    args.push("--no-browser");
    args
}

/// A login in the browser, at a world made by `prepare`, and what can be seen of it.
fn scenario(name: &str, more: &[&str], prepare: impl FnOnce(&World, &Issuer)) {
    let (world, issuer) = World::with_issuer(Account::default());
    prepare(&world, &issuer);
    let mut args = no_browser();
    args.extend(more);
    let ran = at_a_prompt(&world, &args, |url| {
        visit(url).unwrap();
    });
    Transcript::of(&world).shows(&args, "", &ran).matches(name);
}

#[test]
fn a_login_succeeds() {
    scenario("login", &[], |_, _| ());
}

#[test]
fn a_login_over_ssh_shows_how_to_forward_the_port() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let mut command = world.command(&LOGIN);
    command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let ran = driven(command, "http", |url| {
        visit(url).unwrap();
    });
    Transcript::of(&world)
        .note("over SSH: no browser is opened")
        .shows(&LOGIN, "", &ran)
        .matches("login_remote");
}

#[test]
fn a_login_of_the_same_identity_replaces_the_old() {
    scenario("login_again", &[], |world, issuer| {
        world.seed(issuer, "main", 3_600);
    });
}

#[test]
fn a_login_does_not_take_the_name_of_another_identity() {
    let more = ["--profile-id", "openai-codex:work"];
    scenario("login_name_taken", &more, |world, issuer| {
        let id = "acct_2".to_owned();
        issuer.set_account(Account {
            id,
            ..Account::default()
        });
        let args = [&no_browser()[..], &more[..]].concat();
        at_a_prompt(world, &args, |url| {
            visit(url).unwrap();
        });
        issuer.set_account(Account::default());
    });
}

#[test]
fn a_person_who_refuses_ends_the_login() {
    scenario("login_access_denied", &[], |_, issuer| {
        issuer.refuse_consent("access_denied", "The user denied the request.");
    });
}

#[test]
fn a_refused_code_ends_the_login() {
    scenario("login_code_refused", &[], |_, issuer| {
        issuer.answer_next(Scripted {
            status: 400,
            body: r#"{"error":"invalid_grant","error_description":"code expired"}"#.to_owned(),
            ..Scripted::default()
        });
    });
}

#[test]
fn a_provider_in_trouble_at_the_exchange_is_told() {
    scenario("login_http_503", &[], |_, issuer| {
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
    });
    scenario("login_no_answer", &[], |_, issuer| {
        super::token::hang_up(issuer);
    });
}

#[test]
fn a_login_that_tells_no_account_is_stored_with_a_warning() {
    scenario("login_no_account", &[], |_, issuer| {
        issuer.answer_next(Scripted {
            status: 200,
            body: r#"{"access_token":"opaque","refresh_token":"opaque","expires_in":3600}"#
                .to_owned(),
            ..Scripted::default()
        });
    });
}

#[test]
fn a_login_that_cannot_be_stored_says_so() {
    scenario("login_storage", &[], |world, _| {
        world.block("agents/main");
    });
    let (world, _issuer) = World::with_issuer(Account::default());
    let args = no_browser();
    let ran = at_a_prompt(&world, &args, |url| {
        world.block("agents/main");
        visit(url).unwrap();
    });
    Transcript::of(&world)
        .note("the disk fails while the browser is open")
        .shows(&args, "", &ran)
        .matches("login_storage_late");
}

#[test]
fn a_login_sets_a_store_aside_that_is_no_json() {
    scenario("login_not_json", &[], |world, _| {
        world.write("agents/main/agent/auth-profiles.json", "{\"version\": 1,");
    });
}

#[test]
fn a_login_that_nobody_answers_times_out() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let mut args = no_browser();
    args.extend(["--timeout", "300ms"]);
    let ran = at_a_prompt(&world, &args, |_| ());
    Transcript::of(&world)
        .shows(&args, "", &ran)
        .matches("login_timeout");
}

#[test]
fn a_login_whose_port_is_taken_can_only_be_pasted() {
    let (world, issuer) = World::with_issuer(Account::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let manifest = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &manifest);
    Transcript::of(&world)
        .note("nobody can paste either: standard input is /dev/null")
        .run(&no_browser())
        .matches("login_port_in_use");
}

#[test]
fn a_provider_or_method_that_is_not_there_is_refused() {
    let world = World::new();
    let login = |provider| ["models", "auth", "login", "--provider", provider];
    let method = |method| {
        let mut args = LOGIN.to_vec();
        args.extend(["--method", method]);
        args
    };
    Transcript::of(&world)
        .run(&login("openai-codx"))
        .run(&login("nobody"))
        .run(&login("open ai/x"))
        .run(&method("password"))
        .run(&login("openai"))
        .run(&login("anthropic"))
        .run(&login("chutes"))
        .run(&login("ollama"))
        .run(&["models", "auth", "login", "--timeout", "soon"])
        .run(&["models", "auth", "login", "--profile-id", " "])
        .matches("login_nowhere");
}

#[test]
fn a_faulty_manifest_is_told_of_at_login() {
    let world = World::new();
    let transcript = Transcript::of(&world);
    let (_, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest();
    let cases = [
        ("an unknown key", manifest.replace("scopes", "scope")),
        (
            "no replaces = true",
            manifest.replace("replaces = true\n", ""),
        ),
        (
            "the id of another",
            manifest.replace("id = \"openai-codex\"", "id = \"other\""),
        ),
        ("no TOML", "{".to_owned()),
    ];
    let transcript = cases
        .into_iter()
        .fold(transcript, |transcript, (what, text)| {
            world.write("providers/openai-codex.toml", &text);
            transcript
                .note(&format!("providers/openai-codex.toml: {what}"))
                .run(&LOGIN)
        });
    transcript.matches("login_faulty_manifest");
}

#[test]
fn a_login_is_told_to_a_program_as_json() {
    let (world, issuer) = World::with_issuer(Account::default());
    let args = ["models", "auth", "login", "--json", "--no-browser"];
    let login = Waiting::start(&world, &[]);
    visit(&login.url).unwrap();
    let (ran, _) = login.finish();
    let transcript = Transcript::of(&world).shows(&args, "", &ran);
    issuer.refuse_consent("access_denied", "The user denied the request.");
    let login = Waiting::start(&world, &[]);
    visit(&login.url).unwrap();
    let (ran, _) = login.finish();
    transcript
        .note("and once more, refused in the browser")
        .shows(&args, "", &ran)
        .matches("login_json");
}

#[test]
fn a_paste_that_does_not_belong_is_not_used() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let mut login = Waiting::start(&world, &[]);
    let mut stdin = login.child.stdin.take().unwrap();
    let refusal = login.callback(&format!(
        "error=access_denied&error_description=No.&state={}",
        login.state()
    ));
    for line in [
        "https://example.com/",
        "nothing at all",
        "code=x&state=other",
        "abcdefghijklmnop",
        &refusal,
    ] {
        writeln!(stdin, "{line}").unwrap();
    }
    let (ran, _) = login.finish();
    let args = ["models", "auth", "login", "--json", "--no-browser"];
    Transcript::of(&world)
        .note("pasted: a URL, words, another state, a bare code, a refusal of this login")
        .shows(&args, "", &ran)
        .matches("login_paste");
}

/// A program that opens pages, which the test plays.
fn with_opener(world: &World, script: &str) -> Command {
    let opener = world.install("bin/xdg-open", &format!("#!/bin/sh\n{script}\n"));
    let mut command = world.command(&LOGIN);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", opener.parent().unwrap().display()),
    );
    command
}

#[test]
fn a_program_that_others_can_write_to_is_not_asked_to_open_the_page() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let mut command = with_opener(&world, "exit 0");
    // No other one.
    command.env("PATH", world.directory.path().join("bin"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(world.directory.path().join("bin"), mode).unwrap();
    let ran = driven(command, "could not open", |url| {
        visit(url).unwrap();
    });
    let transcript = Transcript::of(&world).shows(&LOGIN, "", &ran);
    transcript.matches("login_opener_refused");
}

/// By somebody who is not known to be the user whose login it is: root.
#[test]
#[ignore = "needs root"]
fn an_address_that_is_opened_twice_ends_the_login() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let noted = world.directory.path().join("noted");
    let script = format!("echo \"$1\" > {0}.part; mv {0}.part {0}", noted.display());
    let mut command = with_opener(&world, &script);
    let directory = world.directory.path();
    let given = Command::new("chown")
        .args(["-R", "54321:54321"])
        .arg(directory)
        .status();
    assert!(given.unwrap().success());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory, mode).unwrap();
    command.uid(54_321).gid(54_321);
    let ran = driven(command, "Waiting", |_| {
        let address = loop {
            match std::fs::read_to_string(&noted) {
                Ok(address) => break address,
                Err(_) => std::thread::yield_now(),
            }
        };
        let url = url::Url::parse(address.trim()).unwrap();
        for _ in 0..2 {
            let mut stream =
                std::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
            let host = format!("127.0.0.1:{}", url.port().unwrap());
            write!(
                stream,
                "GET {} HTTP/1.0\r\nHost: {host}\r\n\r\n",
                url.path()
            )
            .unwrap();
            stream.read_to_string(&mut String::new()).unwrap();
        }
    });
    let transcript = Transcript::of(&world).shows(&LOGIN, "", &ran);
    transcript.matches("login_opened_twice");
}

#[test]
fn a_login_shell_that_others_can_write_to_is_not_asked() {
    let world = World::new();
    let shell = world.install("bin/shell", "#!/bin/sh\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&shell, mode).unwrap();
    let args = ["models", "auth", "token", "--provider", "openai"];
    let mut command = world.command(&args);
    command
        .env("OPENCLAW_LOAD_SHELL_ENV", "1")
        .env("SHELL", &shell);
    let ran = ran(command.output().unwrap());
    let transcript = Transcript::of(&world).shows(&args, "", &ran);
    transcript.matches("token_shell_refused");
}
