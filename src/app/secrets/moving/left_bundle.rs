//! The bundle in which logins are on their way into a database: what an import that was interrupted has
//! left is completed by the next one into the same database, and by no other.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::collect::SEALED;
use super::content::AgentContent;
use super::database_request::{Request, passphrase};
use super::envelope::Opening;
use super::import::{self, Action, Replacing, Row, import_agent};
use super::ledger::{self, Fate};
use super::origin::is_from_here;
use super::reading;
use super::turn;
use crate::app::context::Context;
use crate::app::doctor::Verdict;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::bundle::{BundleHead, BundleId};
use crate::model::credential::OAuth;
use crate::model::hint::{Command, Hint};
use crate::model::id::printable;
use crate::model::moved::Moved;
use crate::model::state_files::TENANTS;
use crate::ports::store::{Detail, Scope};

/// Why the login of an agent that was deleted does not come in.
pub(super) const NO_AGENT: &str = "its agent does not exist any more";

/// A bundle that is left.
pub struct LeftBundle {
    /// Where it lies.
    pub path: PathBuf,
    /// What can be read of it; `None` if it is damaged.
    head: Option<BundleHead>,
}

impl LeftBundle {
    /// Finds the one in the directory of what this machine must not lose.
    fn find(cx: Context<'_>, directory: &Path) -> Result<Option<Self>, Failure> {
        Self::read(cx, directory.join(Moved::TO_DATABASE))
    }

    fn read(cx: Context<'_>, path: PathBuf) -> Result<Option<Self>, Failure> {
        let bytes = cx.files.read(&path)?;
        Ok(bytes.map(|bytes| Self {
            path,
            head: cx.bundles.bundle_head(&bytes).ok(),
        }))
    }

    /// Finds all that logins of the files went into, wherever they lie.
    fn of_logins(files: Context<'_>) -> Result<Vec<Self>, Failure> {
        let mut bundles = BTreeMap::new();
        for agent in files.store.agents()? {
            let document = files.store.look(&agent, Scope::All, Detail::Masked)?;
            let logins = document.profiles().filter_map(|(_, it)| it.as_oauth());
            let moved = logins.filter_map(OAuth::moved);
            let moved = moved.filter(|moved| Moved::is_for_database(&moved.to));
            bundles.extend(moved.map(|moved| (PathBuf::from(moved.to), moved.bundle)));
        }
        let mut left = Vec::new();
        for (path, id) in bundles {
            let found = Self::read(files, path)?;
            left.extend(found.filter(|it| it.head.as_ref().is_some_and(|head| head.id == id)));
        }
        Ok(left)
    }

    /// Finds those of imports that were interrupted; none while one is running, for it may be its own.
    ///
    /// # Errors
    /// If a document, a bundle or the lock cannot be read.
    pub fn interrupted(files: Context<'_>, directory: &Path) -> Result<Vec<Self>, Failure> {
        match turn::is_import_running(files)? {
            true => Ok(Vec::new()),
            false => Self::all(files, directory),
        }
    }

    /// Finds all: in that directory, and wherever logins of the files went.
    fn all(files: Context<'_>, directory: &Path) -> Result<Vec<Self>, Failure> {
        let mut all = match files.is_in_database() {
            true => Vec::new(),
            false => Self::of_logins(files)?,
        };
        if !all.iter().any(|left| left.is_in(files, directory)) {
            all.extend(Self::find(files, directory)?);
        }
        Ok(all)
    }

    /// What is said of it where things are checked; of that database, if its id is known.
    pub fn verdict(&self, id: Option<&str>) -> Verdict {
        let found = format!(
            "an import into {} was interrupted, and has its logins in {}",
            self.database(),
            self.path.display()
        );
        let advice = match id {
            Some(id) if self.is_for(id) => self.completed_by(Command::new("gateway import")),
            _ => self.remedy(),
        };
        Verdict::warning(found, advice)
    }

    /// Whether it may go into the database of that id: it says so, or an earlier release made it.
    fn is_for(&self, id: &str) -> bool {
        let database = self.head.as_ref().and_then(|head| head.database.as_ref());
        database.is_none_or(|database| database.id == id)
    }

