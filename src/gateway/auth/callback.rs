//! `POST …/callback`: completes a login with the URL that the browser was redirected to, where it could
//! not reach the port that waits for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::stored::Stored;
use crate::app::failure::{Failure, Kind};
use crate::gateway::body::{Body, secret};
use crate::gateway::caller::Caller;
use crate::gateway::flow::{Ending, PasteError};
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::model::secret::Secret;

/// The longest redirect URL, in bytes.
const MAX_URL: usize = 8 * 1024;

/// What was pasted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::gateway) struct Redirect {
    #[serde(deserialize_with = "secret")]
    redirect_url: Secret<String>,
}

/// Answers it.
pub(in crate::gateway) async fn callback(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
    Named(provider): Named,
    Body(Redirect { redirect_url }): Body<Redirect>,
) -> Result<Json<Stored>, Problem> {
    if redirect_url.expose().len() > MAX_URL {
        let error = format!("redirect_url has more than {MAX_URL} bytes");
        return Err(Problem::bad_request("redirect_url_too_long", error));
    }
    let flows = Arc::clone(&gateway.flows);
    let pasted = gateway
        .workers
        .ask(&provider.clone(), move |_, _| {
            flows.paste(&provider, redirect_url)
        })
        .await?;
    match pasted.map_err(|why| not_accepted(&why))? {
        Ending::Connected(stored) => {
            gateway.changed().await;
            Ok(Json(stored.into()))
        }
        ending => Err(not_connected(&ending)),
    }
}

fn not_accepted(why: &PasteError) -> Problem {
    let error = why.to_string();
    match why {
        PasteError::NoLogin => Problem::bad_request("no_login", error),
        PasteError::NotAccepted(_) => Problem::bad_request("not_accepted", error),
        PasteError::NothingToPaste => {
            Problem::new(StatusCode::CONFLICT, "takes_no_redirect", error)
        }
        PasteError::Busy => Problem::new(StatusCode::CONFLICT, "busy", error),
        PasteError::Unavailable(_) => Problem::unavailable(error),
    }
}

fn not_connected(ending: &Ending) -> Problem {
    let ended = |code, failure: &Failure| Problem::bad_request(code, failure.to_string());
    let problem = match ending {
        Ending::Refused(failure) => ended("refused", failure),
        Ending::TimedOut(failure) => ended("timed_out", failure),
        Ending::Failed(failure) if failure.kind == Kind::NeedsLogin => {
            ended("exchange_failed", failure)
        }
        Ending::Failed(failure) => Problem::from(failure.clone()),
        Ending::Cancelled | Ending::Connected(_) => {
            Problem::bad_request("cancelled", "the login was cancelled")
        }
    };
    let code = ending.failure().and_then(|failure| failure.code.as_deref());
    problem.of_provider(code)
}
