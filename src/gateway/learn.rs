//! Hears of logins at other gateways of a database, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::engine::Engine;
use super::state::Gateway;

/// How often it is asked whether the database told of a change.
const HEAR: Duration = Duration::from_millis(100);
/// How long what is known counts, whether or not it told of any.
const TRUST: Duration = Duration::from_secs(1);

/// Looks until `over`, on a thread that nobody waits for: what it begins is ended by others.
///
/// # Errors
/// If there can be no thread.
pub(super) fn keep(
    gateway: &Arc<Gateway>,
    engine: Arc<dyn Engine>,
    over: Arc<AtomicBool>,
) -> std::io::Result<()> {
    let gateway = Arc::clone(gateway);
    let builder = thread::Builder::new().name("logins".to_owned());
    let kept = builder.spawn(move || {
        let mut last = None;
        while !over.load(Ordering::SeqCst) {
            // Asked first: what changes meanwhile is looked for once more.
            let heard = engine.database().and_then(|it| it.revision().ok());
            let moment = gateway.clock.monotonic();
            let is_known = last.is_some_and(|(revision, at)| {
                revision == heard && moment.saturating_sub(at) < TRUST
            });
            if !is_known {
                // Whoever asks for a login is told why there is none.
                if let Err(failure) = gateway.flows.look() {
                    tracing::debug!(target: "openclaw::gateway", "{failure}");
                }
                last = Some((heard, moment));
            }
            gateway.clock.sleep(HEAR);
        }
    });
    kept.map(|_| ())
}
