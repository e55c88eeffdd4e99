//! `models auth logout`: removes a profile from the store, with everything that the document holds
//! about it. The provider is told only with `--revoke`, and then nothing is removed before it has
//! agreed. The history keeps what is still valid, and the command says so.

use crate::model::credential::{Credential, Kind as CredentialKind};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::pairs;
use crate::model::profiles::{Effective, VisibleProfile};
use crate::ports::store::{Scope, StoreError};

use crate::app::context::{Context, look_up};
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::login::noted::settle::{Meant, settle};
use crate::app::revoke::{self, RevocationPlan};

use super::history;

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent.
    pub agent: AgentId,
    /// The profile.
    pub profile: ProfileId,
    /// Whether to skip the confirmation.
    pub yes: bool,
    /// Whether to only report what would be removed.
    pub dry_run: bool,
    /// Whether to revoke it at the provider first.
    pub revoke: bool,
    /// Whether to remove it even if it could not be revoked.
    pub force: bool,
    /// Whether to delete the history of the profile, too.
    pub forget: bool,
}

/// What was or would be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profile.
    pub profile: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// The agent whose document held it.
    pub owner: AgentId,
    /// The providers whose order override named it.
    pub orders: Vec<String>,
    /// The providers whose last good profile it was.
    pub last_good: Vec<String>,
    /// Whether there was a usage entry.
    pub usage: bool,
    /// Whether it was removed; false for a dry run.
    pub removed: bool,
    /// Whether the history keeps it, so that it can be restored.
    pub kept: bool,
    /// The number of older generations that were deleted with it.
    pub forgotten: usize,
    /// Whether another login replaced it meanwhile, which stays.
    pub replaced: bool,
    /// The revocation, if one was asked for.
    pub revocation: Option<Revocation>,
}

/// The revocation of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The revocation endpoint.
    pub endpoint: String,
    /// What stops working besides the profile itself, one sentence each.
    pub ends: Vec<String>,
    /// Other profiles that held the same login and were removed with it.
    pub copies: Vec<(AgentId, ProfileId)>,
    /// Whether the server revoked it; false for a dry run, and if a failure was ignored with
    /// `--force`.
    pub done: bool,
}

/// Removes the profile from its owner's document.
///
/// # Errors
/// [`Kind::NotFound`] if there is no such profile, [`Kind::Usage`] if nobody can be asked and
/// `yes` was not said, [`Kind::Cancelled`] if the answer was no, and what the store says. With
/// `revoke` [`Kind::Config`] if it cannot be revoked, and [`Kind::Temporary`] if it cannot be now;
/// nothing was removed then.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    cx.require_agent(&request.agent)?;
    if !request.dry_run {
        wait_for_logins(cx, request)?;
    }
    remove(cx, request)
}

/// Waits for logins that would be stored in the place of what is removed.
fn wait_for_logins(cx: Context<'_>, request: &Request) -> Result<(), Failure> {
    let id = &request.profile;
    let effective = cx.effective(&request.agent, Scope::Profile(id))?;
    let seen = effective.get(id);
    let stored = seen.as_ref().and_then(|seen| seen.credential.provider());
    let owner = seen.map_or_else(|| request.agent.clone(), |seen| seen.owner.clone());
    let prefix = id.as_str().split_once(':').map(|(prefix, _)| prefix);
    let named = || prefix.and_then(|prefix| ProviderId::parse(prefix).ok());
    match stored.or_else(named) {
        Some(provider) => settle(
            cx,
            Meant {
                agent: &owner,
                provider: &provider,
                profile: Some(id),
            },
        ),
        None => Ok(()),
    }
}

/// Removes it, whatever login is under way.
pub(super) fn remove(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let id = &request.profile;
    let effective = cx.effective(&request.agent, Scope::All)?;
    let seen = look_up(&effective, id)?;
    let owner = seen.owner.clone();
    let mut outcome = planned(&effective, &seen);
    let credential = seen.credential.clone();
    let plan = match request.revoke {
        true => forced(cx, request, revoke::plan(cx, &owner, id, credential))?,
        false => None,
    };
    outcome.revocation = plan.as_ref().map(|plan| Revocation {
        endpoint: plan.endpoint(),
        ends: plan.ends(cx),
        copies: Vec::new(),
        done: false,
    });
    if request.dry_run {
        return Ok(outcome);
    }
    for end in outcome.revocation.iter().flat_map(|told| &told.ends) {
        cx.info(end.clone());
    }
    if !request.yes {
        confirm(cx, &outcome, request)?;
    }
    let revoked = match plan {
        Some(plan) => forced(cx, request, plan.carry_out(cx))?,
        None => None,
    };
    match &revoked {
        None => {
            outcome.revocation = None;
            forget(cx, &mut outcome, &|_| true)?;
        }
        Some(plan) => {
            forget(cx, &mut outcome, &|held| plan.revoked(held))?;
            forget_copies(cx, &mut outcome, plan);
            plan.revoke_access(cx);
        }
    }
    if request.forget && outcome.removed {
        let (owner, profile) = (&outcome.owner, Some(&outcome.profile));
        let cleared = history::clear(cx, owner, profile, true);
        outcome.forgotten = cleared.map_err(|failure| failure.touched(StoreEffect::Changed))?;
        outcome.kept = false;
    }
    match cx.interrupt.pending() {
        Some(signal) if revoked.is_some() => {
            Err(Failure::cancelled(signal).touched(StoreEffect::Changed))
        }
        _ => Ok(outcome),
    }
}

