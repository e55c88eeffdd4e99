//! A login under way, whose answer is saved before it is understood (see `saved_login.rs`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use url::Url;

use crate::model::provider::Client;
use crate::model::saved_response::{self, ROOM};
use crate::model::secret::Secret;
use crate::oauth::token_response::may_hold_grant;
use crate::ports::files::{FileLock, Prepared};
use crate::ports::http::{Http, HttpError, Patience, Request, Response};
use crate::ports::vault::Sealer;

use super::file_name;
use super::login_file::{SavedLogin, try_lock};
use super::request::Login;
use super::saved_login::{self, Awaited, Head, Sent, directory};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

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
        let is_saved = self.is_saved.load(Ordering::Relaxed);
        SavedLogin::new(self.path.clone(), is_saved, self.lock.lock().take())
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
        if self.lock.lock().is_none() {
            return;
        }
        let finished = self.finish();
        match finished.is_saved() {
            true => finished.leave(),
            false => finished.discard(self.cx),
        }
    }
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
