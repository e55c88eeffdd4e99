//! The candidates of a provider in the order in which they are tried: profiles, variables, the
//! configuration (`docs/compatibility.md`).

use std::cell::RefCell;

use crate::app::context::Context;
use crate::app::credential::assessment::{NextStep, assess};
use crate::app::credential::candidates::{concerns_one, nothing_usable};
use crate::app::credential::env_keys::Keys;
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::obstacle::{Cause, Obstacle};
use crate::app::credential::reason_text::{AS_IT_IS, NOT_ASKED, NOT_NAMED, Reason};
use crate::app::credential::selector::{Pin, PinReason, Resolved};
use crate::app::failure::Failure;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::provider::{Bill, Billing, Provider};
use crate::model::selection::{Candidate, Verdict};
use crate::model::time::LocalTime;
use crate::model::usage::Unusable;
use crate::ports::store::{Location, StoreError};
use crate::ports::store_files::StorePlaces;

use super::rows::{CandidateSource, ProfileRow, Row, Standing, Stored};
use super::shadows::Files;
use crate::app::credential::account::Account;

/// What is needed to examine the candidates of one provider.
pub(super) struct ChainContext<'a, 'i> {
    pub(super) cx: Context<'a>,
    pub(super) keys: &'a Keys<'a>,
    /// Where the agent's document lies, and main's.
    own: Location,
    main: Option<Location>,
    index: &'a ProfileIndex<'i>,
    pub(super) choice: &'a Resolved,
    pub(super) manifest: Option<Provider>,
    pub(super) billing: Billing,
    local: LocalTime,
    reader: RefCell<FactsReader<'a>>,
}

/// The state of a search through the candidates.
#[derive(Default)]
pub(super) struct Search {
    /// The rows so far.
    pub(super) rows: Vec<Row>,
    /// The index of the row that is used.
    pub(super) used: Option<usize>,
    /// The failure if none is used.
    pub(super) failure: Option<Failure>,
    /// The candidate that ended the search without a token.
    pub(super) ended_by: Option<String>,
}

impl Search {
    fn is_over(&self) -> bool {
        self.used.is_some() || self.ended_by.is_some()
    }

    /// Returns the standing of a candidate that would give a token.
    pub(super) fn place(&mut self, first: Reason, cooling: Option<Reason>) -> (Standing, Reason) {
        let used = self.used.and_then(|place| self.rows.get(place));
        match (used, &self.ended_by) {
            (Some(used), _) => match cooling {
                Some(reason) => (Standing::Last, reason),
                None => {
                    let words = ["after ", &used.label()].concat();
                    (Standing::Next, Reason::new("behind", words))
                }
            },
            (None, Some(name)) => {
                let words = format!("is not tried: the search stops at {name}");
                (Standing::PassedOver, Reason::new("not-reached", words))
            }
            (None, None) => {
                self.used = Some(self.rows.len());
                let reason = cooling.map_or(first, |mut cooling| {
                    cooling.words.to_mut().push_str(", but is still used");
                    cooling
                });
                (Standing::Used, reason)
            }
        }
    }
}

