//! The entrants that a login offers at once: the callback of the browser, a pasted URL, and a
//! device code.
//!
//! Whatever is not the answer of this attempt is told so and ignored; only a right `state` ends the
//! wait, with a code or with the provider's refusal. A way that is barred ends for itself alone.

use crate::model::hint::Hint;
use crate::model::provider::{Client, DeviceFlow};
use crate::model::secret::Secret;
use crate::oauth::authorization::{AuthorizationCode, CallbackError, PendingAuthorization};
use crate::oauth::paste::Pasted;
use crate::ports::callback::{Arrival, Listening, Page};
use crate::ports::dialog::{DialogError, Notice, Question};
use crate::ports::host::Signal;

use super::device::Running;
use super::first_answer::{RaceSender, TICK};
use super::login_file::SavedLogin;
use super::login_result::LoginResult;
use super::request::Login;
use crate::app::context::Context;
use crate::app::failure::Failure;

/// Why a code alone is not taken.
pub const BARE_CODE: &str =
    "this is only a code; paste the whole URL that the browser was redirected to";

/// What ends the wait of a login.
pub(in crate::app) enum Answer {
    /// A code or the provider's refusal, and the request that brought it, which waits for its page.
    Callback(Result<AuthorizationCode, Failure>, Option<Arrival>),
    /// The login itself: no code is needed any more.
    Granted(LoginResult, SavedLogin),
}

/// Judges a callback: the code or the refusal that ends the login, or why it is not its answer.
pub(super) fn judge(
    login: Login<'_>,
    attempt: &PendingAuthorization,
    query: &[(String, Secret<String>)],
) -> Result<Result<AuthorizationCode, Failure>, CallbackError> {
    match attempt.read_callback(query) {
        Err(CallbackError::Refused(refusal)) => Ok(Err(login.denied(&refusal))),
        other => other.map(Ok),
    }
}

/// Waits at the redirect endpoint for the answer to `attempt`. It ends the login with the failure of
/// `spoiled`, if there is one by then; what comes later changes nothing.
pub(in crate::app) fn callback(
    login: Login<'_>,
    attempt: &PendingAuthorization,
    listening: &mut dyn Listening,
    spoiled: &dyn Fn() -> Option<Failure>,
    lane: &RaceSender<'_, Answer>,
) {
    let mut told = Vec::new();
    let mut tell = |why: String| {
        if !told.contains(&why) {
            login.cx.warn(format!(
                "ignored a request at the callback port: {why}; if the browser shows an error, \
                 paste its address here"
            ));
            told.push(why);
        }
    };
    while !lane.is_over() {
        while let Some(why) = listening.refused() {
            tell(why.to_owned());
        }
        let Some(arrival) = listening.next(TICK) else {
            continue;
        };
        match judge(login, attempt, &arrival.query) {
            Ok(ended) => match login.take() {
                Ok(true) => {
                    let ended = spoiled().map_or(ended, Err);
                    return lane.answer(Answer::Callback(ended, Some(arrival)));
                }
                Ok(false) => return arrival.answer(Page::Late),
                Err(failure) => {
                    let reason = failure.to_string();
                    tell(reason.clone());
                    arrival.answer(Page::Ignored { reason });
                }
            },
            Err(error) => {
                let reason = error.to_string();
                tell(reason.clone());
                arrival.answer(Page::Ignored { reason });
            }
        }
    }
}

/// Asks for a paste until there is an answer, the race is over, or there is nobody to ask.
pub(in crate::app) fn paste(
    login: Login<'_>,
    attempt: &PendingAuthorization,
    takes_bare_codes: bool,
    lane: &RaceSender<'_, Answer>,
) {
    let stop = || lane.is_over();
    let what = match takes_bare_codes {
        true => "redirect URL or code",
        false => "redirect URL",
    };
    let question = Question::Paste(format!("Or paste the {what} here"));
    loop {
        let text = match login.cx.dialog.ask(&question, &stop) {
            Ok(text) => text,
            Err(DialogError::Cancelled) => return lane.end(Failure::cancelled(Signal::INTERRUPT)),
            // Without a person the others go on alone.
            Err(DialogError::NobodyThere | DialogError::Withdrawn | DialogError::Failed(_)) => {
                return;
            }
        };
        let ended = match Pasted::parse(text.expose()) {
            Pasted::Query(query) => {
                judge(login, attempt, &query).map_err(|error| error.to_string())
            }
            Pasted::BareCode(_) if !takes_bare_codes => Err(BARE_CODE.to_owned()),
            Pasted::BareCode(code) if accepts_unchecked(login.cx, &stop) => {
                Ok(Ok(AuthorizationCode::unproven(code)))
            }
            Pasted::BareCode(_) => continue,
            Pasted::Invalid(why) => Err(why),
        };
        let taken = ended.map(|ended| (ended, login.take()));
        match taken {
            Ok((ended, Ok(true))) => return lane.answer(Answer::Callback(ended, None)),
            Ok((_, Ok(false))) => return,
            Ok((_, Err(failure))) => {
                let why = failure.to_string();
                login.cx.dialog.notice(&Notice::NotAccepted(why));
            }
            Err(why) => login.cx.dialog.notice(&Notice::NotAccepted(why)),
        }
    }
}

/// Shows a device code and waits until it is used. Without one the others go on alone; a refusal on
/// its page ends the login.
pub(in crate::app) fn device(
    login: Login<'_>,
    client: &Client,
    flow: &DeviceFlow,
    lane: &RaceSender<'_, Answer>,
) {
    let cx = login.cx;
    let tell = |failure: Failure| {
        let text =
            format!("no device code available: {failure}; you can still log in with the browser");
        cx.warn(match failure.hint {
            Some(hint) => Hint::from(text).then(". To get a device code: ").then(hint),
            None => text.into(),
        });
    };
    let stop = || lane.is_over();
    let mut running = match Running::begin(login, client, flow, &stop) {
        Ok(running) => running,
        Err(_) if lane.is_over() => return,
        Err(failure) => return tell(failure),
    };
    if lane.is_over() {
        return;
    }
    cx.dialog.notice(&running.notice(true));
    match running.poll_until_stopped() {
        None => {}
        Some(Ok((granted, saved))) => lane.answer(Answer::Granted(granted, saved)),
        Some(Err(failure)) if failure.code.as_deref().is_some_and(is_denial) => {
            lane.answer(Answer::Callback(Err(failure), None));
        }
        Some(Err(failure)) => tell(failure),
    }
}

/// Whether an error code is a denial by the user: RFC 8628 section 3.5, and xAI's own.
fn is_denial(code: &str) -> bool {
    matches!(code, "access_denied" | "authorization_denied")
}

/// Asks whether to accept a bare code: without `state`, nothing shows that it belongs to this
/// login, and an injected one would log this machine in to another account (RFC 6749 section
/// 10.12).
fn accepts_unchecked(cx: Context<'_>, stop: &dyn Fn() -> bool) -> bool {
    let prompt = "Without its state, this code may belong to another login. Use it anyway?";
    matches!(cx.dialog.confirm(prompt, false, stop), Ok(true))
}
