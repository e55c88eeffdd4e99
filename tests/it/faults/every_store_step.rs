//! The store on a file system that fails: once at every step, from every step on, and with the
//! process dying before every step.
//!
//! Whatever happens, each file holds the old or the new content whole; what the store says of it
//! is true; a refresh token that was spent has its successor stored, saved elsewhere, or, where the
//! process died or nothing at all could be written, named by the journal as in doubt; and the next
//! process works and clears up.
//!
//! The default run takes a sample of the steps, and always the same one.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, too")]
#![expect(clippy::print_stdout, reason = "the totals are shown with --nocapture")]

mod cases;
mod neighbour;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use openclaw::model::grant::RefreshOutcome;
use openclaw::model::id::AgentId;
use openclaw::ports::files::FileError;
use openclaw::ports::host::Clock as _;
use openclaw::ports::store::{Documents as _, Journal as _, Location, Scope, StoreError};
use openclaw::testing::files::{Fault, MemoryFiles};
use rustix::io::Errno;

use cases::{BROKEN, Case, LEGACY, Run, STATE, WORK, cases, id};

use crate::support::memory_store::{MAIN, digest, recover_pending};

/// More steps than any operation has.
const MANY: usize = 300;

fn faults() -> Vec<Fault> {
    let errors = [
        Errno::NOSPC,
        Errno::IO,
        Errno::ROFS,
        Errno::ACCESS,
        Errno::MFILE,
    ];
    let once = errors.map(Fault::Once);
    let from = errors.map(Fault::From);
    once.into_iter().chain(from).chain([Fault::Death]).collect()
}

type Tree = BTreeMap<PathBuf, String>;

/// What anybody reads: no lock, no journal, no temp file.
fn documents(files: &MemoryFiles) -> Tree {
    let all = files.all().into_iter();
    all.filter(|(path, _)| {
        let path = path.to_string_lossy();
        path.starts_with("/s/agents/") && !path.ends_with(".lock") && !path.ends_with(".tmp")
    })
    .collect()
}

#[derive(Debug, Default)]
struct Totals {
    runs: usize,
    deaths: usize,
    faults: usize,
    /// Nothing could be written any more, or the process died, after the answer.
    windows: usize,
    wrong: Vec<String>,
}

struct Check<'a> {
    /// What does not hold.
    wrong: RefCell<Vec<String>>,
    case: &'a Case,
    fault: Fault,
    step: usize,
    old: &'a Tree,
    new: &'a Tree,
}