impl<'a, 'i> ChainContext<'a, 'i> {
    pub(super) fn new(
        cx: Context<'a>,
        keys: &'a Keys<'a>,
        (files, index): (&'a Files, &'a ProfileIndex<'i>),
        choice: &'a Resolved,
    ) -> Self {
        let manifest = cx.catalogue.get(&choice.provider).ok();
        let main = files.main.as_ref();
        let billing = manifest.as_ref().map(|manifest| manifest.billing.clone());
        Self {
            cx,
            keys,
            own: location(cx, &files.own, &choice.effective.agent),
            main: main.map(|main| location(cx, main, &AgentId::main())),
            index,
            choice,
            manifest,
            billing: billing.unwrap_or_default(),
            local: cx.clock.local(),
            reader: RefCell::new(FactsReader::new(cx)),
        }
    }

    /// Examines all candidates.
    pub(super) fn search(&self) -> Result<Search, StoreError> {
        let mut search = Search::default();
        let mut decision = self.choice.decide(self.cx, self.index);
        let is_locked = |candidate: &Candidate| {
            let locked = self.choice.locked();
            locked.is_some_and(|locked| locked.profile == candidate.id)
        };
        if let Some(place) = decision.candidates.iter().position(is_locked) {
            decision.candidates[..=place].rotate_right(1);
        }
        search.rows.reserve(decision.candidates.len());
        for candidate in &decision.candidates {
            let row = self.profile(&mut search, candidate, self.index.get(&candidate.id))?;
            search.rows.push(row);
        }
        self.variables(&mut search);
        self.configured(&mut search);
        self.conclude(&mut search);
        Ok(search)
    }

    /// Sets the failure as `token` would report it, if nothing is used.
    fn conclude(&self, search: &mut Search) {
        if search.used.is_some() {
            search.failure = None;
            return;
        }
        let failure = search.failure.take().unwrap_or_else(|| {
            let provider = &self.choice.provider;
            let mut failure = nothing_usable(self.cx, self.choice, self.index);
            // This is the explanation, so it has to know more.
            if failure.hint == Some(Command::explain(provider).into()) {
                let unnamed = self.unnamed(&search.rows);
                failure.hint = unnamed.map(|id| Command::use_profile(id).into());
            }
            failure
        });
        search.failure = Some(match self.choice.locked() {
            Some(locked) => locked.explain(failure),
            None => failure,
        });
    }

    /// Returns the first profile that would give a token if the order named it.
    fn unnamed<'r>(&self, rows: &'r [Row]) -> Option<&'r ProfileId> {
        let unnamed = rows.iter().filter(|row| row.reason.code == NOT_NAMED);
        let mut profiles = unnamed.filter_map(|row| match &row.what {
            CandidateSource::Profile(profile) => Some(&**profile),
            _ => None,
        });
        let gives_one = |profile: &&ProfileRow| {
            let stored = profile.stored.as_ref();
            stored.is_some_and(|stored| stored.assessment.usable_now())
        };
        profiles.find(gives_one).map(|profile| &profile.id)
    }

    fn profile(
        &self,
        search: &mut Search,
        candidate: &Candidate,
        seen: Option<&VisibleProfile<'_>>,
    ) -> Result<Row, StoreError> {
        let stored = seen.map(|seen| self.stored(seen)).transpose()?;
        let locked = self.choice.locked();
        let verdict = &candidate.verdict;
        let cools_down = matches!(verdict, Verdict::CoolingDown(_));
        let is_usable = cools_down || *verdict == Verdict::Eligible;
        let is_tried = locked.map_or(is_usable, |locked| locked.profile == candidate.id);
        let reason = self.verdict(candidate, seen);
        let (standing, reason, then) = match (seen, &stored, locked) {
            (Some(seen), Some(stored), _) if is_tried => {
                let cooling = (cools_down && locked.is_none()).then_some(reason);
                self.ask(search, seen, stored, cooling)
            }
            (.., Some(locked)) if is_usable => (Standing::PassedOver, not_asked(locked), None),
            _ => (Standing::PassedOver, reason, None),
        };
        let bill = stored
            .as_ref()
            .map(|stored| self.billing.of(stored.facts.kind));
        Ok(Row {
            standing,
            reason,
            bill: bill.unwrap_or(Bill::Unknown),
            what: CandidateSource::Profile(Box::new(ProfileRow {
                id: candidate.id.clone(),
                stored,
                then,
            })),
        })
    }

    /// Returns the reason that selection gives.
    fn verdict(&self, candidate: &Candidate, seen: Option<&VisibleProfile<'_>>) -> Reason {
        let unusable = seen.and_then(|seen| self.unusable(seen));
        match (&candidate.verdict, unusable) {
            (Verdict::CoolingDown(_), Some(unusable)) => Reason::unusable(&unusable, self.local),
            (verdict, _) => Reason::of_verdict(verdict, self.local),
        }
    }

    fn unusable(&self, seen: &VisibleProfile<'_>) -> Option<Unusable> {
        seen.unusable(self.local.now, self.choice.model.as_deref())
    }

    /// Examines a profile as `token` would.
    fn ask(
        &self,
        search: &mut Search,
        seen: &VisibleProfile<'_>,
        stored: &Stored,
        cooling: Option<Reason>,
    ) -> (Standing, Reason, Option<Reason>) {
        let assessment = &stored.assessment;
        let Some(failure) = assessment.failure(seen.id) else {
            let (standing, reason) = search.place(self.first(seen), cooling);
            return (standing, reason, then(stored));
        };
        let reason = reason_of(stored);
        if !search.is_over() {
            match concerns_one(&failure) {
                true => {
                    search.failure.get_or_insert(failure);
                }
                false => {
                    search.ended_by = Some(seen.id.to_string());
                    search.failure = Some(failure);
                }
            }
        }
        (Standing::PassedOver, reason, None)
    }

    /// Returns the reason of the profile that is used.
    fn first(&self, seen: &VisibleProfile<'_>) -> Reason {
        let preferred = self.choice.preferred.as_ref();
        match preferred.filter(|preferred| preferred.profile == *seen.id) {
            Some(preferred) => because(preferred),
            None => Reason::new("first", "first usable credential"),
        }
    }

    fn stored(&self, seen: &VisibleProfile<'_>) -> Result<Stored, StoreError> {
        let facts = self.reader.borrow_mut().read(seen)?;
        Ok(Stored {
            file: self.location(seen.owner),
            account: Account::of(self.cx.settings, self.manifest.as_ref(), seen),
            unusable_until: self.unusable(seen).map(|unusable| unusable.until),
            assessment: assess(&facts, RefreshPolicy::MinValid(None), self.local.now),
            facts,
        })
    }

    fn location(&self, owner: &AgentId) -> Location {
        match &self.main {
            Some(main) if *owner != self.choice.effective.agent => main.clone(),
            _ => self.own.clone(),
        }
    }
}

