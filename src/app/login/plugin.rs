//! Login by a plugin: it does what its provider needs, and we show and ask for it.

use std::cell::RefCell;
use std::path::Path;

use crate::model::grant::Binding;
use crate::model::provider::{ProgramFlow, Provider};
use crate::model::secret::Secret;
use crate::oauth::grant::Grant;
use crate::oauth::plugin::{self as protocol, Interaction, ORIGIN, Program};
use crate::ports::browser::OpenedPage;
use crate::ports::dialog::{Notice, Question};
use crate::ports::host::Signal;

use super::browser::watch_visits;
use super::request::{Login, kind_of, not_granted};
use super::store_login::{Origin, keep_from};
use crate::app::deposit::StoredProfile;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::plugin;
use crate::app::issuer::verify_login::Proof;

/// Runs the flow from the plugin to the stored credential.
pub(in crate::app) fn run(login: Login<'_>, flow: &ProgramFlow) -> Result<StoredProfile, Failure> {
    let Login { cx, provider, .. } = login;
    let path = plugin::choose(cx, provider, flow)?;
    cx.store.check_writable(&login.request.agent)?;
    cx.interrupt.defer();
    let mut grant = request_grant(login, &path)?;
    grant.extra.set(ORIGIN, plugin::written(&path));
    let provider = Provider {
        account: protocol::account(&provider.account),
        ..provider.clone()
    };
    let origin = Origin {
        binding: Binding::to_program(&path.to_string_lossy()),
        revocation_endpoint: None,
        proof: Proof::default(),
    };
    let login = Login {
        provider: &provider,
        ..login
    };
    keep_from(login, origin, grant)
}

/// Has the plugin log in.
fn request_grant(login: Login<'_>, path: &Path) -> Result<Grant, Failure> {
    let Login {
        cx,
        request,
        provider,
        ..
    } = login;
    let begun_at = cx.clock.now();
    let over_at = begun_at.after(request.timeout);
    // What runs is seen before it says anything: it may have been found on PATH.
    let text = format!("{} logs in to {}.", path.display(), provider.name);
    cx.info(text);
    cx.dialog.notice(&Notice::Waiting { until: over_at });

    let over = cx.clock.monotonic() + request.timeout;
    let stop = || cx.interrupt.pending().is_some() || cx.clock.monotonic() >= over;
    // The pages that were opened for it.
    let pages = RefCell::new(Vec::<Box<dyn OpenedPage>>::new());
    let spoiled = || {
        let pages = pages.borrow();
        let mut pages = pages.iter();
        pages.find_map(|page| watch_visits(login, &**page))
    };
    let mut interact = |interaction| {
        let heard = heard(login, interaction, &stop)?;
        match heard {
            Heard::Answer(answer) => Some(answer),
            Heard::Opened(page) => {
                pages.borrow_mut().push(page);
                None
            }
        }
    };
    let mut told = protocol::Login {
        deadline: over_at,
        limit: request.timeout,
        remote: cx.env.is_remote(),
        interactive: cx.dialog.can_ask(),
        interact: &mut interact,
    };
    let speaker = Program {
        stop: &|| {
            let signal = cx.interrupt.pending();
            signal.or_else(|| spoiled().map(|_| Signal::TERMINATE))
        },
        ..plugin::speaker(cx, provider, path)
    };
    let line = speaker.login(&mut told);
    // What it brought is kept all the same.
    if line.is_err() {
        cx.uninterrupted()?;
        spoiled().map_or(Ok(()), Err)?;
    }
    let grant =
        line.and_then(|line| protocol::grant(line, begun_at, provider.refresh.baked_margin));
    grant.map_err(|error| match cx.clock.monotonic() >= over {
        true => Failure::new(Kind::Temporary, error.to_string())
            .hint(login.again().option("--timeout", "15m")),
        false => not_granted(kind_of(&error), "login failed", &error).hint(login.again()),
    })
}

/// What comes of a message of the plugin.
enum Heard {
    /// The answer to its question.
    Answer(Secret<String>),
    /// A page for the person.
    Opened(Box<dyn OpenedPage>),
}

/// Passes a message of the plugin on to the user.
fn heard(login: Login<'_>, interaction: Interaction, stop: &dyn Fn() -> bool) -> Option<Heard> {
    let Login {
        cx,
        request,
        provider,
        ..
    } = login;
    match interaction {
        Interaction::Ask { prompt } => {
            let question = Question::Paste(prompt);
            let answer = cx.dialog.ask(&question, stop);
            answer
                .inspect_err(
                    |error| tracing::info!(%error, "a question of a program has no answer"),
                )
                .ok()
                .map(Heard::Answer)
        }
        Interaction::Notice(protocol::Notice { text, url, code }) => {
            cx.dialog.notice(&Notice::Program {
                provider: provider.name.clone(),
                text,
                url: url.clone(),
                code,
            });
            let url = url.filter(|_| !request.no_browser)?;
            cx.open_browser(&url).map(Heard::Opened)
        }
    }
}
