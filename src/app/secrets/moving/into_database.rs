//! `gateway import`: the logins of a state directory move into a database.
//!
//! They go as to another machine, through a bundle that lies beside what this machine must not lose:
//! a refresh token works once, and whoever is killed in between has each login in the files, in the
//! bundle or in the database. A second run does the rest. What the database does not take never
//! leaves the files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::collect::{Collected, LeftOut, SEALED, Selection};
use super::envelope::{Closing, Opening};
use super::export::{self, open_secrets};
use super::gone::gone_before;
use super::hand_over;
use super::import::{self, Action, Replacing, Row, import_agent};
use super::ledger::{self, Fate};
use super::origin::is_from_here;
use super::reading;
use super::target::Target;
use super::turn;
use super::unfinished::finish_pending;
use crate::app::access::keys;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::bundle::BundleId;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::model::moved::Moved;
use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;
use crate::ports::store::{Detail, Scope};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the database is, without what is secret.
    pub shown: String,
    /// The key of the database, which seals the bundle meanwhile.
    pub key: DataKey,
    /// The directory of what this machine must not lose.
    pub directory: PathBuf,
    /// The profiles that are meant; all without.
    pub profiles: Vec<ProfileId>,
    /// Whether other credentials in the database are replaced.
    pub replace: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The profiles that were found.
    pub rows: Vec<Row>,
    /// The profiles that stay where they are.
    pub left_out: Vec<LeftOut>,
    /// So many keys to the gateway were copied.
    pub keys: usize,
}

impl Outcome {
    /// Says that not all came in, if that is so.
    pub fn failure(&self, is_planned: bool) -> Option<Failure> {
        let refused = self.rows.iter().filter(|row| is_refused(row)).count();
        let verb = match is_planned {
            true => "would not be imported",
            false => "were not imported, and stay in the files",
        };
        let message = format!("{refused} of {} profiles {verb}", self.rows.len());
        let first = self.rows.iter().find_map(remedy)?;
        let is_done = self.rows.iter().any(|row| !is_refused(row));
        Some(
            Failure::new(Kind::Usage, message)
                .hint(first)
                .touched(match is_done && !is_planned {
                    true => StoreEffect::Changed,
                    false => StoreEffect::Nothing,
                }),
        )
    }
}

fn is_refused(row: &Row) -> bool {
    matches!(row.action, Action::Kept(_) | Action::Refused(_))
}

/// What to do about a profile that did not come in.
pub fn remedy(row: &Row) -> Option<Hint> {
    match row.action {
        Action::Added | Action::Replaced | Action::Unchanged => None,
        Action::Kept(_) => {
            let again = Command::new("gateway import --replace").option("--profile", &row.profile);
            Some(Hint::from("to replace what the database holds: ").run(again))
        }
        Action::Refused(_) => {
            let logout = Command::logout(&row.profile).of_agent(&row.agent);
            Some(Hint::from("to remove it from the files, without the database: ").run(logout))
        }
    }
}

/// Moves the logins `from` files `to` a database, and copies what can be used in two places, the keys to
/// the gateway among it. What agents inherit goes along where the database does not know them yet;
/// what profiles held before stays in the files, and so does each that the database does not take.
///
/// # Errors
/// [`Kind::NotFound`] if there is nothing. If something cannot be written, a second run does the rest.
pub fn run(from: Context<'_>, to: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let bundle = request.directory.join(Moved::TO_DATABASE);
    let mut outcome = Outcome::default();
    if !request.dry_run {
        finish_pending(from);
    }
    outcome.rows = take_in(from, to, (request, &bundle))?;
    if request.profiles.is_empty() {
        outcome.keys = keys::copy(from, to, request.dry_run)?;
    }
    open_secrets(from)?;
    let taken: HashSet<_> = outcome.rows.iter().map(place).collect();
    let gone = gone_before(from, to, &wanted(request))?;
    outcome.rows.extend(
        gone.rows
            .into_iter()
            .filter(|row| !taken.contains(&place(row))),
    );
    outcome.left_out = gone.left_out;
    outcome
        .left_out
        .retain(|one| !taken.contains(&(one.agent.clone(), one.profile.clone())));
    let selection = Selection {
        profiles: (request.profiles.iter())
            .filter(|id| !gone.names.contains(*id))
            .cloned()
            .collect(),
        ..wanted(request)
    };
    if request.profiles.is_empty() || !selection.profiles.is_empty() {
        move_in(from, to, (request, &bundle), selection, &mut outcome)?;
    }
    match outcome.rows.is_empty() && outcome.keys == 0 {
        true => Err(nothing(from, &outcome.left_out)),
        false => Ok(outcome),
    }
}

