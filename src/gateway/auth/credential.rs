//! `POST …/credential`: stores a token or key that was made elsewhere, as `models auth paste-token` and
//! `paste-api-key` do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::stored::Stored;
use super::whose::understand;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::paste::{self, Form};
use crate::gateway::body::{Body, optional_secret};
use crate::gateway::caller::Caller;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::model::id::AgentId;
use crate::model::secret::Secret;

/// The credential; one of the two.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::gateway) struct Given {
    #[serde(deserialize_with = "optional_secret")]
    token: Option<Secret<String>>,
    #[serde(deserialize_with = "optional_secret")]
    api_key: Option<Secret<String>>,
    agent: Option<AgentId>,
    profile: Option<String>,
}

/// Answers it.
pub(in crate::gateway) async fn credential(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Named(provider): Named,
    Body(given): Body<Given>,
) -> Result<Json<Stored>, Problem> {
    let (form, secret) = match (given.token, given.api_key) {
        (Some(token), None) => (Form::Token { expires_in: None }, token),
        (None, Some(key)) => (Form::Key, key),
        (None, None) | (Some(_), Some(_)) => {
            let error = "send either token or api_key";
            return Err(Problem::bad_request("invalid_body", error));
        }
    };
    gateway.require_known(&provider).await?;
    let audit = Arc::clone(&gateway.audit);
    let work = move |cx: Context<'_>, default: &AgentId| -> Result<_, Failure> {
        let names = (given.agent, given.profile);
        let (agent, profile) = understand(cx, default, &provider, names)?;
        let request = paste::Request {
            agent,
            provider,
            profile,
            is_new_provider: false,
            form,
            given: Some(secret),
            metadata: Vec::new(),
        };
        let stored = paste::run(cx, &request)?.stored;
        // Here, for the client may be gone by now.
        audit.note(&caller.id, "credential stored", |entry| {
            entry.agent = Some(request.agent.to_string());
            entry.provider = Some(stored.provider.to_string());
            entry.profile = Some(stored.profile.as_str().to_owned());
        });
        Ok(stored)
    };
    let stored = gateway.workers.look(work).await?;
    gateway.changed().await;
    let stored = stored?;
    Ok(Json(stored.into()))
}
