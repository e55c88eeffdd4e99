//! `models auth undo`: restores a previous version of a profile. The present one becomes a
//! generation itself, so an undo can be undone.

use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::{Command, Hint};
use crate::model::history::{Cause, Generation, History};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::moved::Moved;
use crate::ports::store::{GrantLock, Held};

use super::history::{Row, SuccessorLocation, Verdict, line, owner};
use crate::app::context::Context;
use crate::app::credential::stored::StoredCredential;
use crate::app::deposit::{has_own_order, make_selectable};
use crate::app::failure::{Failure, Kind};

/// What was or would be restored.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The profile.
    pub profile: ProfileId,
    /// The agent whose document holds it.
    pub owner: AgentId,
    /// The generation.
    pub row: Row,
    /// The number of the generation that the present credential became; `None` if there was none,
    /// or for a dry run.
    pub was: Option<u64>,
}

/// Restores a generation, by default the last that something other than a refresh replaced. A dry run
/// only reports what would be restored.
///
/// # Errors
/// [`Kind::NotFound`] if there is no such generation, [`Kind::NeedsLogin`] if its grant is spent,
/// [`Kind::Busy`] while another process refreshes it, and what the store says. Nothing is changed
/// then.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    id: &ProfileId,
    number: Option<u64>,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let owner = owner(cx, agent, id)?;
    let mut found = find(cx, &owner, id, number)?;
    let mut held = None;
    if !dry_run {
        // Looked at again once it is held: nobody can spend a copy of it until it is stored.
        held = hold(cx, &found.generation)?;
        found = find(cx, &owner, id, Some(found.generation.number))?;
    }
    let generation = found.generation;
    check(cx, id, &found.row)?;
    let mut outcome = Outcome {
        profile: id.clone(),
        owner: owner.clone(),
        row: found.row,
        was: None,
    };
    if !dry_run {
        put(cx, &owner, id, &generation)?;
        drop(held);
        let kept = cx.store.history(&owner, Some(id))?;
        let newest = kept.histories.first().and_then(|h| h.generations.first());
        outcome.was = newest
            .map(|newest| newest.number)
            .filter(|_| found.is_taken);
    }
    Ok(outcome)
}

/// A generation that was found.
struct Found {
    generation: Generation,
    row: Row,
    /// Whether the profile holds a credential now.
    is_taken: bool,
}

fn find(
    cx: Context<'_>,
    owner: &AgentId,
    id: &ProfileId,
    number: Option<u64>,
) -> Result<Found, Failure> {
    let kept = cx.store.history(owner, Some(id))?;
    let history = kept.histories.into_iter().next();
    let mut history = history.unwrap_or_else(|| History::new(id.clone()));
    let line = line(cx, owner, &mut history)?;
    let is_wanted = |row: &&Row| match number {
        Some(number) => row.number == number,
        None => row.cause != Cause::Refresh,
    };
    let newest = line.rows.first().filter(|_| number.is_none());
    let mut wanted = line.rows.iter().filter(is_wanted).peekable();
    let first = wanted.peek().copied();
    // An outdated copy that was removed is passed over for what took its place.
    let row = wanted.find(|row| row.restorable).or(first).or(newest);
    let mut generations = history.generations.into_iter();
    let found = row.and_then(|row| {
        let generation = generations.find(|one| one.number == row.number)?;
        Some((row.clone(), generation))
    });
    let (row, generation) = found.ok_or_else(|| {
        if let Some(refused) = kept.refused {
            return refused.into();
        }
        if let Some(fault) = kept.faults.first() {
            return Failure::new(Kind::Storage, fault).hint(
                Hint::from("repair it, or remove it: ")
                    .run(Command::history(Some(id)).arg("--clear")),
            );
        }
        let message = match number {
            Some(number) => format!("{id} has no generation {number}"),
            None => format!("{id} has no previous versions"),
        };
        let other = (!line.rows.is_empty()).then_some(id);
        Failure::new(Kind::NotFound, message).hint(Command::history(other))
    })?;
    Ok(Found {
        generation,
        row,
        is_taken: line.now.is_some(),
    })
}

