//! `secrets export`: a bundle of what this machine holds.
//!
//! By default it is a copy. A refresh token works once: two machines that have it would end the login
//! of each other, so a copy has none.

use std::path::PathBuf;

use super::collect::{Collected, LeftOut, Row, Selection};
use super::content::Content;
use super::envelope::Closing;
use super::target::Target;
use super::turn;
use super::unfinished::tell_pending;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::{BundleHead, BundleId};
use crate::model::hint::Command;
use crate::model::vault::SecretName;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The file.
    pub to: PathBuf,
    /// What goes along.
    pub selection: Selection,
    /// Recipients of `age`; without any a passphrase opens the bundle.
    pub recipients: Vec<String>,
    /// The file descriptor that the passphrase comes from, instead of a prompt.
    pub passphrase_fd: Option<u32>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// The bundle; `None` if none was written.
    pub bundle: Option<BundleId>,
    /// The secrets in it that have names.
    pub secrets: Vec<SecretName>,
    /// The profiles in it.
    pub rows: Vec<Row>,
    /// The profiles that are not.
    pub left_out: Vec<LeftOut>,
    /// Whether this completed a move that was interrupted.
    pub is_completed: bool,
}

/// Writes a copy.
///
/// # Errors
/// If something does not open, or the file cannot be written: there is none then.
pub fn copy(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    tell_pending(cx)?;
    let id = new_id(cx)?;
    let target = Target::of_copy(cx, &request.to, &id)?;
    open_secrets(cx)?;
    let found = request.selection.collect(cx, &|_| false)?;
    require_any(cx, &found)?;
    if request.dry_run {
        return Ok(Outcome::of(&target, None, found));
    }
    let closing = Closing::choose(cx, &request.recipients, request.passphrase_fd)?;
    let _turn = turn::take(cx)?;
    let head = BundleHead {
        id: id.clone(),
        created: cx.clock.now(),
        is_move: false,
        database: None,
    };
    // Read again: a person may have taken their time.
    let found = request.selection.collect(cx, &|_| false)?;
    let (content, told) = found.into_content(head);
    let bytes = closing.seal(cx, &content)?;
    cx.uninterrupted()?;
    target.remove_leftovers(cx);
    target.write(cx, &bytes)?;
    if let Err(failure) = target.publish(cx) {
        let _ = cx.files.remove(&target.draft);
        return Err(failure);
    }
    Ok(Outcome::of(&target, Some(id), told))
}

/// A fresh id.
pub(super) fn new_id(cx: Context<'_>) -> Result<BundleId, Failure> {
    let mut random = [0; BundleId::RANDOM];
    let filled = cx.random.fill(&mut random);
    filled.map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
    Ok(BundleId::new(&random))
}

/// Opens the vault, if there is one, before anything is asked for or locked.
pub(super) fn open_secrets(cx: Context<'_>) -> Result<(), Failure> {
    if cx.vault_keys.status()?.is_some() {
        cx.vault.unlock()?;
    }
    Ok(())
}

/// Fails where there is nothing to export.
pub(super) fn require_any(cx: Context<'_>, found: &Collected) -> Result<(), Failure> {
    if !found.is_empty() {
        return Ok(());
    }
    if let Some(one) = found.left_out.first() {
        let message = format!(
            "cannot be exported for agent {}: {}; nothing was written",
            one.agent, one.reason
        );
        return Err(Failure::about(&one.profile, Kind::NotFound, message).hint(Command::list()));
    }
    let state = cx.dirs.state.display();
    let message = format!("there is nothing to export in {state}; nothing was written");
    Err(Failure::new(Kind::NotFound, message).hint(Command::list()))
}

impl Outcome {
    pub(super) fn of(target: &Target, bundle: Option<BundleId>, found: Collected) -> Self {
        Self {
            path: target.path.clone(),
            bundle,
            secrets: found.secrets.into_iter().map(|(name, _)| name).collect(),
            rows: found.rows,
            left_out: found.left_out,
            is_completed: false,
        }
    }

    /// That of a move that was begun before.
    pub(super) fn completed(path: PathBuf, bundle: BundleId) -> Self {
        Self {
            path,
            bundle: Some(bundle),
            secrets: Vec::new(),
            rows: Vec::new(),
            left_out: Vec::new(),
            is_completed: true,
        }
    }
}

impl Collected {
    /// The content of a bundle, and what is told of it.
    pub(super) fn into_content(self, head: BundleHead) -> (Content, Self) {
        let told = Self {
            secrets: self.secrets.clone(),
            agents: Vec::new(),
            rows: self.rows,
            left_out: self.left_out,
        };
        let content = Content {
            head,
            secrets: self.secrets,
            agents: self.agents,
        };
        (content, told)
    }
}
