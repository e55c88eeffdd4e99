//! `models auth history`: the previous versions of profiles, and which of them can be restored.
//!
//! What the journal knows decides: a grant that was spent lives on in its successor, and sending it
//! again would make the provider revoke both.

use std::collections::HashMap;

use serde::Serialize;

use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::hint::Command;
use crate::model::history::{Cause, Generation, History};
use crate::model::id::{AgentId, ProfileId};
use crate::model::time::Timestamp;
use crate::ports::store::{Detail, Scope, StoreError};

use crate::app::context::Context;
use crate::app::credential::reason_text::refusal_words;
use crate::app::credential::stored::StoredCredential;
use crate::app::credential::taken_away::is_spent;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::rotation;

/// The history, profile by profile.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number of generations that are kept of each profile.
    pub limit: usize,
    /// The profiles that have a history.
    pub lines: Vec<Line>,
    /// Histories that cannot be read, one sentence each.
    pub faults: Vec<String>,
}

/// The history of a profile.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The id of the profile.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// The agent whose document holds or held it.
    pub owner: AgentId,
    /// The present credential.
    pub now: Option<StoredCredential>,
    /// The generations, the newest first.
    #[serde(rename = "generations")]
    pub rows: Vec<Row>,
}

/// A generation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its number.
    pub number: u64,
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// What replaced it.
    #[serde(rename = "by")]
    pub cause: Cause,
    /// Its credential.
    pub credential: StoredCredential,
    /// Whether `undo` may restore it.
    pub restorable: bool,
    /// Why it may, or not.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a generation can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Good,
    /// Yes, but it may be spent: a refresh of it has no known outcome.
    InDoubt {
        /// When that refresh began.
        since: Timestamp,
    },
    /// No: its grant was spent.
    Spent {
        /// When, if that is known.
        #[serde(rename = "spentAt")]
        at: Option<Timestamp>,
        /// Where its successor is stored now.
        successor: Option<SuccessorLocation>,
    },
    /// No: it was revoked.
    Revoked {
        /// When.
        #[serde(rename = "revokedAt")]
        at: Timestamp,
    },
    /// No: it went to another machine.
    Moved {
        /// When.
        #[serde(rename = "movedAt")]
        at: Timestamp,
        /// The file of the bundle.
        #[serde(rename = "movedTo")]
        to: String,
    },
    /// Yes, but its provider has refused it before.
    Refused {
        /// The provider's words.
        #[serde(rename = "reason")]
        why: String,
    },
}

/// Where the successor of a spent grant is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum SuccessorLocation {
    /// In a profile of an agent.
    Profile {
        /// The agent.
        agent_id: AgentId,
        /// The profile.
        profile_id: ProfileId,
    },
    /// In another generation of the same profile.
    Generation {
        /// Its number.
        generation: u64,
    },
}

impl SuccessorLocation {
    /// The place of the successor of a spent grant, as the end of a sentence.
    pub fn words(place: Option<&Self>) -> String {
        match place {
            Some(Self::Profile {
                agent_id,
                profile_id,
            }) => format!("in profile {profile_id} of agent {agent_id}"),
            Some(Self::Generation { generation }) => format!("generation {generation}"),
            None => "no longer stored".to_owned(),
        }
    }
}

/// Lists the history of one profile, or of all that the agent has.
///
/// # Errors
/// [`Kind::NotFound`] if there is neither such a profile nor a generation of it, and what the
/// store says.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    profile: Option<&ProfileId>,
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let Some(profile) = profile else {
        let kept = cx.store.history(agent, None)?;
        let mut lines = Vec::new();
        for mut history in kept.histories {
            let line = line(cx, agent, &mut history)?;
            // Of most profiles there is only what is in them now.
            lines.extend((!line.rows.is_empty()).then_some(line));
        }
        return Ok(Outcome {
            limit: kept.limit,
            lines,
            faults: kept.faults,
        });
    };
    let owner = owner(cx, agent, profile)?;
    let mut kept = cx.store.history(&owner, Some(profile))?;
    let history = kept.histories.pop();
    let mut history = history.unwrap_or_else(|| History::new(profile.clone()));
    let line = line(cx, &owner, &mut history)?;
    if line.now.is_none() && line.rows.is_empty() && kept.faults.is_empty() {
        let message = format!("no such profile and no history: {profile}");
        let failure = Failure::new(Kind::NotFound, message);
        return Err(failure.hint(Command::history(None)));
    }
    Ok(Outcome {
        limit: kept.limit,
        lines: vec![line],
        faults: kept.faults,
    })
}

/// Deletes the history of one profile, or of all that the agent has; returns the number of
/// generations.
///
/// # Errors
/// [`Kind::Usage`] if the answer was no or nobody can be asked, and what the store says.
pub fn clear(
    cx: Context<'_>,
    agent: &AgentId,
    profile: Option<&ProfileId>,
    yes: bool,
) -> Result<usize, Failure> {
    cx.require_agent(agent)?;
    let owner = match profile {
        Some(profile) => owner(cx, agent, profile)?,
        None => agent.clone(),
    };
    let kept = cx.store.history(&owner, profile)?;
    let count = kept.histories.iter().map(|h| h.generations.len()).sum();
    if !yes {
        confirm(cx, profile)?;
    }
    cx.store.clear_history(&owner, profile)?;
    Ok(count)
}

