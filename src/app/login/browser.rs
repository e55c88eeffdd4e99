//! Authorization code with PKCE: callback and paste at the same time, the first valid one wins.
//!
//! The listener is bound before the URL is shown, so that nobody is sent to a port that somebody
//! else holds. Whatever is not the answer of this attempt is told so and ignored; only a right
//! `state` can end the wait, with a code or with the provider's refusal. The success page is sent
//! after the credential is stored, never before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::model::provider::{BrowserFlow, Client, Loopback, Provider, Redirect};
use crate::oauth::attempt::{Attempt, AuthorizationCode, CallbackError};
use crate::oauth::error::OAuthError;
use crate::oauth::grant;
use crate::oauth::paste::Pasted;
use crate::ports::callback::{Arrival, Endpoint, Listening, Page};
use crate::ports::dialog::{Answer, DialogError, Notice, Question};
use crate::ports::host::Signal;

use super::super::Ports;
use super::super::failure::{Failure, Kind, login_command};
use super::{Outcome, Request, keep, timed_out};

/// How often the threads of a login look whether it is over.
const TICK: Duration = Duration::from_millis(50);

/// What ends the wait, or may.
enum Event {
    /// A request at the redirect endpoint.
    Arrived(Arrival),
    /// A code that a person pasted.
    Pasted(AuthorizationCode),
    /// The wait ends without a code.
    Over(Failure),
}

/// Runs the flow from the listener to the stored credential.
pub(super) fn run(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    flow: &BrowserFlow,
) -> Result<Outcome, Failure> {
    ports.interrupt.defer();
    let (mut listening, redirect_uri) = match &flow.redirect {
        Redirect::Loopback(loopback) => {
            let listening = bind(ports, loopback);
            let bound = listening.as_ref().map(|listening| listening.port());
            let port = bound.or_else(|| loopback.ports.first().copied());
            (listening, loopback.uri(port.unwrap_or(0)))
        }
        Redirect::Elsewhere(page) => (None, page.clone()),
    };
    let bound = listening.as_ref().map(|listening| listening.port());
    let attempt = Attempt::begin(client, flow, &redirect_uri, ports.random)
        .map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
    announce(ports, request, provider, &attempt, bound);

    let over = AtomicBool::new(false);
    let (sender, events) = channel();
    let (arrival, code) = std::thread::scope(|scope| {
        if let Some(listening) = listening.as_mut() {
            let (sender, over) = (sender.clone(), &over);
            scope.spawn(move || collect(listening.as_mut(), &sender, over));
        }
        let (attempt, over) = (&attempt, &over);
        scope.spawn(move || paste(ports, request, provider, attempt, &sender, over));
        let first = wait(ports, request, provider, attempt, &events);
        over.store(true, Ordering::SeqCst);
        first
    })?;
    ports.dialog.notice(&Notice::Exchanging);
    let kept = grant::exchange(
        ports.http,
        provider,
        client,
        &attempt,
        &code,
        ports.clock.now(),
    )
    .map_err(|error| exchange_failure(provider, &error))
    .and_then(|grant| match ports.interrupt.pending() {
        Some(signal) => Err(Failure::cancelled(signal)),
        None => keep(ports, request, provider, client, grant),
    });
    if let Some(arrival) = arrival {
        arrival.answer(match &kept {
            Ok(outcome) => Page::Stored {
                account: outcome.account.clone(),
            },
            Err(failure) => Page::Failed {
                reason: failure.message.clone(),
            },
        });
    }
    // Not before: the browser fetches the page that ends the login from the bare path.
    drop(listening);
    kept
}

fn bind(ports: Ports<'_>, redirect: &Loopback) -> Option<Box<dyn Listening>> {
    let endpoint = Endpoint {
        host: redirect.host.clone(),
        ports: redirect.ports.clone(),
        path: redirect.path.clone(),
    };
    match ports.callback.bind(&endpoint) {
        Ok(listening) => Some(listening),
        Err(error) => {
            let text =
                format!("cannot listen for the callback ({error}); paste the redirect URL instead");
            ports.dialog.notice(&Notice::Warning(text));
            None
        }
    }
}

fn announce(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    attempt: &Attempt,
    port: Option<u16>,
) {
    let remote = ports.env.is_remote();
    ports.dialog.notice(&Notice::AuthorizeUrl {
        provider: provider.name.clone(),
        url: attempt.url.clone(),
        port,
        remote,
    });
    ports.dialog.notice(&Notice::Waiting {
        until: ports.clock.now().after(request.timeout),
    });
    if request.no_browser || remote {
        return;
    }
    if let Err(error) = ports.browser.open(&attempt.url) {
        let text = format!("no browser could be opened ({error}); open the URL yourself");
        ports.dialog.notice(&Notice::Info(text));
    }
}

