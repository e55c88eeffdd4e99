//! A login of which nothing tells whose it is: at a terminal it is stored only after a yes, and a no
//! loses nothing.

use rexpect::session::PtySession;

use super::at_a_terminal::{at_terminal, ends_with};
use crate::support::World;
use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};

const QUESTION: &str = "did not say whose account this is. Did you just log in there?";

/// A login whose provider names no account, up to the question.
fn asked(
    world: &World,
    issuer: &Issuer,
    more: &[&str],
) -> (PtySession, std::thread::JoinHandle<()>) {
    issuer.answer_next(Scripted {
        status: 200,
        body: r#"{"access_token":"opaque","refresh_token":"opaque-2","expires_in":3600}"#
            .to_owned(),
        ..Scripted::default()
    });
    let login = ["models", "auth", "login", "--no-browser"];
    let mut session = at_terminal(world, &[&login[..], more].concat());
    let (_, url) = session.exp_regex(r"http://\S+").unwrap();
    session.exp_string("Or paste").unwrap();
    // The page comes after the answer.
    let browser = std::thread::spawn(move || drop(visit(&url)));
    (session, browser)
}

fn say(session: &mut PtySession, word: &str) {
    session.exp_string("Did you just log in there?").unwrap();
    session.send(word).unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
}

fn profiles(world: &World) -> usize {
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    match document.exists() {
        true => world.store()["profiles"].as_object().unwrap().len(),
        false => 0,
    }
}

fn answers(world: &World, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(world.state().join("rescue")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|other| other == ending))
        .collect()
}

#[test]
fn after_a_yes_it_is_stored() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &[]);
    say(&mut session, "y");
    session.exp_string("Saved profile").unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 0);
    browser.join().unwrap();
    assert_eq!(profiles(&world), 1);
}

#[test]
fn after_a_no_no_command_stores_it_and_it_is_not_lost() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &[]);
    say(&mut session, "n");
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 1);
    browser.join().unwrap();
    assert!(
        shown.contains("you answered no; the login was not stored"),
        "{shown}"
    );
    assert!(shown.contains("if it was yours after all: mv"), "{shown}");
    assert_eq!(world.run(&["models", "auth", "list"]).code, 0);
    assert_eq!(profiles(&world), 0);
    let aside = answers(&world, "declined");
    assert_eq!((aside.len(), answers(&world, "login").len()), (1, 0));
    // What the message says.
    std::fs::rename(&aside[0], aside[0].with_extension("login")).unwrap();
    let list = world.run(&["models", "auth", "list"]);
    assert_eq!(list.code, 0, "{list:?}");
    assert_eq!(profiles(&world), 1);
    assert_eq!(world.only_profile()["refresh"], "opaque-2");
}

#[test]
fn with_yes_nobody_is_asked() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &["--yes"]);
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 0);
    browser.join().unwrap();
    assert!(!shown.contains(QUESTION), "{shown}");
    assert_eq!(profiles(&world), 1);
}

/// Names what is kept, stores nothing, and tells how it is stored; that is done then.
fn is_kept_until_it_is_confirmed(world: &World) {
    let list = world.run(&["models", "auth", "list"]);
    assert_eq!(list.code, 0, "{list:?}");
    assert_eq!(profiles(world), 0);
    let [path] = answers(world, "unconfirmed").try_into().unwrap();
    let name = path.display().to_string();
    assert!(
        list.err.contains("nobody said that it is theirs"),
        "{list:?}"
    );
    assert!(list.err.contains(&format!("mv {name} ")), "{list:?}");
    for command in [&["doctor"][..], &["models", "status"]] {
        let ran = world.run(command);
        assert!(ran.out.contains("a login that nobody confirmed"), "{ran:?}");
    }
    assert_eq!(profiles(world), 0);
    let (_, told) = list.err.split_once("if it was yours after all: ").unwrap();
    let (told, _) = told.split_once(" && openclaw").unwrap();
    let done = std::process::Command::new("sh").args(["-c", told]).status();
    assert!(done.unwrap().success(), "{told}");
    let list = world.run(&["models", "auth", "list"]);
    assert_eq!(list.code, 0, "{list:?}");
    assert_eq!(profiles(world), 1, "{list:?}");
    assert_eq!(world.only_profile()["refresh"], "opaque-2");
    assert_eq!(answers(world, "login").len(), 0);
}

#[test]
fn a_kill_at_the_question_passes_for_no_answer() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &[]);
    session.exp_string("Did you just log in there?").unwrap();
    let process = session.process_mut();
    process.kill("SIGKILL".parse().unwrap()).unwrap();
    drop(session);
    browser.join().unwrap();
    is_kept_until_it_is_confirmed(&world);
}

#[test]
fn ctrl_c_at_the_question_is_no_answer() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &[]);
    session.exp_string("Did you just log in there?").unwrap();
    session.send_control('c').unwrap();
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 130);
    browser.join().unwrap();
    assert!(shown.contains("tokens is kept in"), "{shown}");
    is_kept_until_it_is_confirmed(&world);
}

#[test]
fn what_cannot_be_set_aside_after_a_no_is_stored_by_no_command() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (mut session, browser) = asked(&world, &issuer, &[]);
    session.exp_string("Did you just log in there?").unwrap();
    let [path] = answers(&world, "unconfirmed").try_into().unwrap();
    std::fs::create_dir(path.with_extension("declined")).unwrap();
    session.send("n\r").unwrap();
    session.flush().unwrap();
    let shown = session.exp_eof().unwrap();
    ends_with(&session, 1);
    browser.join().unwrap();
    assert!(shown.contains("under its old name"), "{shown}");
    is_kept_until_it_is_confirmed(&world);
}