/// Fails if the generation cannot be restored, and says where its successor is.
fn check(cx: Context<'_>, id: &ProfileId, row: &Row) -> Result<(), Failure> {
    let number = row.number;
    let refused = |why: String, hint: Hint| {
        let message = format!("generation {number} of {id} cannot be restored: {why}");
        Err(Failure::new(Kind::NeedsLogin, message).hint(hint))
    };
    let warned = |warning: Hint| {
        cx.warn(warning);
        Ok(())
    };
    let local = cx.clock.local();
    match &row.verdict {
        Verdict::Good => Ok(()),
        Verdict::InDoubt { since } => warned(Hint::from(format!(
            "the refresh of generation {number} started {} has no known outcome; its refresh token may already be used",
            local.spoken(*since)
        ))),
        Verdict::Refused { why } => warned(
            Hint::from(format!(
                "generation {number} cannot be refreshed: {why}. Log in again: "
            ))
            .run(login(cx, id, &row.credential)),
        ),
        Verdict::Revoked { at } => refused(
            format!("it was revoked {}", local.spoken(*at)),
            login(cx, id, &row.credential).into(),
        ),
        Verdict::Moved { at, to } if Moved::is_for_database(to) => refused(
            format!("it was moved to a database {}", local.spoken(*at)),
            "use it there, with export OPENCLAW_DATABASE_URL_FILE=FILE of its address".into(),
        ),
        Verdict::Moved { at, to } => refused(
            format!("it was moved to another machine {}", local.spoken(*at)),
            Command::new("secrets take-back").name(to).into(),
        ),
        Verdict::Spent { at, successor } => {
            let when = at.map_or_else(String::new, |at| format!(" {}", local.spoken(at)));
            let place = SuccessorLocation::words(successor.as_ref());
            let why = format!("its refresh token was already used{when}; its successor is {place}");
            refused(
                why,
                match successor {
                    Some(SuccessorLocation::Generation { generation }) => {
                        Command::undo(id).option("--generation", generation).into()
                    }
                    _ => login(cx, id, &row.credential).into(),
                },
            )
        }
    }
}

fn login(cx: Context<'_>, id: &ProfileId, stored: &StoredCredential) -> Command {
    let Ok(provider) = ProviderId::parse(&stored.provider) else {
        return Command::list();
    };
    let manifest = cx.provider(&provider).ok();
    let kind = match (stored.kind, manifest) {
        (CredentialKind::OAuth, Some(manifest)) => manifest.usual_kind(),
        (kind, _) => kind,
    };
    Command::store(&provider, Some(id), kind)
}

fn hold<'a>(
    cx: Context<'a>,
    generation: &Generation,
) -> Result<Option<Box<dyn Held<'a> + 'a>>, Failure> {
    let Some(grant) = &generation.grant else {
        return Ok(None);
    };
    match cx.store.try_lock_grant(grant)? {
        GrantLock::Held(held) => Ok(Some(held)),
        // Which is why it is refused, once it is looked at again.
        GrantLock::Spent { .. } => Ok(None),
        GrantLock::Taken { .. } => {
            let message = format!(
                "another process is refreshing the login of generation {}",
                generation.number
            );
            Err(Failure::new(Kind::Busy, message).hint("run the command again later"))
        }
    }
}

fn put(
    cx: Context<'_>,
    owner: &AgentId,
    id: &ProfileId,
    Generation {
        credential,
        mentions,
        ..
    }: &Generation,
) -> Result<(), Failure> {
    let mut is_put = false;
    let written = cx.change(owner, |document| {
        is_put = document.restore(id, credential.clone(), mentions);
        is_put
    })?;
    if !is_put {
        let message = "cannot be brought back: its seal does not open; nothing was changed";
        return Err(Failure::about(id, Kind::Storage, message));
    }
    let Some(provider) = credential.provider() else {
        return Ok(());
    };
    let is_it = |other: &String| other == id.as_str();
    let order = written.order_of(&provider);
    if order.is_some_and(|ids| !ids.iter().any(is_it)) {
        cx.warn(format!(
            "{id} is not in the configured order for {provider}, so it is not used automatically"
        ));
    }
    make_selectable(
        cx,
        id,
        (&provider, credential.kind()),
        credential.email(),
        has_own_order(cx, owner, &provider),
    )
}
