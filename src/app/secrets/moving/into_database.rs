//! `gateway import`: the logins of a state directory move into a database.
//!
//! They go as to another machine, through a bundle that lies beside what this machine must not lose:
//! a refresh token works once, and whoever is killed in between has each login in the files, in the
//! bundle or in the database. A second run does the rest. What the database does not take never
//! leaves the files.

use std::collections::HashSet;
use std::path::Path;

use super::collect::{Collected, LeftOut, Selection};
pub use super::database_request::{Request, passphrase};
use super::envelope::Closing;
use super::export::{self, open_secrets};
use super::gone::gone_before;
use super::hand_over;
use super::import::{Action, Row, import_agent};
use super::left_bundle::refuse_others;
use super::lone_orders;
use super::take_in::{NO_AGENT, asked, take_in};
use super::target::Target;
use super::turn;
use crate::app::access::keys;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::bundle::{BundleId, ForDatabase};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::model::moved::Moved;

/// What was done, or would be.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The profiles that were found.
    pub rows: Vec<Row>,
    /// The profiles that stay where they are.
    pub left_out: Vec<LeftOut>,
    /// So many keys to the gateway were copied.
    pub keys: usize,
    /// So many orders of agents without profiles of their own were copied.
    pub orders: usize,
}

impl Outcome {
    /// Says that not all came in, if that is so.
    pub fn failure(&self, is_planned: bool) -> Option<Failure> {
        let refused: Vec<&Row> = self.rows.iter().filter(|row| is_refused(row)).collect();
        let (were, stay) = match refused.len() {
            1 => ("was", "stays"),
            _ => ("were", "stay"),
        };
        let is_there = |row: &&Row| row.action != Action::Refused(NO_AGENT.to_owned());
        let verb = match is_planned {
            true => "would not be imported".to_owned(),
            false if refused.iter().all(is_there) => {
                format!("{were} not imported, and {stay} in the files")
            }
            // Nothing of an agent that was deleted is in the files.
            false => format!("{were} not imported"),
        };
        let message = format!("{} of {} profiles {verb}", refused.len(), self.rows.len());
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
    match &row.action {
        Action::Added | Action::Replaced | Action::Unchanged => None,
        Action::Kept(_) => {
            let again = Command::new("gateway import --replace").option("--profile", &row.profile);
            Some(Hint::from("to replace what the database holds: ").run(again))
        }
        Action::Refused(why) if why == NO_AGENT => {
            let add = Command::new("agents add").arg(&row.agent);
            Some(Hint::from("to add the agent again: ").run(add))
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
pub fn run(from: Context<'_>, to: Context<'_>, request: &Request<'_>) -> Result<Outcome, Failure> {
    let bundle = request.directory.join(Moved::TO_DATABASE);
    let mut outcome = Outcome::default();
    // One that waited finds what the other did.
    let _alone = match request.dry_run {
        true => None,
        false => Some(turn::take_import(from)?),
    };
    if !request.dry_run {
        hand_over::finish_begun(from)?;
    }
    refuse_others(from, request)?;
    outcome.rows = take_in(from, to, (request, &bundle))?;
    if request.profiles.is_empty() {
        outcome.keys = keys::copy(from, to, request.dry_run)?;
    }
    open_secrets(from)?;
    let taken: HashSet<_> = outcome.rows.iter().map(place).collect();
    let gone = gone_before(from, to, (&wanted(request), &request.database.place()))?;
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
    // Behind what agents inherit, for from then on the database knows them.
    if request.profiles.is_empty() {
        outcome.orders = lone_orders::copy(from, to, request.dry_run)?;
    }
    match outcome.rows.is_empty() && outcome.keys == 0 && outcome.orders == 0 {
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
    (request, bundle): (&Request<'_>, &Path),
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
    let database = ForDatabase {
        id: request.database.id()?,
        at: request.database.place(),
    };
    let target = |id: &BundleId| {
        let draft = format!(".{}.{id}.tmp", Moved::TO_DATABASE);
        Ok(Target {
            path: bundle.to_owned(),
            draft: request.directory.join(draft),
            database: Some(database.clone()),
        })
    };
    let closing = || Ok(Closing::Passphrase(passphrase(&request.key)));
    let moved = export::Request {
        to: bundle.to_owned(),
        selection,
        recipients: Vec::new(),
        passphrase_fd: None,
        dry_run: false,
    };
    hand_over::run_to(from, &moved, &target, &closing)?;
    // What is still in the files, after all, must not come into the database as well.
    hand_over::finish_begun(from).map_err(|failure| failure.touched(StoreEffect::Changed))?;
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
fn take_inheritance(
    from: Context<'_>,
    to: Context<'_>,
    request: &Request<'_>,
) -> Result<(), Failure> {
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
fn plan(to: Context<'_>, request: &Request<'_>, found: &Collected) -> Result<Vec<Row>, Failure> {
    let asked = asked(Path::new(""), request, true);
    let mut rows = Vec::new();
    for one in &found.agents {
        rows.extend(import_agent(to, &asked, one)?);
    }
    Ok(rows)
}

fn wanted(request: &Request<'_>) -> Selection {
    Selection {
        profiles: request.profiles.clone(),
        leaves_moved: true,
        has_usage: true,
        has_whole_orders: true,
        ..Selection::default()
    }
}

fn nothing(from: Context<'_>, left_out: &[LeftOut]) -> Failure {
    let state = from.dirs.state.display();
    let why = left_out.first().map_or_else(String::new, |one| {
        format!(": {} cannot go: {}", one.profile, one.reason)
    });
    let message = format!("there is nothing to import in {state}{why}");
    Failure::new(Kind::NotFound, message).hint(Command::list())
}
