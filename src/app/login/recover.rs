//! Completion of logins whose answer was saved and not stored, because the process was killed, the
//! store failed, or the issuer's keys could not be fetched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::hint::Hint;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::oauth::{key_exchange, token_response};
use crate::ports::http::Response;
use crate::ports::login_attempts::Step;
use crate::ports::store::StoreError;

use super::login_file::{SavedLogin, is_open, take};
use super::login_result::LoginResult;
use super::noted::{Before, Ending, Taken, unfinished, write};
use super::pending;
use super::request::{Login, Request};
use super::saved_login::{self, Awaited, Content, Head};
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;
use crate::app::failure::{Failure, Kind};

/// How long nobody tries again what could not be completed: every command would wait for a server
/// that is not there.
const PAUSE: Duration = Duration::from_secs(60);

/// Stores the logins that belong to no process. One that cannot be stored now is reported, and stays
/// for a later command.
pub fn recover_pending(cx: Context<'_>) {
    for name in saved_login::names(cx).unwrap_or_default() {
        recover_due(cx, &name);
    }
}

/// Stores the login of this file, unless that failed a moment ago.
pub(super) fn recover_due(cx: Context<'_>, name: &str) {
    if is_pausing(cx, name) {
        return;
    }
    let Err(failure) = recover_one(cx, name) else {
        return;
    };
    pause(cx, name);
    let text = failure.to_string();
    cx.warn(match failure.hint {
        Some(hint) => Hint::from(format!("{text}; try: ")).then(hint),
        None => text.into(),
    });
}

/// Stores the login of this file, also if that failed a moment ago: it would appear after a logout.
///
/// # Errors
/// Why it cannot be stored now, if a later command may store it.
pub(super) fn recover_now(cx: Context<'_>, name: &str) -> Result<(), Failure> {
    let Err(failure) = recover_one(cx, name) else {
        return Ok(());
    };
    pause(cx, name);
    let path = found(cx, name);
    // One that waits for the word of a person is stored by no command.
    if !is_open(&failure) || saved_login::is_unconfirmed(&path) {
        return Ok(());
    }
    let advice = format!(
        "try again in a minute, or delete the file of that login, {}",
        path.display()
    );
    Err(failure.hint(advice))
}

/// Whether it was tried a moment ago: the file's time is when it may be tried again.
fn is_pausing(cx: Context<'_>, name: &str) -> bool {
    let stat = cx
        .files
        .stat(&saved_login::directory(cx).join(name))
        .ok()
        .flatten();
    let now = cx.clock.now();
    stat.is_some_and(|stat| now < stat.modified && stat.modified <= now.after(PAUSE))
}

fn pause(cx: Context<'_>, name: &str) {
    let path = found(cx, name);
    if matches!(cx.files.stat(&path), Ok(Some(_))) {
        let _ = cx.files.touch(&path, cx.clock.now().after(PAUSE));
    }
}

/// The path of a file that may have been confirmed meanwhile.
fn found(cx: Context<'_>, name: &str) -> PathBuf {
    let path = saved_login::directory(cx).join(name);
    let confirmed = saved_login::confirmed(&path);
    match cx.files.stat(&confirmed) {
        Ok(Some(_)) => confirmed,
        _ => path,
    }
}

fn recover_one(cx: Context<'_>, name: &str) -> Result<(), Failure> {
    let Some((saved, content)) = take(cx, name)? else {
        return Ok(());
    };
    let content = match content {
        Content::Sealed(head, sealed) => match saved_login::open(cx, Path::new(name), sealed) {
            Ok(Some(answer)) => Content::Answer(head, answer),
            Ok(None) => Content::Unreadable,
            Err(fault) => {
                saved.leave();
                return Err(fault.into());
            }
        },
        other => other,
    };
    match content {
        Content::Foreign => saved.leave(),
        Content::Unanswered(head) => {
            if let Some(head) = head {
                let message = match head.is_polled {
                    true => {
                        "the gateway that polled for the login was stopped before the provider confirmed it; log in again"
                    }
                    false => {
                        "the gateway that was completing the login was stopped before it had an answer; log in again"
                    }
                };
                let failed = Err(Failure::new(Kind::NeedsLogin, message));
                let told = take_over(cx, &head, saved.is_undecided())
                    .and_then(|_| tell_others(cx, &head, &failed));
                // Nothing else knows that there was none.
                if let Err(error) = told {
                    saved.leave();
                    return Err(error.into());
                }
            }
            saved.discard(cx);
        }
        Content::Unreadable | Content::Sealed(..) => {
            let path = saved_login::directory(cx).join(name);
            saved.leave();
            let message = format!(
                "{} holds the response to a login and cannot be read; log in again, then delete it",
                path.display()
            );
            return Err(Failure::new(Kind::Storage, message));
        }
        Content::Answer(head, answer) => return recover_answered(cx, saved, &head, &answer),
    }
    Ok(())
}

