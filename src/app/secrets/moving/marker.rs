//! What is written down before a move begins: by it the next command knows of a move that was killed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::{BundleId, digest};
use crate::model::grant::{GrantDigest, GrantRecord, GrantStanding};
use crate::model::hint::{Command, Hint};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::moved::Moved;
use crate::model::state_files::RESCUE;
use crate::model::time::Timestamp;

/// What the name of its file ends with.
const ENDING: &str = ".move";

/// A move that was begun. No secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marker {
    /// The bundle.
    pub(super) bundle: BundleId,
    /// Where it lies until it is whole.
    pub(super) draft: PathBuf,
    /// Where it lies then.
    pub(super) to: PathBuf,
    /// When the move was begun.
    pub(super) at: Timestamp,
    /// How long the sealed bytes are.
    pub(super) length: u64,
    /// Their SHA-256 in hexadecimal: by it the bundle is known, whatever sealed it.
    pub(super) sha256: String,
    /// The grants that go.
    pub(super) grants: Vec<Leaving>,
    /// Whether they leave a database, and not the files: the same state directory may be used with both.
    #[serde(default)]
    pub(super) in_database: bool,
    /// The database that they go into, without what is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) database: Option<String>,
}

/// A grant that goes to another machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Leaving {
    /// The grant.
    pub(super) grant: GrantDigest,
    /// Its provider.
    pub(super) provider: ProviderId,
    /// A profile that holds it.
    pub(super) profile: ProfileId,
}

impl Marker {
    /// The marker of a move of these grants, sealed as `bytes`, to that file.
    pub(super) fn new(
        cx: Context<'_>,
        (bundle, at): (BundleId, Timestamp),
        target: &Target,
        bytes: &[u8],
        grants: Vec<Leaving>,
    ) -> Self {
        Self {
            bundle,
            draft: target.draft.clone(),
            to: target.path.clone(),
            at,
            length: bytes.len() as u64,
            sha256: digest(bytes),
            grants,
            in_database: cx.is_in_database(),
            database: target.database.as_ref().map(|it| it.at.clone()),
        }
    }

    /// Lists the moves out of the store in use that were begun and not completed.
    ///
    /// # Errors
    /// If they cannot be looked for.
    pub(super) fn all(cx: Context<'_>) -> Result<Vec<Self>, Failure> {
        let directory = cx.own(RESCUE);
        let mut found = Vec::new();
        for name in cx.files.list(&directory)? {
            if !name.ends_with(ENDING) {
                continue;
            }
            let path = directory.join(&name);
            let bytes = cx.files.read(&path)?.unwrap_or_default();
            match serde_json::from_slice::<Self>(&bytes) {
                Ok(marker) if marker.in_database == cx.is_in_database() => found.push(marker),
                Ok(_) => {}
                Err(_) => cx.warn(unreadable(&path)),
            }
        }
        Ok(found)
    }

