//! `openclaw.json` under every edit: what was asked for happens, and nothing else.

mod document;
mod expected_edits;

use std::path::Path;
use std::sync::Arc;

use openclaw::config::edit::Edit;
use openclaw::config::file::{Applied, ConfigError, ConfigFile};

use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::files::Files as _;
use openclaw::ports::host::Env;
use openclaw::ports::lock::{self, Wait};
use openclaw::testing::clock::FakeClock;
use openclaw::testing::files::MemoryFiles;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use document::{Document, Node, at, document, unknown};
use expected_edits::{add, edits, expected, is_changed, is_gone, remove, secret_program, touched};

const PATH: &str = "/state/openclaw.json";
const MARKER: &str = "value-of-a-variable";

struct Acme;

impl Env for Acme {
    fn var(&self, name: &str) -> Option<Secret<String>> {
        (name == "ACME_KEY").then(|| Secret::from(MARKER))
    }

    fn is_remote(&self) -> bool {
        false
    }
}

fn file(text: &[u8]) -> (MemoryFiles, ConfigFile) {
    let files = MemoryFiles::new();
    files.put(Path::new(PATH), "");
    files.replace(Path::new(PATH), text).unwrap();
    let config = ConfigFile::new(
        Arc::new(files.clone()),
        Arc::new(Acme),
        PATH.into(),
        Path::new("/state"),
    );
    (files, config)
}

fn apply(config: &ConfigFile, edit: &Edit) -> Result<Applied, ConfigError> {
    let clock = FakeClock::new(Timestamp(0));
    let wait = Wait::uninterrupted(lock::SHORT);
    config.apply(std::slice::from_ref(edit), &clock, &wait)
}

/// The text after some edits, each made by itself.
fn after(text: &str, edits: &[Edit]) -> String {
    let (files, config) = file(text.as_bytes());
    for edit in edits {
        if let Err(error) = apply(&config, edit) {
            panic!("{error} after {edit:?} of:\n{text}");
        }
        config.load().unwrap();
    }
    files.text(Path::new(PATH)).unwrap()
}

fn parsed(text: &str) -> Value {
    match jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()) {
        Ok(value) => value,
        Err(error) => panic!("{error} in:\n{text}"),
    }
}

/// The texts of all that an edit must leave alone, in order.
fn outside(node: &Node, paths: &[Vec<&str>], edit: &Edit, kept: &mut Vec<String>) {
    match node {
        Node::Leaf(..) => {}
        Node::List(items, _) => {
            let staying = items.iter();
            let staying = staying.filter(|item| {
                let value = item.value.value();
                !is_gone(&value, edit) && !is_changed(&value, edit)
            });
            kept.extend(staying.map(|item| item.value.text()));
        }
        Node::Object(members, _) => {
            for member in members {
                let deeper = paths
                    .iter()
                    .filter(|path| path.first() == Some(&&*member.name));
                let deeper: Vec<Vec<&str>> = deeper.map(|path| path[1..].to_vec()).collect();
                if deeper.is_empty() {
                    kept.push(member.text());
                } else if !matches!(edit, Edit::OrderFirst { .. }) || deeper[0].len() == 1 {
                    outside(&member.value, &deeper, edit, kept);
                }
            }
        }
    }
}

/// The names of the comments in a text.
fn comments(text: &str) -> Vec<&str> {
    let starts = text
        .match_indices(" c")
        .filter(|(at, _)| text[..*at].ends_with("//") || text[..*at].ends_with("/*"));
    starts.map(|(at, _)| &text[at + 1..at + 12]).collect()
}

/// The comments in what an edit takes out, and those beside it: they may speak of it.
fn taken_out(document: &Document, edit: &Edit) -> Vec<String> {
    let mut texts = Vec::new();
    if let Edit::SetAlias {
        reference,
        alias: None,
    } = edit
    {
        let path = ["agents", "defaults", "models", reference];
        let mut path = path.iter();
        let model = path.try_fold(&document.root, |node, name| node.member(name));
        texts.extend(model.map(Node::text));
    }
    if let Edit::ForgetModel(reference) = edit {
        let path = ["agents", "defaults", "models"];
        let mut path = path.iter();
        let models = path.try_fold(&document.root, |node, name| node.member(name));
        texts.extend(models.and_then(|models| models.piece(reference)));
    }
    for path in touched(edit) {
        let list = path
            .iter()
            .try_fold(&document.root, |node, name| node.member(name));
        if let Some(list) = list {
            texts.extend(list.pieces(&|value| is_gone(value, edit)));
        }
    }
    names(texts.iter().flat_map(|text| comments(text)))
}

