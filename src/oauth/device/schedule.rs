//! When a device code may be polled, and until when. Pure: the caller brings the clock and waits.

use std::time::Duration;

use super::authorization::DeviceAuthorization;
use super::poll::Poll;

/// `slow_down` makes every further wait this much longer (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// No wait is longer because of trouble alone: who has agreed wants to see it.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// A code that ends before its first poll would be due is polled once, so long before its end.
const LAST: Duration = Duration::from_secs(1);

/// The times of the polls, on a clock that never goes back.
#[derive(Debug)]
pub struct PollSchedule {
    interval: Duration,
    due: Duration,
    end: Duration,
    troubles: u32,
}

impl PollSchedule {
    /// `asked` is when the code was asked for, `now` when it came. The first poll is due after one
    /// interval: nobody types that fast.
    pub fn new(authorization: &DeviceAuthorization, asked: Duration, now: Duration) -> Self {
        let end = asked.saturating_add(authorization.lifetime);
        let due = now.saturating_add(authorization.interval);
        Self {
            interval: authorization.interval,
            due: due.min(end.saturating_sub(LAST)),
            end,
            troubles: 0,
        }
    }

    /// How long to wait before the next poll; zero if it is due, `None` if the code has ended.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        let left = self.end.checked_sub(now).filter(|left| !left.is_zero())?;
        Some(self.due.saturating_sub(now).min(left))
    }

    /// Learns from a poll whose answer came `now`. After trouble the wait doubles each time, and an
    /// answer ends that (RFC 8628 section 3.5); `slow_down` is for good.
    pub fn learn(&mut self, poll: &Poll, now: Duration) {
        let mut at_least = Duration::ZERO;
        match poll {
            Poll::Unavailable { retry_after, .. } => {
                self.troubles = self.troubles.saturating_add(1);
                at_least = retry_after.unwrap_or_default();
            }
            Poll::SlowDown(asked) => {
                let slower = self.interval.saturating_add(SLOWER);
                self.interval = slower.max(asked.unwrap_or_default());
                self.troubles = 0;
            }
            Poll::Pending | Poll::Grant(_) | Poll::Failed(_) => self.troubles = 0,
        }
        let doubled = self.interval.saturating_mul(1 << self.troubles.min(16));
        let wait = doubled.min(LONGEST_BACK_OFF).max(self.interval);
        self.due = now.saturating_add(wait.max(at_least));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::begun;
    use super::*;

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    /// The waits after each of these polls, of a code with an interval of 5 s.
    fn waits(polls: &[Poll]) -> Vec<u64> {
        let mut pace = PollSchedule::new(&begun(5, 9_000), seconds(100), seconds(101));
        let mut now = seconds(101);
        let mut waits = vec![pace.wait(now).unwrap().as_secs()];
        for poll in polls {
            now += *waits.last().map(|wait| seconds(*wait)).as_ref().unwrap();
            assert_eq!(pace.wait(now), Some(Duration::ZERO));
            pace.learn(poll, now);
            waits.push(pace.wait(now).unwrap().as_secs());
        }
        waits
    }

    fn trouble(retry_after: Option<u64>) -> Poll {
        Poll::Unavailable {
            reason: "x".into(),
            retry_after: retry_after.map(seconds),
        }
    }

    #[test]
    fn rfc8628_3_3_the_first_poll_waits_for_one_interval_and_so_does_each_other() {
        assert_eq!(waits(&[Poll::Pending, Poll::Pending]), [5, 5, 5]);
    }

    #[test]
    fn rfc8628_3_5_slow_down_is_five_seconds_more_for_good() {
        let polls = [
            Poll::SlowDown(None),
            Poll::Pending,
            Poll::SlowDown(None),
            Poll::Pending,
        ];
        assert_eq!(waits(&polls), [5, 10, 10, 15, 15]);
        // GitHub names its new interval; it counts where it is longer.
        let named = [
            Poll::SlowDown(Some(seconds(30))),
            Poll::SlowDown(Some(seconds(6))),
            Poll::Pending,
        ];
        assert_eq!(waits(&named), [5, 30, 35, 35]);
    }

    #[test]
    fn rfc8628_3_5_trouble_backs_off_exponentially_until_there_is_an_answer() {
        let polls = [
            trouble(None),
            trouble(None),
            trouble(None),
            trouble(None),
            trouble(None),
            Poll::Pending,
            trouble(Some(90)),
            trouble(Some(3)),
            Poll::SlowDown(None),
        ];
        assert_eq!(waits(&polls), [5, 10, 20, 40, 60, 60, 5, 90, 20, 10]);
    }

    #[test]
    fn a_code_that_ends_before_its_first_poll_is_polled_once() {
        let mut pace = PollSchedule::new(&begun(100, 4), seconds(100), seconds(101));
        assert_eq!(pace.wait(seconds(101)), Some(seconds(2)));
        assert_eq!(pace.wait(seconds(103)), Some(Duration::ZERO));
        pace.learn(&Poll::Pending, seconds(103));
        assert_eq!(pace.wait(seconds(103)), Some(seconds(1)));
        assert_eq!(pace.wait(seconds(104)), None);
    }

    #[test]
    fn rfc8628_3_5_polling_stops_when_the_code_ends() {
        let mut pace = PollSchedule::new(&begun(5, 12), seconds(100), seconds(102));
        assert_eq!(pace.wait(seconds(102)), Some(seconds(5)));
        pace.learn(&trouble(Some(3_600)), seconds(107));
        // Never beyond the end, so that who waits learns of it in time.
        assert_eq!(pace.wait(seconds(107)), Some(seconds(5)));
        assert_eq!(pace.wait(seconds(112)), None);
        assert_eq!(pace.wait(seconds(500)), None);
    }
}
