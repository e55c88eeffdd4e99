//! The file of a login whose answer has come, and what becomes of it (see `saved_login.rs`).

use std::path::{Path, PathBuf};

use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::secret::Secret;
use crate::model::state_files::LOCKS;
use crate::oauth::error::OAuthError;
use crate::ports::files::{FileLock, Sharing};

use super::request::Login;
use super::saved_login::{self, Content, DECLINED, directory, understand};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};

/// What comes of a login of which nothing tells whose it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is stored: the person said that it is theirs, or nobody has to.
    None,
    /// The person is asked.
    Ask,
    /// It stays where it is: it is completed by another command, which asks nobody.
    Leave,
    /// It stays where it is: nobody said that it is theirs.
    Unanswered,
}

impl Doubt {
    fn of(path: &Path, doubt: Self) -> Self {
        match saved_login::is_unconfirmed(path) {
            true => doubt,
            false => Self::None,
        }
    }
}

/// The file of a login whose answer has come.
pub(super) struct SavedLogin {
    path: PathBuf,
    is_saved: bool,
    doubt: Doubt,
    lock: Option<Box<dyn FileLock>>,
}

impl SavedLogin {
    /// That of a login which this process began, under its lock, with an answer if it `is_saved`.
    pub(super) fn new(path: PathBuf, is_saved: bool, lock: Option<Box<dyn FileLock>>) -> Self {
        Self {
            doubt: Doubt::of(&path, Doubt::Ask),
            path,
            is_saved,
            lock,
        }
    }

    /// Whether there is an answer in it.
    pub(super) fn is_saved(&self) -> bool {
        self.is_saved
    }

    /// Whether a login is the person's own, of which nothing tells that; asks them if it must.
    ///
    /// # Errors
    /// If there is no answer. The file stays, and no command stores it.
    pub(super) fn is_own(
        &mut self,
        login: Login<'_>,
        replaced: Option<&ProfileId>,
    ) -> Result<bool, Failure> {
        match self.doubt {
            Doubt::None => return Ok(true),
            Doubt::Ask => self.doubt = Doubt::Unanswered,
            Doubt::Leave | Doubt::Unanswered => {
                self.doubt = Doubt::Unanswered;
                let message = format!(
                    "the login to {} is not stored: nothing tells whose account it is, and nobody said that it is theirs",
                    login.provider.name
                );
                return Err(Failure::new(Kind::Usage, message));
            }
        }
        let is_own = login.ask_whose(replaced)?;
        if is_own {
            self.doubt = Doubt::None;
            // Should that and the store fail, they are asked for their word again.
            self.confirm(login.cx);
        }
        Ok(is_own)
    }

    /// Whether others may have ended the login before its answer came.
    pub(super) fn is_undecided(&self) -> bool {
        saved_login::is_undecided(&self.path)
    }

    /// Notes that it is decided who uses its answer: no other login that is begun instead makes it one that was
    /// ended.
    pub(super) fn decide(&mut self, cx: Context<'_>) {
        if self.is_undecided() {
            self.confirm(cx);
        }
    }

    /// Notes in its name that any command may store it.
    fn confirm(&mut self, cx: Context<'_>) {
        let confirmed = saved_login::confirmed(&self.path);
        match cx.files.rename(&self.path, &confirmed) {
            Ok(()) => self.path = confirmed,
            Err(error) => tracing::warn!(%error, "a confirmed login keeps its name"),
        }
    }

    /// Ends the login: the file goes if it is stored, or was refused; else the next command tries
    /// again.
    pub(super) fn settle<T>(self, cx: Context<'_>, kept: Result<T, Failure>) -> Result<T, Failure> {
        match kept {
            Err(failure) if is_open(&failure) && self.is_saved => {
                let failure = match self.doubt {
                    Doubt::Unanswered => unconfirmed(cx, failure, &self.path),
                    Doubt::None | Doubt::Ask | Doubt::Leave => unfinished(failure),
                };
                self.leave();
                Err(failure)
            }
            kept => {
                self.discard(cx);
                kept
            }
        }
    }

    /// Ends a login that brought no grant. An answer that is not understood is left for a release or
    /// a manifest that understands it.
    pub(super) fn settle_failed(
        self,
        cx: Context<'_>,
        error: &OAuthError,
        mut failure: Failure,
    ) -> Failure {
        match error {
            OAuthError::NotUnderstood { .. } if self.is_saved => {
                let path = self.path.display();
                failure
                    .message
                    .push_str(&format!("; the response is kept in {path}"));
                self.leave();
            }
            _ => self.discard(cx),
        }
        failure
    }

