//! The system's clock: the one place that asks what time it is, and that waits.
#![expect(
    clippy::disallowed_methods,
    reason = "this file reads the system's clock"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::Local;

use crate::model::time::{LocalTime, Timestamp};
use crate::ports::host::Clock;

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    /// Whether its times are for programs: ISO 8601 in UTC.
    for_programs: bool,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            for_programs: false,
        }
    }

    /// The same for a command whose answer is for a program.
    pub fn for_programs() -> Self {
        Self {
            for_programs: true,
            ..Self::new()
        }
    }
}

/// Seconds east of UTC by `TZ`, else by the system's time zone.
fn offset(at: Timestamp) -> i32 {
    let utc = chrono::DateTime::from_timestamp_millis(at.0);
    utc.map_or(0, |utc| {
        utc.with_timezone(&Local).offset().local_minus_utc()
    })
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine without a battery starts in 1970, and its clock may even be set before that.
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp(millis)
    }

    fn local(&self) -> LocalTime {
        LocalTime {
            now: self.now(),
            offset: (!self.for_programs).then_some(offset),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_milliseconds_of_this_era_and_waits_at_least_as_long_as_asked() {
        let clock = SystemClock::new();
        assert!(clock.now() > Timestamp(1_600_000_000_000), "not seconds");
        assert!(clock.now() < Timestamp(100_000_000_000_000), "not micros");
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(3));
        assert!(clock.monotonic() - before >= Duration::from_millis(3));
    }
}
