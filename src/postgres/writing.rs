//! Writing a document: only what differs from what was read, many rows in each statement.

use std::collections::{HashMap, HashSet};

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProviderId};
use crate::model::profiles::{AuthProfiles, Content};
use crate::model::secret::Secret;
use crate::store::parts::{self, Parts};

use super::fault::Fault;
use super::link::{Param, ROWS, integer, text};
use super::pool::Tx;
use super::seal::{RowSealer, row};

/// A document that was read.
pub(super) struct Found {
    pub(super) revision: i64,
    pub(super) parts: Parts,
    /// What it has beside its entries does not open, and is not in `parts`.
    pub(super) is_rest_damaged: bool,
    /// The entries that do not open, by their names.
    pub(super) damaged: Vec<String>,
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
        is_rest_damaged,
        ..
    } = found;
    let id = agent.as_str();
    // Nobody but who removes an agent leaves nothing, not even what is said of damage.
    let is_removed = *document == AuthProfiles::default();
    let after = parts::split(document);
    bump(tx, id, *revision)?;
    let is_other = after.rest.expose() != before.rest.expose() || *revision == 0;
    if is_removed && *is_rest_damaged {
        let gone = "UPDATE openclaw.agent SET rest = NULL WHERE tenant = $1 AND id = $2";
        tx.change(gone, &[tx.tenant(), text(id)])?;
    } else if is_other && !is_rest_damaged {
        let sealed = rows.seal(row("agent", id, "rest"), after.rest.expose().as_bytes())?;
        let set = "UPDATE openclaw.agent SET rest = $3 WHERE tenant = $1 AND id = $2";
        tx.change(set, &[tx.tenant(), text(id), Param::Bytes(&sealed)])?;
    }
    let state = |parts: &Parts| parts.state.as_ref().map(|state| state.expose().clone());
    match (state(before), state(&after)) {
        (before, after) if before == after => {}
        // What cannot be read stays until there is something to put in its place.
        (Some(before), None) if !parts::is_state(&before) && !is_removed => {}
        (_, after) => write_state(tx, id, after)?,
    }
    write_entries(tx, rows, id, (&before.entries, &after.entries, document))?;
    tx.notify()
}

/// The next revision, if nobody has made it since.
fn bump(tx: &Tx<'_>, id: &str, revision: i64) -> Result<(), Fault> {
    if revision == 0 {
        let new = "INSERT INTO openclaw.agent (tenant, id, revision) VALUES ($1, $2, 0) \
            ON CONFLICT DO NOTHING";
        tx.change(new, &[tx.tenant(), text(id)])?;
    }
    let next = "UPDATE openclaw.agent SET revision = revision + 1 \
        WHERE tenant = $1 AND id = $2 AND revision = $3";
    match tx.change(next, &[tx.tenant(), text(id), integer(revision)])? {
        0 => Err(Fault::Conflict),
        _ => Ok(()),
    }
}

fn write_state(tx: &Tx<'_>, id: &str, state: Option<String>) -> Result<(), Fault> {
    let Some(state) = state else {
        let gone = "DELETE FROM openclaw.agent_usage WHERE tenant = $1 AND agent = $2";
        return tx.change(gone, &[tx.tenant(), text(id)]).map(drop);
    };
    let put = "INSERT INTO openclaw.agent_usage (tenant, agent, state) VALUES ($1, $2, $3) \
        ON CONFLICT (tenant, agent) DO UPDATE SET state = $3";
    tx.change(put, &[tx.tenant(), text(id), text(state)])
        .map(drop)
}

type Entries = [(String, Secret<String>)];

/// A row as it is to be.
struct NewRow<'a> {
    name: &'a str,
    position: i64,
    sealed: Vec<u8>,
    credential: Option<&'a Credential>,
}

