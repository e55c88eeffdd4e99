//! What every user of the machine, or whoever may look into the process, sees of it while it
//! works: its arguments and its environment, and those of its children.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};
use serde_json::Value;

use crate::support::{World, setup_token};

/// No token request of these tests is ever answered: the process is looked at while it waits.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// Arguments and environment of a process and of all that come from it, a line each.
fn visible(pid: u32) -> Vec<String> {
    let mut lines = Vec::new();
    for name in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let words = bytes
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty());
        lines.extend(words.map(|word| String::from_utf8_lossy(word).into_owned()));
    }
    for child in children(pid) {
        lines.extend(visible(child));
    }
    lines
}

fn children(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |child: &u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        // The name in parentheses may hold anything; after it come the state and the parent.
        let after = stat.rsplit_once(')')?.1;
        after.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    processes
        .filter(|child| parent(child) == Some(pid))
        .collect()
}

fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The secret values of the token request that has arrived.
fn sent(issuer: &Issuer) -> Vec<String> {
    let secret = ["code", "code_verifier", "refresh_token"];
    let request = until(|| issuer.token_requests().into_iter().next());
    let pairs = request.into_iter();
    pairs
        .filter(|(name, _)| secret.contains(&name.as_str()))
        .map(|(_, value)| value)
        .collect()
}

fn assert_hidden(lines: &[String], word: &str, secrets: &[String]) {
    assert!(lines.iter().any(|line| line == word), "{word} in {lines:?}");
    assert!(!secrets.is_empty());
    for secret in secrets {
        let shown = lines.iter().find(|line| line.contains(secret.as_str()));
        assert_eq!(shown, None, "shows {secret}");
    }
}

#[test]
fn a_planted_secret_is_seen() {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "/bin/sh -c 'read line' sh PLANTED-IN-A-CHILD; :"])
        .env("PLANTED", "PLANTED-IN-THE-ENVIRONMENT");
    let mut child = spawn(&mut command);
    let lines = until(|| {
        let lines = visible(child.id());
        lines
            .iter()
            .any(|line| line == "PLANTED-IN-A-CHILD")
            .then_some(lines)
    });
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("-IN-THE-ENVIRONMENT"))
    );
    // Both shells end with their input.
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn a_refresh_shows_no_secret() {
    for args in [
        &["models", "auth", "token", "--provider", "openai-codex"][..],
        &["models", "auth", "refresh", "--force"],
        &["tick", "--no-spread", "--json"],
        &["models", "auth", "exec", "--env", "X", "--", "/bin/true"],
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        issuer.set_delay(FOR_EVER);
        let (access, refresh) = world.seed(&issuer, "main", -10);
        let child = spawn(&mut world.command(args));
        let mut secrets = sent(&issuer);
        secrets.extend([access, refresh]);
        let lines = visible(child.id());
        end(child);
        assert_hidden(&lines, args[2], &secrets);
    }
}

/// A descriptor shows nothing. A variable is where the kernel shows it to the same user only, and
/// never among the arguments, which everybody sees.
#[test]
fn a_program_that_got_a_token_shows_it_in_no_argument() {
    for (place, shown) in [(&["--fd"][..], 0), (&["--env", "X"], 1)] {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, refresh) = world.seed(&issuer, "main", -10);
        let words = ["models", "auth", "exec"];
        let script = "echo ready; read -r line; : last";
        let program = ["--", "/bin/sh", "-c", script];
        let words = [&words[..], place, &program].concat();
        let mut child = spawn(&mut world.command(&words));
        let mut line = String::new();
        let output = child.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let mut lines = visible(child.id());
        end(child);
        let access = world.store()["profiles"]["openai-codex:default"]["access"].clone();
        let access = access.as_str().unwrap();
        let assigned = format!("X={access}");
        let count = lines.len();
        lines.retain(|line| *line != assigned);
        assert_eq!(count - lines.len(), shown, "{lines:?}");
        assert_hidden(&lines, script, &[access.to_owned(), refresh]);
    }
}

#[test]
fn what_is_pasted_is_not_shown() {
    let key = || "sk-ant-api03-MARKER-0123456789".to_owned();
    let to = "--provider anthropic";
    for (words, member, secret) in [
        (
            format!("models auth paste-token {to}"),
            "token",
            setup_token(),
        ),
        (format!("models auth paste-api-key {to}"), "key", key()),
        (
            "onboard --non-interactive --accept-risk --anthropic-api-key -".to_owned(),
            "key",
            key(),
        ),
    ] {
        let world = World::new();
        let args: Vec<&str> = words.split(' ').collect();
        let mut child = spawn(&mut world.command(&args));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(secret.as_bytes()).unwrap();
        let mut lines = visible(child.id());
        drop(stdin);
        while child.try_wait().unwrap().is_none() {
            lines.extend(visible(child.id()));
        }
        let store = world.store();
        let mut stored = store["profiles"].as_object().unwrap().values();
        assert_eq!(stored.next().unwrap()[member], secret);
        assert_hidden(&lines, args[2], &[secret]);
    }
}

/// In the place of the system's opener, a program that writes down what can be seen of it.
fn opener(world: &World) -> (PathBuf, PathBuf) {
    let directory = world.directory.path().join("bin");
    let seen = world.directory.path().join("seen");
    fs::create_dir(&directory).unwrap();
    let program = directory.join("xdg-open");
    let seen_now = seen.with_extension("part");
    let text = format!(
        "#!/bin/sh\n/bin/cat /proc/$$/cmdline /proc/$$/environ > {0}\n/bin/mv {0} {1}\n",
        seen_now.display(),
        seen.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    (directory, seen)
}

fn words(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let words = bytes.split(|byte| *byte == 0);
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The opener gets the URL, and with it `state` and `code_challenge`: both are useless without the
/// verifier, which leaves the process for the token endpoint alone.
#[test]
fn a_login_shows_what_opens_the_page_neither_its_url_nor_a_secret() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(FOR_EVER);
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    let (path, seen) = opener(&world);
    let mut command = world.command(&["models", "auth", "login", "--json"]);
    let mut child = spawn(command.env("PATH", path));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = until(|| {
        let line = lines.next().unwrap().unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        event["url"].as_str().map(str::to_owned)
    });
    let browser = until(|| seen.exists().then(|| words(&seen)));
    let page = {
        let url = url.clone();
        std::thread::spawn(move || visit(&url))
    };
    let mut secrets = sent(&issuer);
    assert_eq!(secrets.len(), 2, "code and verifier");
    secrets.extend([access, refresh]);
    let visible = visible(child.id());
    end(child);
    // The connection ends with the process.
    let _ = page.join().unwrap();
    assert_hidden(&visible, "login", &secrets);
    // By a one-time address: what finishes the login is in nobody's arguments.
    let url = url::Url::parse(&url).unwrap();
    let mut of_url = url.query_pairs();
    let state = of_url.find(|(name, _)| name == "state").unwrap().1;
    secrets.push(state.into_owned());
    let address = browser
        .iter()
        .find(|line| line.starts_with("http://127.0.0.1:"));
    assert_hidden(&browser, address.unwrap(), &secrets);
}
