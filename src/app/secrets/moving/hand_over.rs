//! `secrets export --move`: the logins go, with their refresh tokens.
//!
//! While each grant is locked, so that no refresh of it is under way: the bundle becomes durable under
//! a name that nobody looks for, the journal says of each grant that it was handed over, the bundle
//! gets its name, and the refresh tokens leave the documents. Whoever is killed in between has each
//! login here or in the bundle, and never sends a refresh token that somebody else may have by then:
//! see `unfinished.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::Collected;
use super::content::Content;
use super::envelope::Closing;
use super::export::{Outcome, Request, new_id, open_secrets, require_any};
use super::marker::{Leaving, Marker};
use super::strip::strip;
use super::target::Target;
use super::turn;
use super::unfinished::{Ending, finish_all, tell_pending, undo};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::refresh::backoff::WAIT_FOR_OTHERS;
use crate::app::refresh::lock_grant::lock_grant;
use crate::app::refresh::recover::{self, Recovered};
use crate::model::bundle::{BundleHead, BundleId};
use crate::model::credential::OAuth;
use crate::model::grant::{
    Attempt, Binding, GrantDigest, GrantRecord, GrantStanding, RefreshOutcome,
};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::files::FileLock;
use crate::ports::store::{Detail, Exclusion, Held, PendingRefresh, Scope, StoreError};

/// So often the logins may change while they are locked one after the other.
const ROUNDS: usize = 3;

/// A login that is to go.
struct Mover {
    agent: AgentId,
    leaving: Leaving,
}

/// The locks of a grant: ours, and those of OpenClaw.
struct Locks<'a> {
    grant: GrantDigest,
    // Let go in this order.
    _excluded: Box<dyn Exclusion + 'a>,
    _held: Box<dyn Held<'a> + 'a>,
}

/// Moves the logins, and copies everything else. One that was killed before is completed first; if
/// that was to the same file, nothing is left to do.
///
/// # Errors
/// If something does not open or cannot be written: then every login is here, unless the message says
/// otherwise.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let to = |id: &BundleId| Target::new(cx, &request.to, id);
    let closing = || Closing::choose(cx, &request.recipients, request.passphrase_fd);
    run_to(cx, request, &to, &closing)
}

/// The same, to any place, sealed in any way.
///
/// # Errors
/// As [`run`].
pub(super) fn run_to(
    cx: Context<'_>,
    request: &Request,
    to: &dyn Fn(&BundleId) -> Result<Target, Failure>,
    closing: &dyn Fn() -> Result<Closing, Failure>,
) -> Result<Outcome, Failure> {
    let path = cx.dirs.cwd.join(&request.to);
    if path.to_str().is_none() {
        let message = format!(
            "{} is not UTF-8, so no profile could say where its login went; nothing was moved",
            path.display()
        );
        return Err(Failure::new(Kind::Usage, message).hint("choose another name for the bundle"));
    }
    if request.dry_run {
        tell_pending(cx)?;
    } else {
        let ended = finish_begun(cx)?;
        let is_it = |(marker, ending): &&(Marker, Ending)| {
            *ending == Ending::Completed && marker.to == path
        };
        if let Some((marker, _)) = ended.iter().find(is_it) {
            return Ok(Outcome::completed(path, marker.bundle.clone()));
        }
    }
    let id = new_id(cx)?;
    let target = to(&id)?;
    open_secrets(cx)?;
    let planned = movers(cx, request)?;
    let goes = |grant: &GrantDigest| planned.contains_key(grant);
    let found = request.selection.collect(cx, &goes)?;
    require_any(cx, &found)?;
    // Of these only the digest is here, beside a seal that does not open.
    let closed: BTreeSet<GrantDigest> = (planned.keys())
        .filter(|grant| !found.moves(grant))
        .cloned()
        .collect();
    if request.dry_run {
        return Ok(Outcome::of(&target, None, found));
    }
    let closing = closing()?;
    let mut turn = Some(turn::take(cx)?);
    // A signal waits from here on, and counts where nothing was written yet.
    cx.interrupt.defer();
    for _ in 0..ROUNDS {
        let mut movers = movers(cx, request)?;
        movers.retain(|grant, _| !closed.contains(grant));
        let Some(locks) = lock_all(cx, &movers)? else {
            continue;
        };
        let goes = |grant: &GrantDigest| locks.iter().any(|locks| locks.grant == *grant);
        let found = request.selection.collect(cx, &goes)?;
        // A refresh that ended while the locks were taken has put another grant there.
        let now = self::movers(cx, request)?;
        let is_all = (now.keys().filter(|grant| !closed.contains(*grant))).eq(movers.keys());
        if is_all && locks.iter().all(|locks| found.moves(&locks.grant)) {
            let leaving = movers.into_values().map(|mover| mover.leaving).collect();
            return hand_over(
                cx,
                (&target, id, &closing),
                leaving,
                (found, locks, turn.take()),
            );
        }
    }
    let message = "the logins were being refreshed by other processes; nothing was moved";
    Err(Failure::new(Kind::Busy, message).hint("run the command again"))
}