fn place(row: &Row) -> (AgentId, ProfileId) {
    (row.agent.clone(), row.profile.clone())
}

/// Moves those of the selection that the database takes.
fn move_in(
    from: Context<'_>,
    to: Context<'_>,
    (request, bundle): (&Request, &Path),
    mut selection: Selection,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let found = selection.collect(from, &|_| true)?;
    let planned = plan(to, request, &found)?;
    outcome.left_out.extend(found.left_out);
    // What is there already leaves the files if it works only once.
    let leaves = |row: &Row| match row.action {
        Action::Added | Action::Replaced => true,
        Action::Unchanged => row.refresh_token == Some(true),
        Action::Kept(_) | Action::Refused(_) => false,
    };
    let (going, staying): (Vec<Row>, Vec<Row>) = planned.into_iter().partition(leaves);
    selection.except = staying.iter().map(place).collect();
    outcome.rows.extend(staying);
    if request.dry_run {
        // An import that was killed may have left a login in the bundle and in the files.
        let told: HashSet<_> = outcome.rows.iter().map(place).collect();
        let new = going.into_iter().filter(|row| !told.contains(&place(row)));
        outcome.rows.extend(new);
        return Ok(());
    }
    // First, so that nobody sees for a moment what is not for them.
    take_inheritance(from, to, request)?;
    if going.is_empty() {
        return Ok(());
    }
    from.files.create_dirs(&request.directory)?;
    let target = |id: &BundleId| {
        let draft = format!(".{}.{id}.tmp", Moved::TO_DATABASE);
        Ok(Target {
            path: bundle.to_owned(),
            draft: request.directory.join(draft),
            database: Some(request.shown.clone()),
        })
    };
    let closing = || Ok(Closing::Passphrase(passphrase(request)));
    let moved = export::Request {
        to: bundle.to_owned(),
        selection,
        recipients: Vec::new(),
        passphrase_fd: None,
        dry_run: false,
    };
    hand_over::run_to(from, &moved, &target, &closing)?;
    let taken = take_in(from, to, (request, bundle));
    outcome
        .rows
        .extend(taken.map_err(|failure| halfway(failure, bundle))?);
    Ok(())
}

/// What failed when the logins had left the files already.
fn halfway(failure: Failure, bundle: &Path) -> Failure {
    if failure.touched != StoreEffect::Nothing {
        return failure;
    }
    let message = format!(
        "{}; the logins have left the files and are in {}, from where the same command takes them",
        failure.message,
        bundle.display()
    );
    Failure { message, ..failure }.touched(StoreEffect::Changed)
}

/// Has the agents that the database does not know inherit there what they do in the files. Of the
/// others that is replaced only with everything else.
fn take_inheritance(from: Context<'_>, to: Context<'_>, request: &Request) -> Result<(), Failure> {
    let known: HashSet<AgentId> = to.store.agents()?.into_iter().collect();
    let is_replaced = request.replace && request.profiles.is_empty();
    for agent in from.store.agents()? {
        let inheritance = from.store.inheritance(&agent)?;
        let is_new = is_replaced || !known.contains(&agent);
        if is_new && inheritance != Inheritance::default() {
            to.store.set_inheritance(&agent, &inheritance)?;
        }
    }
    Ok(())
}