/// Stores a login that has its answer, unless it was ended before that came.
fn recover_answered(
    cx: Context<'_>,
    mut saved: SavedLogin,
    head: &Head,
    answer: &Response,
) -> Result<(), Failure> {
    match take_over(cx, head, saved.is_undecided()) {
        Ok(true) => {
            saved.decide(cx);
            let kept = complete(cx, saved, head, answer);
            if let Err(error) = tell_others(cx, head, &kept) {
                tracing::warn!("other gateways are not told of the end of a login: {error}");
            }
            kept.map(drop)
        }
        // Those who waited for it were told so.
        Ok(false) => {
            cx.info(format!(
                "the login to {} that began {} is not stored: it was cancelled, or another one was started",
                head.provider,
                cx.clock.local().spoken(head.begun_at)
            ));
            saved.discard(cx);
            Ok(())
        }
        Err(error) => {
            saved.leave();
            Err(error.into())
        }
    }
}

/// Completes a login. Its code is spent, whatever comes of it: nobody may send it again.
fn complete(
    cx: Context<'_>,
    saved: SavedLogin,
    head: &Head,
    answer: &Response,
) -> Result<StoredProfile, Failure> {
    let provider = match cx.provider(&head.provider) {
        Ok(provider) => provider,
        Err(error) => return saved.settle(cx, Err(error.into())),
    };
    if let Some(attempt) = &head.attempt
        && let Err(failure) = pending::remove(cx, attempt)
    {
        tracing::warn!(%failure, "an attempt is left although its code is spent");
    }
    let request = request(head);
    let login = Login {
        cx,
        request: &request,
        provider: &provider,
        relay: None,
    };
    let result = match read(&provider, head, answer) {
        Ok(result) => result,
        Err(error) => {
            let begun = cx.clock.local().spoken(head.begun_at);
            let message = format!(
                "the response to the login to {} that began {begun} is not understood: {error}",
                provider.name
            );
            let failure = Failure::new(Kind::NeedsLogin, message);
            return Err(saved.settle_failed(cx, &error, failure.hint(login.again())));
        }
    };
    cx.info(format!(
        "completing the login to {} that began {}",
        provider.name,
        cx.clock.local().spoken(head.begun_at)
    ));
    result.keep(login, saved)
}

/// Tells whoever waits for it at other gateways what became of a login, unless that is tried again.
///
/// # Errors
/// If they cannot be told now.
fn tell_others(
    cx: Context<'_>,
    head: &Head,
    kept: &Result<StoredProfile, Failure>,
) -> Result<(), StoreError> {
    let (Some(attempts), Some(state)) = (cx.attempts, head.noted()) else {
        return Ok(());
    };
    if kept.as_ref().is_err_and(is_open) {
        return Ok(());
    }
    let outcome = Ending::of(kept.clone(), Before::Exchange).written();
    let is_told = attempts.end(&state, Step::Taken, &outcome)?;
    tracing::debug!(is_told, "a login of a process that is gone has ended");
    Ok(())
}

/// Decides whether this process may end a login whose own process is gone: not if somebody ended it before.
/// Nobody else ends it from then on. `is_undecided` if that process had not decided it.
///
/// # Errors
/// If that cannot be decided now.
fn take_over(cx: Context<'_>, head: &Head, is_undecided: bool) -> Result<bool, StoreError> {
    let (Some(attempts), Some(state)) = (cx.attempts, head.noted()) else {
        return Ok(true);
    };
    let found = attempts.attempts()?;
    let Some(found) = found.iter().find(|found| found.state == state) else {
        // A code that was sent is never unsent, and what was decided stays so. Else it was ended, or silent
        // for a minute, before another one took its place.
        return Ok(!is_undecided);
    };
    match found.step {
        Step::Waiting => match unfinished(found) {
            Some((order, _)) => {
                let is_polled = head.is_polled;
                let taken = Taken { order, is_polled };
                let is_taken = attempts.take(&state, &write(&taken))?;
                Ok(is_taken || !is_undecided)
            }
            // Another release wrote it.
            None => Ok(true),
        },
        // By the process that is gone.
        Step::Taken => Ok(true),
        // One that failed here is tried again.
        Step::Ended => {
            let ending = found.content.as_ref().and_then(Ending::read);
            Ok(!matches!(ending, Some(Ending::Cancelled)))
        }
    }
}

fn read(provider: &Provider, head: &Head, answer: &Response) -> Result<LoginResult, OAuthError> {
    if head.awaited == Awaited::Key {
        return key_exchange::read(answer).map(LoginResult::Key);
    }
    let grant = token_response::read_saved(provider, answer, head.begun_at)?;
    let grant = Box::new(Grant {
        nonce: head.nonce.clone().map(Secret::new),
        ..grant
    });
    Ok(match &head.awaited {
        Awaited::Token(name) => LoginResult::Token {
            name: name.clone(),
            grant,
        },
        Awaited::Grant | Awaited::Key => LoginResult::Grant {
            client: Box::new(head.client()),
            grant,
        },
    })
}

/// Restores the request of the login.
fn request(head: &Head) -> Request {
    Request {
        agent: head.agent.clone(),
        provider: head.provider.clone(),
        method: None,
        profile: head.profile.clone(),
        no_browser: true,
        clipboard: false,
        timeout: Duration::ZERO,
        set_default: head.set_default,
        yes: true,
        attempt: head.attempt.clone(),
        scopes: None,
        display_name: head.display_name.clone(),
    }
}
