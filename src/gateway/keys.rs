//! `/v1/keys`: keys are made, listed and revoked by whoever may do everything.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::caller::Caller;
use super::problem::Problem;
use super::state::Gateway;
use super::time::rfc3339;
use crate::app::access::keys::{self, NewKey};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::access::{Network, Role, Scope, parse_network};
use crate::model::access_key::AccessKey;
use crate::model::id::{AgentId, IdError, ProfileId};
use crate::model::named::ProviderName;
use crate::model::time::Timestamp;

/// What is asked of a new key.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    name: Option<String>,
    role: Role,
    providers: Vec<String>,
    agents: Vec<String>,
    profiles: Vec<String>,
    networks: Vec<String>,
    /// How long it is valid, in seconds.
    expires_in: Option<u64>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            name: None,
            role: Role::Viewer,
            providers: Vec::new(),
            agents: Vec::new(),
            profiles: Vec::new(),
            networks: Vec::new(),
            expires_in: None,
        }
    }
}

impl Asked {
    fn parse(self) -> Result<NewKey, Problem> {
        let wrong = |error: String| Problem::bad_request("bad_request", error);
        let id = |error: IdError| wrong(error.to_string());
        let providers = self.providers.iter().map(|name| ProviderName::parse(name));
        let profiles = self.profiles.iter().map(|name| ProfileId::parse_new(name));
        let networks = self.networks.iter().map(|text| parse_network(text));
        Ok(NewKey {
            name: self.name.clone(),
            role: self.role,
            providers: providers.collect::<Result<_, _>>().map_err(id)?,
            agents: self.agents.clone(),
            profiles: profiles.collect::<Result<_, _>>().map_err(id)?,
            networks: networks
                .collect::<Result<Vec<Network>, _>>()
                .map_err(wrong)?,
            lifetime: self.expires_in.map(Duration::from_secs),
        })
    }
}

/// A key as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    name: Option<String>,
    role: Role,
    state: String,
    scope: Scope,
    #[serde(serialize_with = "rfc3339")]
    created_at: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339")]
    expires_at: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339")]
    revoked_at: Option<Timestamp>,
}

impl Shown {
    fn new(key: AccessKey, now: Timestamp) -> Self {
        Self {
            state: key.standing(now).as_ref().to_owned(),
            expires_at: key.ends(),
            created_at: Some(key.created),
            revoked_at: key.revoked_at,
            id: key.id,
            name: key.name,
            role: key.role,
            scope: key.scope,
        }
    }
}

/// A key that was made, with its text.
#[derive(Serialize)]
pub(super) struct Made {
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

/// All keys.
#[derive(Serialize)]
pub(super) struct Listed {
    keys: Vec<Shown>,
}

/// Lists the keys.
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
) -> Result<Json<Listed>, Problem> {
    let keys = gateway.workers.look(|cx, _| keys::list(cx)).await??;
    let now = gateway.clock.now();
    let keys = keys
        .keys
        .into_iter()
        .map(|key| Shown::new(key, now))
        .collect();
    Ok(Json(Listed { keys }))
}

/// Makes a key. Its text is in this answer, and nowhere else.
pub(super) async fn add(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<Json<Made>, Problem> {
    let new = asked.parse()?;
    let audit = Arc::clone(&gateway.audit);
    let work = move |cx: Context<'_>, _: &AgentId| -> Result<_, Failure> {
        let made = keys::add(cx, &new)?;
        // Here, for the client may be gone by now.
        audit.note(&caller.id, "key added", |entry| {
            let (id, role) = (&made.key.id, made.key.role.as_ref());
            entry.about = Some(format!("{id} ({role})"));
        });
        Ok(made)
    };
    let made = gateway.workers.look(work).await??;
    Ok(Json(Made {
        key: made.bearer.expose().clone(),
        shown: Shown::new(made.key, gateway.clock.now()),
    }))
}

/// Revokes a key.
pub(super) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let audit = Arc::clone(&gateway.audit);
    let work = move |cx: Context<'_>, _: &AgentId| -> Result<_, Failure> {
        let revoked = keys::revoke(cx, &id)?;
        audit.note(&caller.id, "key revoked", |entry| {
            entry.about = Some(revoked.id.clone());
        });
        Ok(revoked)
    };
    let revoked = gateway.workers.look(work).await??;
    Ok(Json(Shown::new(revoked, gateway.clock.now())))
}
