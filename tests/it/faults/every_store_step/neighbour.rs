//! A program that writes the document without a lock, right before every step of the store: once it
//! adds a profile to what is there, once it writes back what was there before, with a profile of its
//! own. And the same with the process dying soon after.

use std::ops::RangeInclusive;
use std::path::Path;

use openclaw::model::credential::{Credential, OAuth};
use openclaw::model::id::AgentId;
use openclaw::ports::store::{Documents as _, History as _, Journal as _, Scope};
use openclaw::testing::files::{Fault, MemoryFiles};
use serde_json::{Value, json};

use super::cases::{Case, Run, cases, id};
use super::{MAIN, MANY};
use crate::support::memory_store::{digest, recover_pending};

const THEIRS: &str = "anthropic:theirs";

/// How many steps after the other program the process dies; never, with 0.
const SOON: usize = 6;

fn with_theirs(text: Option<&str>) -> String {
    let document = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut document = document.unwrap_or_else(|| json!({}));
    document["profiles"][THEIRS] =
        json!({"type": "token", "provider": "anthropic", "token": "theirs"});
    document.to_string()
}

struct Placement<'a> {
    case: &'a Case,
    step: usize,
    writes_back: bool,
    dies_after: usize,
}

impl Placement<'_> {
    /// What did not hold; `None` if there is no such step.
    fn run(&self) -> Option<Vec<String>> {
        let files = self.case.world();
        let before = files.text(Path::new(MAIN));
        let stale = self.writes_back.then(|| with_theirs(before.as_deref()));
        if self.dies_after > 0 {
            files.fail(self.step + self.dies_after, Fault::Death);
        }
        files.intrude(self.step, move |tree| {
            let path = Path::new(MAIN);
            let text = stale.unwrap_or_else(|| with_theirs(tree.text(path).as_deref()));
            tree.put(path, &text);
        });
        let run = Run::new(&files);
        let done = (self.case.act)(&run);
        if files.is_intruder_waiting() {
            return None;
        }
        let has_died = files.has_failed();
        files.next_process();
        let mut wrong = Vec::new();
        if let (Err(error), false) = (&done, has_died) {
            wrong.push(format!("it fails: {error:?}"));
        }
        let next = Run::new(&files);
        recover_pending(&next.store);
        if run.spent.get() && !holds_successor(&files, &next) {
            wrong.push(format!("the successor is lost: {done:?}"));
        }
        if done.is_ok() && !has_died {
            wrong.extend(self.kept(&next));
        }
        if let Err(error) = next.add("openai-codex:next") {
            wrong.push(format!("the next process fails: {error:?}"));
        }
        let document = next.store.load(&AgentId::main(), Scope::All).unwrap();
        if document.get(&id(THEIRS)).is_none() {
            wrong.push("what the other program added is lost".to_owned());
        }
        let all = files.all();
        let is_left = |path: &Path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            path.parent() == Path::new(MAIN).parent() && name.starts_with('.')
        };
        if let Some((path, _)) = all.iter().find(|(path, _)| is_left(path)) {
            wrong.push(format!("{} is left", path.display()));
        }
        Some(wrong)
    }

    /// What was said to be stored is in the document, or can be brought back.
    fn kept(&self, next: &Run) -> Option<String> {
        let name = match self.case.name {
            name if name.starts_with("update") => "openai-codex:new",
            name if name.starts_with("login") => "openai-codex:me",
            _ => return None,
        };
        let document = next.store.load(&AgentId::main(), Scope::All).unwrap();
        let kept = next
            .store
            .history(&AgentId::main(), Some(&id(name)))
            .unwrap();
        let saved = kept.histories.first().and_then(|one| one.saved.as_ref());
        let is_kept = document.get(&id(name)).is_some() || saved.is_some();
        (!is_kept).then(|| format!("{name} is lost"))
    }
}

/// Whether the successor is in the document or the history, or its answer never came that far and
/// the journal says so.
fn holds_successor(files: &MemoryFiles, next: &Run) -> bool {
    let document = next.store.load(&AgentId::main(), Scope::All).unwrap();
    let kept = next.store.history(&AgentId::main(), None).unwrap();
    let saved = kept.histories.into_iter().filter_map(|one| one.saved);
    let saved: Vec<Credential> = saved.map(|saved| saved.credential).collect();
    let held = document.profiles().map(|(_, held)| held);
    let mut logins = held.chain(&saved).filter_map(Credential::as_oauth);
    let is_it = |login: &OAuth| login.grant() == Some(digest("rt-2"));
    if logins.any(is_it) {
        return true;
    }
    let record = next.store.grant_record(&digest("rt-1")).unwrap();
    let is_open = record.is_some_and(|record| record.successor().is_none());
    let is_nowhere = !files.all().iter().any(|(_, text)| text.contains("rt-2"));
    is_open && is_nowhere
}

/// Every placement; the last number is how many steps later the process dies.
fn every_placement(deaths: &RangeInclusive<usize>) -> usize {
    let mut count = 0;
    let mut wrong = Vec::new();
    for case in cases() {
        for (writes_back, dies_after) in [false, true]
            .into_iter()
            .flat_map(|kind| deaths.clone().map(move |death| (kind, death)))
        {
            for step in 1..MANY {
                let placement = Placement {
                    case: &case,
                    step,
                    writes_back,
                    dies_after,
                };
                let Some(found) = placement.run() else {
                    break;
                };
                count += 1;
                let place = format!(
                    "{}, step {step}, writes back: {writes_back}, dies after {dies_after}",
                    case.name
                );
                wrong.extend(found.into_iter().map(|what| format!("{place}: {what}")));
            }
        }
    }
    println!("{count} placements");
    assert!(
        wrong.is_empty(),
        "{} of {count}: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(40)]
    );
    count
}

#[test]
fn what_another_program_writes_at_any_step_is_kept_and_takes_nothing() {
    assert!(every_placement(&(0..=0)) >= 1_000);
}

#[test]
#[ignore = "takes a minute: the process dies at every step soon after"]
fn what_another_program_writes_is_kept_although_the_process_dies() {
    assert!(every_placement(&(1..=SOON)) >= 10_000);
}
