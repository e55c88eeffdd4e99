//! `gateway import`: the logins of a state directory move into a database.
//!
//! They go as to another machine, through a bundle that lies beside what this machine must not lose:
//! a refresh token works once, and whoever is killed in between has each login in the files, in the
//! bundle or in the database. A second run does the rest.

use std::path::{Path, PathBuf};

use super::collect::{Collected, LeftOut, Selection};
use super::envelope::{Closing, Opening};
use super::export::{self, open_secrets};
use super::hand_over;
use super::import::{self, Action, Row, import_agent};
use super::ledger::{self, Fate};
use super::reading;
use super::target::Target;
use super::unfinished::finish_pending;
use crate::app::access::keys;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::bundle::BundleId;
use crate::model::hint::{Command, Hint};
use crate::model::inheritance::Inheritance;
use crate::model::moved::Moved;
use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The key of the database, which seals the bundle meanwhile.
    pub key: DataKey,
    /// The directory of what this machine must not lose.
    pub directory: PathBuf,
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

/// Moves the logins `from` files `to` a database, and copies what can be used in two places, the keys to
/// the gateway among it. What an
/// agent inherits goes along; what profiles held before stays in the files.
///
/// # Errors
/// [`Kind::NotFound`] if there is nothing, [`Kind::Usage`] if the database holds something else by one
/// of their names; nothing was changed then. If something cannot be written, a second run does the rest.
pub fn run(from: Context<'_>, to: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let bundle = request.directory.join(Moved::TO_DATABASE);
    let mut outcome = Outcome::default();
    if !request.dry_run {
        finish_pending(from);
        outcome.rows = take_in(to, &bundle, request)?;
    }
    outcome.keys = keys::copy(from, to, request.dry_run)?;
    open_secrets(from)?;
    let found = selection().collect(from, &|_| true)?;
    if found.rows.is_empty() {
        return match outcome.rows.is_empty() && outcome.keys == 0 {
            true => Err(nothing(from, &found)),
            false => Ok(outcome),
        };
    }
    let planned = plan(to, request, &found)?;
    if request.dry_run {
        return Ok(Outcome {
            rows: planned,
            left_out: found.left_out,
            ..outcome
        });
    }
    // First, so that nobody sees for a moment what is not for them.
    for agent in from.store.agents()? {
        let inheritance = from.store.inheritance(&agent)?;
        if inheritance != Inheritance::default() {
            to.store.set_inheritance(&agent, &inheritance)?;
        }
    }
    from.files.create_dirs(&request.directory)?;
    let target = |id: &BundleId| {
        Ok(Target {
            path: bundle.clone(),
            draft: request
                .directory
                .join(format!(".{}.{id}.tmp", Moved::TO_DATABASE)),
        })
    };
    let closing = || Ok(Closing::Passphrase(passphrase(request)));
    let moved = export::Request {
        to: bundle.clone(),
        selection: selection(),
        recipients: Vec::new(),
        passphrase_fd: None,
        dry_run: false,
    };
    let moved = hand_over::run_to(from, &moved, &target, &closing)?;
    outcome.left_out = moved.left_out;
    outcome.rows.extend(take_in(to, &bundle, request)?);
    Ok(outcome)
}

/// What would become of each profile.
///
/// # Errors
/// If one of them would not come in.
fn plan(to: Context<'_>, request: &Request, found: &Collected) -> Result<Vec<Row>, Failure> {
    let asked = asked(Path::new(""), request, true);
    let mut rows = Vec::new();
    for one in &found.agents {
        rows.extend(import_agent(to, &asked, one)?);
    }
    match refused(&rows) {
        None => Ok(rows),
        Some(failure) => Err(failure),
    }
}

/// Takes in what lies in the bundle, if there is one, and removes it.
fn take_in(to: Context<'_>, bundle: &Path, request: &Request) -> Result<Vec<Row>, Failure> {
    if to.files.stat(bundle)?.is_none() {
        return Ok(Vec::new());
    }
    let asked = asked(bundle, request, false);
    let (_, content) = reading::open(to, bundle, &asked.opening)?;
    let is_done = matches!(
        ledger::look(to, &content.head.id)?,
        Some((Fate::Imported, _))
    );
    let rows = match is_done {
        true => Vec::new(),
        false => import::run(to, &asked)?.rows,
    };
    if let Some(failure) = refused(&rows) {
        let shown = bundle.display();
        let message = format!("{failure}; the logins of the files are in {shown}");
        let hint = Hint::from("to have them replace what is there: ")
            .run(Command::new("gateway import --replace"));
        let failure = Failure::new(Kind::Usage, message).hint(hint);
        return Err(failure.touched(StoreEffect::Changed));
    }
    to.files.remove(bundle)?;
    Ok(rows)
}

/// All that is not in the database already.
fn selection() -> Selection {
    Selection {
        leaves_moved: true,
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
        force: request.replace,
        dry_run,
    }
}

fn passphrase(request: &Request) -> Secret<String> {
    Secret::new(hexadecimal(request.key.bytes().expose()))
}

/// The first profile that would not come in.
fn refused(rows: &[Row]) -> Option<Failure> {
    let mut faults = rows.iter().filter_map(|row| match &row.action {
        Action::Kept(why) | Action::Refused(why) => Some((row, why)),
        Action::Added | Action::Replaced | Action::Unchanged => None,
    });
    let (row, why) = faults.next()?;
    let message = format!("of agent {} cannot be imported: {why}", row.agent);
    let failure = Failure::about(&row.profile, Kind::Usage, message);
    Some(match row.action {
        Action::Kept(_) => failure.hint(
            Hint::from("to have all replace what the database holds: ")
                .run(Command::new("gateway import --replace")),
        ),
        _ => failure.hint(
            Hint::from("remove it from the files first: ").run(Command::logout(&row.profile)),
        ),
    })
}

fn nothing(from: Context<'_>, found: &Collected) -> Failure {
    let state = from.dirs.state.display();
    let why = found.left_out.first().map_or_else(String::new, |one| {
        format!(": {} cannot go: {}", one.profile, one.reason)
    });
    let message = format!("there is nothing to import in {state}{why}");
    Failure::new(Kind::NotFound, message).hint(Command::list())
}
