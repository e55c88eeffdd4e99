//! Options of the probes.

use std::time::Duration;

/// The largest number of threads.
const MOST_AT_ONCE: usize = 64;
/// The longest deadline, in milliseconds: a day.
const LONGEST_MS: f64 = 86_400_000.0;

/// The options, with numbers as given, because the report repeats them.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only this provider.
    pub provider: Option<String>,
    /// Only these profiles; empty means all.
    pub profiles: Vec<String>,
    /// The time limit of one probe in milliseconds; more than zero.
    pub timeout_ms: f64,
    /// The number of probes at once; more than zero.
    pub concurrency: f64,
    /// The number of tokens that a model may answer with; more than zero.
    pub max_tokens: f64,
}

impl Options {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_ms.min(LONGEST_MS) / 1_000.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the number of targets"
    )]
    pub(super) fn workers(&self, targets: usize) -> usize {
        let most = targets.clamp(1, MOST_AT_ONCE);
        (self.concurrency.min(64.0) as usize).clamp(1, most)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "such a cast saturates, and the number is positive"
    )]
    pub(super) fn tokens(&self) -> u64 {
        (self.max_tokens as u64).max(1)
    }
}