/// Completes or undoes every move that was killed; returns what became of each.
///
/// # Errors
/// The first that can neither be completed nor undone; if another process is at one for too long.
pub(super) fn finish_begun(cx: Context<'_>) -> Result<Vec<(Marker, Ending)>, Failure> {
    if !Marker::all(cx)?.is_empty() {
        // What is completed below asks nobody.
        open_secrets(cx)?;
    }
    let _turn = turn::take(cx)?;
    finish_all(cx)
}

/// The logins that are to go, by their grants: each that is wanted and not known to be over. One
/// whose refresh is under way is among them, and is waited for.
fn movers(cx: Context<'_>, request: &Request) -> Result<BTreeMap<GrantDigest, Mover>, Failure> {
    let mut movers = BTreeMap::new();
    for agent in cx.agents(request.selection.agent.as_ref())? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        for (profile, credential) in document.profiles() {
            let provider = credential.provider();
            let grant = credential.as_oauth().and_then(OAuth::grant);
            let (Some(grant), Some(provider)) = (grant, provider) else {
                continue;
            };
            if !request.selection.wants(&agent, profile) || is_over(&standing(cx, &grant)?) {
                continue;
            }
            let leaving = Leaving {
                grant: grant.clone(),
                provider,
                profile: profile.clone(),
            };
            let agent = agent.clone();
            movers.entry(grant).or_insert(Mover { agent, leaving });
        }
    }
    Ok(movers)
}

fn standing(cx: Context<'_>, grant: &GrantDigest) -> Result<GrantStanding, Failure> {
    let record = cx.store.grant_record(grant)?;
    Ok(record.map_or(GrantStanding::Good, |record| record.standing()))
}

/// Whether no machine can use a grant any more, or another one has it.
fn is_over(standing: &GrantStanding) -> bool {
    match standing {
        GrantStanding::Good | GrantStanding::BackingOff { .. } | GrantStanding::InDoubt { .. } => {
            false
        }
        GrantStanding::Revoked { .. }
        | GrantStanding::Spent { .. }
        | GrantStanding::Refused { .. }
        | GrantStanding::NotUnderstood { .. }
        | GrantStanding::HandedOver(_) => true,
    }
}

/// Locks every grant, in the order of their digests; `None` if one of them has changed.
fn lock_all<'a>(
    cx: Context<'a>,
    movers: &BTreeMap<GrantDigest, Mover>,
) -> Result<Option<Vec<Locks<'a>>>, Failure> {
    let deadline = cx.clock.monotonic() + WAIT_FOR_OTHERS;
    let mut all = Vec::new();
    for (grant, Mover { agent, leaving }) in movers {
        let Some(held) = lock_grant(cx, &leaving.profile, grant, deadline)? else {
            return Ok(None);
        };
        let Recovered::NothingFound(held) = recover::commit_saved(cx, grant, held)? else {
            return Ok(None);
        };
        match standing(cx, grant)? {
            // Nobody is at it, or the lock would not be ours.
            GrantStanding::InDoubt { .. } => return Err(in_doubt(&leaving.profile)),
            standing if is_over(&standing) => return Ok(None),
            _ => {}
        }
        let pending = PendingRefresh {
            agent: agent.clone(),
            provider: leaving.provider.clone(),
            profile: leaving.profile.clone(),
            binding: Binding::to_program(""),
            begun_at: cx.clock.now(),
        };
        let excluded = match held.exclude(&pending, &cx.wait(WAIT_FOR_OTHERS)) {
            Err(StoreError::Conflict { .. }) => return Ok(None),
            other => other?,
        };
        all.push(Locks {
            grant: grant.clone(),
            _excluded: excluded,
            _held: held,
        });
    }
    Ok(Some(all))
}

