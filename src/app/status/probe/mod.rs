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

use crate::app::batch::{self, Ending, Limits};
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

/// Probes all targets, as many at once as was asked for, wherever they are: a probe costs its
/// server little, and what it tells is asked for by a person who waits.
fn all(cx: Context<'_>, targets: &[Target], options: &Options) -> (Vec<Outcome>, bool) {
    let limits = Limits::at_once(options.workers(targets.len()));
    let jobs = targets.iter().map(Target::job).collect();
    let work = |cx: Context<'_>, at: usize| targets[at].probe(cx, options);
    let (mut outcomes, mut refreshed) = (Vec::new(), false);
    for ending in batch::run(cx, limits, jobs, &work) {
        if let Ending::Done((outcome, renewed)) = ending {
            outcomes.push(outcome);
            refreshed |= renewed;
        }
    }
    (outcomes, refreshed)
}
