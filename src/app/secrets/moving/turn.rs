//! One command at a time makes, imports or takes back a bundle of a state directory.

use std::path::PathBuf;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::backoff::WAIT_FOR_OTHERS;
use crate::ports::files::{FileLock, Sharing};
use crate::ports::lock::{self, LockError, lock_within};

const LOCKS: &str = "locks/openclaw-rs";
const BUNDLE: &str = "bundle.lock";
const IMPORT: &str = "import.lock";

/// Waits until no other process is at it.
///
/// # Errors
/// If another one is at it for too long.
pub(super) fn take(cx: Context<'_>) -> Result<Box<dyn FileLock>, Failure> {
    let path = path(cx, BUNDLE)?;
    let wait = cx.wait(lock::SHORT);
    Ok(lock_within(
        cx.files,
        cx.clock,
        &path,
        Sharing::Exclusive,
        &wait,
    )?)
}

/// Takes it at once; `None` if another process is at it.
///
/// # Errors
/// If that cannot be tried.
pub(super) fn try_take(cx: Context<'_>) -> Result<Option<Box<dyn FileLock>>, Failure> {
    let path = path(cx, BUNDLE)?;
    Ok(cx.files.try_lock(&path, Sharing::Exclusive)?)
}

/// Waits until no other import into a database is running. Who has this takes the turn of a bundle
/// several times, and nobody else's bundle is in between.
///
/// # Errors
/// [`Kind::Busy`] if another one is running for too long.
pub(super) fn take_import(cx: Context<'_>) -> Result<Box<dyn FileLock>, Failure> {
    let path = path(cx, IMPORT)?;
    let wait = cx.wait(WAIT_FOR_OTHERS);
    let taken = lock_within(cx.files, cx.clock, &path, Sharing::Exclusive, &wait);
    taken.map_err(|error| match error {
        LockError::Busy { owner, .. } => {
            let owner = owner.unwrap_or_else(|| "another process".to_owned());
            let message = format!("{owner} is importing already; nothing was imported");
            let hint = "wait for its end, or end it, and run the command again";
            Failure::new(Kind::Busy, message).hint(hint)
        }
        other => other.into(),
    })
}

/// Whether an import into a database is running. Makes nothing where none ever did.
///
/// # Errors
/// If that cannot be found out.
pub(super) fn is_import_running(cx: Context<'_>) -> Result<bool, Failure> {
    let path = cx.dirs.state.join(LOCKS).join(IMPORT);
    if cx.files.stat(&path)?.is_none() {
        return Ok(false);
    }
    Ok(cx.files.try_lock(&path, Sharing::Exclusive)?.is_none())
}

fn path(cx: Context<'_>, name: &str) -> Result<PathBuf, Failure> {
    let locks = cx.dirs.state.join(LOCKS);
    cx.files.create_dirs(&locks)?;
    Ok(locks.join(name))
}
