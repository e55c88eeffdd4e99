//! `POST …/start`: begins a login with a browser, or with a device code.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::whose::understand;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::status;
use crate::gateway::body::Body;
use crate::gateway::caller::Caller;
use crate::gateway::engine::Engine;
use crate::gateway::flow::{Callback, Flows, NotStarted, Order, Started};
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::gateway::time::rfc3339;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::Provider;
use crate::model::text::is_unprintable;
use crate::model::time::Timestamp;
use crate::ports::callback::BindError;

/// The longest name of a login, in characters.
const MAX_NAME: usize = 128;

/// What programs look for if no port could be had.
const NO_PORT: &str = "failed to start OAuth flow (is port 1455 available?)";

/// What may be said of the login.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::gateway) struct Wish {
    display_name: Option<String>,
    api_base: Option<String>,
    agent: Option<AgentId>,
    profile: Option<String>,
    /// Whether it is for one more account, beside one that can be used.
    another: bool,
}

/// Whether there is anything to do for the person.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::gateway) enum Answer {
    Waiting {
        auth_url: String,
        /// What is to be entered there.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_code: Option<String>,
        callback: Callback,
        #[serde(serialize_with = "rfc3339")]
        expires_at: Option<Timestamp>,
    },
    Authenticated {
        status: &'static str,
    },
}

const ALREADY: Answer = Answer::Authenticated {
    status: "already_authenticated",
};

impl From<Started> for Answer {
    fn from(started: Started) -> Self {
        Self::Waiting {
            auth_url: started.auth_url.expose().clone(),
            user_code: started.user_code.map(|code| code.expose().clone()),
            callback: started.callback,
            expires_at: started.expires,
        }
    }
}

/// Answers it.
pub(in crate::gateway) async fn start(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Named(provider): Named,
    Body(wish): Body<Wish>,
) -> Result<Json<Answer>, Problem> {
    check(&wish)?;
    let flows = Arc::clone(&gateway.flows);
    let engine = Arc::clone(gateway.workers.engine());
    let asked = provider.clone();
    let work = move |cx: Context<'_>, agent: &AgentId| {
        let is_another = wish.another;
        let order = order(cx, agent, (caller.id, provider), wish)?;
        begin(cx, (&flows, &*engine), &order, is_another)
    };
    gateway.workers.ask(&asked, work).await?.map(Json)
}

fn check(wish: &Wish) -> Result<(), Problem> {
    // To keep it out of a request is better than to let a person believe that it is heeded.
    if wish
        .api_base
        .as_deref()
        .is_some_and(|base| !base.is_empty())
    {
        let error =
            "api_base is not supported: set models.providers.<provider>.baseUrl in openclaw.json";
        return Err(Problem::bad_request("unsupported", error));
    }
    let is_fit = |name: &String| name.chars().count() <= MAX_NAME && !name.contains(is_unprintable);
    match wish.display_name.as_ref().is_none_or(is_fit) {
        true => Ok(()),
        false => {
            let error =
                format!("display_name has at most {MAX_NAME} characters, all of them printable");
            Err(Problem::bad_request("invalid_name", error))
        }
    }
}

fn order(
    cx: Context<'_>,
    default: &AgentId,
    (caller, provider): (String, ProviderId),
    wish: Wish,
) -> Result<Order, Failure> {
    let names = (wish.agent, wish.profile);
    let (agent, profile) = understand(cx, default, &provider, names)?;
    Ok(Order {
        display_name: wish.display_name.filter(|name| !name.trim().is_empty()),
        caller,
        provider,
        agent,
        profile,
    })
}

fn begin(
    cx: Context<'_>,
    (flows, engine): (&Flows, &dyn Engine),
    order: &Order,
    is_another: bool,
) -> Result<Answer, Problem> {
    let manifest = cx.provider(&order.provider).map_err(Failure::from);
    let manifest = manifest.map_err(|failure| match failure.kind {
        Kind::NotFound => Problem::unknown_provider(&order.provider),
        _ => failure.into(),
    })?;
    flows.look()?;
    // Whoever has a URL gets it again, whatever became of other logins.
    let is_under_way = flows.is_under_way_for(&order.provider, &order.caller);
    if !is_another && !is_under_way && is_usable(cx, order)? {
        return Ok(ALREADY);
    }
    match flows.start(&manifest, order) {
        Ok(started) => Ok(started.map_or(ALREADY, Answer::from)),
        Err(why) => Err(not_started(engine, &manifest, why)),
    }
}

/// Whether there is a living token, or a key, by the judgement of `models status`: of the profile that
/// is meant, or of the one that would be used.
fn is_usable(cx: Context<'_>, order: &Order) -> Result<bool, Failure> {
    let request = status::Request {
        agent: order.agent.clone(),
        agent_named: false,
    };
    let report = status::run(cx, &request)?;
    let mut outlooks = report.outlooks.iter();
    let outlook = outlooks.find(|outlook| outlook.provider == order.provider);
    let used = || outlook.and_then(|outlook| outlook.profile()).cloned();
    let Some(profile) = order.profile.clone().or_else(used) else {
        return Ok(false);
    };
    Ok(is_alive(&report, &profile, cx.clock.now()))
}

fn is_alive(report: &status::Report, profile: &ProfileId, now: Timestamp) -> bool {
    let mut all = report.health.profiles.iter();
    all.any(|health| {
        let expires = health.facts.expires_at();
        health.facts.profile == *profile
            && health.assessment.usable_now()
            && expires.is_none_or(|end| now < end)
    })
}

fn not_started(engine: &dyn Engine, manifest: &Provider, why: NotStarted) -> Problem {
    let provider = &manifest.id;
    let conflict = |code, error: String| Problem::new(StatusCode::CONFLICT, code, error);
    match why {
        NotStarted::Taken => conflict(
            "login_in_progress",
            format!("another login to {provider} is in progress; wait for its end, or cancel it"),
        ),
        NotStarted::PortTaken(other) => conflict(
            "port_in_use",
            format!(
                "a login to {other} waits at the port that {provider} needs; finish it, or cancel it"
            ),
        ),
        NotStarted::Cancelled => conflict("cancelled", "the login was cancelled".to_owned()),
        NotStarted::NoLogin if takes_paste(manifest) => Problem::bad_request(
            "needs_token",
            format!("{provider} has no login; send its token or key to …/credential"),
        ),
        NotStarted::NoLogin => Problem::bad_request(
            "needs_terminal",
            format!(
                "a gateway cannot log in to {provider}; on a machine with the store, run: {}",
                engine.text(&Command::login(provider, None).into())
            ),
        ),
        NotStarted::Draining => Problem::draining(),
        NotStarted::Failed(failure) => failed(failure),
    }
}

/// Whether a token or key can be sent.
fn takes_paste(manifest: &Provider) -> bool {
    manifest.token_shape().is_some() || manifest.key_shape().is_some()
}

fn failed(failure: Failure) -> Problem {
    let is_port = matches!(&failure.source, Some(source) if source.is::<BindError>());
    match is_port {
        true => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "port_unavailable", NO_PORT).detailed(failure.to_string())
        }
        false => failure.into(),
    }
}
