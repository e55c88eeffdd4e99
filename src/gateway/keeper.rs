//! Refreshes what is due, so that a token is there before somebody asks for it, and stores what a
//! killed process left: what `tick` and every command do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::counters::Counters;
use super::state::Gateway;
use crate::app::context::Context;
use crate::app::login;
use crate::app::maintenance::tick;
use crate::app::refresh::recover;
use crate::app::secrets::moving::unfinished;

/// How long it rests between two rounds.
const REST: Duration = Duration::from_secs(30);
/// How often it looks whether the gateway ends.
const LOOK: Duration = Duration::from_millis(100);
/// What has not begun by then is left for the next round.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs rounds on a thread of its own, until `over`.
pub(super) fn keep(gateway: &Gateway, over: Arc<AtomicBool>) -> std::io::Result<JoinHandle<()>> {
    let engine = Arc::clone(gateway.workers.engine());
    let (board, counters) = (Arc::clone(&gateway.board), Arc::clone(&gateway.counters));
    let (clock, flows) = (Arc::clone(&gateway.clock), Arc::clone(&gateway.flows));
    let builder = thread::Builder::new().name("keeper".to_owned());
    builder.spawn(move || {
        // A round ends the logins whose answers a killed process left here: who asks this gateway is told
        // how they ended only if it knew of them before.
        if let Err(failure) = flows.look() {
            tracing::debug!(target: "openclaw::gateway", "{failure}");
        }
        while !over.load(Ordering::SeqCst) {
            engine.with(&mut |cx, _| round(cx, &counters));
            board.touch();
            let end = clock.monotonic() + REST;
            while clock.monotonic() < end && !over.load(Ordering::SeqCst) {
                clock.sleep(LOOK);
            }
        }
    })
}

fn round(cx: Context<'_>, counters: &Counters) {
    unfinished::finish_pending(cx);
    recover::recover_pending(cx);
    login::recover::recover_pending(cx);
    let request = tick::Request {
        agent: None,
        spread: Duration::ZERO,
        limit: LIMIT,
        dry_run: false,
    };
    let report = match tick::run(cx, &request) {
        Ok(report) => report,
        Err(failure) => {
            tracing::warn!(target: "openclaw::gateway", "{failure}");
            return;
        }
    };
    for row in &report.rows {
        counters.refreshed(&row.provider, row.is_refreshed);
        if row.is_refreshed {
            let (agent, profile) = (row.agent.as_str(), row.profile.as_str());
            tracing::info!(target: "openclaw::gateway", agent, profile, "refreshed");
        }
    }
    for problem in &report.problems {
        let profile = problem
            .profile
            .as_ref()
            .map_or("-", |profile| profile.as_str());
        tracing::warn!(target: "openclaw::gateway", profile, "{}", problem.failure);
    }
}
