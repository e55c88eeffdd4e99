//! What commands about the database ask and do.

use std::sync::Arc;
use std::time::Duration;

use crate::model::audit::AuditEntry;
use crate::model::seal::DataKey;
use crate::model::tenant::TenantId;
use crate::model::text::hexadecimal;
use crate::ports::database::{
    DamagedRow, Database, DatabaseCheck, Rekeyed, Scan, SealedRows, Standing, Tables, Tenant,
};
use crate::ports::lock::{LockError, Wait};
use crate::ports::store::StoreError;
use crate::ports::vault::Sealer;

use super::audit;
use super::context::{Opened, PostgresStore};
use super::deployment::{self, CHECK};
use super::documents::check_key;
use super::fault::{Fault, RIGHTS, told, unavailable};
use super::link::{Param, text};
use super::pool::Tx;
use super::roles;
use super::scan;
use super::schema::{self, Looked};
use super::seal::{Place, RowSealer, row};
use super::tenants;
use super::watch::{Listener, PROBE};

/// So many notifications have to arrive, one after the other.
const PROBES: usize = 3;

const SERVER: &str = "SELECT current_setting('server_version'), \
    current_setting('synchronous_standby_names') <> '' \
        AND current_setting('synchronous_commit') NOT IN ('off', 'local'), \
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
    EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication)";

impl Database for PostgresStore {
    fn shown(&self) -> String {
        PostgresStore::shown(self).to_owned()
    }

    fn place(&self) -> String {
        self.settings().tenant.place_in(PostgresStore::shown(self))
    }

    fn id(&self) -> Result<String, StoreError> {
        let deployment = self.opened()?.here.rows.sealer().vault.to_string();
        Ok(self.settings().tenant.own(&deployment))
    }

    fn check(&self) -> Result<DatabaseCheck, StoreError> {
        let pool = self.pool()?;
        let found = pool.read(|link| link.row(SERVER, &[]));
        let found = found.map_err(|fault| told(fault, pool.shown()))?;
        let none = || unavailable("it says nothing of itself".to_owned(), "Try again.");
        let server = found.ok_or_else(none)?;
        let looked = self.look()?;
        let role = looked.role.clone();
        let standing = self.judged(looked)?;
        let role_faults = match standing.tables {
            Tables::Ready => pool.read(roles::faults),
            Tables::Missing | Tables::Behind(_) | Tables::Ahead => Ok(Vec::new()),
        };
        let now = self.ports().clock.now().0;
        Ok(DatabaseCheck {
            server: server.get(0),
            is_synchronous: server.get(1),
            is_followed: server.get(3),
            clock_offset: Duration::from_millis(now.abs_diff(server.get(2))),
            // Whoever listens has to have opened it, and the first who opens it says its key.
            is_notified: (standing.is_key_right == Some(true) && standing.has_tenant)
                .then(|| self.is_notified()),
            is_encrypted: pool.address().needs_tls || pool.address().is_here,
            tables: standing.tables,
            is_key_right: standing.is_key_right,
            tenant: self.settings().tenant.clone(),
            has_tenant: standing.has_tenant,
            role,
            role_faults: role_faults.map_err(|fault| told(fault, pool.shown()))?,
        })
    }

    fn standing(&self) -> Result<Standing, StoreError> {
        self.judged(self.look()?)
    }

    fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let pool = self.pool()?;
        let tables = self.standing()?.tables;
        if tables == Tables::Ahead {
            let at = pool.shown();
            let cause = format!("the tables at {at} were made by a later release");
            return Err(unavailable(cause, "Use that release."));
        }
        if tables == Tables::Ready {
            return Ok(Vec::new());
        }
        schema::migrate(pool).map_err(|fault| match fault {
            Fault::Refused(why, RIGHTS) => {
                let at = pool.shown();
                let cause = format!("the user of {at} may not change its tables: {why}");
                unavailable(
                    cause,
                    "Migrate with the address of the user that owns them.",
                )
            }
            fault => told(fault, pool.shown()),
        })
    }

    fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.list_tenants()
    }

    fn add_tenant(&self, tenant: &TenantId, role: Option<&str>) -> Result<bool, StoreError> {
        self.put_tenant(tenant, role)
    }

    fn rekey(&self, new: &DataKey) -> Result<Rekeyed, StoreError> {
        self.check_owned()?;
        // It was done before, and nobody was told.
        if self.is_sealed_under(new)? {
            return Ok(Rekeyed::default());
        }
        let Opened { pool, here } = self.opened()?;
        let vault = here.rows.sealer().vault.clone();
        let random = Arc::clone(&self.ports().random);
        let new = Arc::new(Sealer::new(vault, new.clone(), random));
        let done = pool.transaction(|tx| rekey(tx, &here.rows, &new));
        done.map_err(|fault| told(fault, pool.shown()))
    }

    fn sealed(&self) -> Result<SealedRows, StoreError> {
        let key_id = hexadecimal(self.opened()?.here.rows.id());
        let asked = "SELECT count(*) FROM openclaw.credential WHERE tenant = $1";
        let found = self.ask(|link| link.row(asked, &[link.tenant()]))?;
        let credentials = found.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs());
        Ok(SealedRows {
            credentials,
            key_id,
        })
    }

    fn damaged(&self) -> Result<Scan, StoreError> {
        scan::run(self)
    }

    fn append_audit(&self, name: &str, entries: &[AuditEntry]) -> Result<(), StoreError> {
        audit::append(self, name, entries)
    }

    fn is_sealed_under(&self, key: &DataKey) -> Result<bool, StoreError> {
        let is_right = deployment::is_key_right(self.look()?.deployment, key, self.ports());
        let is_right = is_right.map_err(|fault| told(fault, self.shown()))?;
        Ok(is_right == Some(true))
    }

    fn revision(&self) -> Result<u64, StoreError> {
        let Opened { pool, here } = self.opened()?;
        let watch = self.watch.get_or_init(|| {
            let listener = Listener {
                address: pool.address().clone(),
                tls: pool.tls().clone(),
                tenant: self.settings().tenant.clone(),
                node: here.node.clone(),
                name: self.ports().files.process_name(),
            };
            listener.start()
        });
        Ok(watch.changes())
    }
}