/// What would become of each profile.
fn plan(to: Context<'_>, request: &Request, found: &Collected) -> Result<Vec<Row>, Failure> {
    let asked = asked(Path::new(""), request, true);
    let mut rows = Vec::new();
    for one in &found.agents {
        rows.extend(import_agent(to, &asked, one)?);
    }
    Ok(rows)
}

/// Takes in what lies in the bundle, if there is one, and removes it.
fn take_in(
    from: Context<'_>,
    to: Context<'_>,
    (request, bundle): (&Request, &Path),
) -> Result<Vec<Row>, Failure> {
    if to.files.stat(bundle)?.is_none() {
        return Ok(Vec::new());
    }
    let asked = asked(bundle, request, request.dry_run);
    let (_, content) = reading::open(to, bundle, &asked.opening)?;
    let fate = ledger::look(to, &content.head.id)?.map(|(fate, _)| fate);
    if fate == Some(Fate::TakenBack) {
        if is_from_here(from, &content)? {
            return Err(half_taken_back(bundle));
        }
        // Its logins are in the files again, and go from there.
        if !request.dry_run {
            remove(to, bundle, &content.head.id)?;
        }
        return Ok(Vec::new());
    }
    let is_done = fate == Some(Fate::Imported);
    if request.dry_run {
        let agents = content.agents.iter().filter(|_| !is_done);
        let rows = agents.map(|one| import_agent(to, &asked, one));
        return Ok(rows.collect::<Result<Vec<_>, _>>()?.concat());
    }
    // Only what is nowhere else holds it up: everything else stays in the files.
    let is_held_up = |row: &Row| {
        row.refresh_token == Some(true)
            && match &row.action {
                Action::Kept(_) => true,
                Action::Refused(why) => why == SEALED,
                Action::Added | Action::Replaced | Action::Unchanged => false,
            }
    };
    let mut rows = match is_done {
        true => Vec::new(),
        false => {
            // Before the first row: from then on nothing of it may be taken back.
            ledger::note(to, &content.head.id, Fate::Begun)?;
            let is_end = |done: &import::Outcome| !done.rows.iter().any(is_held_up);
            import::run_to_end(to, &asked, &is_end)?.rows
        }
    };
    if let Some(row) = rows.iter().find(|row| is_held_up(row)) {
        return Err(held_up(row, bundle));
    }
    remove(to, bundle, &content.head.id)?;
    for row in &mut rows {
        // It came in before, and was refreshed there since.
        if matches!(row.action, Action::Refused(_)) {
            let there = to
                .store
                .look(&row.agent, Scope::Profile(&row.profile), Detail::Masked)?;
            if there.get(&row.profile).is_some() {
                row.action = Action::Unchanged;
            }
        }
    }
    Ok(rows)
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

/// Something else came into the database meanwhile.
fn held_up(row: &Row, bundle: &Path) -> Failure {
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

fn wanted(request: &Request) -> Selection {
    Selection {
        profiles: request.profiles.clone(),
        leaves_moved: true,
        has_usage: true,
        has_whole_orders: true,
        ..Selection::default()
    }
}

fn asked(bundle: &Path, request: &Request, dry_run: bool) -> import::Request {
    import::Request {
        file: bundle.to_owned(),
        opening: Opening {
            passphrase: Some(passphrase(request)),
            ..Opening::default()
        },
        replacing: match request.replace {
            true => Replacing::Everything,
            false => Replacing::Nothing,
        },
        only: request.profiles.clone(),
        is_configured: true,
        dry_run,
    }
}

fn passphrase(request: &Request) -> Secret<String> {
    Secret::new(hexadecimal(request.key.bytes().expose()))
}

fn nothing(from: Context<'_>, left_out: &[LeftOut]) -> Failure {
    let state = from.dirs.state.display();
    let why = left_out.first().map_or_else(String::new, |one| {
        format!(": {} cannot go: {}", one.profile, one.reason)
    });
    let message = format!("there is nothing to import in {state}{why}");
    Failure::new(Kind::NotFound, message).hint(Command::list())
}
