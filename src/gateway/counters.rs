//! What is counted for the metrics.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

use crate::model::id::ProviderId;

/// What happened since the start.
#[derive(Default)]
pub(super) struct Counters(Mutex<Counts>);

/// How often, by provider and outcome.
pub(super) type ByProvider = BTreeMap<(ProviderId, &'static str), u64>;

/// The numbers.
#[derive(Default)]
pub(super) struct Counts {
    /// By class of their status.
    pub(super) requests: BTreeMap<&'static str, u64>,
    pub(super) refreshes: ByProvider,
    pub(super) tokens: ByProvider,
}

impl Counters {
    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock()
    }

    /// Counts an answered request.
    pub(super) fn answered(&self, status: u16) {
        let class = match status {
            ..400 => "ok",
            400..500 => "refused",
            _ => "failed",
        };
        *self.0.lock().requests.entry(class).or_default() += 1;
    }

    /// Counts a refresh that was due.
    pub(super) fn refreshed(&self, provider: &ProviderId, is_refreshed: bool) {
        let outcome = if is_refreshed { "ok" } else { "not_refreshed" };
        add(&mut self.0.lock().refreshes, provider, outcome);
    }

    /// Counts a token that was asked for.
    pub(super) fn handed_out(&self, provider: &ProviderId, outcome: &'static str) {
        add(&mut self.0.lock().tokens, provider, outcome);
    }
}

fn add(counts: &mut ByProvider, provider: &ProviderId, outcome: &'static str) {
    *counts.entry((provider.clone(), outcome)).or_default() += 1;
}
