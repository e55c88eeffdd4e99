//! Answers that are stored are kept for a while: a standby that takes over may never have seen a commit
//! that its predecessor told of.
//!
//! Whenever a connection was lost, what is kept is compared with the rows. A refresh whose grant counts as
//! unspent there was lost on the way: its answer is stored anew, as after a crash. It is not needed any
//! more once the grant that it gave is spent, too, or a day has passed.

use std::time::Duration;

use crate::model::grant::GrantDigest;
use crate::ports::store::StoreError;

use super::context::{Opened, PostgresStore};
use super::fault::Fault;
use super::link::{Link, text};

/// So long an answer is kept. Nobody notices a failover later.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What the rows say of a refresh whose answer is kept.
enum Said {
    /// That its grant lives: it was lost.
    Nothing,
    /// That it is stored, and that what it gave lives.
    Stored,
    /// That what it gave is spent, too.
    Past,
}

const ASKED: &str = "SELECT l.successor IS NOT NULL, n.successor IS NOT NULL \
    FROM openclaw.grant_lease l LEFT JOIN openclaw.grant_lease n \
        ON n.tenant = l.tenant AND n.grant_digest = l.successor \
    WHERE l.tenant = $1 AND l.grant_digest = $2";

fn said(link: &Link, grant: &str) -> Result<Said, Fault> {
    let found = link.row(ASKED, &[link.tenant(), text(grant)])?;
    Ok(match found.map(|row| (row.get(0), row.get(1))) {
        None | Some((false, _)) => Said::Nothing,
        Some((true, false)) => Said::Stored,
        Some((true, true)) => Said::Past,
    })
}

impl PostgresStore {
    /// Puts the answers to refreshes of a grant aside, now that they are stored, and removes those that
    /// nobody needs any more: to the refresh that gave this grant, and what is old.
    pub(super) fn set_aside(
        &self,
        grant: &GrantDigest,
        successor: &GrantDigest,
    ) -> Result<(), StoreError> {
        let here = self.opened()?.here;
        // The grant lives on, and no row could tell later whether this answer was lost.
        if grant == successor {
            return here.rescue.discard(grant);
        }
        let asked = "SELECT grant_digest FROM openclaw.grant_lease \
            WHERE tenant = $1 AND successor = $2";
        let before = self.ask(|link| link.rows(asked, &[link.tenant(), text(grant.as_str())]))?;
        let before: Vec<&str> = before.iter().map(|row| row.get(0)).collect();
        let now = self.ports().clock.now();
        for kept in here.rescue.kept()? {
            if kept.at.after(KEPT) < now || before.contains(&kept.grant.as_str()) {
                here.rescue.forget(&kept)?;
            }
        }
        here.rescue.keep(grant)
    }

    /// Compares what is kept with the rows, if a connection was lost since the last time.
    pub(super) fn review(&self) -> Result<(), StoreError> {
        let Opened { pool, .. } = self.opened()?;
        if !pool.take_lost() {
            return Ok(());
        }
        let reviewed = self.compare();
        if reviewed.is_err() {
            pool.note_lost();
        }
        reviewed
    }

    fn compare(&self) -> Result<(), StoreError> {
        let here = self.opened()?.here;
        let now = self.ports().clock.now();
        for kept in here.rescue.kept()? {
            let is_old = kept.at.after(KEPT) < now;
            match self.ask(|link| said(link, kept.grant.as_str()))? {
                Said::Nothing if !is_old => {
                    tracing::warn!("the database lost a refresh; it is stored again");
                    here.rescue.take_up(&kept)?;
                }
                Said::Stored if !is_old => {}
                Said::Nothing | Said::Stored | Said::Past => here.rescue.forget(&kept)?,
            }
        }
        Ok(())
    }
}
