//! Authorization code with PKCE: callback and paste at the same time, and a device code beside them
//! where the browser is on another machine; the first valid answer wins.
//!
//! The listener is bound before the URL is shown, so that nobody is sent to a port that somebody
//! else holds. The success page is sent after the credential is stored, never before.

use crate::model::hint::Hint;
use crate::model::provider::{DeviceFlow, Redirect};
use crate::oauth::authorization::{AuthorizationCode, AuthorizationRequest, PendingAuthorization};
use crate::ports::browser::OpenedPage;
use crate::ports::callback::{Arrival, BindError, Listening, Page};
use crate::ports::dialog::{AuthorizeUrl, Notice};

use super::super::failure::{Failure, Kind};
use super::auth_code::{CodeFlow, exchange_failure};
use super::device;
use super::first_answer::{self, Limits, RaceEntrant};
use super::request::Login;
use super::sources::{self, Answer};
use super::ssh_hint::ssh_forward;
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;

/// Runs the flow from the listener to the stored credential. `device` is a flow of the same client,
/// for a browser on another machine.
pub(super) fn run(
    login: Login<'_>,
    flow: &CodeFlow,
    device: Option<&DeviceFlow>,
) -> Result<StoredProfile, Failure> {
    let Login { cx, request, .. } = login;
    cx.interrupt.defer();
    let redirect = &flow.flow.redirect;
    let device = device.filter(|_| flow.ends_in_grant());
    let resumed = login.resumed(flow)?;
    let bound = match resumed {
        // Whoever began it listens.
        Some(_) => Ok(None),
        None => bind(cx, redirect),
    };
    let mut listening = match bound {
        Ok(listening) => listening,
        Err(error) => return without_port(login, flow, device, &error),
    };
    let bound = listening.as_ref().map(|listening| listening.port());
    // On Windows a reserved port is no less lost than a taken one: whatever kept us from listening,
    // there is another way.
    let unreachable = matches!(redirect, Redirect::Loopback(_)) && bound.is_none();
    let device = device.filter(|_| unreachable || cx.env.is_remote());
    let authorization = match resumed {
        Some(authorization) => authorization,
        None => flow.begin(cx, &redirect.uri(bound))?,
    };
    login.tell_begun(flow, &authorization)?;
    announce(login, redirect, &authorization, bound);
    // Nobody is sent to a page whose answer would reach nobody.
    let is_of_use = bound.is_some() || device.is_some() || cx.dialog.can_ask();
    let opens = is_of_use && !request.no_browser;
    let page = opens.then(|| cx.open_browser(&authorization.url)).flatten();

    let spoiled = || watch_visits(login, page.as_deref()?);
    let attempt = &authorization.pending;
    let mut sources = Vec::new();
    if let Some(listening) = listening.as_deref_mut() {
        let spoiled = &spoiled;
        sources.push(RaceEntrant::prompt(move |lane| {
            sources::callback(login, attempt, listening, spoiled, &lane);
        }));
    }
    let bare = flow.ends_in_grant();
    sources.push(RaceEntrant::prompt(move |lane| {
        sources::paste(login, attempt, bare, &lane);
    }));
    if let Some(device) = device {
        sources.push(RaceEntrant::slow(move |lane| {
            sources::device(login, &flow.client, device, &lane);
        }));
    }
    let limits = Limits {
        clock: cx.clock,
        interrupt: cx.interrupt,
        timeout: request.timeout,
        timed_out: &|| login.timed_out(),
        spoiled: &spoiled,
        exhausted: &|| exhausted(login, redirect, device.is_some()),
    };
    let ended = first_answer::run(&limits, sources, |first| {
        settle(login, flow, attempt, first?)
    });
    // Not before: the browser fetches the page that ends the login from the bare path.
    drop(listening);
    ended
}

/// Stores the result of the answer that won.
fn settle(
    login: Login<'_>,
    flow: &CodeFlow,
    attempt: &PendingAuthorization,
    answer: Answer,
) -> Result<StoredProfile, Failure> {
    match answer {
        Answer::Callback(Ok(code), arrival) => {
            login.cx.dialog.notice(&Notice::Exchanging);
            let kept = exchange(login, flow, attempt, &code);
            show(arrival, &kept);
            kept
        }
        Answer::Callback(Err(failure), arrival) => {
            if let Some(arrival) = arrival {
                arrival.answer(Page::Refused {
                    reason: failure.to_string(),
                });
            }
            Err(failure)
        }
        Answer::Granted(gained, saved) => gained.keep(login, saved),
    }
}