impl PostgresStore {
    /// Looks at the database, whatever is in it.
    pub(super) fn look(&self) -> Result<Looked, StoreError> {
        let pool = self.pool()?;
        let looked = pool.read(schema::look);
        looked.map_err(|fault| told(fault, pool.shown()))
    }

    fn judged(&self, looked: Looked) -> Result<Standing, StoreError> {
        let is_key_right = match looked.tables {
            Tables::Ready => {
                deployment::is_key_right(looked.deployment, &self.settings().key, self.ports())
                    .map_err(|fault| told(fault, self.shown()))?
            }
            Tables::Missing | Tables::Behind(_) | Tables::Ahead => None,
        };
        Ok(Standing {
            tables: looked.tables,
            is_key_right,
            has_tenant: looked.has_tenant,
        })
    }

    /// Whether notifications arrive, which is waited for a little: several, for through a pool by
    /// transaction one comes now and then, whenever the connection that listens asks just then.
    fn is_notified(&self) -> bool {
        // Starts to listen, and is told by another connection.
        let probed = self.revision().and_then(|_| self.pool());
        let (Ok(pool), Some(watch)) = (probed, self.watch.get()) else {
            return false;
        };
        let comes = |limit: Duration, is_there: &dyn Fn() -> bool| {
            let wait = Wait::uninterrupted(limit);
            let pauses = Duration::from_millis(5)..=Duration::from_millis(50);
            let nobody = || "the database".to_owned();
            let look = || Ok::<_, LockError>(is_there().then_some(()));
            let done = wait.retry(&*self.ports().clock, pauses, &nobody, look);
            matches!(done, Ok(Some(())))
        };
        // The first look comes after it began to listen.
        comes(Duration::from_secs(5), &|| watch.changes() > 0)
            && (0..PROBES).all(|_| {
                let before = watch.probes();
                let is_sent = pool.read(|link| link.send(PROBE)).is_ok();
                is_sent && comes(Duration::from_secs(2), &|| watch.probes() > before)
            })
    }
}

/// Seals every row anew. Whoever reads or writes meanwhile waits for the end of it, and then finds that
/// its key is the old one: nothing is ever sealed under a key that is gone.
fn rekey(tx: &Tx<'_>, old: &RowSealer, new: &Arc<Sealer>) -> Result<Rekeyed, Fault> {
    tx.allow(Duration::from_secs(600))?;
    tx.batch("LOCK TABLE openclaw.deployment IN ACCESS EXCLUSIVE MODE")?;
    check_key(tx, old)?;
    check_nothing_sent(tx)?;
    check_no_login_taken(tx)?;
    let mut done = Rekeyed::default();
    for tenant in tenants::all(tx)? {
        let of = |sealer: &Arc<Sealer>| RowSealer::new(Arc::clone(sealer), tenant.clone());
        rekey_tenant(tx, &tenant, (&of(old.sealer()), &of(new)), &mut done)?;
    }
    // Nobody waits for a login longer than a few minutes, and whoever is signed in signs in again.
    tx.batch("DELETE FROM openclaw.login_attempt; DELETE FROM openclaw.page_pass")?;
    let new = RowSealer::new(Arc::clone(new), TenantId::main());
    let check = new.seal(row("deployment", "", "key_check"), CHECK.as_bytes())?;
    let set = "UPDATE openclaw.deployment SET key_id = $1, key_check = $2";
    tx.change(set, &[Param::Bytes(new.id()), Param::Bytes(&check)])?;
    Ok(done)
}

