//! Login by an external program: it does what its provider wants, and we show and ask for it.

use std::path::Path;

use crate::model::grant::Binding;
use crate::model::provider::{ProgramFlow, Provider};
use crate::model::secret::Secret;
use crate::oauth::error::OAuthError;
use crate::oauth::program::{self as protocol, Aside, Login, ORIGIN, Program};
use crate::ports::dialog::{Answer, Notice, Question};

use super::super::failure::{Failure, Kind, login_command};
use super::super::proof::Proof;
use super::super::{Ports, program};
use super::{Origin, Outcome, Request, keep_from};

/// Runs the flow from the program to the stored credential.
pub(super) fn run(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    flow: &ProgramFlow,
) -> Result<Outcome, Failure> {
    let path = program::choose(ports, provider, flow)?;
    ports.store.rehearse(&request.agent)?;
    ports.interrupt.defer();
    let begun_at = ports.clock.now();
    let over_at = begun_at.after(request.timeout);
    // What runs is seen before it says anything: it may have been found on PATH.
    let text = format!("{} logs in to {}.", path.display(), provider.name);
    ports.dialog.notice(&Notice::Info(text));
    ports.dialog.notice(&Notice::Waiting { until: over_at });

    let over = ports.clock.monotonic() + request.timeout;
    let stop = || ports.interrupt.pending().is_some() || ports.clock.monotonic() >= over;
    let mut aside = |aside| heard(ports, request, provider, aside, &stop);
    let mut login = Login {
        deadline: over_at,
        limit: request.timeout,
        remote: ports.env.is_remote(),
        interactive: ports.dialog.can_ask(),
        aside: &mut aside,
    };
    let speaker = Program {
        stop: &|| ports.interrupt.pending(),
        ..program::speaker(ports, &provider.id, &path)
    };
    let line = speaker.login(&mut login);
    if let Some(signal) = ports.interrupt.pending() {
        return Err(Failure::cancelled(signal));
    }
    let grant =
        line.and_then(|line| protocol::grant(line, begun_at, provider.refresh.baked_margin));
    let mut grant = grant.map_err(|error| match ports.clock.monotonic() >= over {
        true => timed_out(request, provider, &error),
        false => failure(request, provider, &error),
    })?;
    grant.extra.set(ORIGIN, program::written(&path));
    let provider = Provider {
        account: protocol::account(&provider.account),
        ..provider.clone()
    };
    let origin = Origin {
        binding: bound(&path),
        revocation_endpoint: None,
        proof: Proof::default(),
    };
    keep_from(ports, request, &provider, origin, grant)
}

fn bound(path: &Path) -> Binding {
    Binding::to_program(&path.to_string_lossy())
}

/// Passes on what the program has for the person.
fn heard(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    aside: Aside,
    stop: &dyn Fn() -> bool,
) -> Option<Secret<String>> {
    match aside {
        Aside::Ask { prompt } => {
            let question = Question::Paste { prompt };
            match ports.dialog.ask(&question, stop) {
                Ok(Answer::Text(text)) => Some(text),
                Ok(Answer::Yes | Answer::No) => None,
                Err(error) => {
                    tracing::info!(%error, "a question of a program has no answer");
                    None
                }
            }
        }
        Aside::Notice { text, url, code } => {
            ports.dialog.notice(&Notice::Program {
                provider: provider.name.clone(),
                text,
                url: url.clone(),
                code,
            });
            let url = url.filter(|_| !request.no_browser && !ports.env.is_remote())?;
            if let Err(error) = ports.browser.open(&url) {
                let text = format!("no browser could be opened ({error}); open the URL yourself");
                ports.dialog.notice(&Notice::Info(text));
            }
            None
        }
    }
}

fn timed_out(request: &Request, provider: &Provider, error: &OAuthError) -> Failure {
    let again = login_command(&provider.id, request.profile.as_ref(), false);
    Failure::new(Kind::Temporary, error.to_string()).hint(format!("{again} --timeout 15m"))
}

fn failure(request: &Request, provider: &Provider, error: &OAuthError) -> Failure {
    let again = login_command(&provider.id, request.profile.as_ref(), false);
    let failed = |kind| Failure::new(kind, format!("the login did not succeed: {error}"));
    match error {
        OAuthError::Refused(refusal) => failed(Kind::NeedsLogin).code(&refusal.code).hint(again),
        OAuthError::Passing { .. } | OAuthError::Unsupported { .. } => {
            failed(Kind::Temporary).hint(again)
        }
        OAuthError::Unknown { .. } | OAuthError::Unexpected { .. } => {
            failed(Kind::NeedsLogin).hint(again)
        }
    }
}