fn in_doubt(profile: &ProfileId) -> Failure {
    let message = format!(
        "the outcome of the last refresh of {profile} is not known, so its refresh token may be used already; nothing was moved"
    );
    let refresh = Command::new("models auth refresh");
    let hint = Hint::from("find out first: ").run(refresh.option("--profile", profile));
    Failure::new(Kind::UnknownOutcome, message).hint(hint)
}

/// What is held until the documents are written.
type Holding<'a> = (Collected, Vec<Locks<'a>>, Option<Box<dyn FileLock>>);

fn hand_over(
    cx: Context<'_>,
    (target, id, closing): (&Target, BundleId, &Closing),
    leaving: Vec<Leaving>,
    (found, locks, _turn): Holding<'_>,
) -> Result<Outcome, Failure> {
    let now = cx.clock.now();
    let head = BundleHead {
        id: id.clone(),
        created: now,
        is_move: true,
        database: target.database.clone(),
    };
    let (content, told): (Content, Collected) = found.into_content(head);
    let bytes = closing.seal(cx, &content)?;
    cx.uninterrupted()?;
    let marker = Marker::new(cx, (id.clone(), now), target, &bytes, leaving);
    target.remove_leftovers(cx);
    marker.write(cx)?;
    if let Err(failure) = target
        .write(cx, &bytes)
        .and_then(|()| give_up(cx, &marker))
        .and_then(|()| target.publish(cx))
    {
        let is_published = marker.is_published(cx);
        if !is_published.map_err(|unread| untidy(&failure, &unread))? {
            // Nobody has the bundle: everything is as it was.
            undo(cx, &marker).map_err(|undone| untidy(&failure, &undone))?;
            return Err(failure);
        }
        // It has its name all the same, as a network file system may have it.
        cx.warn(failure.to_string());
    }
    let stripped = strip(cx, &marker).and_then(|gone| {
        tell_copies(cx, &told, &gone);
        marker.remove(cx)
    });
    drop(locks);
    if let Err(failure) = stripped {
        cx.warn(format!(
            "the logins are moved, but not all of their refresh tokens could be removed here ({failure}); the next command does that"
        ));
    }
    match cx.uninterrupted() {
        Ok(()) => Ok(Outcome::of(target, Some(id), told)),
        Err(failure) => Err(failure.touched(StoreEffect::Changed)),
    }
}

/// Tells of the profiles that were not named, and are the same login as one that was.
fn tell_copies(cx: Context<'_>, told: &Collected, gone: &[(AgentId, ProfileId)]) {
    let is_told = |agent: &AgentId, profile: &ProfileId| {
        let mut rows = told.rows.iter();
        rows.any(|row| row.agent == *agent && row.profile == *profile)
    };
    for (agent, profile) in gone
        .iter()
        .filter(|(agent, profile)| !is_told(agent, profile))
    {
        cx.info(format!(
            "{profile} of agent {agent} is the same login, and is moved with it"
        ));
    }
}

/// Writes down of each grant that it is another machine's.
fn give_up(cx: Context<'_>, marker: &Marker) -> Result<(), Failure> {
    for Leaving {
        grant,
        provider,
        profile,
    } in &marker.grants
    {
        let known = cx.store.grant_record(grant)?;
        let known = known.unwrap_or_else(|| GrantRecord::new(grant.clone(), provider, profile));
        let outcome = RefreshOutcome::HandedOver {
            bundle: marker.bundle.clone(),
            to: marker.to.display().to_string(),
        };
        cx.store.record_login(&GrantRecord {
            attempt: Some(Attempt {
                begun_at: marker.at,
                settled_at: Some(marker.at),
                outcome: Some(outcome),
                failures: 0,
            }),
            moves: known.moves.saturating_add(1),
            ..known
        })?;
    }
    Ok(())
}

fn untidy(failure: &Failure, undone: &Failure) -> Failure {
    let message =
        format!("{failure}; and it could not be undone: {undone}. The next command tries again");
    Failure::new(Kind::Storage, message)
}
