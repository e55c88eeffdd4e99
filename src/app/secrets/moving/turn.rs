//! One command at a time makes, imports or takes back a bundle of a state directory.

use std::path::PathBuf;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::ports::files::{FileLock, Sharing};
use crate::ports::lock::{self, lock_within};

/// Waits until no other process is at it.
///
/// # Errors
/// If another one is at it for too long.
pub(super) fn take(cx: Context<'_>) -> Result<Box<dyn FileLock>, Failure> {
    let path = path(cx)?;
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
    let path = path(cx)?;
    Ok(cx.files.try_lock(&path, Sharing::Exclusive)?)
}

fn path(cx: Context<'_>) -> Result<PathBuf, Failure> {
    let locks = cx.dirs.state.join("locks/openclaw-rs");
    cx.files.create_dirs(&locks)?;
    Ok(locks.join("bundle.lock"))
}
