//! The candidates of one provider in the order in which they are asked: profiles, variables, the
//! configuration (`spec` of the reference release, 4.2).

use std::path::PathBuf;

use crate::app::Ports;
use crate::app::choice::{Because, Choice, Preferred};
use crate::app::failure::Failure;
use crate::app::foresee::{Foreseen, foresee};
use crate::app::keys::{Keys, Place, What as Carried};
use crate::app::reasons::Reason;
use crate::app::status::facts;
use crate::app::token::{key_member, nothing_usable, signed_in_elsewhere};
use crate::model::credential::Kind;
use crate::model::id::{AgentId, printable};
use crate::model::profiles::Seen;
use crate::model::provider::{Bill, Billing, Provider};
use crate::model::selection::{Candidate, Decision, Verdict};
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;

use super::rows::{ProfileRow, Row, Standing, Stored, What};
use super::{Account, Files};

/// What the candidates are looked at with.
pub(super) struct Look<'a> {
    ports: Ports<'a>,
    keys: &'a Keys<'a>,
    files: &'a Files,
    choice: &'a Choice,
    manifest: Option<Provider>,
    billing: Billing,
    now: Timestamp,
}

/// How far the search has come.
#[derive(Default)]
pub(super) struct Search {
    /// Every candidate so far.
    pub(super) rows: Vec<Row>,
    /// The place of what is used.
    pub(super) used: Option<usize>,
    /// Why nothing is handed out.
    pub(super) failure: Option<Failure>,
    /// What ends the search without a token.
    ended_by: Option<String>,
}

impl Search {
    fn is_over(&self) -> bool {
        self.used.is_some() || self.ended_by.is_some()
    }

    /// What becomes of a candidate that would give a token.
    fn place(&mut self, first: Reason, cooling: Option<Reason>) -> (Standing, Reason) {
        let used = self.used.and_then(|place| self.rows.get(place));
        match (used, &self.ended_by) {
            (Some(used), _) => match cooling {
                Some(reason) => (Standing::Last, reason),
                None => {
                    let words = format!("waits behind {}", used.label());
                    (Standing::Next, Reason::new("behind", words))
                }
            },
            (None, Some(name)) => {
                let words = format!("not reached: {name} ends the search");
                (Standing::PassedOver, Reason::new("not-reached", words))
            }
            (None, None) => {
                self.used = Some(self.rows.len());
                (Standing::Used, cooling.unwrap_or(first))
            }
        }
    }
}

impl<'a> Look<'a> {
    pub(super) fn new(
        ports: Ports<'a>,
        keys: &'a Keys<'a>,
        files: &'a Files,
        choice: &'a Choice,
    ) -> Self {
        let manifest = ports.catalogue.get(&choice.provider).ok();
        let billing = manifest.as_ref().map(|manifest| manifest.billing.clone());
        Self {
            ports,
            keys,
            files,
            choice,
            manifest,
            billing: billing.unwrap_or_default(),
            now: ports.clock.now(),
        }
    }

    /// Goes through all of them.
    pub(super) fn search(&self) -> Result<Search, StoreError> {
        let mut search = Search::default();
        let mut decision = self.choice.decide(self.ports);
        let is_locked = |candidate: &Candidate| {
            let locked = self.choice.locked();
            locked.is_some_and(|locked| locked.profile == candidate.id)
        };
        decision
            .candidates
            .sort_by_key(|candidate| !is_locked(candidate));
        for candidate in &decision.candidates {
            let row = self.profile(&mut search, candidate)?;
            search.rows.push(row);
        }
        self.variables(&mut search);
        self.configured(&mut search);
        self.conclude(&mut search, &decision);
        Ok(search)
    }

    /// Why there is no token, in the words of the command that would say so.
    fn conclude(&self, search: &mut Search, decision: &Decision) {
        if search.used.is_some() {
            search.failure = None;
            return;
        }
        let failure = search.failure.take();
        let failure =
            failure.unwrap_or_else(|| nothing_usable(self.ports, &self.choice.provider, decision));
        search.failure = Some(match self.choice.locked() {
            Some(locked) => locked.explain(failure),
            None => failure,
        });
    }