fn rekey_tenant(
    tx: &Tx<'_>,
    tenant: &TenantId,
    (old, new): (&RowSealer, &RowSealer),
    done: &mut Rekeyed,
) -> Result<(), Fault> {
    for source in scan::kept() {
        let scan::Source { table, column, .. } = source;
        let [agent, name] = source.names;
        let all = format!(
            "SELECT {agent}, {name}, {column} FROM openclaw.{table} \
            WHERE tenant = $1 AND {column} IS NOT NULL"
        );
        let set = format!(
            "UPDATE openclaw.{table} SET {column} = $4 \
            WHERE tenant = $1 AND {agent} = $2 AND {name} = $3"
        );
        for found in tx.rows(&all, &[text(tenant.as_str())])? {
            let (agent, name): (&str, &str) = (found.get(0), found.get(1));
            let sealed = match reseal(source.place(agent, name), found.get(2), old, new) {
                Ok(sealed) => sealed,
                // What everybody else passes over holds up no new key either.
                Err(Fault::Store(_)) => {
                    done.left.push(DamagedRow {
                        kind: source.kind,
                        agent: agent.to_owned(),
                        name: name.to_owned(),
                        provider: None,
                        what: None,
                    });
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let tenant = text(tenant.as_str());
            let params = [tenant, text(agent), text(name), Param::Bytes(&sealed)];
            done.rows += tx.change(&set, &params)?;
        }
    }
    done.rows += rekey_set_aside(tx, tenant, (old, new))?;
    Ok(())
}

/// Fails if a refresh is under way, or its answer may lie on a machine that does not know the new key yet:
/// it would be sealed under the old one. Not for what nobody waits for any more: a login that was removed
/// or replaced, or a machine that is gone for so long that others may take its place.
fn check_nothing_sent(tx: &Tx<'_>) -> Result<(), Fault> {
    let sent = "SELECT c.profile, coalesce(l.note, '') FROM openclaw.grant_lease l \
        JOIN openclaw.credential c ON c.tenant = l.tenant AND c.grant_digest = l.grant_digest \
        WHERE l.phase = 'sent' AND (l.sent_at > clock_timestamp() - interval '10 min' \
            OR EXISTS (SELECT 1 FROM openclaw.node n WHERE n.id = l.holder \
                AND n.seen_at > clock_timestamp() - interval '60 s')) LIMIT 1";
    let Some(found) = tx.row(sent, &[])? else {
        return Ok(());
    };
    let (profile, whose): (&str, &str) = (found.get(0), found.get(1));
    let cause = format!("a refresh of {profile} was begun by {whose}, and is not stored yet");
    let remedy = "Run a command on that machine, which ends it, or wait for ten minutes.";
    Err(unavailable(cause, remedy).into())
}

/// Fails if a gateway has the answer to a login: others would say that it was cancelled.
fn check_no_login_taken(tx: &Tx<'_>) -> Result<(), Fault> {
    // A longer time than it ever gets was given to it by somebody else.
    let taken = "SELECT provider FROM openclaw.login_attempt WHERE step = 'taken' \
        AND expires_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '2 minutes' LIMIT 1";
    let Some(found) = tx.row(taken, &[])? else {
        return Ok(());
    };
    let provider: &str = found.get(0);
    let cause = format!("a gateway is completing a login to {provider}");
    let remedy = "Wait for its end, and run this again.";
    Err(unavailable(cause, remedy).into())
}

/// The same of histories that were set aside, as far as they open: what is damaged stays what it is.
fn rekey_set_aside(
    tx: &Tx<'_>,
    tenant: &TenantId,
    (old, new): (&RowSealer, &RowSealer),
) -> Result<u64, Fault> {
    let all = "SELECT agent, profile, sealed FROM openclaw.history_set_aside WHERE tenant = $1";
    let set = "UPDATE openclaw.history_set_aside SET sealed = $5 \
        WHERE tenant = $1 AND agent = $2 AND profile = $3 AND sealed = $4";
    let mut rows = 0;
    for found in tx.rows(all, &[text(tenant.as_str())])? {
        let (agent, profile, before): (&str, &str, &[u8]) =
            (found.get(0), found.get(1), found.get(2));
        if let Ok(after) = reseal(row("history", agent, profile), before, old, new) {
            let params = [
                text(tenant.as_str()),
                text(agent),
                text(profile),
                Param::Bytes(before),
                Param::Bytes(&after),
            ];
            rows += tx.change(set, &params)?;
        }
    }
    Ok(rows)
}

fn reseal(
    place: Place<'_>,
    sealed: &[u8],
    old: &RowSealer,
    new: &RowSealer,
) -> Result<Vec<u8>, Fault> {
    let plain = old.open(place, sealed)?;
    new.seal(place, plain.expose().as_bytes())
}
