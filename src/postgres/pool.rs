//! The connections of this process, and transactions on them.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::tenant::TenantId;
use crate::ports::host::Clock;

use super::address::Address;
use super::fault::Fault;
use super::link::{Link, STATEMENT};
use super::settings::Tls;

/// More idle connections are not kept.
const IDLE: usize = 8;

/// For so long a server that gave no answer is not asked again. What a command does next, and whoever
/// stands in the queue of a gateway, would wait once more for as long.
const SILENCE: Duration = Duration::from_secs(2);

/// For so long after its last use an idle connection counts as one that stands: if it says nothing then, a new
/// one would say no more.
const PROVEN: Duration = Duration::from_secs(10);

/// What every transaction begins with. Nothing of it outlasts the transaction, in which a connection
/// may be another's before and after.
const BEGIN: &str = "BEGIN; \
    SET LOCAL statement_timeout = '5s'; \
    SET LOCAL lock_timeout = '2s'; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// The connections of this process.
pub(super) struct Pool {
    address: Address,
    tenant: TenantId,
    tls: Tls,
    /// With when each was used last.
    idle: Mutex<Vec<(Link, Duration)>>,
    /// Whether what was committed may be gone: at the start, and since a connection was lost.
    was_lost: AtomicBool,
    clock: Arc<dyn Clock>,
    /// When no answer came the last time, if none has come since.
    silence: Mutex<Option<(Duration, String)>>,
}

/// A transaction under way: what has to be asked or changed in one takes this.
pub(super) struct Tx<'a>(&'a Link);

impl Tx<'_> {
    /// Gives the statements of this transaction more time than the usual, for what is done once in a year.
    pub(super) fn allow(&self, limit: Duration) -> Result<(), Fault> {
        let millis = limit.as_millis();
        self.0.allow(limit);
        self.0.batch(&format!(
            "SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}; \
            SET LOCAL idle_in_transaction_session_timeout = {millis}"
        ))
    }
}

impl Deref for Tx<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.0
    }
}

impl Pool {
    /// No connection yet.
    pub(super) fn new(
        (address, tls): (Address, Tls),
        tenant: TenantId,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            address,
            tenant,
            tls,
            clock,
            silence: Mutex::default(),
            idle: Mutex::default(),
            was_lost: AtomicBool::new(true),
        }
    }

    /// Where the database is, without what is secret.
    pub(super) fn shown(&self) -> &str {
        &self.address.shown
    }

    /// The address.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// TLS.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Whether a connection was lost since this was asked last, or it never was.
    pub(super) fn take_lost(&self) -> bool {
        self.was_lost.swap(false, Ordering::SeqCst)
    }

    /// Notes that what was committed may be gone.
    pub(super) fn note_lost(&self) {
        self.was_lost.store(true, Ordering::SeqCst);
    }

    /// Asks what may be asked twice, once more on a new connection if an old one is gone.
    pub(super) fn read<T>(
        &self,
        mut ask: impl FnMut(&Link) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.with(&mut ask)
    }

    /// Runs `work` in a transaction and commits it; whatever it returns that is no success is rolled back.
    /// It runs again on a new connection where an idle one turns out to be gone, before its commit.
    pub(super) fn transaction<T>(
        &self,
        mut work: impl FnMut(&Tx<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.with(&mut |link| {
            link.batch(BEGIN)?;
            match work(&Tx(link)) {
                Ok(done) => match link.batch("COMMIT") {
                    Ok(()) => Ok(done),
                    Err(Fault::Gone(why) | Fault::Silent(why)) => Err(Fault::InDoubt(why)),
                    Err(fault) => Err(fault),
                },
                Err(fault) => {
                    // Of one that is gone nothing stays.
                    if !fault.is_of_connection() {
                        link.batch("ROLLBACK")?;
                    }
                    Err(fault)
                }
            }
        })
    }

    fn with<T>(&self, ask: &mut dyn FnMut(&Link) -> Result<T, Fault>) -> Result<T, Fault> {
        self.check_silence()?;
        let done = self.ask(ask);
        let mut silence = self.silence.lock();
        match done {
            Err(Fault::Silent(why)) => {
                *silence = Some((self.clock.monotonic(), why.clone()));
                Err(Fault::Gone(why))
            }
            Err(fault) => Err(fault),
            Ok(done) => {
                *silence = None;
                Ok(done)
            }
        }
    }

    fn check_silence(&self) -> Result<(), Fault> {
        match &*self.silence.lock() {
            Some((since, why)) if self.clock.monotonic() < *since + SILENCE => {
                Err(Fault::Gone(why.clone()))
            }
            _ => Ok(()),
        }
    }

    fn ask<T>(&self, ask: &mut dyn FnMut(&Link) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().pop();
        if let Some((link, used)) = idle.filter(|(link, _)| !link.is_closed()) {
            // Whoever had it may have allowed more.
            link.allow(STATEMENT);
            let is_proven = self.clock.monotonic() < used + PROVEN;
            match ask(&link) {
                // The server was started anew since, or whoever stands between closed it. The others
                // that wait here are of the same age.
                Err(fault) if fault.is_of_connection() => {
                    self.note_lost();
                    self.idle.lock().clear();
                    if is_proven && matches!(fault, Fault::Silent(_)) {
                        return Err(fault);
                    }
                }
                done => {
                    self.put_back(link, &done);
                    return done;
                }
            }
        }
        let link = Link::connect(&self.address, &self.tls, &self.tenant)?;
        let done = ask(&link);
        self.put_back(link, &done);
        done
    }

    /// Keeps a connection for the next one that asks, unless its state is not known.
    fn put_back<T>(&self, link: Link, done: &Result<T, Fault>) {
        let is_lost = matches!(
            done,
            Err(Fault::Gone(_) | Fault::Silent(_) | Fault::InDoubt(_))
        );
        if is_lost {
            self.note_lost();
        }
        let mut idle = self.idle.lock();
        if !is_lost && !link.is_closed() && idle.len() < IDLE {
            idle.push((link, self.clock.monotonic()));
        }
    }
}