    fn profile(&self, search: &mut Search, candidate: &Candidate) -> Result<Row, StoreError> {
        let seen = self.choice.effective.get(&candidate.id);
        let stored = match &seen {
            Some(seen) => Some(self.stored(seen)?),
            None => None,
        };
        let unusable = seen
            .as_ref()
            .and_then(|seen| seen.usage?.unusable(self.now));
        let mut reason = match (&candidate.verdict, &unusable) {
            (Verdict::CoolingDown(_), Some(unusable)) => Reason::unusable(unusable, self.now),
            (verdict, _) => Reason::of_verdict(verdict, self.now),
        };
        let (mut standing, mut then) = (Standing::PassedOver, None);
        let locked = self.choice.locked();
        let is_usable = matches!(
            candidate.verdict,
            Verdict::Eligible | Verdict::CoolingDown(_)
        );
        match (locked, &seen, &stored) {
            (Some(locked), ..) if locked.profile != candidate.id => {
                if is_usable {
                    reason = not_asked(locked);
                }
            }
            (locked, Some(seen), Some(stored)) if is_usable || locked.is_some() => {
                let cooling = matches!(candidate.verdict, Verdict::CoolingDown(_));
                let cooling = (cooling && locked.is_none()).then_some(reason);
                (standing, reason, then) = self.ask(search, seen, stored, cooling);
            }
            _ => {}
        }
        let bill = stored.as_ref().map(|stored| self.billing.of(stored.kind));
        Ok(Row {
            standing,
            reason,
            bill: bill.unwrap_or(Bill::Unknown),
            what: What::Profile(Box::new(ProfileRow {
                id: candidate.id.clone(),
                stored,
                then,
            })),
        })
    }

    /// What asking for its token would come to.
    fn ask(
        &self,
        search: &mut Search,
        seen: &Seen<'_>,
        stored: &Stored,
        cooling: Option<Reason>,
    ) -> (Standing, Reason, Option<Reason>) {
        let (failure, ends) = match foresee(self.ports, seen) {
            Foreseen::Nothing(failure) => (failure, false),
            Foreseen::End(failure) => (failure, true),
            gives => {
                let (standing, reason) = search.place(self.first(seen), cooling);
                return (standing, reason, then(&gives, seen));
            }
        };
        let reason = Reason::of_failure(seen.id, &failure, &stored.facts);
        if !search.is_over() {
            if ends {
                search.ended_by = Some(seen.id.to_string());
                search.failure = Some(failure);
            } else {
                search.failure.get_or_insert(failure);
            }
        }
        (Standing::PassedOver, reason, None)
    }

    /// Why what is used is used.
    fn first(&self, seen: &Seen<'_>) -> Reason {
        let preferred = self.choice.preferred.as_ref();
        match preferred.filter(|preferred| preferred.profile == *seen.id) {
            Some(preferred) => because(preferred),
            None => Reason::new("first", "the first that gives a token"),
        }
    }

    fn stored(&self, seen: &Seen<'_>) -> Result<Stored, StoreError> {
        let unusable = seen.usage.and_then(|usage| usage.unusable(self.now));
        Ok(Stored {
            kind: seen.credential.kind(),
            owner: seen.owner.clone(),
            file: self.file_of(seen.owner),
            account: Account::of(self.ports.settings, self.manifest.as_ref(), seen),
            expires: seen.credential.expires(),
            unusable_until: unusable.map(|unusable| unusable.until),
            facts: facts(self.ports, seen)?,
        })
    }

    fn file_of(&self, owner: &AgentId) -> PathBuf {
        let places = match &self.files.main {
            Some(main) if *owner != self.choice.effective.agent => main,
            _ => &self.files.own,
        };
        let read = places.read.first().cloned();
        read.unwrap_or_else(|| self.ports.store.path(owner))
    }

    /// Every place where a variable of the provider is set; the first counts.
    fn variables(&self, search: &mut Search) {
        let Some(manifest) = &self.manifest else {
            return;
        };
        let mut counts: Option<String> = None;
        for name in &manifest.env {
            for place in self.keys.places(name) {
                let kind = match Keys::is_token(name) {
                    true => Kind::Token,
                    false => Kind::ApiKey,
                };
                let (standing, reason) = match &counts {
                    Some(first) => shadowed(first),
                    None => self.beside(search),
                };
                counts.get_or_insert_with(|| format!("{name} ({})", self.told(place)));
                search.rows.push(Row {
                    standing,
                    reason,
                    bill: self.billing.of(kind),
                    what: What::Variable {
                        name: name.clone(),
                        place,
                        file: self.file(place),
                        kind,
                    },
                });
            }
        }
        if let (None, Some(found)) = (counts, self.keys.of(manifest))
            && let Carried::Ambient = found.what
        {
            self.software(search, manifest, found.source);
        }
    }

