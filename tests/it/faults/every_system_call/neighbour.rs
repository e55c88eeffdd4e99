//! A program that writes the documents without a lock while a command of ours stands still between
//! two system calls: once it adds a profile to what is there, once it writes back what was there
//! before the command began, with a profile of its own.

use serde_json::{Value, json};

use super::check::shape;
use super::commands::{Command, MAIN, PROFILE, TOKEN, WORK};
use super::strace::{self, Point};
use crate::support::World;
use crate::support::issuer::{Fate, Issuer};

const THEIRS: &str = "anthropic:theirs";

/// What the other program writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Adds,
    WritesBack,
}

/// Puts a document in place by a rename, with a profile more.
fn write(world: &World, before: &Value) {
    let mut document = before.clone();
    let theirs = json!({ "type": "token", "provider": "anthropic", "token": "theirs" });
    document["version"] = 1.into();
    document["profiles"][THEIRS] = theirs;
    world.write("agents/main/agent/theirs.tmp", &document.to_string());
    let place = world.state().join("agents/main/agent");
    std::fs::rename(place.join("theirs.tmp"), world.state().join(MAIN)).unwrap();
}

fn document(world: &World) -> Value {
    let text = std::fs::read_to_string(world.state().join(MAIN)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// One placement; what did not hold, or `None` if the command did not come there.
pub(super) fn place(command: &Command, point: &Point, kind: Kind) -> Option<Vec<String>> {
    let (world, issuer) = command.world();
    let before = document(&world);
    let done = strace::stop(&world, command, point, || match kind {
        Kind::Adds => write(&world, &document(&world)),
        Kind::WritesBack => write(&world, &before),
    })?;
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            let shape = shape(&world);
            wrong.push(format!(
                "{}, {kind:?} at {} number {}: {what}; it said {done:?}; {shape:?}",
                command.name, point.call, point.nth
            ));
        }
    };
    let is_told = done.err.contains("the new tokens are kept");
    check(done.code == Some(0) || is_told, "it fails");
    let has = |id: &str| document(&world)["profiles"][id].is_object();
    check(has(THEIRS), "what the other program added is lost");
    if command.spends {
        let next = world.run(&TOKEN);
        check(next.code == 0, &format!("the next command: {next:?}"));
        check(is_living(&world, &issuer), "the login is lost");
        if before_of(&world, WORK).is_object() {
            let work = world.run(&[&TOKEN[..], &["--agent", "work"]].concat());
            check(work.code == 0, &format!("the copy: {work:?}"));
        }
    }
    for id in stored(command, &done.out) {
        if !has(&id) {
            let status = world.run(&["models", "status"]).out;
            check(
                status.contains("models auth undo"),
                "nobody says that it is gone",
            );
            let undone = world.run(&["models", "auth", "undo", &id]);
            check(undone.code == 0 && has(&id), "what was stored is lost");
        }
    }
    let swept = world.run(&["models", "auth", "report", "anthropic:theirs", "--ok"]);
    check(swept.code == 0, &format!("the next write: {swept:?}"));
    check(has(THEIRS), "the next write loses what was added");
    let names = std::fs::read_dir(world.state().join("agents/main/agent")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.starts_with('.')).collect();
    check(left.is_empty(), &format!("{left:?} is left"));
    Some(wrong)
}

fn before_of(world: &World, path: &str) -> Value {
    let text = std::fs::read_to_string(world.state().join(path)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn is_living(world: &World, issuer: &Issuer) -> bool {
    let document = document(world);
    let refresh = document["profiles"][PROFILE]["refresh"].as_str();
    issuer.fate(refresh.unwrap_or_default()) == Fate::Living
}

/// The profiles that a command says it stored.
fn stored(command: &Command, out: &str) -> Vec<String> {
    if command.name == "login" {
        let events = out
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ids = events.filter_map(|event| Some(event["profileId"].as_str()?.to_owned()));
        return ids.collect();
    }
    let mut words = command.args.iter();
    let is_paste = command.args.contains(&"paste-token");
    let id = words
        .find(|word| **word == "--profile-id")
        .and_then(|_| words.next());
    id.filter(|_| is_paste)
        .map(|id| (*id).to_owned())
        .into_iter()
        .collect()
}
