//! Keys to the gateway: made, listed and revoked, wherever they are kept.

use std::time::Duration;

use crate::app::agents::registry::must_exist;
use crate::app::context::Context;
use crate::app::credential::provider_name::Purpose;
use crate::app::failure::{Failure, Kind};
use crate::model::access::{Network, Role, Scope};
use crate::model::access_key::{AccessKey, AccessKeys, BearerDigest, LONGEST_LEASE, Standing};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::named::ProviderName;
use crate::model::secret::Secret;

/// How long a key lasts that gets tokens, unless something else is asked for.
const USUAL_LEASE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 80;

/// What is asked of a new key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What a person calls it.
    pub name: Option<String>,
    /// What its holder may do.
    pub role: Role,
    /// The providers that it is for; all, if none is named.
    pub providers: Vec<ProviderName>,
    /// The agents, as they were typed; all, if none is named.
    pub agents: Vec<String>,
    /// The profiles; all, if none is named.
    pub profiles: Vec<ProfileId>,
    /// The networks that its holder asks from; all, if none is named.
    pub networks: Vec<Network>,
    /// How long it lasts. By default a key that gets tokens lasts 30 days, and any other has no end.
    pub lifetime: Option<Duration>,
}

/// A key that was made.
#[derive(Debug)]
pub struct MadeKey {
    /// As it is kept.
    pub key: AccessKey,
    /// Its text, which is kept nowhere.
    pub bearer: Secret<String>,
}

/// Makes a key.
///
/// # Errors
/// [`Kind::Usage`] for a key that cannot be, [`Kind::NotFound`] for a provider or an agent that is
/// not there, and what the store of the keys says; they are as they were then.
pub fn add(cx: Context<'_>, new: &NewKey) -> Result<MadeKey, Failure> {
    let scope = Scope {
        providers: (new.providers.iter())
            .map(|name| cx.known_provider(&AgentId::main(), name, Purpose::Any))
            .collect::<Result<_, _>>()?,
        agents: (new.agents.iter())
            .map(|typed| {
                let id = AgentId::normalise(typed);
                must_exist(cx, &id, typed).map(|()| id)
            })
            .collect::<Result<_, _>>()?,
        profiles: new.profiles.clone(),
        networks: new.networks.clone(),
    };
    let lifetime = lifetime(new)?;
    if !scope.suits(new.role) {
        let message = match new.role {
            Role::Admin => {
                "a key with the role admin can make any key, and cannot be limited to logins"
            }
            _ => "only keys with the role lease can be limited to agents and profiles",
        };
        return Err(Failure::new(Kind::Usage, message).hint("limit a key with the role lease"));
    }
    let bearer = cx.random_hex::<{ AccessKey::RANDOM }>().map(Secret::new)?;
    let bearer = Secret::new([AccessKey::PREFIX, bearer.expose()].concat());
    let created = cx.clock.now();
    let key = AccessKey {
        id: cx.random_hex::<8>()?,
        name: name(new)?,
        digest: BearerDigest::of(&bearer),
        role: new.role,
        scope,
        created,
        not_after: lifetime.map(|lifetime| created.after(lifetime)),
        revoked_at: None,
        rest: serde_json::Map::new(),
    };
    cx.access_keys.add_access_key(&key, created)?;
    Ok(MadeKey { key, bearer })
}

/// Lists all keys, expired and revoked ones included, until they are forgotten; oldest first.
///
/// # Errors
/// What the store of the keys says.
pub fn list(cx: Context<'_>) -> Result<AccessKeys, Failure> {
    Ok(cx.access_keys.access_keys()?)
}

/// Revokes a key, and returns it. One that was revoked before keeps the time at which it was.
///
/// # Errors
/// [`Kind::NotFound`] if there is none of that id, and what the store of the keys says.
pub fn revoke(cx: Context<'_>, id: &str) -> Result<AccessKey, Failure> {
    let revoked = cx.access_keys.revoke_access_key(id, cx.clock.now())?;
    revoked.ok_or_else(|| {
        let message = format!("no such key: {}", printable(id, LONGEST_NAME));
        Failure::new(Kind::NotFound, message).hint(Command::new("gateway key list"))
    })
}

/// Copies keys that are accepted to another place, such as a database that gateways share, unless they are
/// there; how many. With `is_planned` nothing is changed.
///
/// # Errors
/// What the stores of the keys say; a second run does the rest.
pub fn copy(from: Context<'_>, to: Context<'_>, is_planned: bool) -> Result<usize, Failure> {
    let now = from.clock.now();
    let known = list(to)?.keys;
    let mut keys = list(from)?.keys;
    keys.retain(|key| {
        key.standing(now) == Standing::Active && !known.iter().any(|other| other.id == key.id)
    });
    if !is_planned {
        for key in &keys {
            to.access_keys.add_access_key(key, now)?;
        }
    }
    Ok(keys.len())
}

/// How long the key lasts.
fn lifetime(new: &NewKey) -> Result<Option<Duration>, Failure> {
    let usage = |message: &str| Failure::new(Kind::Usage, message);
    match new.lifetime {
        Some(Duration::ZERO) => {
            Err(usage("a key must last longer than that").hint("say --for 30d"))
        }
        Some(lifetime) if new.role == Role::Lease && lifetime > LONGEST_LEASE => {
            let message = "a key with the role lease lasts 90 days at most";
            Err(usage(message).hint("say --for 90d"))
        }
        None if new.role == Role::Lease => Ok(Some(USUAL_LEASE)),
        lifetime => Ok(lifetime),
    }
}

/// The name of the key, without white space around it; a blank one is none.
fn name(new: &NewKey) -> Result<Option<String>, Failure> {
    let name = new.name.as_deref().map(str::trim);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    match printable(name, LONGEST_NAME) == name {
        true => Ok(Some(name.to_owned())),
        false => {
            let message = "the name of a key is one line of 80 characters at most";
            Err(Failure::new(Kind::Usage, message))
        }
    }
}