impl Check<'_> {
    fn that(&self, holds: bool, what: &str) {
        let Self {
            case, fault, step, ..
        } = self;
        if !holds {
            let text = format!("{}, {fault:?} at step {step}: {what}", case.name);
            self.wrong.borrow_mut().push(text);
        }
    }

    /// Each file is old or new, and the answer says which.
    fn truth(&self, files: &MemoryFiles, answer: &Result<(), StoreError>) {
        let now = documents(files);
        for path in [MAIN, STATE, WORK, LEGACY].map(Path::new) {
            let (old, new) = (self.old.get(path), self.new.get(path));
            let found = now.get(path);
            self.that(
                found == old || found == new,
                &format!("{} is {found:?}", path.display()),
            );
        }
        let main = Path::new(MAIN);
        let is_new = now.get(main) == self.new.get(main);
        let says_new = match answer {
            Ok(()) => true,
            Err(StoreError::Unavailable(error)) => {
                let file = error.cause.downcast_ref::<FileError>().unwrap();
                let is_it = [MAIN, STATE].map(Path::new).contains(&&*file.path);
                error.is_done && is_it
            }
            Err(StoreError::HalfWritten(_)) => true,
            // Where nothing can be read any more, nobody knows; the answer is safe, and that is said.
            Err(StoreError::NotStored { saved: Some(_), .. })
                if matches!(self.fault, Fault::From(_)) =>
            {
                is_new
            }
            Err(_) => false,
        };
        // A process that died has said nothing; where it had nothing more to do, it succeeded.
        if self.fault != Fault::Death || answer.is_ok() {
            self.that(
                says_new == is_new,
                &format!("new: {is_new}, and it said {answer:?}"),
            );
        }
        for content in [BROKEN, "rt-0"] {
            let holds = |tree: &Tree| tree.values().any(|text| text.contains(content));
            self.that(
                !holds(self.old) || holds(&now),
                &format!("{content} is gone"),
            );
        }
    }

    /// The successor of a token that was spent, before and after the next command has begun; true
    /// if it is in doubt.
    fn successor(&self, files: &MemoryFiles, run: &Run, answer: &Result<(), StoreError>) -> bool {
        let is_stored = || {
            let now = documents(files);
            now.get(Path::new(MAIN))
                .is_some_and(|text| text.contains("rt-2"))
        };
        let told = match answer {
            Err(StoreError::NotStored { saved, .. }) => saved.as_ref(),
            _ => None,
        };
        let holds = |at: &Location| {
            files
                .text(Path::new(at.as_str()))
                .is_some_and(|text| text.contains("rt-2"))
        };
        self.that(
            told.is_none_or(holds),
            "it told of a file that does not hold it",
        );
        let next = Run::new(files);
        recover_pending(&next.store);
        self.prompt(&next);
        self.that(
            next.store.pending_answers().unwrap().is_empty() || !is_stored(),
            "it lies there twice",
        );
        if !run.spent.get() || is_stored() {
            self.that(
                run.spent.get() || !is_stored(),
                "stored before it was spent",
            );
            return false;
        }
        self.that(told.is_none(), "what was told was not taken in");
        // A process that is dead, and a disk that takes nothing at all.
        let may_be_lost = matches!(
            self.fault,
            Fault::Death | Fault::From(Errno::IO | Errno::ROFS)
        );
        self.that(may_be_lost, &format!("the successor is lost: {answer:?}"));
        let record = next.store.grant_record(&digest("rt-1"));
        let attempt = record.unwrap().unwrap().attempt.unwrap();
        let in_doubt = matches!(attempt.outcome, None | Some(RefreshOutcome::Unknown { .. }));
        self.that(in_doubt, "the journal does not say so");
        true
    }

    /// A copy that was left behind is known as one.
    fn copy(&self, files: &MemoryFiles) {
        let now = documents(files);
        let old = |path: &str| {
            now.get(Path::new(path))
                .is_some_and(|text| text.contains("rt-1"))
        };
        if old(WORK) && !old(MAIN) {
            let record = Run::new(files).store.grant_record(&digest("rt-1"));
            let successor = record.unwrap().and_then(|record| record.successor());
            let is_known = successor == Some(digest("rt-2"));
            self.that(is_known, "a copy was left behind, and nobody knows");
        }
    }

    /// A later process, on a disk that works again.
    fn next(&self, files: &MemoryFiles) {
        let next = Run::new(files);
        let added = next.add("openai-codex:next");
        self.that(added.is_ok(), &format!("the next process fails: {added:?}"));
        let added = next.store.load(&AgentId::main(), Scope::All).unwrap();
        self.that(
            added.get(&id("openai-codex:next")).is_some(),
            "it was not stored",
        );
        for (path, _) in files.all() {
            let path = path.to_string_lossy();
            let is_beside = path.starts_with("/s/agents/main/agent/.");
            let is_left = is_beside && path.ends_with(".tmp");
            self.that(!is_left, &format!("{path} is left"));
        }
        self.prompt(&next);
    }

    /// It did not wait for what was left behind.
    fn prompt(&self, next: &Run) {
        let waited = next.clock.monotonic();
        let is_prompt = waited < Duration::from_secs(5);
        self.that(is_prompt, &format!("the next process waits {waited:?}"));
    }
}

/// The steps of one case under one fault, of those that are chosen.
fn every_step(case: &Case, fault: Fault, is_chosen: impl Fn(usize) -> bool, totals: &mut Totals) {
    let good = case.world();
    let old = documents(&good);
    (case.act)(&Run::new(&good)).unwrap();
    let new = documents(&good);
    for step in (1..MANY).filter(|step| is_chosen(*step)) {
        let files = case.world();
        let run = Run::new(&files);
        files.fail(step, fault);
        let answer = (case.act)(&run);
        if !files.has_failed() {
            assert!(step > 10 && answer.is_ok() && documents(&files) == new);
            return;
        }
        totals.runs += 1;
        match fault {
            Fault::Death => totals.deaths += 1,
            Fault::Once(_) | Fault::From(_) => totals.faults += 1,
        }
        files.next_process();
        let check = Check {
            wrong: RefCell::default(),
            case,
            fault,
            step,
            old: &old,
            new: &new,
        };
        check.truth(&files, &answer);
        totals.windows += usize::from(check.successor(&files, &run, &answer));
        check.copy(&files);
        check.next(&files);
        totals.wrong.append(&mut check.wrong.borrow_mut());
    }
    panic!("{}: it never ran through", case.name);
}

/// Each operation under each fault, at the steps that are chosen by the number of the fault.
fn nothing_is_lost(is_chosen: impl Fn(usize, usize) -> bool) -> Totals {
    let mut totals = Totals::default();
    for case in cases() {
        for (number, fault) in faults().into_iter().enumerate() {
            every_step(&case, fault, |step| is_chosen(number, step), &mut totals);
        }
    }
    println!(
        "{} runs, {} deaths, {} faults, {} windows",
        totals.runs, totals.deaths, totals.faults, totals.windows
    );
    assert!(totals.wrong.is_empty(), "{:#?}", totals.wrong);
    totals
}

/// Every fault hits every operation, and every step is hit by at least two faults.
#[test]
fn nothing_is_lost_at_a_sample_of_steps() {
    let totals = nothing_is_lost(|fault, step| (fault + step).is_multiple_of(5));
    assert!(totals.runs > 1_000 && totals.deaths > 100 && totals.windows > 0);
}

#[test]
#[ignore = "takes minutes: every fault at every step"]
fn nothing_is_lost_whatever_fails_and_wherever_it_dies() {
    let totals = nothing_is_lost(|_, _| true);
    assert!(totals.runs > 5_000);
}