/// Passes on what arrives at the redirect endpoint until the login is over.
fn collect(listening: &mut dyn Listening, events: &Sender<Event>, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        if let Some(arrival) = listening.next(TICK)
            && events.send(Event::Arrived(arrival)).is_err()
        {
            return;
        }
    }
}

/// Asks for a paste until there is a code, the login is over, or nobody is there to ask.
fn paste(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    attempt: &Attempt,
    events: &Sender<Event>,
    over: &AtomicBool,
) {
    let stop = || over.load(Ordering::SeqCst);
    let question = Question::Paste {
        prompt: "Or paste the redirect URL or code here".to_owned(),
    };
    loop {
        let text = match ports.dialog.ask(&question, &stop) {
            Ok(Answer::Text(text)) => text,
            Ok(Answer::Yes | Answer::No) => continue,
            Err(DialogError::Cancelled) => {
                let failure = Failure::cancelled(Signal::INTERRUPT);
                let _ = events.send(Event::Over(failure));
                return;
            }
            // Without a person the callback alone goes on.
            Err(DialogError::NobodyThere | DialogError::Withdrawn | DialogError::Failed(_)) => {
                return;
            }
        };
        let event = match Pasted::parse(text.expose()) {
            Pasted::Query(query) => match attempt.finish(&query) {
                Ok(code) => Event::Pasted(code),
                Err(CallbackError::Refused { code, description }) => {
                    Event::Over(refused(request, provider, &code, &description))
                }
                Err(error) => {
                    ports
                        .dialog
                        .notice(&Notice::Warning(format!("not used: {error}")));
                    continue;
                }
            },
            Pasted::BareCode(code) if accepts_unchecked(ports, &stop) => {
                Event::Pasted(AuthorizationCode::unproven(code))
            }
            Pasted::BareCode(_) => continue,
            Pasted::Nonsense(why) => {
                ports
                    .dialog
                    .notice(&Notice::Warning(format!("not used: {why}")));
                continue;
            }
        };
        let _ = events.send(event);
        return;
    }
}

/// A bare code comes without `state`, so nothing shows that it belongs to this login: somebody
/// else's code would log this machine in to somebody else's account (RFC 6749 section 10.12).
fn accepts_unchecked(ports: Ports<'_>, stop: &dyn Fn() -> bool) -> bool {
    let question = Question::Confirm {
        prompt: "This code comes without its state, so it cannot be checked that it belongs to this login. Use it?".to_owned(),
        default: false,
    };
    matches!(ports.dialog.ask(&question, stop), Ok(Answer::Yes))
}

/// Waits for the first valid answer. Returns the code, and the arrival that brought it, which
/// still waits for its page.
fn wait(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    attempt: &Attempt,
    events: &Receiver<Event>,
) -> Result<(Option<Arrival>, AuthorizationCode), Failure> {
    let deadline = ports.clock.monotonic() + request.timeout;
    loop {
        if let Some(signal) = ports.interrupt.pending() {
            return Err(Failure::cancelled(signal));
        }
        if ports.clock.monotonic() >= deadline {
            return Err(timed_out(request, provider));
        }
        let event = match events.recv_timeout(TICK) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                let message = "nothing can bring the code: the callback port is taken and there is no terminal to paste on";
                return Err(Failure::new(Kind::Usage, message)
                    .hint("free the port, or run the command on a terminal"));
            }
        };
        match event {
            Event::Pasted(code) => return Ok((None, code)),
            Event::Over(failure) => return Err(failure),
            Event::Arrived(arrival) => match attempt.finish(&arrival.query) {
                Ok(code) => return Ok((Some(arrival), code)),
                Err(CallbackError::Refused { code, description }) => {
                    let failure = refused(request, provider, &code, &description);
                    arrival.answer(Page::Refused {
                        reason: failure.message.clone(),
                    });
                    return Err(failure);
                }
                Err(error) => arrival.answer(Page::Ignored {
                    reason: error.to_string(),
                }),
            },
        }
    }
}

fn refused(request: &Request, provider: &Provider, code: &str, description: &str) -> Failure {
    let words = if description.is_empty() {
        code.to_owned()
    } else {
        format!("{code}: {description}")
    };
    let message = format!("the login was refused ({words})");
    Failure::new(Kind::NeedsLogin, message)
        .code(code)
        .hint(login_command(&provider.id, request.profile.as_ref(), false))
}

fn exchange_failure(provider: &Provider, error: &OAuthError) -> Failure {
    let message = format!("the code could not be exchanged for a token: {error}");
    let kind = if error.is_passing() {
        Kind::Temporary
    } else {
        Kind::NeedsLogin
    };
    let failure = Failure::new(kind, message).hint(login_command(&provider.id, None, false));
    match error {
        OAuthError::Refused(refusal) => failure.code(&refusal.code),
        _ => failure,
    }
}
