//! Sealing anew what waits of logins, as the vault says now: responses that are saved, and attempts
//! that wait for their code.

use std::path::{Path, PathBuf};

use crate::model::saved_response;
use crate::model::seal::Seal;
use crate::model::secret::Secret;
use crate::ports::http::Response;
use crate::ports::vault::Sealer;

use super::attempts;
use super::login_file::{release, try_lock};
use super::saved_login::{self, Content};
use crate::app::context::Context;
use crate::app::failure::Failure;

/// Writes them; returns the files that were left as they are, and whether another process works on one.
///
/// # Errors
/// If the vault does not open, or one of the files cannot be written: a second run does the rest.
pub(in crate::app) fn all(cx: Context<'_>) -> Result<(Vec<PathBuf>, bool), Failure> {
    let mut left = Vec::new();
    let mut is_waiting = false;
    let sealer = cx.sealer()?;
    for path in saved_login::all(cx)? {
        let Some(lock) = try_lock(cx, saved_login::login_of(&path))? else {
            is_waiting = true;
            continue;
        };
        let is_done = response(cx, &path, sealer.as_deref());
        release(Some(lock));
        if !is_done? {
            left.push(path);
        }
    }
    left.extend(attempts::reseal(cx)?);
    Ok((left, is_waiting))
}

/// Writes one response; false if it was left as it is.
fn response(cx: Context<'_>, path: &Path, sealer: Option<&Sealer>) -> Result<bool, Failure> {
    let file = match cx.files.read_settings(path) {
        Err(error) if error.is_refused() => return Ok(false),
        file => file?.map(Secret::new),
    };
    let Some(file) = file else {
        return Ok(true);
    };
    let answer: Response = match saved_login::understand(cx, &file) {
        Content::Foreign | Content::Unanswered(_) => return Ok(true),
        Content::Unreadable => return Ok(false),
        Content::Answer(..) if sealer.is_none() => return Ok(true),
        Content::Answer(_, answer) => answer,
        Content::Sealed(_, sealed) => {
            let seal = Seal::from_bytes(sealed.body.expose());
            let about = saved_login::about(path);
            let is_outdated = |seal| sealer.is_none_or(|it| it.is_outdated(about, &seal));
            match saved_login::open(cx, path, sealed)? {
                Some(_) if !seal.is_some_and(is_outdated) => return Ok(true),
                Some(answer) => answer,
                None => return Ok(false),
            }
        }
    };
    let response = saved_login::lines(path, &answer, sealer)?;
    let bytes = saved_response::replace_response(file.expose(), &response);
    cx.files.replace(path, bytes.expose())?;
    Ok(true)
}
