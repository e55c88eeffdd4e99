//! What all runs together came to.

use std::collections::BTreeMap;

use super::strace::Done;

/// The sums of many runs.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) runs: usize,
    /// Runs that were killed where they were to be killed.
    pub(super) kills: usize,
    /// Runs in which a call failed.
    pub(super) faults: usize,
    /// Kills, by the call before which they came, after the server had answered and before that was
    /// saved: what the next command truthfully says is not known.
    pub(super) windows: Vec<String>,
    /// Answers that were saved and part of no document, and that the next command took in.
    pub(super) taken_in: usize,
    /// Locks of OpenClaw that were left behind.
    pub(super) locks: usize,
    /// After what the next command had to wait.
    pub(super) slow: Vec<String>,
    /// Temp files of the journal and of histories, which may never be written again.
    pub(super) left: usize,
    /// How often each exit code was seen.
    pub(super) codes: BTreeMap<i32, usize>,
    /// Content or a token that is gone, or a next command that does not work.
    pub(super) losses: Vec<String>,
    /// Whatever else did not hold: what was said and is not so, what was left behind.
    pub(super) wrong: Vec<String>,
}

impl Totals {
    /// One run that was told to fail or die so.
    pub(super) fn of_run(what: &str, done: &Done) -> Self {
        let is_kill = what.starts_with("signal");
        Self {
            runs: 1,
            kills: usize::from(is_kill && done.killed),
            faults: usize::from(!is_kill && done.failed),
            ..Self::default()
        }
    }

    /// Nothing may be lost, wrong or slow, in at least so many runs, nearly all of which were struck:
    /// how often a thread makes a call is in part chance.
    pub(super) fn assert_good(&self, runs: usize) {
        assert!(self.runs >= runs, "{}", self.runs);
        let struck = self.kills + self.faults;
        assert!(struck * 10 >= self.runs * 9, "{struck} of {}", self.runs);
        assert!(self.losses.is_empty(), "{:#?}", self.losses);
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        assert!(self.slow.is_empty(), "{:#?}", self.slow);
    }

    pub(super) fn add(&mut self, other: Totals) {
        self.runs += other.runs;
        self.kills += other.kills;
        self.faults += other.faults;
        self.windows.extend(other.windows);
        self.taken_in += other.taken_in;
        self.locks += other.locks;
        self.slow.extend(other.slow);
        self.left += other.left;
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        self.losses.extend(other.losses);
        self.wrong.extend(other.wrong);
    }

    /// A few lines for people.
    pub(super) fn told(&self, name: &str) -> String {
        let Self {
            runs,
            kills,
            faults,
            windows,
            taken_in,
            locks,
            slow,
            left,
            codes,
            losses,
            wrong,
        } = self;
        format!(
            "{name}: {runs} runs, {kills} kills, {faults} faults, {} losses, {} wrong answers; \
             answers taken in {taken_in}, windows {} {windows:?}; locks left {locks}, slow {slow:?}, \
             temp files left {left}; exit codes {codes:?}",
            losses.len(),
            wrong.len(),
            windows.len()
        )
    }
}
