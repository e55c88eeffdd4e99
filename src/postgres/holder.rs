//! Who holds a grant, in words for a person who waits for it.

use crate::model::grant::GrantDigest;
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::link::text;

/// A request that outlived its lease may be one of a machine that is gone: `free_at` is the earliest moment at
/// which others may take it over, by the rule of the statement that takes a lease.
const ASKED: &str = "SELECT l.successor, l.note, \
    CASE l.phase WHEN 'sent' THEN (extract(epoch FROM l.sent_at) * 1000)::bigint END, \
    CASE WHEN l.phase = 'sent' AND l.until < clock_timestamp() THEN \
        (extract(epoch FROM greatest(l.sent_at + interval '10 min', \
            n.seen_at + interval '60 s')) * 1000)::bigint END \
    FROM openclaw.grant_lease l LEFT JOIN openclaw.node n ON n.id = l.holder \
    WHERE l.tenant = $1 AND l.grant_digest = $2";

/// What the row of a grant says.
#[derive(Default)]
pub(super) struct Holder {
    /// The grant that took its place.
    pub(super) successor: Option<GrantDigest>,
    note: Option<String>,
    sent_at: Option<Timestamp>,
    free_at: Option<Timestamp>,
}

/// The machine of a process, by the name that the process gave itself.
pub(super) fn machine(process: &str) -> &str {
    process.split_once(" on ").map_or(process, |(_, host)| host)
}

/// The id of a process, by the same name.
fn pid(process: &str) -> Option<u32> {
    let number = process.strip_prefix("pid ")?.split(' ').next()?;
    number.parse().ok()
}

impl PostgresStore {
    /// What the row of a grant says.
    pub(super) fn holder(&self, grant: &GrantDigest) -> Result<Holder, StoreError> {
        let found = self.ask(|link| link.row(ASKED, &[link.tenant(), text(grant.as_str())]))?;
        let Some(row) = found else {
            return Ok(Holder::default());
        };
        let successor: Option<String> = row.get(0);
        Ok(Holder {
            successor: successor.as_deref().and_then(GrantDigest::parse),
            note: row.get(1),
            sent_at: row.get::<_, Option<i64>>(2).map(Timestamp),
            free_at: row.get::<_, Option<i64>>(3).map(Timestamp),
        })
    }

    /// Whose it is: a process of this machine, or what the row says.
    pub(super) fn owner(&self, grant: &GrantDigest) -> Option<String> {
        let here = self.opened().ok()?.here;
        match here.rescue.is_locked(grant) {
            true => here.rescue.owner(grant),
            false => self.words(self.holder(grant).ok()?),
        }
    }

    /// The words for a process of this machine that died with its request on the way, and whose rescue
    /// directory is another one: nothing here can end that. `None` if it is none, or may be alive.
    pub(super) fn abandoned(&self, grant: &GrantDigest) -> Result<Option<String>, StoreError> {
        let holder = self.holder(grant)?;
        let files = &*self.ports().files;
        let name = files.process_name();
        let note = holder.note.as_deref().filter(|_| holder.free_at.is_some());
        let is_dead = note.is_some_and(|note| {
            machine(note) == machine(&name)
                && pid(note).is_some_and(|pid| !files.process_lives(pid))
        });
        Ok(self.words(holder).filter(|_| is_dead))
    }

    /// The words for what a row says.
    pub(super) fn words(&self, holder: Holder) -> Option<String> {
        let local = self.ports().clock.local();
        let process = holder.note?;
        let at = holder.sent_at.map(|at| local.clock(at));
        Some(match (at, holder.free_at) {
            (None, _) => process,
            (Some(at), None) => format!("{process} since {at}"),
            // The process may be dead, and its number by now be that of another one.
            (Some(at), Some(free_at)) => {
                let machine = machine(&process);
                let free_at = local.clock(free_at);
                format!(
                    "a process on {machine} that began at {at} and has not ended \
                    (others may not try before {free_at}, for its request may have arrived)"
                )
            }
        })
    }
}