fn write_entries(
    tx: &Tx<'_>,
    rows: &RowSealer,
    agent: &str,
    (before, after, document): (&Entries, &Entries, &AuthProfiles),
) -> Result<(), Fault> {
    let names: HashSet<&str> = after.iter().map(|(name, _)| &**name).collect();
    let gone = before.iter().map(|(name, _)| &**name);
    remove(
        tx,
        agent,
        gone.filter(|name| !names.contains(name)).collect(),
    )?;
    let were: HashMap<&str, (usize, &Secret<String>)> = (before.iter().enumerate())
        .map(|(position, (name, entry))| (&**name, (position, entry)))
        .collect();
    let contents: HashMap<&str, &Content> = (document.entries().iter())
        .map(|entry| (&*entry.key, &entry.content))
        .collect();
    let (mut moved, mut new) = (Vec::new(), Vec::new());
    for (place, (name, entry)) in after.iter().enumerate() {
        let position = i64::try_from(place).unwrap_or(i64::MAX);
        if let Some((was_at, was)) = were.get(&**name)
            && was.expose() == entry.expose()
        {
            if *was_at != place {
                moved.push((&**name, position));
            }
            continue;
        }
        new.push(NewRow {
            name,
            position,
            sealed: rows.seal(row("credential", agent, name), entry.expose().as_bytes())?,
            credential: match contents.get(&**name) {
                Some(Content::Valid(_, credential)) => Some(credential),
                Some(Content::Invalid { .. }) | None => None,
            },
        });
    }
    for some in moved.chunks(ROWS) {
        move_to(tx, agent, some)?;
    }
    for some in new.chunks(ROWS) {
        put(tx, agent, some)?;
    }
    Ok(())
}

fn remove(tx: &Tx<'_>, agent: &str, names: Vec<&str>) -> Result<(), Fault> {
    if names.is_empty() {
        return Ok(());
    }
    let gone = "DELETE FROM openclaw.credential \
        WHERE tenant = $1 AND agent = $2 AND profile = ANY($3)";
    tx.change(gone, &[tx.tenant(), text(agent), Param::Texts(names)])
        .map(drop)
}

/// Gives rows other places among those of their agent; what they hold stays as it is.
fn move_to(tx: &Tx<'_>, agent: &str, moved: &[(&str, i64)]) -> Result<(), Fault> {
    let set = "UPDATE openclaw.credential c SET position = new.position::integer \
        FROM unnest($3::text[], $4::bigint[]) AS new (profile, position) \
        WHERE c.tenant = $1 AND c.agent = $2 AND c.profile = new.profile";
    let params = [
        tx.tenant(),
        text(agent),
        Param::Texts(moved.iter().map(|(name, _)| *name).collect()),
        Param::Integers(moved.iter().map(|(_, position)| Some(*position)).collect()),
    ];
    tx.change(set, &params).map(drop)
}

fn put(tx: &Tx<'_>, agent: &str, new: &[NewRow<'_>]) -> Result<(), Fault> {
    let put = "INSERT INTO openclaw.credential \
        (tenant, agent, profile, position, provider, kind, sealed, grant_digest, expires_at) \
        SELECT $1, $2, profile, position::integer, provider, kind, sealed, grant_digest, \
            to_timestamp(expires::double precision / 1000) \
        FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::text[], \
            $9::bigint[]) \
            AS new (profile, position, provider, kind, sealed, grant_digest, expires) \
        ON CONFLICT (tenant, agent, profile) DO UPDATE SET position = excluded.position, \
            provider = excluded.provider, kind = excluded.kind, sealed = excluded.sealed, \
            grant_digest = excluded.grant_digest, expires_at = excluded.expires_at";
    let logins: Vec<Option<&OAuth>> = (new.iter())
        .map(|row| row.credential.and_then(Credential::as_oauth))
        .collect();
    let providers = new.iter().map(|row| row.credential?.provider());
    let providers: Vec<Option<ProviderId>> = providers.collect();
    let grants = logins.iter().map(|login| login.and_then(OAuth::grant));
    let grants: Vec<Option<GrantDigest>> = grants.collect();
    let expires = |login: &OAuth| login.expires.map(|at| at.0);
    let params = [
        tx.tenant(),
        text(agent),
        Param::Texts(new.iter().map(|row| row.name).collect()),
        Param::Integers(new.iter().map(|row| Some(row.position)).collect()),
        Param::MaybeTexts(words(&providers, ProviderId::as_str)),
        Param::MaybeTexts(
            new.iter()
                .map(|row| Some(row.credential?.kind().as_str()))
                .collect(),
        ),
        Param::Blobs(new.iter().map(|row| &*row.sealed).collect()),
        Param::MaybeTexts(words(&grants, GrantDigest::as_str)),
        Param::Integers(logins.iter().map(|login| login.and_then(expires)).collect()),
    ];
    tx.change(put, &params).map(drop)
}

fn words<T>(values: &[Option<T>], word: impl Fn(&T) -> &str) -> Vec<Option<&str>> {
    values
        .iter()
        .map(|value| value.as_ref().map(&word))
        .collect()
}
