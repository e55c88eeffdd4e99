//! Every recorded answer of two releases of OpenClaw beside ours: exit code, document key by key,
//! and what became of `openclaw.json`. Where ours differs, `same_answers/exceptions.txt` says so,
//! and `docs/compatibility.md` says why.

mod compare;
mod exceptions;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::support::recorded::{moved, questions, recording_of, stores, world};
use crate::support::{World, ran};

use compare::{Difference, differences};
/// The two releases, the first of which is the reference.
const RELEASES: [&str; 2] = ["feb", "may"];

fn parsed(text: &str) -> Value {
    jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).unwrap()
}

/// An answer as one document: how it ended, what it printed for scripts, what it wrote.
fn answer(exit: i64, document: Option<Value>, plain: Option<&str>, config: Option<&str>) -> Value {
    let mut answer = Map::new();
    answer.insert("exit".into(), json!(exit));
    if let Some(document) = document {
        answer.insert("json".into(), document);
    }
    if let Some(plain) = plain {
        let lines: Vec<&str> = plain.lines().collect();
        answer.insert("plain".into(), json!(lines));
    }
    if let Some(text) = config {
        let mut config = parsed(text);
        for moment in config["meta"].as_object_mut().into_iter().flatten() {
            *moment.1 = json!("…");
        }
        answer.insert("config".into(), config);
    }
    Value::Object(answer)
}

fn theirs(recording: &Value, shift: i64) -> Value {
    let changed = &recording["files_changed"]["openclaw.json"]["text"];
    answer(
        recording["exit"].as_i64().unwrap(),
        recording.get("json").map(|tree| moved(tree, shift)),
        recording["plain"].as_str(),
        changed.as_str(),
    )
}

/// What ours does in the same place, with places written as the recordings write them.
fn ours(world: &World, env: &[(String, String)], recording: &Value) -> Value {
    let command = recording["command"].as_str().unwrap();
    let base = world.directory.path().display().to_string();
    let words = command.split_whitespace().skip(1);
    let words: Vec<String> = words
        .map(|word| match word {
            "WS" => format!("{base}/ws"),
            word => word.to_owned(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let config = || std::fs::read_to_string(world.state().join("openclaw.json")).ok();
    let before = config();
    let mut command = world.command(&words);
    command.envs(env.iter().map(|(key, value)| (key, value)));
    let ran = ran(command.output().unwrap());
    let placed = |text: &str| {
        text.replace(&format!("{base}/state"), "<state>")
            .replace(&format!("{base}/home"), "<home>")
            .replace(&base, "<base>")
    };
    let printed = placed(&ran.out);
    let is_document = words.contains(&"--json") && ran.code == 0;
    let mut document = is_document.then(|| serde_json::from_str::<Value>(&printed).unwrap());
    if let Some(Value::Object(document)) = &mut document {
        document.remove("openclaw");
    }
    let after = config().filter(|after| before.as_ref() != Some(after));
    answer(
        ran.code.into(),
        document,
        words.contains(&"--plain").then_some(printed.as_str()),
        after.map(|text| placed(&text)).as_deref(),
    )
}

/// All that differs, with its release, store and question.
fn all_differences() -> Vec<(String, String, String, Difference)> {
    let mut found = Vec::new();
    for release in RELEASES {
        for store in stores() {
            for question in questions(release, &store) {
                let recording = recording_of(release, &store, &question).unwrap();
                let (world, env, shift) = world(&store);
                let ours = ours(&world, &env, &recording);
                let theirs = theirs(&recording, shift);
                for difference in differences(&ours, &theirs) {
                    let question = question.clone();
                    found.push((release.to_owned(), store.clone(), question, difference));
                }
            }
        }
    }
    found
}

#[test]
fn every_answer_is_the_recorded_one_or_an_exception() {
    let exceptions = exceptions::all();
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for (release, store, question, difference) in all_differences() {
        let explains = |exception: &exceptions::Exception| {
            exception.explains(&release, &store, &question, &difference)
        };
        match exceptions.iter().position(explains) {
            Some(number) => {
                used.insert(number);
            }
            None => unexplained.push(format!("{release} {store} {question} {difference}")),
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    for (number, exception) in exceptions.iter().enumerate() {
        assert!(used.contains(&number), "{exception:?} explains nothing");
    }
}

#[test]
fn both_releases_were_asked_about_the_same_stores() {
    for store in stores() {
        let [feb, may] = RELEASES.map(|release| recording_of(release, &store, "state").unwrap());
        assert_eq!(feb, may, "{store}");
    }
}

#[test]
fn each_exception_is_documented() {
    let path = format!("{}/docs/compatibility.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text
        .split_once("\n## Where an answer differs\n")
        .expect("the section is there");
    let rows = section.lines().take_while(|line| !line.starts_with("## "));
    let rows = rows.filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter_map(|line| Some(line.split_once(" |")?.0));
    let documented: BTreeSet<&str> = rows.filter(|first| *first != "what").collect();
    let exceptions = exceptions::all();
    let excepted: BTreeSet<&str> = exceptions.iter().map(|exception| exception.what).collect();
    assert_eq!(documented, excepted);
}
