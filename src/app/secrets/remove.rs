//! `secrets remove`.

use std::path::PathBuf;

use super::no_such_secret;
use super::references::References;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::vault::SecretName;
use crate::ports::lock;

/// Removes secrets, all in one step; returns the files that still refer to each.
///
/// # Errors
/// If one of them is not there, or the vault does not open or cannot be written: nothing was
/// removed then.
pub fn run(
    cx: Context<'_>,
    names: &[SecretName],
) -> Result<Vec<(SecretName, Vec<PathBuf>)>, Failure> {
    let there = cx.secrets.list()?;
    let is_there = |name: &SecretName| there.iter().any(|entry| entry.name == *name);
    if let Some(missing) = names.iter().find(|name| !is_there(name)) {
        return Err(no_such_secret(missing));
    }
    let removed = cx.secrets.remove(names, &cx.wait(lock::SHORT))?;
    let references = References::read(cx);
    let removed = removed.into_iter();
    Ok(removed
        .map(|name| {
            let used_by = references.to(&name);
            (name, used_by)
        })
        .collect())
}