fn exchange(
    login: Login<'_>,
    flow: &CodeFlow,
    attempt: &PendingAuthorization,
    code: &AuthorizationCode,
) -> Result<StoredProfile, Failure> {
    let saver = flow.prepare(login, attempt)?;
    let gained = flow.exchange(login, attempt, code, &saver);
    match gained {
        Ok(gained) => gained.keep(login, saver.finish()),
        Err(error) => {
            let failure = exchange_failure(login.provider, &error);
            Err(saver.finish().settle_failed(login.cx, &error, failure))
        }
    }
}

fn show(arrival: Option<Arrival>, kept: &Result<StoredProfile, Failure>) {
    let Some(arrival) = arrival else { return };
    arrival.answer(match kept {
        Ok(outcome) => Page::Stored {
            account: (outcome.account.clone()).unwrap_or_else(|| outcome.profile.to_string()),
        },
        Err(failure) => Page::Failed {
            reason: failure.to_string(),
        },
    });
}

/// Opens the endpoint of the redirect, if there is one and it can be had.
///
/// # Errors
/// If another user has the port.
fn bind(cx: Context<'_>, redirect: &Redirect) -> Result<Option<Box<dyn Listening>>, BindError> {
    let Redirect::Loopback(loopback) = redirect else {
        return Ok(None);
    };
    match cx.callback.bind(loopback) {
        Ok(listening) => Ok(Some(listening)),
        Err(error) if error.foreign_holder().is_some() => Err(error),
        Err(error) => {
            let text =
                format!("cannot listen for the callback ({error}); paste the redirect URL instead");
            cx.warn(text);
            Ok(None)
        }
    }
}

/// Logs in where another user has the port: the browser would be sent to a program of theirs.
fn without_port(
    login: Login<'_>,
    flow: &CodeFlow,
    device: Option<&DeviceFlow>,
    error: &BindError,
) -> Result<StoredProfile, Failure> {
    let why = format!(
        "your browser was not opened, because it would be redirected to a program of another user: {error}"
    );
    if let Some(device) = device {
        login.cx.warn(format!("{why}; use the device code"));
        return device::run(login, &flow.client, device);
    }
    let hint = Hint::from("when that program has ended: ").run(login.again());
    let failure = Failure::new(Kind::Usage, why).caused_by(error.clone());
    Err(failure.hint(hint))
}

/// Looks who has visited the address that leads to the page: warns of another user who was turned
/// away, and makes the failure if it was visited by two, one of whom may be somebody else, for only
/// the first was led on.
pub(super) fn watch_visits(login: Login<'_>, page: &dyn OpenedPage) -> Option<Failure> {
    if page.was_refused_to_others() {
        let text = "another user of this machine asked for the address that your browser was given, and was refused";
        login.cx.warn(text);
    }
    let message = "the address that your browser was given was opened twice, so somebody else may have seen the login page; the login has ended";
    let failure = || Failure::new(Kind::NeedsLogin, message).hint(login.again());
    page.is_visited_by_others().then(failure)
}

fn announce(
    login: Login<'_>,
    redirect: &Redirect,
    authorization: &AuthorizationRequest,
    port: Option<u16>,
) {
    let Login {
        cx,
        request,
        provider,
        ..
    } = login;
    let remote = cx.env.is_remote();
    let ssh_forward = match (redirect, port) {
        (Redirect::Loopback(loopback), Some(port)) if remote => {
            ssh_forward(cx.env, &loopback.host, port)
        }
        _ => None,
    };
    cx.dialog.notice(&Notice::AuthorizeUrl(AuthorizeUrl {
        provider: provider.name.clone(),
        url: authorization.url.clone(),
        port,
        remote,
        ssh_forward,
        copy: remote && request.clipboard,
    }));
    cx.dialog.notice(&Notice::Waiting {
        until: cx.clock.now().after(request.timeout),
    });
}

fn exhausted(login: Login<'_>, redirect: &Redirect, with_device: bool) -> Failure {
    let device = if with_device {
        ", no device code is available,"
    } else {
        ""
    };
    let why = match redirect {
        Redirect::Loopback(_) => "the callback port is in use",
        Redirect::Elsewhere(_) => "the browser is not redirected to this machine",
    };
    let message =
        format!("no way to receive the code: {why}{device} and there is no terminal to paste it");
    Failure::new(Kind::Usage, message).hint(match redirect {
        Redirect::Loopback(_) => "free the port, or run the command in a terminal".into(),
        Redirect::Elsewhere(_) => {
            Hint::from("run the command in a terminal, or log in in two steps: ")
                .run(login.again().arg("--start"))
        }
    })
}