/// The comments between the last agent and the end of the list, which may stand on one line with
/// an agent that comes after it.
fn at_the_end(document: &Document) -> Vec<String> {
    let agents = document.root.member("agents");
    match agents.and_then(|agents| agents.member("list")) {
        Some(list @ Node::List(..)) => names(comments(&list.tail()).into_iter()),
        _ => Vec::new(),
    }
}

fn names<'a>(comments: impl Iterator<Item = &'a str>) -> Vec<String> {
    comments.map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, max_shrink_iters: 20000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_generated_is_what_it_stands_for(document in document()) {
        prop_assert_eq!(parsed(&document.text), document.value());
    }

    #[test]
    fn an_edit_does_what_it_says_and_nothing_else(document in document(), edit in edits()) {
        let text = after(&document.text, std::slice::from_ref(&edit));
        prop_assert_eq!(parsed(&text), expected(document.value(), &edit), "{}", &text);

        let mut kept = Vec::new();
        outside(&document.root, &touched(&edit), &edit, &mut kept);
        let mut rest = text.as_str();
        for part in &kept {
            let at = rest.find(part);
            prop_assert!(at.is_some(), "{part}\nis not in its place in:\n{text}\nwhich was:\n{}", document.text);
            rest = &rest[at.unwrap() + part.len()..];
        }
        let gone = taken_out(&document, &edit);
        for comment in comments(&document.text) {
            let stays = text.contains(comment) || gone.iter().any(|other| other == comment);
            prop_assert!(stays, "{comment} is gone by {edit:?} from:\n{text}\nwhich was:\n{}", document.text);
        }
        let references = |text: &str| text.matches("${ACME_KEY}").count();
        let lost: usize = match &edit {
            Edit::RemoveAgent { .. } => references(&document.text) - references(&text),
            _ => 0,
        };
        prop_assert_eq!(references(&text) + lost, references(&document.text));
        prop_assert!(!text.contains(MARKER));
    }

    #[test]
    fn an_agent_that_comes_and_goes_leaves_no_trace(document in document()) {
        let text = after(&document.text, &[add("new"), remove("new")]);
        let mut before = document.value();
        let agents = at(&mut before, &["agents"]);
        let list = agents.entry("list").or_insert(json!([])).as_array_mut().unwrap();
        // The first agent makes main explicit, and that stays.
        if list.is_empty() {
            list.push(json!({ "id": "main" }));
        }
        prop_assert_eq!(parsed(&text), before);
        let free = at_the_end(&document);
        for comment in comments(&document.text) {
            let stays = text.contains(comment) || free.iter().any(|other| other == comment);
            prop_assert!(stays, "{comment} is gone from:\n{text}\nwhich was:\n{}", document.text);
        }
    }

    #[test]
    fn a_program_for_secrets_that_comes_and_goes_leaves_no_trace(document in document()) {
        let text = after(&document.text, &secret_program());
        prop_assert_eq!(parsed(&text), document.value());
    }

    #[test]
    fn an_edit_made_twice_is_made_once(document in document(), edit in edits()) {
        if matches!(edit, Edit::AddAgent { .. }) {
            return Ok(());
        }
        let once = after(&document.text, std::slice::from_ref(&edit));
        let twice = after(&once, std::slice::from_ref(&edit));
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..60), edit in edits()) {
        odd(&bytes, &edit)?;
    }

    #[test]
    fn no_text_is_too_odd(
        parts in prop::collection::vec(select(vec![
            "{", "}", "[", "]", ",", ":", "agents", "\"list\"", "auth", "profiles", "order", "meta",
            "'", "\"", "//", "/*", "*/", "\n", "0x", "+", ".5", "Infinity", "null", "\\u12", "\u{feff}",
            "$include", "${ACME_KEY}", "é", "\u{2028}", "defaults", "model", "bindings",
        ]), 0..24),
        node in unknown(),
        edit in edits(),
    ) {
        odd(parts.concat().as_bytes(), &edit)?;
        odd(format!("{{{}{}", parts.concat(), node.text()).as_bytes(), &edit)?;
    }
}

/// A file is read and edited, or left as it is with an error that says where the fault lies.
fn odd(bytes: &[u8], edit: &Edit) -> Result<(), TestCaseError> {
    let (files, config) = file(bytes);
    let was_read = config.load();
    if let Err(ConfigError::Syntax { line, column, .. }) = &was_read {
        prop_assert!(*line > 0 && *column > 0);
    }
    match apply(&config, edit) {
        Ok(_) => prop_assert_eq!(config.load().is_ok(), was_read.is_ok()),
        Err(_) => prop_assert_eq!(&*files.read(Path::new(PATH)).unwrap().unwrap(), bytes),
    }
    Ok(())
}