    /// A sign-in that holds no token: where it counts, nothing is handed out.
    fn software(&self, search: &mut Search, manifest: &Provider, source: String) {
        let (standing, reason) = self.beside(search);
        let reason = match standing {
            Standing::Used => {
                search.used = None;
                search.ended_by = Some(source.clone());
                let id = &self.choice.provider;
                let failure = signed_in_elsewhere(id, &manifest.name, &source);
                search.failure.get_or_insert(failure);
                Reason::new(
                    "holds-no-token",
                    "the software of the provider uses it itself; it holds no token",
                )
            }
            _ => reason,
        };
        let standing = match standing {
            Standing::Used => Standing::PassedOver,
            other => other,
        };
        search.rows.push(Row {
            standing,
            reason,
            bill: self.billing.ambient,
            what: What::Software { source },
        });
    }

    fn configured(&self, search: &mut Search) {
        let Some((name, _)) = self.ports.settings.key_of(&self.choice.provider) else {
            return;
        };
        let before = search.rows.iter().find(|row| {
            !matches!(row.what, What::Profile(_)) && row.standing != Standing::Shadowed
        });
        let (standing, reason) = match before.map(Row::label) {
            Some(first) => shadowed(&first),
            None => self.beside(search),
        };
        search.rows.push(Row {
            standing,
            reason,
            bill: self.billing.api_key,
            what: What::ConfigKey {
                member: key_member(name),
                file: self.ports.config.path().to_owned(),
            },
        });
    }

    /// What becomes of what lies in no document.
    fn beside(&self, search: &mut Search) -> (Standing, Reason) {
        match self.choice.locked() {
            Some(locked) => (Standing::PassedOver, not_asked(locked)),
            None => {
                let words = match search.rows.is_empty() {
                    true => "no profile is stored",
                    false => "no profile gives a token",
                };
                search.place(Reason::new("no-profile", words), None)
            }
        }
    }

    fn file(&self, place: Place) -> Option<PathBuf> {
        match place {
            Place::DotEnv => Some(self.ports.dirs.state.join(".env")),
            Place::Config => Some(self.ports.config.path().to_owned()),
            Place::Process | Place::LoginShell => None,
        }
    }

    fn told(&self, place: Place) -> &'static str {
        match place {
            Place::Process => "environment",
            Place::DotEnv => ".env",
            Place::Config => "env of openclaw.json",
            Place::LoginShell => "login shell",
        }
    }
}

fn shadowed(by: &str) -> (Standing, Reason) {
    let words = format!("{by} counts first");
    (Standing::Shadowed, Reason::new("shadowed", words))
}

fn not_asked(locked: &Preferred) -> Reason {
    let words = format!("only {} is used", locked.profile);
    Reason::new("not-asked", words)
}

fn because(preferred: &Preferred) -> Reason {
    let (code, mut words) = match &preferred.because {
        Because::Profile => ("named", "named".to_owned()),
        Because::Model => ("model", "named with the model".to_owned()),
        Because::Session(key) => (
            "session",
            format!("session {} is pinned to it", printable(key, 120)),
        ),
        Because::Directory(directory) => {
            let directory = printable(&directory.display().to_string(), 400);
            ("directory", format!("{directory} is bound to it"))
        }
    };
    if preferred.locked {
        words.push_str(", and no other is tried");
    }
    Reason::new(code, words)
}

/// What would be done for its token.
fn then(foreseen: &Foreseen, seen: &Seen<'_>) -> Option<Reason> {
    Some(match foreseen {
        Foreseen::Given(None) => Reason::new("as-it-is", "handed out as it is"),
        Foreseen::Given(Some(warning)) => {
            let warning = warning.strip_prefix(seen.id.as_str()).unwrap_or(warning);
            let words = format!("handed out as it is: {}", warning.trim_start());
            Reason::new("as-it-is", words)
        }
        Foreseen::Renewed { lives: true } => Reason::new(
            "renewed-first",
            "due: renewed first, and handed out as it is where that fails",
        ),
        Foreseen::Renewed { lives: false } => {
            Reason::new("renewed-first", "renewed first, which asks the provider")
        }
        Foreseen::Moved(agent, profile) => Reason::new(
            "moved",
            format!("an old copy: takes what {profile} of agent {agent} holds"),
        ),
        Foreseen::Nothing(_) | Foreseen::End(_) => return None,
    })
}