fn confirm(cx: Context<'_>, profile: Option<&ProfileId>) -> Result<(), Failure> {
    let what = profile.map_or_else(|| "every profile".to_owned(), ToString::to_string);
    let command = Command::history(profile).arg("--clear").arg("--yes");
    let refused = format!("the history of {what} was not cleared");
    let unasked = format!("{refused}: there is no terminal to confirm it");
    let prompt = format!("Clear the history of {what}? This cannot be undone.");
    cx.require_yes(&prompt, (unasked, refused), command)
}

/// Returns the agent whose history of a profile is meant: the agent itself if it has one or the
/// profile is its own, else main.
pub(in crate::app) fn owner(
    cx: Context<'_>,
    agent: &AgentId,
    profile: &ProfileId,
) -> Result<AgentId, StoreError> {
    let kept = cx.store.history(agent, Some(profile))?;
    let has_own = || -> Result<bool, StoreError> {
        let own = cx
            .store
            .look(agent, Scope::Profile(profile), Detail::Masked)?;
        Ok(own.get(profile).is_some())
    };
    if agent.is_main() || !kept.histories.is_empty() || !kept.faults.is_empty() || has_own()? {
        return Ok(agent.clone());
    }
    Ok(AgentId::main())
}

/// Makes the line of a profile, with a verdict on each generation. What another program took away
/// becomes one in `history`, as it does with the next change.
pub(in crate::app) fn line(
    cx: Context<'_>,
    owner: &AgentId,
    history: &mut History,
) -> Result<Line, Failure> {
    let profile = history.profile.clone();
    let document = cx
        .store
        .look(owner, Scope::Profile(&profile), Detail::Masked)?;
    let now = document.get(&profile);
    if let Some(now) = now {
        // Left by a change that was interrupted before it came about.
        history.leave_out(now);
    }
    history.keep_displaced(now, |grant| is_spent(cx, grant), usize::MAX);
    let mut living = None;
    let mut rows = Vec::new();
    for generation in &history.generations {
        let verdict = verdict(cx, history, generation, &mut living)?;
        rows.push(Row {
            number: generation.number,
            replaced_at: generation.replaced_at,
            cause: generation.cause,
            credential: StoredCredential::of(&generation.credential),
            restorable: !matches!(
                verdict,
                Verdict::Spent { .. } | Verdict::Revoked { .. } | Verdict::Moved { .. }
            ),
            verdict,
        });
    }
    Ok(Line {
        now: now.map(StoredCredential::of),
        owner: owner.clone(),
        profile,
        rows,
    })
}

/// Where each grant is stored that is not known to be spent.
type KnownGrants = HashMap<GrantDigest, SuccessorLocation>;

fn verdict(
    cx: Context<'_>,
    history: &History,
    generation: &Generation,
    living: &mut Option<KnownGrants>,
) -> Result<Verdict, StoreError> {
    let spent = |at, successor| Ok(Verdict::Spent { at, successor });
    let Some(grant) = &generation.grant else {
        return match generation.is_bare {
            true => spent(None, None),
            false => Ok(Verdict::Good),
        };
    };
    let record = cx.store.grant_record(grant)?;
    let settled_at = record
        .as_ref()
        .and_then(|record| record.attempt.as_ref()?.settled_at);
    Ok(
        match record.map_or(GrantStanding::Good, |record| record.standing()) {
            GrantStanding::Revoked { at } => Verdict::Revoked { at },
            GrantStanding::HandedOver(moved) => Verdict::Moved {
                at: moved.at,
                to: moved.to,
            },
            GrantStanding::Spent { successor, .. } => {
                let living = living.get_or_insert_with(|| living_grants(cx, history));
                let successor = rotation::follow(cx, &successor, living)?;
                return spent(settled_at, successor.cloned());
            }
            GrantStanding::NotUnderstood { .. } => return spent(settled_at, None),
            _ if generation.is_bare => return spent(Some(generation.replaced_at), None),
            GrantStanding::Refused { refusal, .. } => Verdict::Refused {
                why: refusal_words(&refusal),
            },
            GrantStanding::InDoubt { since } => Verdict::InDoubt { since },
            GrantStanding::Good | GrantStanding::BackingOff { .. } => Verdict::Good,
        },
    )
}

/// Collects the grants of every agent's document and of this history.
fn living_grants(cx: Context<'_>, history: &History) -> KnownGrants {
    let kept = history.generations.iter().filter(|one| !one.is_bare);
    let kept = kept.filter_map(|one| {
        Some((
            one.grant.clone()?,
            SuccessorLocation::Generation {
                generation: one.number,
            },
        ))
    });
    let held = rotation::holders(cx).into_iter();
    let held = held.map(|(grant, (agent, id))| {
        let location = SuccessorLocation::Profile {
            agent_id: agent,
            profile_id: id,
        };
        (grant, location)
    });
    kept.chain(held).collect()
}
