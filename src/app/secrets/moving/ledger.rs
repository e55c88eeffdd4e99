//! Which bundles this machine imported or took back: one small file for each, without secrets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::marker::encode;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::BundleId;
use crate::model::state_files::BUNDLES;
use crate::model::time::Timestamp;

/// What became of a bundle here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Fate {
    /// A database may hold what is in it.
    Begun,
    /// It was imported, to its end.
    Imported,
    /// What this machine had handed over in it is here again.
    TakenBack,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    state: Fate,
    at: Timestamp,
}

/// Where that is written down.
pub(super) fn path(cx: Context<'_>, id: &BundleId) -> PathBuf {
    cx.dirs.state.join(BUNDLES).join(format!("{id}.json"))
}

/// What became of a bundle, and when.
///
/// # Errors
/// If that cannot be read: then it may have been imported.
pub(super) fn look(cx: Context<'_>, id: &BundleId) -> Result<Option<(Fate, Timestamp)>, Failure> {
    let path = path(cx, id);
    let Some(bytes) = cx.files.read(&path)? else {
        return Ok(None);
    };
    let entry: Entry = serde_json::from_slice(&bytes).map_err(|_| {
        let message = format!(
            "{} cannot be read, so it is not known whether the bundle was imported",
            path.display()
        );
        Failure::new(Kind::Storage, message).hint(format!(
            "remove {} to have it imported once more",
            path.display()
        ))
    })?;
    Ok(Some((entry.state, entry.at)))
}

/// Writes down durably what became of a bundle.
///
/// # Errors
/// If it cannot be written.
pub(super) fn note(cx: Context<'_>, id: &BundleId, state: Fate) -> Result<(), Failure> {
    let entry = Entry {
        state,
        at: cx.clock.now(),
    };
    let bytes = encode(&entry)?;
    cx.files.create_dirs(&cx.dirs.state.join(BUNDLES))?;
    Ok(cx.files.replace(&path(cx, id), &bytes)?)
}