/// What goes with a profile, before anything is done.
fn planned(effective: &Effective, seen: &VisibleProfile<'_>) -> Outcome {
    let document = match &effective.main {
        Some(main) if seen.owner.is_main() => main,
        _ => &effective.own,
    };
    let is_it = |name: &String| name.trim() == seen.id.as_str();
    Outcome {
        profile: seen.id.clone(),
        provider: seen.credential.raw_provider().to_owned(),
        kind: seen.credential.kind(),
        owner: seen.owner.clone(),
        orders: pairs::keys(&document.order, |ids| ids.iter().any(is_it)),
        last_good: pairs::keys(&document.last_good, is_it),
        usage: document.usage_of(seen.id).is_some(),
        removed: false,
        kept: false,
        forgotten: 0,
        replaced: false,
        revocation: None,
    }
}

/// Turns a failure to revoke into a warning if `force` is set. Failures to remove are not ignored.
fn forced<T>(
    cx: Context<'_>,
    request: &Request,
    result: Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let is_ours = |kind| matches!(kind, Kind::Storage | Kind::Busy | Kind::Cancelled(_));
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if !request.force || is_ours(failure.kind) => Err(failure),
        Err(failure) => {
            cx.warn(format!(
                "{failure}. It is only removed from this machine; the provider may still accept it"
            ));
            Ok(None)
        }
    }
}

/// Removes the profile, if it still holds the same credential.
fn forget(
    cx: Context<'_>,
    outcome: &mut Outcome,
    is_meant: &dyn Fn(&Credential) -> bool,
) -> Result<(), Failure> {
    let Outcome { profile, owner, .. } = outcome;
    let mut removed = false;
    let mut replaced = false;
    let written = cx.change(owner, |document| {
        replaced = document.get(profile).is_some_and(|held| !is_meant(held));
        removed = !replaced && document.remove(profile).is_some();
        removed
    });
    let was_revoked = outcome.revocation.is_some();
    written.map_err(|error| match was_revoked {
        true => unforgotten(outcome, error),
        false => error.into(),
    })?;
    outcome.removed = removed;
    outcome.replaced = replaced;
    outcome.kept = removed && is_kept(cx, &outcome.owner, &outcome.profile);
    Ok(())
}

/// Makes the failure for a login that is revoked and could not be removed.
fn unforgotten(outcome: &Outcome, error: StoreError) -> Failure {
    let failure = Failure::from(error);
    Failure {
        message: format!(
            "{} was revoked, but could not be removed from this machine: {}",
            outcome.profile, failure
        ),
        hint: failure
            .hint
            .map(|hint| hint.then(": ").run(Command::logout(&outcome.profile))),
        ..failure
    }
}

/// Removes the copies of the login. One that cannot be removed is of no use, and the journal says
/// so.
fn forget_copies(cx: Context<'_>, outcome: &mut Outcome, plan: &RevocationPlan) {
    outcome.kept = false;
    let Some(told) = &mut outcome.revocation else {
        return;
    };
    told.done = true;
    for (agent, id) in &plan.copies {
        if (agent, id) == (&outcome.owner, &outcome.profile) {
            continue;
        }
        let mut removed = false;
        let written = cx.store.update(agent, &mut |document| {
            let is_it = document.get(id).is_some_and(|held| plan.revoked(held));
            removed = is_it && document.remove(id).is_some();
            removed
        });
        match written {
            Ok(_) if removed => told.copies.push((agent.clone(), id.clone())),
            Ok(_) => {}
            Err(error) => cx.warn(format!(
                "{id} of agent {agent} was revoked, too, but could not be removed: {error}"
            )),
        }
    }
}

/// Whether the history keeps the credential. A history that cannot be read counts as none.
fn is_kept(cx: Context<'_>, owner: &AgentId, id: &ProfileId) -> bool {
    let kept = cx.store.history(owner, Some(id)).unwrap_or_default();
    let mut histories = kept.histories.iter();
    histories.any(|history| history.generations.iter().any(|one| !one.is_bare))
}

fn confirm(cx: Context<'_>, outcome: &Outcome, request: &Request) -> Result<(), Failure> {
    let Outcome { profile, owner, .. } = outcome;
    let mut command = Command::logout(profile);
    let flags = [(request.revoke, "--revoke"), (request.force, "--force")];
    for (_, flag) in flags.iter().filter(|(is_set, _)| *is_set) {
        command = command.arg(flag);
    }
    let command = command.arg("--yes");
    let inherited = if *owner == request.agent {
        String::new()
    } else {
        format!(" It belongs to agent {owner}; every agent that inherits it loses it.")
    };
    let verb = match &outcome.revocation {
        Some(_) => "Revoke and remove",
        None => "Remove",
    };
    let prompt = format!("{verb} {profile}?{inherited}");
    let refused = format!("{profile} was not removed");
    let unasked = format!("{refused}: there is no terminal to confirm it");
    cx.require_yes(&prompt, (unasked, refused), command)
}