    /// Where its database is, in words.
    fn database(&self) -> String {
        let database = self.head.as_ref().and_then(|head| head.database.as_ref());
        database.map_or_else(
            || "a database".to_owned(),
            |database| format!("the database at {}", printable(&database.at, 200)),
        )
    }

    /// How its logins come where they can be used again.
    fn remedy(&self) -> Hint {
        let import = Command::new("gateway import").option("--database-url-file", "FILE");
        let back = Command::new("secrets take-back").name(&self.path.display());
        self.completed_by(import)
            .then("; only if that database is gone for good: ")
            .then(back)
    }

    /// The import that completes it, whatever directory it would use otherwise.
    fn completed_by(&self, import: Command) -> Hint {
        let directory = self.path.parent().unwrap_or(&self.path);
        let all = directory.parent().filter(|all| all.ends_with(TENANTS));
        let import = match (all.and_then(Path::parent), directory.file_name()) {
            (Some(base), Some(tenant)) => import
                .option("--rescue-dir", &base.display())
                .option("--tenant", &tenant.display()),
            _ => import.option("--rescue-dir", &directory.display()),
        };
        Hint::from("to complete it: ").run(import)
    }

    /// Whether it lies in that directory, by whatever name.
    fn is_in(&self, cx: Context<'_>, directory: &Path) -> bool {
        let same = |a: &Path| {
            a == directory || cx.files.resolve(a).ok() == cx.files.resolve(directory).ok()
        };
        self.path.parent().is_some_and(same)
    }
}

/// Fails if an import was interrupted whose bundle this one does not complete: it waits for another
/// database, or lies in another directory.
///
/// # Errors
/// If there is one, or it cannot be looked for.
pub(super) fn refuse_others(from: Context<'_>, request: &Request<'_>) -> Result<(), Failure> {
    let all = LeftBundle::all(from, &request.directory)?;
    let (id, here) = (request.database.id()?, request.database.shown());
    let is_other = |left: &&LeftBundle| !left.is_in(from, &request.directory) || !left.is_for(&id);
    let Some(left) = all.iter().find(is_other) else {
        return Ok(());
    };
    let message = format!(
        "an import into {} was interrupted, and has its logins in {}; nothing was moved into the database at {here}",
        left.database(),
        left.path.display(),
    );
    let hint = match left.is_for(&id) {
        true => left.completed_by(Command::new("gateway import")),
        false => left.remedy(),
    };
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// Takes in what lies in the bundle, if there is one, and removes it.
pub(super) fn take_in(
    from: Context<'_>,
    to: Context<'_>,
    (request, bundle): (&Request<'_>, &Path),
) -> Result<Vec<Row>, Failure> {
    if to.files.stat(bundle)?.is_none() {
        return Ok(Vec::new());
    }
    let mut asked = asked(bundle, request, request.dry_run);
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
    let agents = content.agents.iter().filter(|_| !is_done);
    let (there, gone): (Vec<_>, Vec<_>) =
        agents.partition(|one| from.require_agent(&one.agent).is_ok());
    asked.without = gone.iter().map(|one| one.agent.clone()).collect();
    let refused = gone.into_iter().flat_map(of_no_agent);
    if request.dry_run {
        let rows = there.into_iter().map(|one| import_agent(to, &asked, one));
        let rows = rows.collect::<Result<Vec<_>, _>>()?.concat();
        return Ok(rows.into_iter().chain(refused).collect());
    }
    // Only what is nowhere else holds it up: everything else stays in the files.
    let is_held_up = |row: &Row| {
        row.refresh_token == Some(true)
            && match &row.action {
                Action::Kept(_) => true,
                Action::Refused(why) => why == SEALED || why == NO_AGENT,
                Action::Added | Action::Replaced | Action::Unchanged => false,
            }
    };
    let mut rows = match is_done {
        true => Vec::new(),
        false => {
            // Before the first row: from then on nothing of it may be taken back.
            ledger::note(to, &content.head.id, Fate::Begun)?;
            let refused: Vec<Row> = refused.collect();
            let is_end = |done: &import::Outcome| {
                let mut all = done.rows.iter().chain(&refused);
                !all.any(is_held_up)
            };
            let done = import::run_to_end(to, &asked, &is_end)?;
            // Those last: once they alone are left, nobody may need the bundle.
            [done.rows, refused].concat()
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
