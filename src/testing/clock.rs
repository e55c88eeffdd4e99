//! A clock that stands still until it is told to move.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::model::time::Timestamp;
use crate::ports::host::Clock;

/// A clock under the control of a test: sleeping takes no time and moves it.
#[derive(Debug)]
pub struct FakeClock(Mutex<Reading>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    monotonic: Duration,
}

impl FakeClock {
    /// A clock that shows `now`; its monotonic time starts at zero.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Reading {
            wall: now,
            monotonic: Duration::ZERO,
        }))
    }

    /// Sets the time. Forward, the monotonic time follows; back, it stays: it never goes back.
    pub fn set(&self, now: Timestamp) {
        let mut reading = self.reading();
        let forward = u64::try_from(reading.wall.until(now)).unwrap_or(0);
        reading.wall = now;
        reading.monotonic = reading
            .monotonic
            .saturating_add(Duration::from_millis(forward));
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut reading = self.reading();
        reading.wall = reading.wall.after(duration);
        reading.monotonic = reading.monotonic.saturating_add(duration);
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.reading().wall
    }

    fn monotonic(&self) -> Duration {
        self.reading().monotonic
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_moves_both_times_and_setting_back_only_one() {
        let clock = FakeClock::new(Timestamp(1_000));
        clock.sleep(Duration::from_millis(5));
        assert_eq!(clock.now(), Timestamp(1_005));
        clock.set(Timestamp(2_005));
        assert_eq!(clock.monotonic(), Duration::from_millis(1_005));
        clock.set(Timestamp(0));
        assert_eq!(clock.now(), Timestamp(0));
        assert_eq!(clock.monotonic(), Duration::from_millis(1_005));
    }
}
