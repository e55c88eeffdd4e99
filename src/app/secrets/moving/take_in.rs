//! Taking in what an import into a database has put into its bundle, or one before it that was
//! interrupted.

use std::collections::HashSet;
use std::path::Path;

use super::collect::SEALED;
use super::content::{AgentContent, Content};
use super::database_request::{Request, passphrase};
use super::envelope::Opening;
use super::import::{self, Action, Replacing, Row, import_agent};
use super::ledger::{self, Fate};
use super::origin::is_from_here;
use super::reading;
use super::turn;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::bundle::BundleId;
use crate::model::hint::{Command, Hint};
use crate::ports::store::{Detail, Scope};

/// Why the login of an agent that was deleted does not come in.
pub(super) const NO_AGENT: &str = "its agent does not exist any more";

/// Takes in what lies in the bundle, if there is one, and removes it. No move of it may be unfinished:
/// what it holds would be in the files as well.
///
/// # Errors
/// If it does not open, was not taken back to the end, or something cannot be written; if something
/// that is nowhere else does not come in: then the bundle stays.
pub(super) fn take_in(
    from: Context<'_>,
    to: Context<'_>,
    (request, bundle): (&Request<'_>, &Path),
) -> Result<Vec<Row>, Failure> {
    if to.files.stat(bundle)?.is_none() {
        return Ok(Vec::new());
    }
    let asked = asked(bundle, request, request.dry_run);
    let (_, content) = reading::open(to, bundle, &asked.opening)?;
    let id = &content.head.id;
    let rows = match begin(to, id, request.dry_run)? {
        Some(Fate::TakenBack) if is_from_here(from, &content)? => {
            return Err(half_taken_back(bundle));
        }
        // Its logins are in the files again, and go from there; or all came in before.
        Some(Fate::TakenBack | Fate::Imported) => Vec::new(),
        Some(Fate::Begun) | None => enter(from, to, (&content, asked))?,
    };
    if !request.dry_run {
        remove(to, bundle, id)?;
    }
    Ok(rows)
}

/// What became of a bundle here. If nothing did, writes down that it begins to come in: from then on
/// nothing of it may be taken back.
fn begin(cx: Context<'_>, id: &BundleId, dry_run: bool) -> Result<Option<Fate>, Failure> {
    if dry_run {
        return Ok(ledger::look(cx, id)?.map(|(fate, _)| fate));
    }
    // Or who takes it back in between would not be seen.
    let _turn = turn::take(cx)?;
    let fate = ledger::look(cx, id)?.map(|(fate, _)| fate);
    if fate.is_none() {
        ledger::note(cx, id, Fate::Begun)?;
    }
    Ok(fate)
}

/// Takes it in, or says what would become of it.
fn enter(
    from: Context<'_>,
    to: Context<'_>,
    (content, mut asked): (&Content, import::Request),
) -> Result<Vec<Row>, Failure> {
    let agents = content.agents.iter();
    let (there, gone): (Vec<_>, Vec<_>) =
        agents.partition(|one| from.require_agent(&one.agent).is_ok());
    asked.without = gone.iter().map(|one| one.agent.clone()).collect();
    let refused: Vec<Row> = gone.into_iter().flat_map(of_no_agent).collect();
    if asked.dry_run {
        let rows = there.into_iter().map(|one| import_agent(to, &asked, one));
        let rows = rows.collect::<Result<Vec<_>, _>>()?.concat();
        return Ok([rows, refused].concat());
    }
    let is_end = |done: &import::Outcome| !done.rows.iter().chain(&refused).any(is_held_up);
    let done = import::run_to_end(to, &asked, &is_end)?;
    // Those last: once they alone are left, nobody may need the bundle.
    let mut rows = [done.rows, refused].concat();
    if let Some(row) = rows.iter().find(|row| is_held_up(row)) {
        return Err(held_up(row, &asked.file));
    }
    for row in &mut rows {
        if is_there(to, row)? {
            row.action = Action::Unchanged;
        }
    }
    Ok(rows)
}

/// Whether the bundle stays for a profile. Only for what is nowhere else: everything else stays in the
/// files.
fn is_held_up(row: &Row) -> bool {
    row.refresh_token == Some(true)
        && match &row.action {
            Action::Kept(_) => true,
            Action::Refused(why) => why == SEALED || why == NO_AGENT,
            Action::Added | Action::Replaced | Action::Unchanged => false,
        }
}

/// Whether a profile did not come in because it did before, and was refreshed there since.
fn is_there(to: Context<'_>, row: &Row) -> Result<bool, Failure> {
    if !matches!(row.action, Action::Refused(_)) {
        return Ok(false);
    }
    let scope = Scope::Profile(&row.profile);
    let there = to.store.look(&row.agent, scope, Detail::Masked)?;
    Ok(there.get(&row.profile).is_some())
}

/// Removes a bundle, unless another import has put its own in its place.
fn remove(cx: Context<'_>, bundle: &Path, id: &BundleId) -> Result<(), Failure> {
    let _turn = turn::take(cx)?;
    let Some(bytes) = cx.files.read(bundle)? else {
        return Ok(());
    };
    let head = cx.bundles.bundle_head(&bytes);
    if head.is_ok_and(|head| head.id == *id) {
        cx.files.remove(bundle)?;
    }
    Ok(())
}

/// Whoever took it back was killed.
fn half_taken_back(bundle: &Path) -> Failure {
    let bundle = bundle.display();
    let message = format!("{bundle} was not taken back to the end; nothing was imported");
    let again = Command::new("secrets take-back").name(&bundle);
    Failure::new(Kind::Usage, message).hint(again)
}

/// What becomes of the logins of an agent that was deleted since they left the files.
fn of_no_agent(one: &AgentContent) -> impl Iterator<Item = Row> {
    one.document.profiles().map(|(profile, credential)| Row {
        agent: one.agent.clone(),
        profile: profile.clone(),
        action: Action::Refused(NO_AGENT.to_owned()),
        refresh_token: credential.as_oauth().map(|it| it.refresh_token().is_some()),
        expires: credential.expires(),
    })
}

/// Something else came into the database meanwhile, or the agent was deleted.
fn held_up(row: &Row, bundle: &Path) -> Failure {
    if row.action == Action::Refused(NO_AGENT.to_owned()) {
        let bundle = bundle.display();
        let message = format!(
            "is not imported, for its agent {} does not exist any more; it is in {bundle}",
            row.agent
        );
        let hint = Hint::from("to import it, add the agent again and repeat the import: ")
            .run(Command::new("agents add").arg(&row.agent))
            .then(format!(
                "; to give it up, remove {bundle}, which holds only logins of deleted agents now"
            ));
        let failure = Failure::about(&row.profile, Kind::Usage, message).hint(hint);
        return failure.touched(StoreEffect::Changed);
    }
    let message = format!(
        "of agent {} is not imported yet, for the database holds another credential of that name; it is in {}",
        row.agent,
        bundle.display()
    );
    let hint = Hint::from("to have it replace what is there: ")
        .run(Command::new("gateway import --replace").option("--profile", &row.profile));
    let failure = Failure::about(&row.profile, Kind::Usage, message).hint(hint);
    failure.touched(StoreEffect::Changed)
}

pub(super) fn asked(bundle: &Path, request: &Request<'_>, dry_run: bool) -> import::Request {
    import::Request {
        file: bundle.to_owned(),
        opening: Opening {
            passphrase: Some(passphrase(&request.key)),
            ..Opening::default()
        },
        replacing: match request.replace {
            true => Replacing::Everything,
            false => Replacing::Nothing,
        },
        only: request.profiles.clone(),
        without: HashSet::new(),
        is_configured: true,
        dry_run,
    }
}
