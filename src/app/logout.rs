//! `models auth logout`: forgets one profile here, with everything the document says of it. Nothing
//! is told to the provider: to forget and to revoke are different words. The history keeps it, and
//! the command says so.

use crate::model::credential::{Credential, Kind as CredentialKind};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::dialog::{Answer, Question};
use crate::ports::store::{Change, Scope};

use super::Ports;
use super::failure::{Failure, Kind, shell_word};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Which profile.
    pub profile: ProfileId,
    /// Without asking.
    pub yes: bool,
    /// Only say what would go.
    pub dry_run: bool,
}

/// What went, or would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profile.
    pub profile: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// What it held.
    pub kind: CredentialKind,
    /// The agent in whose document it lay.
    pub owner: AgentId,
    /// Providers whose order override named it.
    pub orders: Vec<String>,
    /// Providers whose last good profile it was.
    pub last_good: Vec<String>,
    /// Whether there was a usage entry.
    pub usage: bool,
    /// Whether it went; false for a dry run.
    pub removed: bool,
    /// Whether it lies in the history now, and can be brought back.
    pub kept: bool,
}

/// Forgets it, at its owner.
///
/// # Errors
/// [`Kind::NotFound`] if there is no such profile, [`Kind::Usage`] if nobody can be asked and
/// `yes` was not said, [`Kind::Cancelled`] if the answer was no, and what the store says.
pub fn run(ports: Ports<'_>, request: &Request) -> Result<Outcome, Failure> {
    let id = &request.profile;
    let effective = ports.effective(&request.agent, Scope::All)?;
    let seen = effective
        .get(id)
        .ok_or_else(|| Failure::not_seen(&effective, id))?;
    let owner = seen.owner.clone();
    let document = match &effective.main {
        Some(main) if owner.is_main() => main,
        _ => &effective.own,
    };
    let is_it = |name: &str| name.trim() == id.as_str();
    let mut outcome = Outcome {
        profile: id.clone(),
        provider: seen.credential.raw_provider().to_owned(),
        kind: seen.credential.kind(),
        owner: owner.clone(),
        orders: document
            .order
            .iter()
            .filter(|(_, ids)| ids.iter().any(|other| is_it(other)))
            .map(|(provider, _)| provider.clone())
            .collect(),
        last_good: document
            .last_good
            .iter()
            .filter(|(_, other)| is_it(other))
            .map(|(provider, _)| provider.clone())
            .collect(),
        usage: document.usage_of(id).is_some(),
        removed: false,
        kept: false,
    };
    if request.dry_run {
        return Ok(outcome);
    }
    if !request.yes {
        confirm(ports, &outcome, &request.agent)?;
    }
    let mut removed: Option<Credential> = None;
    let written = ports.store.update(&owner, &mut |document| {
        removed = document.remove(id);
        match removed {
            Some(_) => Change::Write,
            None => Change::Keep,
        }
    })?;
    ports.tell_faults(&written);
    outcome.removed = removed.is_some();
    outcome.kept = outcome.removed && is_kept(ports, &owner, id);
    Ok(outcome)
}

/// Whether the credential itself is among the generations now. A history that cannot be read is
/// told of by `models auth history`.
fn is_kept(ports: Ports<'_>, owner: &AgentId, id: &ProfileId) -> bool {
    let kept = ports.store.history(owner, Some(id)).unwrap_or_default();
    let mut histories = kept.histories.iter();
    histories.any(|history| history.generations.iter().any(|one| !one.is_bare))
}

fn confirm(ports: Ports<'_>, outcome: &Outcome, agent: &AgentId) -> Result<(), Failure> {
    let Outcome { profile, owner, .. } = outcome;
    let command = format!(
        "openclaw models auth logout {} --yes",
        shell_word(profile.as_str())
    );
    if !ports.dialog.can_ask() {
        let message = format!("{profile} was not removed: nobody is there to confirm it");
        return Err(Failure::new(Kind::Usage, message).hint(command));
    }
    let inherited = if owner == agent {
        String::new()
    } else {
        format!(" It belongs to agent {owner}; every agent that reads through to it loses it.")
    };
    let question = Question::Confirm {
        prompt: format!("Remove {profile}?{inherited}"),
        default: false,
    };
    match ports.dialog.ask(&question, &|| false)? {
        Answer::Yes => Ok(()),
        Answer::No | Answer::Text(_) => {
            Err(Failure::new(Kind::Usage, format!("{profile} was not removed")).hint(command))
        }
    }
}
