//! The bundle in which logins are on their way into a database: what an import that was interrupted has
//! left is completed by the next one into the same database, and by no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::database_request::Request;
use super::turn;
use crate::app::context::Context;
use crate::app::doctor::Verdict;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::BundleHead;
use crate::model::credential::OAuth;
use crate::model::hint::{Command, Hint};
use crate::model::id::printable;
use crate::model::moved::Moved;
use crate::model::state_files::TENANTS;
use crate::ports::store::{Detail, Scope};

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

    /// Finds all of this machine: also those of the tenants that have their own part of that directory.
    ///
    /// # Errors
    /// If a document or a bundle cannot be read.
    pub fn of_all_tenants(files: Context<'_>, directory: &Path) -> Result<Vec<Self>, Failure> {
        let mut all = Self::all(files, directory)?;
        let tenants = directory.join(TENANTS);
        for tenant in files.files.list(&tenants)? {
            let own = tenants.join(tenant);
            if !all.iter().any(|left| left.is_in(files, &own)) {
                all.extend(Self::find(files, &own)?);
            }
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
    pub fn completed_by(&self, import: Command) -> Hint {
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
    let (id, here) = (request.database.id()?, request.database.place());
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
