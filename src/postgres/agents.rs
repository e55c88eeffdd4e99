//! Which agents there are, and how much of main's each sees.

use crate::model::id::AgentId;
use crate::model::inheritance::Inheritance;
use crate::ports::store::StoreError;
use crate::store::inherit;

use super::context::PostgresStore;
use super::link::{maybe, text};

pub(super) fn all(cx: &PostgresStore) -> Result<Vec<AgentId>, StoreError> {
    let asked = "SELECT id FROM openclaw.agent WHERE tenant = $1";
    let found = cx.ask(|link| link.rows(asked, &[link.tenant()]))?;
    let mut agents: Vec<AgentId> = found
        .iter()
        .map(|row| AgentId::normalise(row.get(0)))
        .collect();
    agents.push(AgentId::main());
    agents.sort();
    agents.dedup();
    Ok(agents)
}

pub(super) fn inheritance(cx: &PostgresStore, agent: &AgentId) -> Result<Inheritance, StoreError> {
    let asked = "SELECT inheritance FROM openclaw.agent WHERE tenant = $1 AND id = $2";
    let found = cx.ask(|link| link.row(asked, &[link.tenant(), text(agent.as_str())]))?;
    match found.and_then(|row| row.get::<_, Option<String>>(0)) {
        None => Ok(Inheritance::Inherit),
        Some(said) => inherit::parse(said.as_bytes()).map_err(|fault| StoreError::Inheritance {
            agent: agent.clone(),
            at: cx.place(agent),
            fault,
        }),
    }
}

pub(super) fn set_inheritance(
    cx: &PostgresStore,
    agent: &AgentId,
    inheritance: &Inheritance,
) -> Result<(), StoreError> {
    let said = inherit::written(inheritance);
    let put = "INSERT INTO openclaw.agent (tenant, id, revision, inheritance) VALUES ($1, $2, 1, $3) \
        ON CONFLICT (tenant, id) DO UPDATE SET inheritance = $3, revision = agent.revision + 1";
    let params = [cx.tenant(), text(agent.as_str()), maybe(said.as_deref())];
    cx.change(&cx.place(agent), &mut |tx, _| {
        tx.change(put, &params).map(drop)
    })
}

/// Writes what is there already: the database takes writes, and a file for an answer can be made.
pub(super) fn check_writable(cx: &PostgresStore, agent: &AgentId) -> Result<(), StoreError> {
    cx.opened()?.here.rescue.check_writable()?;
    let touched = "UPDATE openclaw.agent SET revision = revision WHERE tenant = $1 AND id = $2";
    let params = [cx.tenant(), text(agent.as_str())];
    cx.change(&cx.place(agent), &mut |tx, _| {
        tx.change(touched, &params).map(drop)
    })
}
