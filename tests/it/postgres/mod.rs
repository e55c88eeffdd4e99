//! The store in PostgreSQL: what lies in its tables, what several machines may do, and what becomes
//! of a refresh while the database comes and goes. `store::contract` asks of it what every store owes.

mod administration;
#[cfg(feature = "gateway")]
mod chaos;
#[cfg(feature = "gateway")]
mod commands;
mod damage;
#[cfg(feature = "gateway")]
mod device_logins;
mod ends;
#[cfg(feature = "gateway")]
mod failover;
#[cfg(feature = "gateway")]
mod gateways;
mod histories;
mod imports;
mod interrupted_imports;
mod killed_imports;
#[cfg(feature = "gateway")]
mod logins;
mod machine;
mod nodes;
#[cfg(feature = "gateway")]
mod one_refresh;
#[cfg(feature = "gateway")]
mod outages;
#[cfg(feature = "gateway")]
mod page;
#[cfg(feature = "gateway")]
mod pruning;
#[cfg(feature = "gateway")]
mod rescue_directory;
mod rows;
#[cfg(feature = "gateway")]
mod silence;
#[cfg(feature = "gateway")]
mod stopped;
#[cfg(feature = "gateway")]
mod taken_logins;
#[cfg(feature = "gateway")]
mod tenant_roles;
#[cfg(feature = "gateway")]
mod tenants;
#[cfg(feature = "gateway")]
mod tenants_apart;
#[cfg(feature = "gateway")]
mod under_way;
mod upgrades;

use openclaw::model::credential::Credential;
use openclaw::model::id::AgentId;
use openclaw::ports::store::{Held, Scope, Store};

use crate::support::memory_store::{digest, held, oauth, profile};

/// What is said of a database that refuses.
const REFUSED: &str = "permission denied";

/// Stores a login with this refresh token.
fn put(store: &impl Store, refresh: &str) {
    let change = store.update(&AgentId::main(), &mut |doc| {
        doc.put(profile(), Credential::OAuth(oauth(refresh)))
    });
    change.unwrap();
}

/// The refresh token that is stored.
fn refresh_token(store: &impl Store) -> Option<String> {
    let doc = store.load(&AgentId::main(), Scope::All).unwrap();
    let login = doc.get(&profile())?.as_oauth()?;
    Some(login.refresh_token()?.expose().clone())
}

/// The lock of a grant that nobody holds.
fn take<'a>(store: &'a impl Store, refresh: &str) -> Box<dyn Held<'a> + 'a> {
    held(store.try_lock_grant(&digest(refresh)).unwrap()).expect("nobody holds it")
}