    /// Writes it durably.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, cx: Context<'_>) -> Result<(), Failure> {
        cx.files.create_dirs(&cx.own(RESCUE))?;
        let bytes = encode(self)?;
        Ok(cx.files.replace(&self.path(cx), &bytes)?)
    }

    /// The move is completed, or undone.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn remove(&self, cx: Context<'_>) -> Result<(), Failure> {
        Ok(cx.files.remove(&self.path(cx))?)
    }

    /// Leaves grants that came back out of every move that was begun: completing one would take their
    /// refresh tokens away.
    ///
    /// # Errors
    /// If a marker cannot be written; it can be done again.
    pub(super) fn let_go(cx: Context<'_>, grants: &[GrantDigest]) -> Result<(), Failure> {
        for mut marker in Self::all(cx)? {
            let before = marker.grants.len();
            marker.grants.retain(|one| !grants.contains(&one.grant));
            match marker.grants.len() {
                0 => marker.remove(cx)?,
                after if after < before => marker.write(cx)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, cx: Context<'_>) -> PathBuf {
        let name = format!("{}{ENDING}", self.bundle);
        cx.own(RESCUE).join(name)
    }

    /// Whether it is about that file, by either name.
    pub(super) fn is_about(&self, path: &Path) -> bool {
        self.to == path || self.draft == path
    }

    /// Whether these are the bytes of the bundle.
    fn is_of(&self, bytes: &[u8]) -> bool {
        digest(bytes) == self.sha256
    }

    /// Whether the bundle has its name: by its bytes, for a name says nothing of what lies there.
    ///
    /// # Errors
    /// If something lies there that may be it, and cannot be read.
    pub(super) fn is_published(&self, cx: Context<'_>) -> Result<bool, Failure> {
        match cx.files.stat(&self.to)? {
            Some(there) if there.is_file && there.size == self.length => {
                let bytes = cx.files.read(&self.to)?;
                Ok(bytes.is_some_and(|bytes| self.is_of(&bytes)))
            }
            _ => Ok(false),
        }
    }

    /// How many of the grants the journal knows as handed over in this bundle.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(super) fn handed_over(&self, cx: Context<'_>) -> Result<usize, Failure> {
        let mut count = 0;
        for leaving in &self.grants {
            count += usize::from(is_handed_over(cx, &leaving.grant, &self.bundle)?);
        }
        Ok(count)
    }

    /// Undoes what the journal says: the grants are of this machine again. The refresh tokens lie in
    /// the documents.
    ///
    /// # Errors
    /// If the journal cannot be written; it can be done again.
    pub(super) fn reclaim(&self, cx: Context<'_>) -> Result<(), Failure> {
        for leaving in &self.grants {
            reclaim(cx, &leaving.grant, &self.bundle)?;
        }
        Ok(())
    }

    /// What is written into the profiles of a grant.
    pub(super) fn moved(&self, grant: &GrantDigest) -> Moved {
        Moved {
            bundle: self.bundle.clone(),
            at: self.at,
            to: self.to.display().to_string(),
            grant: grant.clone(),
            database: self.database.clone(),
        }
    }
}

/// The text of what is written beside the store.
///
/// # Errors
/// If it has none: then nothing must be written in its place.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::new(Kind::Storage, error.to_string()))
}

/// A marker that says nothing: what it was about only its user can know.
fn unreadable(path: &Path) -> Hint {
    let path = path.display();
    Hint::from(format!(
        "{path} cannot be read, and told of a move that was interrupted; if its bundle is there and no other machine imported it, run: "
    ))
    .run(Command::new("secrets take-back").arg("FILE"))
    .then(format!("; then remove {path}"))
}

/// Whether the journal knows a grant as handed over in that bundle.
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_handed_over(
    cx: Context<'_>,
    grant: &GrantDigest,
    bundle: &BundleId,
) -> Result<bool, Failure> {
    let record = cx.store.grant_record(grant)?;
    let standing = record.map(|record| record.standing());
    Ok(matches!(standing, Some(GrantStanding::HandedOver(moved)) if moved.bundle == *bundle))
}

/// Writes down that a grant is of this machine again, if it was handed over in that bundle.
///
/// # Errors
/// If the journal cannot be read or written.
pub(super) fn reclaim(
    cx: Context<'_>,
    grant: &GrantDigest,
    bundle: &BundleId,
) -> Result<(), Failure> {
    if !is_handed_over(cx, grant, bundle)? {
        return Ok(());
    }
    let Some(record) = cx.store.grant_record(grant)? else {
        return Ok(());
    };
    let record = GrantRecord {
        attempt: None,
        ..record
    };
    Ok(cx.store.record_login(&record)?)
}

/// The bundle is neither here nor there.
pub(super) fn gone(marker: &Marker) -> Failure {
    let count = marker.grants.len();
    let logins = match count {
        1 => "1 login was".to_owned(),
        count => format!("{count} logins were"),
    };
    let message = format!(
        "{logins} handed over in {}, which is not there any more; the refresh tokens are still here, and are not used",
        marker.to.display()
    );
    if let Some(database) = &marker.database {
        let hint = format!("use them in the database at {database}, or log in again here");
        return Failure::new(Kind::NeedsLogin, message).hint(hint);
    }
    let command = Command::new("secrets take-back").name(&marker.to.display());
    Failure::new(Kind::NeedsLogin, message).hint(
        Hint::from("put it back there, or, if no other machine imported it, run: ")
            .run(command)
            .then("; if one did, log in again here, or log out"),
    )
}