    /// Ends a login that the person did not know for their own. The answer is kept under a name that
    /// no command takes up.
    pub(super) fn set_aside(self, cx: Context<'_>) -> Failure {
        const NO: &str = "you answered no; the login was not stored, because somebody else may have sent its code";
        let failure = |message: String| Failure::new(Kind::Usage, message);
        if !self.is_saved {
            self.discard(cx);
            return failure(NO.to_owned());
        }
        let aside = self.path.with_extension(DECLINED);
        let (path, why) = match cx.files.rename(&self.path, &aside) {
            Ok(()) => (aside, String::new()),
            // No command stores it under the old one, either.
            Err(error) => (self.path.clone(), format!(" under its old name ({error})")),
        };
        release(self.lock);
        let message = format!(
            "{NO}; the server's response with its tokens is kept{why} in {}, and no command stores it",
            path.display()
        );
        failure(message).hint(saved_login::to_store(&path))
    }

    /// Leaves it to the next command.
    pub(super) fn leave(self) {
        release(self.lock);
    }

    /// Removes it.
    pub(super) fn discard(self, cx: Context<'_>) {
        if let Err(error) = cx.files.remove(&self.path) {
            tracing::warn!(%error, "a saved answer could not be removed; the next command does that");
        }
        release(self.lock);
    }
}

/// Whether a login that failed so may succeed later: nothing was stored, and it was not refused.
pub(super) fn is_open(failure: &Failure) -> bool {
    failure.touched != StoreEffect::Changed && failure.kind != Kind::NeedsLogin
}

/// Adds that the login is not lost.
fn unfinished(mut failure: Failure) -> Failure {
    failure
        .message
        .push_str("; the login is saved, and the next command completes it");
    failure.hint.get_or_insert(Command::list().into());
    failure
}

/// Adds that it waits for a word of the person.
fn unconfirmed(cx: Context<'_>, mut failure: Failure, path: &Path) -> Failure {
    let kept = format!(
        "the server's response with its tokens is kept in {}, and no command stores it",
        path.display()
    );
    let to_store = saved_login::to_store(path);
    match failure.kind {
        // Of one that was cancelled nothing more is said.
        Kind::Cancelled(_) => cx.warn(Hint::from(format!("{kept}; ")).then(to_store)),
        _ => {
            failure.message.push_str(&format!("; {kept}"));
            failure.hint.get_or_insert(to_store);
        }
    }
    failure
}

pub(super) fn release(lock: Option<Box<dyn FileLock>>) {
    if let Some(Err(error)) = lock.map(FileLock::remove) {
        tracing::warn!(%error, "the lock of a login is left");
    }
}

/// Takes the file of this name, of a login that no process works on; `None` if one does, or it is
/// gone.
///
/// # Errors
/// What the disk says.
pub(super) fn take(cx: Context<'_>, file: &str) -> Result<Option<(SavedLogin, Content)>, Failure> {
    let path = directory(cx).join(file);
    let login = path.file_stem().and_then(|login| login.to_str());
    let Some(lock) = try_lock(cx, login.unwrap_or(file))? else {
        return Ok(None);
    };
    let bytes = cx.files.read_settings(&path)?;
    let saved = SavedLogin {
        doubt: Doubt::of(&path, Doubt::Leave),
        path,
        is_saved: true,
        lock: Some(lock),
    };
    let Some(bytes) = bytes else {
        saved.leave();
        return Ok(None);
    };
    let content = understand(cx, &Secret::new(bytes));
    Ok(Some((saved, content)))
}

/// Whether a process works on the login of this file.
///
/// # Errors
/// What the disk says.
pub(super) fn is_worked_on(cx: Context<'_>, file: &str) -> Result<bool, Failure> {
    let lock = try_lock(cx, saved_login::login_of(Path::new(file)))?;
    let is_free = lock.is_some();
    release(lock);
    Ok(!is_free)
}

/// Takes the lock of the login of that name; `None` if a process works on it.
///
/// # Errors
/// What the disk says.
pub(super) fn try_lock(cx: Context<'_>, name: &str) -> Result<Option<Box<dyn FileLock>>, Failure> {
    let locks = cx.dirs.state.join(LOCKS);
    cx.files.create_dirs(&locks)?;
    let path = locks.join(format!("login-{name}.lock"));
    Ok(cx.files.try_lock(&path, Sharing::Exclusive)?)
}
