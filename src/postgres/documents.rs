//! The documents of the agents as rows: one for each credential.
//!
//! Nothing is locked while a change is thought about: it is written if the document still has the
//! revision that was read, and begun anew if it has not. So no process that is stopped keeps others
//! waiting, and a change that was in doubt is simply made again.

use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::Row;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProviderId};
use crate::model::profiles::{AuthProfiles, Content};
use crate::model::secret::Secret;
use crate::ports::lock::Wait;
use crate::ports::store::{Location, Scope, StoreError};
use crate::store::history_rules;
use crate::store::parts::{self, Parts};

use super::context::{Opened, PostgresStore};
use super::fault::{Fault, told};
use super::history::RowHistories;
use super::link::{Link, Param, integer, maybe, text};
use super::pool::Tx;
use super::seal::{RowSealer, TENANT, row};

/// How long a change is tried again while others change the same document.
const PATIENCE: Duration = Duration::from_secs(30);

/// A document that was read.
pub(super) struct Found {
    pub(super) revision: i64,
    pub(super) parts: Parts,
}

/// Stands for an entry whose row does not open: JSON, and no credential.
const UNREADABLE: &str = r#""sealed, and does not open""#;

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
    match link.row(READ, &[text(TENANT), text(id), maybe(one)])? {
        Some(found) => take(&found, rows, agent),
        None => Ok(Found {
            revision: 0,
            parts: Parts {
                entries: Vec::new(),
                rest: Secret::from("{}"),
                state: None,
            },
        }),
    }
}