/// Returns what is read of an agent.
fn location(cx: Context<'_>, places: &StorePlaces, agent: &AgentId) -> Location {
    match places.read.first() {
        Some(path) => Location::new(path.display().to_string()),
        None => cx.store.location(agent),
    }
}

pub(super) fn not_asked(locked: &Pin) -> Reason {
    let words = format!("only {} may be used", locked.profile);
    Reason::new(NOT_ASKED, words)
}

fn because(preferred: &Pin) -> Reason {
    let (code, mut words) = match &preferred.because {
        PinReason::Profile => ("named", "selected".to_owned()),
        PinReason::Model => ("model", "selected with the model".to_owned()),
        PinReason::Session(key) => (
            "session",
            format!("session {} is pinned to it", printable(key, 120)),
        ),
        PinReason::Directory(directory) => {
            let directory = printable(&directory.display().to_string(), 400);
            ("directory", format!("{directory} is bound to it"))
        }
    };
    if preferred.locked {
        words.push_str("; no other profile is tried");
    }
    Reason::new(code, words)
}

/// Returns the reason why a profile gives no token.
fn reason_of(stored: &Stored) -> Reason {
    let obstacle = stored.assessment.obstacle.as_deref();
    let mut reason = obstacle.map_or_else(
        || Reason::new("expired", "has no valid token"),
        Obstacle::reason,
    );
    let is_refusal = obstacle.is_some_and(|obstacle| obstacle.cause == Cause::Refused);
    if let Some((_, Some(at))) = stored.facts.refusal().filter(|_| is_refusal) {
        reason
            .words
            .to_mut()
            .push_str(&format!(", {}", stored.facts.local.spoken(at)));
    }
    reason
}

/// Returns what would be done for its token; `None` if it gives none.
fn then(stored: &Stored) -> Option<Reason> {
    let assessment = &stored.assessment;
    Some(match (&assessment.next, &assessment.obstacle) {
        (NextStep::UseAsIs, None) => Reason::new("as-it-is", AS_IT_IS),
        (NextStep::UseAsIs, Some(obstacle)) => Reason {
            detail: Some(Hint::from(obstacle.words.as_str())),
            ..Reason::new("as-it-is", AS_IT_IS)
        },
        (NextStep::RefreshThenFallBack, _) => Reason::new(
            "renewed-first",
            "expires soon: refreshed first; if that fails, used as is",
        ),
        (NextStep::Refresh | NextStep::WaitUntil(_), _) => {
            Reason::new("renewed-first", "refreshed first (contacts the provider)")
        }
        (NextStep::AdoptSuccessor(agent, profile), _) => {
            let successor = stored.facts.successor.as_ref();
            let newest = match successor.is_some_and(|successor| successor.is_kept) {
                true => format!("the newest version, which the history of {profile} kept"),
                false => format!("{profile} of agent {agent}"),
            };
            Reason::new("moved", format!("outdated copy: replaced by {newest}"))
        }
        (NextStep::NeedsLogin | NextStep::FixConfig | NextStep::TryLater, _) => return None,
    })
}
