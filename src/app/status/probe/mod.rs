//! `models status --probe`: one cheap real request for each credential, as its manifest names it.
//!
//! The invariants: a credential goes to its own provider or nowhere (`address.rs`); a probe ends by
//! its deadline, whatever the network does; and it changes nothing. Only a token that is due is
//! renewed before, as everywhere, and that is never cut off. What comes back is told and forgotten:
//! no cooldown, no transcript, and `--check` does not heed it.

mod address;
mod options;
mod outcome;
mod plan;
mod send;
mod verdict;

pub use options::Options;
pub use outcome::{Outcome, Probes, Reason};
pub use verdict::Status;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::app::context::Context;
use crate::app::credential::document_faults::load_effective;
use crate::app::failure::{Failure, StoreEffect};
use crate::app::status::report::Report;

use plan::{Planner, ProbePlan};
use send::Target;

/// Probes the credentials of `report`.
///
/// # Errors
/// If the documents cannot be read, or a signal asks to stop. What becomes of each credential
/// stands in its result.
pub fn run(cx: Context<'_>, report: &Report, options: &Options) -> Result<Probes, Failure> {
    let (started_at, begun) = (cx.clock.now(), cx.clock.monotonic());
    let (effective, _) = load_effective(cx, &report.agent)?;
    let planner = Planner {
        cx,
        report,
        effective: &effective,
        options,
        now: started_at,
    };
    let ProbePlan { known, targets } = planner.plan()?;
    // From here on the waits heed it.
    cx.interrupt.defer();
    let (tried, refreshed) = all(cx, &targets, options);
    if let Some(signal) = cx.interrupt.pending() {
        let failure = Failure::cancelled(signal);
        return Err(match refreshed {
            true => failure.touched(StoreEffect::Changed),
            false => failure,
        });
    }
    let took = cx.clock.monotonic().saturating_sub(begun);
    let duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    Ok(Probes {
        started_at,
        finished_at: started_at.after(took),
        duration_ms,
        total_targets: targets.len(),
        options: options.clone(),
        results: known.into_iter().chain(tried).collect(),
        refreshed,
    })
}

/// Probes all targets, several at once; a free thread takes the next.
fn all(cx: Context<'_>, targets: &[Target], options: &Options) -> (Vec<Outcome>, bool) {
    let next = AtomicUsize::new(0);
    let refreshed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; targets.len()]);
    let work = || {
        while let Some((at, target)) = take(targets, &next) {
            if cx.interrupt.pending().is_some() {
                break;
            }
            let (outcome, renewed) = target.probe(cx, options);
            refreshed.fetch_or(renewed, Ordering::SeqCst);
            results.lock()[at] = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.workers(targets.len()).min(targets.len()) {
            scope.spawn(work);
        }
    });
    let results = results.into_inner();
    let refreshed = refreshed.load(Ordering::SeqCst);
    (results.into_iter().flatten().collect(), refreshed)
}

fn take<'t>(targets: &'t [Target], next: &AtomicUsize) -> Option<(usize, &'t Target)> {
    let at = next.fetch_add(1, Ordering::SeqCst);
    Some((at, targets.get(at)?))
}