fn take(found: &Row, rows: &RowSealer, agent: &AgentId) -> Result<Found, Fault> {
    let (rest, state): (Option<Vec<u8>>, Option<String>) = (found.get(1), found.get(2));
    let (names, sealed): (Vec<String>, Vec<Vec<u8>>) = (found.get(3), found.get(4));
    let open = |(name, sealed): (String, Vec<u8>)| {
        let place = row("credential", agent.as_str(), &name);
        match rows.open(place, &sealed) {
            Ok(entry) => Ok((name, entry)),
            Err(Fault::Store(why)) => {
                // One bad row locks no other login out. It stays until a credential takes its place.
                tracing::warn!("{why}");
                Ok((name, Secret::from(UNREADABLE)))
            }
            Err(fault) => Err(fault),
        }
    };
    let rest = match rest {
        Some(sealed) => rows.open(row("agent", agent.as_str(), "rest"), &sealed)?,
        None => Secret::from("{}"),
    };
    Ok(Found {
        revision: found.get(0),
        parts: Parts {
            entries: names
                .into_iter()
                .zip(sealed)
                .map(open)
                .collect::<Result<_, Fault>>()?,
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
    parts::join(&found.parts, scope).map_err(|fault| StoreError::Corrupt {
        at: at.clone(),
        fault,
    })
}

/// Writes what differs between the parts of before and the document, which gets a new revision.
///
/// # Errors
/// [`Fault::Conflict`] if it has another revision than was read.
pub(super) fn write(
    tx: &Tx<'_>,
    rows: &RowSealer,
    agent: &AgentId,
    (found, document): (&Found, &AuthProfiles),
) -> Result<(), Fault> {
    let Found {
        revision,
        parts: before,
    } = found;
    let id = agent.as_str();
    let after = parts::split(document);
    bump(tx, id, *revision)?;
    if after.rest.expose() != before.rest.expose() || *revision == 0 {
        let sealed = rows.seal(row("agent", id, "rest"), after.rest.expose().as_bytes())?;
        let set = "UPDATE openclaw.agent SET rest = $3 WHERE tenant = $1 AND id = $2";
        tx.change(set, &[text(TENANT), text(id), Param::Bytes(&sealed)])?;
    }
    let state = |parts: &Parts| parts.state.as_ref().map(|state| state.expose().clone());
    if state(&after) != state(before) {
        write_state(tx, id, state(&after))?;
    }
    let names: Vec<&str> = after.entries.iter().map(|(name, _)| &**name).collect();
    let gone = "DELETE FROM openclaw.credential \
        WHERE tenant = $1 AND agent = $2 AND NOT profile = ANY($3)";
    tx.change(gone, &[text(TENANT), text(id), Param::Texts(names)])?;
    let were: HashMap<&str, (usize, &Secret<String>)> = (before.entries.iter().enumerate())
        .map(|(position, (name, entry))| (&**name, (position, entry)))
        .collect();
    let contents: HashMap<&str, &Content> = (document.entries().iter())
        .map(|entry| (&*entry.key, &entry.content))
        .collect();
    for (position, (name, entry)) in after.entries.iter().enumerate() {
        if let Some((was_at, was)) = were.get(&**name)
            && was.expose() == entry.expose()
        {
            if *was_at != position {
                move_to(tx, (id, name, position))?;
            }
            continue;
        }
        let credential = match contents.get(&**name) {
            Some(Content::Valid(_, credential)) => Some(credential),
            Some(Content::Invalid { .. }) | None => None,
        };
        let sealed = rows.seal(row("credential", id, name), entry.expose().as_bytes())?;
        put(tx, (id, name, position), &sealed, credential)?;
    }
    tx.notify(&format!("agent {id} {}", revision + 1))
}

/// The next revision, if nobody has made it since.
fn bump(tx: &Tx<'_>, id: &str, revision: i64) -> Result<(), Fault> {
    if revision == 0 {
        let new = "INSERT INTO openclaw.agent (tenant, id, revision) VALUES ($1, $2, 0) \
            ON CONFLICT DO NOTHING";
        tx.change(new, &[text(TENANT), text(id)])?;
    }
    let next = "UPDATE openclaw.agent SET revision = revision + 1 \
        WHERE tenant = $1 AND id = $2 AND revision = $3";
    match tx.change(next, &[text(TENANT), text(id), integer(revision)])? {
        0 => Err(Fault::Conflict),
        _ => Ok(()),
    }
}

fn write_state(tx: &Tx<'_>, id: &str, state: Option<String>) -> Result<(), Fault> {
    let Some(state) = state else {
        let gone = "DELETE FROM openclaw.agent_usage WHERE tenant = $1 AND agent = $2";
        return tx.change(gone, &[text(TENANT), text(id)]).map(drop);
    };
    let put = "INSERT INTO openclaw.agent_usage (tenant, agent, state) VALUES ($1, $2, $3) \
        ON CONFLICT (tenant, agent) DO UPDATE SET state = $3";
    tx.change(put, &[text(TENANT), text(id), text(state)])
        .map(drop)
}

/// Gives a row another place among those of its agent; what it holds stays as it is.
fn move_to(tx: &Tx<'_>, (agent, name, position): (&str, &str, usize)) -> Result<(), Fault> {
    let set = "UPDATE openclaw.credential SET position = $4::bigint::integer \
        WHERE tenant = $1 AND agent = $2 AND profile = $3";
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let params = [text(TENANT), text(agent), text(name), integer(position)];
    tx.change(set, &params).map(drop)
}

fn put(
    tx: &Tx<'_>,
    (agent, name, position): (&str, &str, usize),
    sealed: &[u8],
    credential: Option<&Credential>,
) -> Result<(), Fault> {
    let put = "INSERT INTO openclaw.credential \
        (tenant, agent, profile, position, provider, kind, sealed, grant_digest, expires_at) \
        VALUES ($1, $2, $3, $4::bigint::integer, $5, $6, $7, $8, \
            to_timestamp($9::bigint::double precision / 1000)) \
        ON CONFLICT (tenant, agent, profile) DO UPDATE SET position = $4::bigint::integer, \
            provider = $5, kind = $6, sealed = $7, grant_digest = $8, \
            expires_at = to_timestamp($9::bigint::double precision / 1000)";
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let provider = credential.and_then(Credential::provider);
    let provider = provider.as_ref().map(ProviderId::as_str);
    let kind = credential.map(|credential| credential.kind().as_str());
    let oauth = credential.and_then(Credential::as_oauth);
    let grant = oauth.and_then(OAuth::grant);
    let grant = grant.as_ref().map(GrantDigest::as_str);
    let expires = oauth.and_then(|oauth| oauth.expires).map(|at| at.0);
    let params = [
        text(TENANT),
        text(agent),
        text(name),
        integer(position),
        maybe(provider),
        maybe(kind),
        Param::Bytes(sealed),
        maybe(grant),
        Param::Integer(expires),
    ];
    tx.change(put, &params).map(drop)
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
                let mut histories = RowHistories::new(tx, rows, agent, self);
                let kept = history_rules::keep(&mut histories, &mut doc);
                histories.judge(kept)?;
                write(tx, rows, agent, (&found, &doc))?;
                let noted = history_rules::note_saved(&mut histories, &doc);
                histories.judge(noted)?;
            }
            Ok(doc)
        })
    }

    /// Changes rows in a transaction until that is done, with pauses that grow: again where others changed the same, and
    /// where nobody knows whether it was committed, for made again it comes to the same.
    pub(super) fn change<T>(
        &self,
        at: &Location,
        change: &mut dyn FnMut(&Tx<'_>, &RowSealer) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let Opened { pool, here } = self.opened()?;
        let mut attempt = || {
            pool.transaction(|tx| {
                check_key(tx, &here.rows)?;
                change(tx, &here.rows)
            })
        };
        let wait = Wait {
            limit: PATIENCE,
            interrupt: None,
            dialog: Some(&*self.ports().dialog),
        };
        let pauses = Duration::from_millis(2)..=Duration::from_millis(250);
        let blocked = || format!("others are changing {at}");
        let mut in_doubt = None;
        let done = wait.retry(&*self.ports().clock, pauses, &blocked, || match attempt() {
            Ok(done) => Ok(Some(done)),
            Err(Fault::Conflict) => Ok(None),
            Err(fault @ Fault::InDoubt(_)) => {
                in_doubt = Some(fault);
                Ok(None)
            }
            // Until it is there again nobody can say more than before.
            Err(Fault::Gone(_)) if in_doubt.is_some() => Ok(None),
            Err(fault) => Err(told(fault, self.shown())),
        })?;
        done.ok_or_else(|| match in_doubt {
            Some(fault) => told(fault, self.shown()),
            None => StoreError::Busy {
                at: at.clone(),
                owner: None,
            },
        })
    }
}
