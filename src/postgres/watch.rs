//! Hears of changes that other processes make.
//!
//! A notification is a hint that comes at once; where none arrives, because a pool stands between or the
//! connection was lost for a while, a look now and then finds the change. Each look also tells the other
//! machines that this one is there.

use std::ops::RangeFrom;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client};

use crate::model::tenant::TenantId;

use super::address::Address;
use super::dial::{Line, dial, within};
use super::fault::Fault;
use super::link::{STATEMENT, channel};
use super::settings::Tls;

/// Between two looks: so late a change is found at most where no notification arrives.
const PAUSE: Duration = Duration::from_secs(1);

/// So many looks apart the other machines are told that this one is there: several times in the minute
/// after which they take it for gone.
const SEEN: u64 = 10;

/// So many looks apart what is long over is removed, whatever becomes of the connection in between.
const PRUNED: u64 = 3600;

/// Tables, and which of their rows are long over. Spent grants are known for so long, so that a copy of one
/// that comes back from a backup is not sent.
const OVER: [(&str, &str); 5] = [
    (
        "grant_lease",
        "successor IS NOT NULL AND recorded_at < clock_timestamp() - interval '90 days'",
    ),
    (
        "login_attempt",
        "expires_at < clock_timestamp() - interval '1 hour'",
    ),
    ("page_pass", "expires_at < clock_timestamp()"),
    (
        "grant_journal",
        "sent_at < clock_timestamp() - interval '90 days'",
    ),
    ("node", "seen_at < clock_timestamp() - interval '90 days'"),
];

const SEE: &str = "INSERT INTO openclaw.node (tenant, id, name) VALUES ($3, $1, $2) \
    ON CONFLICT (id) DO UPDATE SET name = $2, seen_at = clock_timestamp()";

/// Before the connection is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// What a notification says that is only to show whether any arrives.
pub(super) const PROBE: &str = "probe";

/// Differs if a document of an agent of the tenant, or one of its keys to the gateway, was changed.
const MARK: &str = "SELECT \
    (SELECT coalesce(sum(revision), 0)::text FROM openclaw.agent WHERE tenant = $1) || ' ' || \
    (SELECT coalesce(max(position), 0)::text || ' ' || coalesce(sum(revision), 0)::text \
        FROM openclaw.access_key WHERE tenant = $1)";

/// What was heard.
#[derive(Default)]
pub(super) struct Watch {
    changes: AtomicU64,
    probes: AtomicU64,
}

/// What the thread that listens is given.
pub(super) struct Listener {
    pub(super) address: Address,
    pub(super) tls: Tls,
    pub(super) tenant: TenantId,
    pub(super) node: String,
    pub(super) name: String,
}

impl Watch {
    /// A number that grows with every change that was heard of.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// So many notifications arrived that tell nothing.
    pub(super) fn probes(&self) -> u64 {
        self.probes.load(Ordering::SeqCst)
    }

    fn note(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Listener {
    /// Listens on a thread of its own for as long as somebody holds what it returns.
    pub(super) fn start(self) -> Arc<Watch> {
        let watch = Arc::new(Watch::default());
        let heard = Arc::downgrade(&watch);
        let listening = std::thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || self.listen(&heard));
        if let Err(error) = listening {
            tracing::warn!(%error, "changes by others are not heard of");
        }
        watch
    }

    fn listen(&self, heard: &Weak<Watch>) {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        let Ok(runtime) = runtime else {
            tracing::warn!("changes by others are not heard of: there is no thread for it");
            return;
        };
        let mut looks = 0..;
        while heard.strong_count() > 0 {
            if let Err(fault) = runtime.block_on(self.connected(heard, &mut looks)) {
                tracing::debug!(?fault, "the connection that listens was lost");
            }
            runtime.block_on(async { tokio::time::sleep(AGAIN).await });
        }
    }

    async fn connected(
        &self,
        heard: &Weak<Watch>,
        looks: &mut RangeFrom<u64>,
    ) -> Result<(), Fault> {
        let (client, line) = dial(&self.address, &self.tls).await?;
        tokio::spawn(hear(line, heard.clone()));
        self.look(&client, heard, looks).await
    }

    async fn look(
        &self,
        client: &Client,
        heard: &Weak<Watch>,
        looks: &mut RangeFrom<u64>,
    ) -> Result<(), Fault> {
        let listen = format!("LISTEN \"{}\"", channel(&self.tenant));
        within(STATEMENT, client.batch_execute(&listen)).await?;
        let mut seen: Option<String> = None;
        for look in looks {
            let tenant = self.tenant.as_str();
            let whose: [(&(dyn ToSql + Sync), Type); 1] = [(&tenant, Type::TEXT)];
            let found = within(STATEMENT, client.query_typed_one(MARK, &whose)).await?;
            let found: String = found.get(0);
            if seen.is_none() || look.is_multiple_of(SEEN) {
                let node: [(&(dyn ToSql + Sync), Type); 3] = [
                    (&self.node, Type::TEXT),
                    (&self.name, Type::TEXT),
                    (&tenant, Type::TEXT),
                ];
                within(STATEMENT, client.execute_typed(SEE, &node)).await?;
            }
            let Some(watch) = heard.upgrade() else {
                return Ok(());
            };
            // Also at the first look: whatever happened before the connection stood, nobody told.
            if seen.as_ref() != Some(&found) {
                watch.note();
            }
            seen = Some(found);
            drop(watch);
            // What others wait for came first, and comes whatever becomes of this.
            if look.is_multiple_of(PRUNED)
                && let Err(fault) = prune(client).await
            {
                tracing::debug!(?fault, "what is long over was not removed");
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Removes what is long over, of each table no more at once than one statement has time for.
async fn prune(client: &Client) -> Result<(), Fault> {
    for (table, over) in OVER {
        let some = format!(
            "DELETE FROM openclaw.{table} WHERE ctid IN \
            (SELECT ctid FROM openclaw.{table} WHERE {over} LIMIT 10000 FOR UPDATE SKIP LOCKED)"
        );
        within(STATEMENT, client.batch_execute(&some)).await?;
    }
    Ok(())
}

/// Drives a connection, and notes what it is told.
async fn hear(mut line: Line, heard: Weak<Watch>) {
    while let Some(message) = line.hear().await {
        let (AsyncMessage::Notification(told), Some(watch)) = (message, heard.upgrade()) else {
            continue;
        };
        match told.payload() {
            PROBE => drop(watch.probes.fetch_add(1, Ordering::SeqCst)),
            _ => watch.note(),
        }
    }
}
