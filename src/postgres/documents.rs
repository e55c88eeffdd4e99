//! The documents of the agents as rows: one for each credential.
//!
//! Nothing is locked while a change is thought about: it is written if the document still has the
//! revision that was read, and begun anew if it has not. So no process that is stopped keeps others
//! waiting.

use tokio_postgres::Row;

use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::ports::store::{Location, Scope, StoreError};
use crate::store::history_rules;
use crate::store::parts::{self, Parts};

use super::context::PostgresStore;
use super::fault::Fault;
use super::history::RowHistories;
use super::history_batch::HistoryBatch;
use super::link::{Link, Param, maybe, text};
use super::once::Repeat;
use super::pool::Tx;
use super::seal::{RowSealer, row};
use super::tenants;
use super::writing::{Found, write};

/// Stands for an entry whose row does not open: JSON, and no credential.
const UNREADABLE: &str = r#""sealed, and does not open""#;

/// What is said of it.
const DAMAGED: &str = "its row in the database does not open: it is damaged, or was moved there";

/// In one statement, which sees one moment.
const READ: &str = "SELECT a.revision, a.rest, u.state, \
    ARRAY(SELECT c.profile FROM openclaw.credential c \
        WHERE c.tenant = a.tenant AND c.agent = a.id AND ($3::text IS NULL OR btrim(c.profile) = $3) \
        ORDER BY c.position, c.profile), \
    ARRAY(SELECT c.sealed FROM openclaw.credential c \
        WHERE c.tenant = a.tenant AND c.agent = a.id AND ($3::text IS NULL OR btrim(c.profile) = $3) \
        ORDER BY c.position, c.profile) \
    FROM openclaw.agent a LEFT JOIN openclaw.agent_usage u ON u.tenant = a.tenant AND u.agent = a.id \
    WHERE a.tenant = $1 AND a.id = $2";

/// Reads a document; an empty one of revision 0 if there is none.
pub(super) fn find(
    link: &Link,
    rows: &RowSealer,
    agent: &AgentId,
    scope: Scope<'_>,
) -> Result<Found, Fault> {
    let one = match scope {
        Scope::Profile(id) => Some(id.as_str()),
        Scope::All | Scope::Provider(_) => None,
    };
    let id = agent.as_str();
    if let Some(found) = link.row(READ, &[link.tenant(), text(id), maybe(one)])? {
        return take(&found, rows, agent);
    }
    tenants::check_seen(link)?;
    Ok(Found {
        revision: 0,
        is_rest_damaged: false,
        damaged: Vec::new(),
        parts: Parts {
            entries: Vec::new(),
            rest: Secret::from("{}"),
            state: None,
        },
    })
}

fn take(found: &Row, rows: &RowSealer, agent: &AgentId) -> Result<Found, Fault> {
    let (rest, state): (Option<Vec<u8>>, Option<String>) = (found.get(1), found.get(2));
    let (names, sealed): (Vec<String>, Vec<Vec<u8>>) = (found.get(3), found.get(4));
    let mut damaged = Vec::new();
    let open = |(name, sealed): (String, Vec<u8>)| {
        let place = row("credential", agent.as_str(), &name);
        match rows.open(place, &sealed) {
            Ok(entry) => Ok((name, entry)),
            Err(Fault::Store(why)) => {
                // One bad row locks no other login out. It stays until a credential takes its place.
                tracing::warn!("{why}");
                damaged.push(name.clone());
                Ok((name, Secret::from(UNREADABLE)))
            }
            Err(fault) => Err(fault),
        }
    };
    let nothing = || Secret::from("{}");
    let rest = rest.map(|sealed| rows.open(row("agent", agent.as_str(), "rest"), &sealed));
    let (rest, is_rest_damaged) = match rest.transpose() {
        Ok(rest) => (rest.unwrap_or_else(nothing), false),
        // What a document has beside its credentials locks none of them out either. It stays.
        Err(Fault::Store(why)) => {
            tracing::warn!("{why}");
            (nothing(), true)
        }
        Err(fault) => return Err(fault),
    };
    let entries = names.into_iter().zip(sealed).map(open);
    let entries = entries.collect::<Result<_, Fault>>()?;
    Ok(Found {
        revision: found.get(0),
        is_rest_damaged,
        damaged,
        parts: Parts {
            entries,
            rest,
            state: state.map(Secret::new),
        },
    })
}

/// Puts together what was read.
pub(super) fn document(
    found: &Found,
    scope: Scope<'_>,
    at: &Location,
) -> Result<AuthProfiles, StoreError> {
    let joined = parts::join(&found.parts, scope).map_err(|fault| StoreError::Corrupt {
        at: at.clone(),
        fault,
    });
    let mut document = joined?;
    for name in &found.damaged {
        document.say_of_invalid(name, DAMAGED);
    }
    if found.is_rest_damaged {
        let fault = "what it has beside its credentials does not open, and does not count";
        document.faults.push(format!("{at}: {fault}"));
    }
    Ok(document)
}

/// Every write begins with this: nobody writes under a key that was replaced meanwhile.
pub(super) fn check_key(link: &Link, rows: &RowSealer) -> Result<(), Fault> {
    // Nor in another database of the same address, which was made anew.
    let asked = "SELECT 1 FROM openclaw.deployment WHERE key_id = $1 AND id = $2";
    let id = rows.sealer().vault.as_str();
    match link.row(asked, &[Param::Bytes(rows.id()), text(id)])? {
        Some(_) => Ok(()),
        None => Err(Fault::OtherKey),
    }
}

impl PostgresStore {
    pub(super) fn load_document(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
    ) -> Result<AuthProfiles, StoreError> {
        let here = self.opened()?.here;
        let found = self.ask(|link| find(link, &here.rows, agent, scope))?;
        document(&found, scope, &self.place(agent))
    }

    pub(super) fn update_document(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError> {
        let at = self.place(agent);
        self.change(&at, &mut |tx, rows| {
            let found = find(tx, rows, agent, Scope::All)?;
            let mut doc = document(&found, Scope::All, &at)?;
            if change(&mut doc) {
                let histories = RowHistories::new(tx, rows, agent, self);
                let mut histories = HistoryBatch::read(histories, &doc)?;
                let kept = history_rules::keep(&mut histories, &mut doc);
                histories.judge(kept)?;
                write(tx, rows, agent, (&found, &doc))?;
                let noted = history_rules::note_saved(&mut histories, &doc);
                histories.judge(noted)?;
                histories.write()?;
            }
            Ok(doc)
        })
    }

    /// Changes rows in a transaction until that is committed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if others kept changing the same, and what the database says.
    pub(super) fn change<T>(
        &self,
        at: &Location,
        change: &mut dyn FnMut(&Tx<'_>, &RowSealer) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let here = self.opened()?.here;
        let name = self.new_name()?;
        let blocked = || format!("others are changing {at}");
        let busy = || StoreError::Busy {
            at: at.clone(),
            owner: None,
        };
        let done = self.commit_once((&name, Repeat::Doubted), &blocked, &mut |tx| {
            check_key(tx, &here.rows)?;
            change(tx, &here.rows)
        });
        match done {
            Ok(done) => done.ok_or_else(busy),
            Err(StoreError::Conflict { .. }) => Err(busy()),
            Err(error) => Err(error),
        }
    }
}
