//! Where the answer of a token endpoint goes: a file that is made before the request is sent.
//!
//! `prepare` makes it; the answer is appended as it came, before anybody understands it. What such a
//! file holds, and who may touch it, `saved_answer` says, which reads them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::grant::GrantDigest;
use crate::model::saved_response::{self, ROOM};
use crate::model::secret::Secret;
use crate::model::state_files::RESCUE;
use crate::ports::files::{FileError, Prepared};
use crate::ports::store::{Location, PendingRefresh, StoreError};
use crate::ports::vault::Sealer;

use super::error::at;
use super::io::FileStore;
use super::saved_answer::{name, response, tighten};
use super::sealed::Sealing;

/// The file of one refresh, ready for its answer.
pub(super) struct Slot<'a> {
    pub(super) path: PathBuf,
    head: Vec<u8>,
    file: Box<dyn Prepared + 'a>,
    /// What seals the answer, which is to a refresh of this grant.
    sealer: Option<Arc<Sealer>>,
    grant: GrantDigest,
}

/// What became of the server's answer to a refresh that was begun.
pub(super) enum Answer<'a> {
    /// It has not come; here is where it goes.
    Awaited(Slot<'a>),
    /// It lies in this file.
    Saved(Location),
    /// It came and could not be written where it was prepared.
    InMemory(Slot<'a>, Secret<Vec<u8>>),
}

impl Answer<'_> {
    /// Saves the answer that has come; where that fails it is held, for another place.
    pub(super) fn save(&mut self, answer: &Secret<Vec<u8>>) {
        let Self::Awaited(slot) = self else {
            return;
        };
        let saved = slot.save(answer);
        let there = Self::Saved(at(&slot.path));
        let awaited = std::mem::replace(self, there);
        if let (Err(error), Self::Awaited(slot)) = (saved, awaited) {
            tracing::warn!(%error, "the server's answer could not be saved ahead");
            *self = Self::InMemory(slot, answer.clone());
        }
    }

    /// Where it lies, saved elsewhere if it does not yet; `None` if it is lost, or has not come.
    pub(super) fn keep(&self, cx: &FileStore) -> Option<Location> {
        match self {
            Self::Awaited(_) => None,
            Self::Saved(at) => Some(at.clone()),
            Self::InMemory(slot, answer) => save_elsewhere(cx, slot, answer).map(|path| at(&path)),
        }
    }
}

impl Slot<'_> {
    /// Saves the answer where it was prepared.
    fn save(&mut self, answer: &Secret<Vec<u8>>) -> Result<(), FileError> {
        let bytes = self.response(answer)?;
        self.file.append(bytes.expose())
    }

    fn response(&self, answer: &Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, FileError> {
        response(self.sealer.as_deref(), (&self.grant, answer)).map_err(|fault| FileError {
            operation: "seal",
            path: self.path.clone(),
            source: std::io::Error::other(fault),
        })
    }
}

/// Makes the file of a refresh ready for its answer.
pub(super) fn prepare<'a>(
    cx: &'a FileStore,
    sealing: Sealing,
    grant: &GrantDigest,
    refresh: &PendingRefresh,
) -> Result<Slot<'a>, StoreError> {
    let sealer = match sealing {
        Sealing::Off => None,
        Sealing::On(sealer, _) => Some(sealer),
        Sealing::Closed(fault) => return Err(fault.into()),
    };
    let directory = cx.paths.state.join(RESCUE);
    cx.io.files.create_dirs(&directory)?;
    tighten(cx, &directory);
    let path = directory.join(name(grant, refresh.begun_at));
    let head = saved_response::head(&cx.paths.identity, refresh).map_err(|error| FileError {
        operation: "write",
        path: path.clone(),
        source: error.into(),
    })?;
    let file = cx.io.files.prepare(&path, &head, ROOM)?;
    Ok(Slot {
        path,
        head,
        file,
        sealer,
        grant: grant.clone(),
    })
}

/// Saves an answer outside the state directory, whose disk just failed.
fn save_elsewhere(cx: &FileStore, slot: &Slot<'_>, answer: &Secret<Vec<u8>>) -> Option<PathBuf> {
    let directory = cx.paths.spare.as_ref()?;
    let path = directory.join(slot.path.file_name()?);
    let save = || {
        cx.io.files.create_dirs(directory)?;
        let mut file = cx.io.files.prepare(&path, &slot.head, 0)?;
        file.append(slot.response(answer)?.expose())
    };
    save().ok().map(|()| path)
}
