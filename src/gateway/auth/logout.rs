//! `POST …/logout`: removes the logins of a provider, revoked first where it can do that.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::whose::understand;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::usecase::logout_provider;
use crate::gateway::body::Body;
use crate::gateway::caller::Caller;
use crate::gateway::flow::Order;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::model::audit::AuditEntry;
use crate::model::id::{AgentId, ProfileId};

/// Which of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::gateway) struct Which {
    agent: Option<AgentId>,
    profile: Option<String>,
}

/// They are removed, or there were none.
#[derive(Debug, Serialize)]
pub(in crate::gateway) struct LoggedOut {
    status: &'static str,
    /// Whether the provider takes none of them any more; `None` if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<bool>,
}

/// Answers it.
pub(in crate::gateway) async fn logout(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Named(provider): Named,
    Body(which): Body<Which>,
) -> Result<Json<LoggedOut>, Problem> {
    gateway.require_known(&provider).await?;
    let (flows, audit) = (Arc::clone(&gateway.flows), Arc::clone(&gateway.audit));
    let asked = provider.clone();
    let work = move |cx: Context<'_>, default: &AgentId| -> Result<_, Failure> {
        let is_whole = which.agent.is_none() && which.profile.is_none();
        let names = (which.agent, which.profile);
        let (agent, profile) = understand(cx, default, &provider, names)?;
        // Else it would be logged in again at once.
        let is_meant = |order: &Order| is_whole || order.is_for(&agent, profile.as_ref());
        flows.settle(&provider, is_meant)?;
        let request = logout_provider::Request {
            agent,
            provider,
            profile,
        };
        let removed = logout_provider::run(cx, &request);
        // Here, for the client may be gone by now; and some may be removed where others could not be.
        audit.note(&caller.id, "logged out", |entry| {
            entry.agent = Some(request.agent.to_string());
            entry.provider = Some(request.provider.to_string());
            describe(&removed, entry);
        });
        removed
    };
    let removed = gateway.workers.ask(&asked, work).await?;
    gateway.changed().await;
    let removed = removed?;
    Ok(Json(LoggedOut {
        status: "logged out",
        revoked: (!removed.profiles.is_empty()).then_some(removed.revoked),
    }))
}

fn describe(removed: &Result<logout_provider::Outcome, Failure>, entry: &mut AuditEntry) {
    let outcome = match removed {
        Ok(removed) => {
            let profiles = removed.profiles.iter().map(ProfileId::as_str);
            entry.profile = Some(profiles.collect::<Vec<_>>().join(", "));
            match removed.revoked {
                true => "revoked",
                false => "not_revoked",
            }
        }
        Err(_) => "failed",
    };
    entry.outcome = outcome.to_owned();
}
