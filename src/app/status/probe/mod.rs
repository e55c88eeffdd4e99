//! `models status --probe`: one cheap real request for each credential, as its manifest names it.
//!
//! The invariants: a credential goes to its own provider or nowhere (`address.rs`); a probe ends by
//! its deadline, whatever the network does; and it changes nothing. Only a token that is due is
//! renewed before, as everywhere, and that is never cut off. What comes back is told and forgotten:
//! no cooldown, no transcript, and `--check` does not heed it.

mod address;
mod plan;
mod send;
mod verdict;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::context::Context;
use crate::app::failure::{Failure, StoreEffect};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

use super::Report;
use plan::{Planner, ProbePlan};
use send::Target;

pub use verdict::Status;

/// However many are wanted at once, no more threads than this are started.
const MOST_AT_ONCE: usize = 64;
/// The longest deadline, in milliseconds: a day.
const LONGEST_MS: f64 = 86_400_000.0;

/// What is asked for. Numbers are as they were given, for the report repeats them.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only this provider.
    pub provider: Option<String>,
    /// Only these profiles; empty means all.
    pub profiles: Vec<String>,
    /// How long one probe may take, in milliseconds; more than zero.
    pub timeout_ms: f64,
    /// How many run at once; more than zero.
    pub concurrency: f64,
    /// How many tokens a model may answer with, where one is asked; more than zero.
    pub max_tokens: f64,
}

impl Options {
    fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_ms.min(LONGEST_MS) / 1_000.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the number of targets"
    )]
    fn workers(&self, targets: usize) -> usize {
        let most = targets.clamp(1, MOST_AT_ONCE);
        (self.concurrency.min(64.0) as usize).clamp(1, most)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "such a cast saturates, and the number is positive"
    )]
    fn tokens(&self) -> u64 {
        (self.max_tokens as u64).max(1)
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Probes {
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Timestamp,
    /// How long that was, in milliseconds.
    pub duration_ms: i64,
    /// How many credentials were tried.
    pub total_targets: usize,
    /// What was asked for.
    pub options: Options,
    /// What needed no request first, then what was tried.
    pub results: Vec<Outcome>,
    /// Whether a token was renewed, so that what was reported before is not true any more.
    pub refreshed: bool,
}

/// What came of one credential. No type in it can hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its provider.
    pub provider: ProviderId,
    /// The configured model of that provider, as `provider/model`.
    pub model: Option<String>,
    /// Its profile, if it is stored.
    pub profile: Option<ProfileId>,
    /// What it is called: name and e-mail of a profile, else where it comes from.
    pub label: String,
    /// `profile`, `env` or `models.json`.
    pub source: &'static str,
    /// `oauth`, `token` or `api_key`.
    pub mode: &'static str,
    /// The one word.
    pub status: Status,
    /// Why it was not tried.
    pub reason: Option<Reason>,
    /// What went wrong, in the provider's own words where it has said something.
    pub error: Option<String>,
    /// How long the answer took, in milliseconds; `None` if nothing was sent.
    pub latency_ms: Option<i64>,
}

/// Why a credential was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An order of the provider leaves it out.
    ExcludedByAuthOrder,
    /// It holds nothing that could be sent.
    MissingCredential,
    /// It has ended.
    Expired,
    /// When it ends is not known, and nothing renews it.
    InvalidExpires,
    /// It names a secret that is kept elsewhere.
    UnresolvedRef,
    /// The configuration gives it another provider or mode.
    IneligibleProfile,
    /// There is nothing that could be asked.
    NoModel,
}

impl Reason {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExcludedByAuthOrder => "excluded_by_auth_order",
            Self::MissingCredential => "missing_credential",
            Self::Expired => "expired",
            Self::InvalidExpires => "invalid_expires",
            Self::UnresolvedRef => "unresolved_ref",
            Self::IneligibleProfile => "ineligible_profile",
            Self::NoModel => "no_model",
        }
    }
}

impl Outcome {
    /// This one, known without a request.
    fn known(mut self, reason: Reason, words: &str) -> Self {
        self.status = match reason {
            Reason::NoModel => Status::NoModel,
            _ => Status::Unknown,
        };
        self.reason = Some(reason);
        self.error = Some(words.to_owned());
        self
    }

    /// There is nothing to send.
    fn lifeless(self, reason: Reason) -> Self {
        self.known(reason, "Auth profile credentials are missing or expired.")
    }

    fn missing(&self) -> Self {
        self.clone().lifeless(Reason::MissingCredential)
    }
}

/// Tries the credentials that `report` is about.
///
/// # Errors
/// If the documents cannot be read, or a signal asks to stop. What becomes of each credential
/// stands in its result.
pub fn run(cx: Context<'_>, report: &Report, options: &Options) -> Result<Probes, Failure> {
    let (started_at, begun) = (cx.clock.now(), cx.clock.monotonic());
    let (effective, _) = super::look(cx, &report.agent)?;
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

/// Tries them all, so many at once; whoever is free takes the next.
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
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results[at] = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.workers(targets.len()).min(targets.len()) {
            scope.spawn(work);
        }
    });
    let results = results.into_inner();
    let results = results.unwrap_or_else(PoisonError::into_inner);
    let refreshed = refreshed.load(Ordering::SeqCst);
    (results.into_iter().flatten().collect(), refreshed)
}

fn take<'t>(targets: &'t [Target], next: &AtomicUsize) -> Option<(usize, &'t Target)> {
    let at = next.fetch_add(1, Ordering::SeqCst);
    Some((at, targets.get(at)?))
}
