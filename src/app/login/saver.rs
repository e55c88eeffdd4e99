//! A login under way, whose answer is saved before it is understood (see `saved_login.rs`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use url::Url;

use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::provider::Client;
use crate::model::saved_response::{self, ROOM};
use crate::model::secret::Secret;
use crate::model::state_files::LOCKS;
use crate::oauth::error::OAuthError;
use crate::oauth::token_response::may_hold_grant;
use crate::ports::files::{FileLock, Prepared, Sharing};
use crate::ports::http::{Http, HttpError, Patience, Request, Response};
use crate::ports::vault::Sealer;

use super::file_name;
use super::request::Login;
use super::saved_login::{self, Awaited, Content, DECLINED, Head, Sent, directory, understand};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};

/// A login under way: its file is ready for the answer, which goes there before anything parses it.
pub(super) struct Saver<'a> {
    cx: Context<'a>,
    endpoint: String,
    path: PathBuf,
    file: Mutex<Option<Box<dyn Prepared + 'a>>>,
    is_saved: AtomicBool,
    /// What seals the answer, in a sealed store.
    sealer: Option<Arc<Sealer>>,
    lock: Mutex<Option<Box<dyn FileLock>>>,
}

impl<'a> Saver<'a> {
    /// Makes the file ready, before what is `sent` has an answer.
    ///
    /// # Errors
    /// What the disk says; nothing was sent.
    pub(super) fn prepare(
        login: Login<'a>,
        client: &Client,
        awaited: Awaited,
        nonce: Option<&Secret<String>>,
        sent: Sent,
    ) -> Result<Self, Failure> {
        let cx = login.cx;
        let sealer = cx.sealer()?;
        let name = file_name::new(cx)?;
        cx.files.create_dirs(&directory(cx))?;
        let Some(lock) = try_lock(cx, &name)? else {
            let message = format!("login {name} is in progress in another process");
            return Err(Failure::new(Kind::Busy, message).hint(login.again()));
        };
        let head = Head::new(login, client, awaited, sent, nonce);
        let path = saved_login::new_path(cx, &name, sent, head.noted().is_some());
        let head = saved_response::head(&cx.dirs.state, head);
        let head = head.map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
        let file = cx.files.prepare(&path, &head, ROOM)?;
        Ok(Self {
            cx,
            endpoint: client.token.clone(),
            path,
            file: Mutex::new(Some(file)),
            is_saved: AtomicBool::new(false),
            sealer,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Returns the file with the answer, or without one.
    pub(super) fn finish(&self) -> SavedLogin {
        SavedLogin {
            path: self.path.clone(),
            is_saved: self.is_saved.load(Ordering::Relaxed),
            doubt: Doubt::of(&self.path, Doubt::Ask),
            lock: self.lock.lock().take(),
        }
    }

    fn look_at(&self, request: &Request, answer: &Response) {
        if may_hold_grant(answer)
            && is_same_address(&request.url, &self.endpoint)
            && let Some(mut file) = self.file.lock().take()
        {
            let lines = saved_login::lines(&self.path, answer, self.sealer.as_deref());
            let saved = match lines {
                Ok(bytes) => file.append(bytes.expose()).map_err(Failure::from),
                Err(fault) => Err(fault.into()),
            };
            match saved {
                Ok(()) => self.is_saved.store(true, Ordering::Relaxed),
                // It is in memory, and may be stored all the same.
                Err(error) => {
                    tracing::warn!(%error, "the server's answer could not be saved ahead");
                }
            }
        }
    }
}

impl Http for Saver<'_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let answer = self.cx.http.send(request)?;
        self.look_at(request, &answer);
        Ok(answer)
    }

    fn send_within(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        let answer = self.cx.http.send_within(request, patience)?;
        self.look_at(request, &answer);
        Ok(answer)
    }
}

/// Whether two texts are one address: that of a request is written anew.
fn is_same_address(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// A login that was given up. What it brought all the same is left for the next command.
impl Drop for Saver<'_> {
    fn drop(&mut self) {
        let finished = self.finish();
        if finished.lock.is_none() {
            return;
        }
        match finished.is_saved {
            true => finished.leave(),
            false => finished.discard(self.cx),
        }
    }
}

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

    /// Notes in its name that any command may store it.
    pub(super) fn confirm(&mut self, cx: Context<'_>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for (one, other) in [
            (
                "https://AUTH.example:443/token",
                "https://auth.example/token",
            ),
            ("https://auth.example", "https://auth.example/"),
        ] {
            assert!(is_same_address(one, other), "{one}");
        }
        assert!(!is_same_address(
            "https://a.example/token",
            "https://a.example/device"
        ));
    }
}
