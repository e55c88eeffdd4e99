//! What a probe is asked for.

use std::time::Duration;

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
