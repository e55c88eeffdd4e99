//! What all runs together came to.

use std::collections::BTreeMap;

/// The sums of many runs.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) runs: usize,
    /// Runs that were killed where they were to be killed.
    pub(super) kills: usize,
    /// Runs in which a call failed.
    pub(super) faults: usize,
    /// Kills after the server's answer and before the successor was stored.
    pub(super) windows: usize,
    /// Of these, those where it lies in some file all the same.
    pub(super) windows_on_disk: usize,
    /// Successors that could not be stored and were saved elsewhere.
    pub(super) rescued: usize,
    /// Of these, those that the next command did not take in.
    pub(super) not_taken_in: usize,
    /// Copies in other agents that were left behind and made the provider revoke the login.
    pub(super) strays: usize,
    /// Locks of OpenClaw that were left behind.
    pub(super) locks: usize,
    /// How often the next command had to wait.
    pub(super) slow: usize,
    /// Temp files of lock files and of the journal, which nobody may ever write again.
    pub(super) left: usize,
    /// How often each exit code was seen.
    pub(super) codes: BTreeMap<i32, usize>,
    /// What did not hold.
    pub(super) wrong: Vec<String>,
}

impl Totals {
    pub(super) fn add(&mut self, other: Totals) {
        self.runs += other.runs;
        self.kills += other.kills;
        self.faults += other.faults;
        self.windows += other.windows;
        self.windows_on_disk += other.windows_on_disk;
        self.rescued += other.rescued;
        self.not_taken_in += other.not_taken_in;
        self.strays += other.strays;
        self.locks += other.locks;
        self.slow += other.slow;
        self.left += other.left;
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }

    /// Two lines for people.
    pub(super) fn told(&self, name: &str) -> String {
        let Self {
            runs,
            kills,
            faults,
            windows,
            windows_on_disk,
            rescued,
            not_taken_in,
            strays,
            locks,
            slow,
            left,
            codes,
            wrong,
        } = self;
        format!(
            "{name}: {runs} runs, {kills} kills, {faults} faults, {} losses; windows {windows} \
             (on disk {windows_on_disk}), rescued {rescued} (not taken in {not_taken_in}), \
             copies left behind {strays}, locks left {locks}, slow {slow}, temp files left {left}, exit codes {codes:?}",
            wrong.len()
        )
    }
}
