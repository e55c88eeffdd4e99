//! Interpretation of stored expiry values (seconds, implausible dates), and detection of a wrong
//! system clock.
//!
//! An end is never trusted silently. A document may hold seconds where milliseconds belong, or a
//! number that is no moment of this era; such an end is read as what it most likely means, and the
//! person is told. What is stored stays as it is until the credential is replaced.

use std::time::Duration;

use super::hint::{Command, Hint};
use super::id::ProfileId;
use super::time::{LocalTime, Timestamp};

/// 2020-01-01: no login that is still of use ended before.
const EARLIEST: Timestamp = Timestamp(1_577_836_800_000);
/// 2100-01-01: no login lasts for so long.
const LATEST: Timestamp = Timestamp(4_102_444_800_000);
/// Below this a number of milliseconds lies in the years before 1973, and one of seconds in ours.
const SECONDS_BELOW: i64 = 100_000_000_000;
/// 2026-01-01: this program is younger.
const WRITTEN: Timestamp = Timestamp(1_767_225_600_000);
/// However a clock is corrected, it does not go back by more than this many milliseconds: a day.
const CORRECTION: i64 = 86_400_000;

/// An anomaly of a stored expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryAnomaly {
    /// It is written in seconds.
    InSeconds,
    /// It lies before 2020: when the credential really ends is not known.
    TooEarly,
    /// It lies after 2100: when the credential really ends is not known.
    TooLate,
}

/// An expiry, as it is interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The interpreted moment.
    pub at: Timestamp,
    /// Its anomaly, if it has one.
    pub anomaly: Option<ExpiryAnomaly>,
}

impl End {
    /// Interprets the `expires` of a document.
    pub fn read(stored: Timestamp) -> Self {
        let seconds = Timestamp(stored.0.saturating_mul(1_000));
        let is_moment = |at: Timestamp| (EARLIEST..LATEST).contains(&at);
        let (at, anomaly) = if is_moment(stored) {
            (stored, None)
        } else if stored.0 < SECONDS_BELOW && is_moment(seconds) {
            (seconds, Some(ExpiryAnomaly::InSeconds))
        } else if stored < EARLIEST {
            (stored, Some(ExpiryAnomaly::TooEarly))
        } else {
            (stored, Some(ExpiryAnomaly::TooLate))
        };
        Self { at, anomaly }
    }

    /// The same by a clock that shows `now`. One that has started in 1970 gives ends near that, and
    /// they are what they are.
    pub fn read_at(stored: Timestamp, now: Timestamp) -> Self {
        match now < EARLIEST {
            true => Self {
                at: stored,
                anomaly: None,
            },
            false => Self::read(stored),
        }
    }

    /// Returns the end; `None` if what is stored cannot be one, so that nobody knows it.
    pub fn known(self) -> Option<Timestamp> {
        match self.anomaly {
            None | Some(ExpiryAnomaly::InSeconds) => Some(self.at),
            Some(ExpiryAnomaly::TooEarly | ExpiryAnomaly::TooLate) => None,
        }
    }

    /// Returns the known end of what is stored.
    pub fn known_of(stored: Option<Timestamp>) -> Option<Timestamp> {
        Self::read(stored?).known()
    }

    /// Describes the anomaly of the expiry of `id` in a sentence, if there is one.
    pub fn fault(self, id: &ProfileId, local: LocalTime) -> Option<String> {
        let anomaly = self.anomaly?;
        let at = local.date(self.at);
        Some(match anomaly {
            ExpiryAnomaly::InSeconds => {
                format!(
                    "the expiry of {id} is stored in seconds instead of milliseconds; reading it as {at}"
                )
            }
            ExpiryAnomaly::TooEarly => {
                format!("the stored expiry of {id} is before 2020 ({at}); treating it as unknown")
            }
            ExpiryAnomaly::TooLate => {
                format!("the stored expiry of {id} is after 2100 ({at}); treating it as unknown")
            }
        })
    }
}

/// Whether an access token can be handed out, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Alive for longer than was asked for; it ends in this many milliseconds.
    Fresh {
        /// Milliseconds left.
        remaining: i64,
    },
    /// Alive, but for no longer than the margin: a refresh is due, the token still works.
    Due {
        /// Milliseconds left; more than zero.
        remaining: i64,
    },
    /// No longer alive. A missing expiry of a refreshable grant counts as this, too: a server that
    /// names no end has promised nothing.
    Expired {
        /// Milliseconds since the end; `None` if no end was ever known.
        since: Option<i64>,
    },
    /// A credential that has no end: an API key, or a token stored without one.
    NoExpiry,
}

/// Computes the freshness of an access token of a refreshable grant. Pure: the caller brings the
/// clock.
///
/// `margin` is how much life must be left for the token to count as fresh. The boundary is exact:
/// with `margin` left to the millisecond the token is due, and at its expiry it is expired. An end
/// before 2020 is no known end; one after 2100 is due at once, for a refresh brings a better one.
pub fn freshness(expires: Option<Timestamp>, now: Timestamp, margin: Duration) -> Freshness {
    let Some(expires) = expires else {
        return Freshness::Expired { since: None };
    };
    let end = End::read_at(expires, now);
    let remaining = now.until(end.at);
    if end.anomaly == Some(ExpiryAnomaly::TooEarly) {
        return Freshness::Expired { since: None };
    }
    let margin = i64::try_from(margin.as_millis()).unwrap_or(i64::MAX);
    if remaining <= 0 {
        Freshness::Expired {
            since: Some(remaining.saturating_neg()),
        }
    } else if remaining <= margin || end.anomaly == Some(ExpiryAnomaly::TooLate) {
        Freshness::Due { remaining }
    } else {
        Freshness::Fresh { remaining }
    }
}

/// Returns what is wrong with a clock that shows `now`, if `newest` is the last moment at which
/// this program is known to have worked; a sentence.
pub fn clock_fault(local: LocalTime, newest: Option<Timestamp>) -> Option<Hint> {
    let now = local.now;
    let shown = || local.date(now);
    if now < WRITTEN {
        return Some(Hint::from(format!(
            "the system clock shows {}, which cannot be right; set it, or expired tokens cannot be detected",
            shown()
        )));
    }
    let newest = newest.filter(|newest| now.until(*newest) > CORRECTION)?;
    let fault = Hint::from(format!(
        "the system clock shows {}, but a login was used on {}: the clock was ahead then or is behind now. Set it, then run `",
        shown(),
        local.date(newest)
    ));
    Some(
        fault
            .run(Command::new("models auth refresh --force"))
            .then("`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hint::Part;

    #[test]
    fn freshness_is_exact_at_its_boundaries() {
        let now = Timestamp(1_795_230_521_000);
        let margin = Duration::from_millis(300);
        let judge = |left| freshness(Some(Timestamp(now.0 + left)), now, margin);
        assert_eq!(judge(301), Freshness::Fresh { remaining: 301 });
        assert_eq!(judge(300), Freshness::Due { remaining: 300 });
        assert_eq!(judge(1), Freshness::Due { remaining: 1 });
        assert_eq!(judge(0), Freshness::Expired { since: Some(0) });
        assert_eq!(judge(-7), Freshness::Expired { since: Some(7) });
        assert_eq!(
            freshness(None, now, margin),
            Freshness::Expired { since: None }
        );
    }

    #[test]
    fn an_end_that_cannot_be_is_not_trusted() {
        let now = Timestamp(1_795_230_521_000);
        let judge = |expires| freshness(Some(Timestamp(expires)), now, Duration::ZERO);
        assert_eq!(judge(1_795_230_522), Freshness::Fresh { remaining: 1_000 });
        assert_eq!(
            judge(1_795_230_520),
            Freshness::Expired { since: Some(1_000) }
        );
        for early in [i64::MIN, -1, 0, 1, 1_500_000_000_000] {
            assert_eq!(judge(early), Freshness::Expired { since: None });
        }
        for late in [4_200_000_000_000, 1_795_230_521_000_000, i64::MAX] {
            let remaining = late - now.0;
            assert_eq!(judge(late), Freshness::Due { remaining });
        }
    }

    #[test]
    fn an_end_is_read_as_what_it_most_likely_means() {
        let read = |stored| {
            let end = End::read(Timestamp(stored));
            (end.at.0, end.anomaly)
        };
        let same = |stored, anomaly| assert_eq!(read(stored), (stored, anomaly));
        same(1_795_230_521_000, None);
        same(EARLIEST.0, None);
        same(LATEST.0 - 1, None);
        same(EARLIEST.0 - 1, Some(ExpiryAnomaly::TooEarly));
        same(LATEST.0, Some(ExpiryAnomaly::TooLate));
        let seconds = Some(ExpiryAnomaly::InSeconds);
        assert_eq!(read(1_795_230_521), (1_795_230_521_000, seconds));
        assert_eq!(read(1_577_836_800), (EARLIEST.0, seconds));
        same(1_577_836_799, Some(ExpiryAnomaly::TooEarly));
        same(4_102_444_800, Some(ExpiryAnomaly::TooEarly));
        same(1_795_230_521_000_000, Some(ExpiryAnomaly::TooLate));
        for early in [0, 1, -5, i64::MIN] {
            same(early, Some(ExpiryAnomaly::TooEarly));
        }
        same(i64::MAX, Some(ExpiryAnomaly::TooLate));
    }

    #[test]
    fn a_clock_without_a_battery_is_followed() {
        let end = Timestamp(1_795_230_521);
        let since_1970 = End::read_at(end, Timestamp(end.0 - 5));
        assert_eq!((since_1970.at, since_1970.anomaly), (end, None));
        let now = End::read_at(end, Timestamp(1_795_230_521_000));
        assert_eq!(now.anomaly, Some(ExpiryAnomaly::InSeconds));
    }

    #[test]
    fn faults_say_what_is_stored_and_what_it_is_taken_for() {
        let id = ProfileId::parse("acme:me").unwrap();
        let fault = |stored| End::read(Timestamp(stored)).fault(&id, LocalTime::utc(Timestamp(0)));
        assert_eq!(fault(1_795_230_521_000), None);
        assert_eq!(
            fault(1_795_230_521).unwrap(),
            "the expiry of acme:me is stored in seconds instead of milliseconds; reading it as Sat 21 Nov 2026 03:08"
        );
        assert!(fault(1).unwrap().contains("Thu 1 Jan 1970 00:00"));
        assert!(fault(i64::MAX).unwrap().contains("after 2100"));
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_told() {
        let now = Timestamp(1_795_230_521_000);
        let clock_fault = |now, newest| super::clock_fault(LocalTime::utc(now), newest);
        assert_eq!(clock_fault(now, None), None);
        assert_eq!(clock_fault(now, Some(Timestamp(now.0 + CORRECTION))), None);
        let ahead = clock_fault(now, Some(Timestamp(now.0 + CORRECTION + 1)));
        let refresh = Part::Command(Command::new("models auth refresh --force"));
        assert!(ahead.unwrap().parts.contains(&refresh));
        let battery = clock_fault(Timestamp(0), Some(now));
        let [Part::Text(battery)] = &battery.unwrap().parts[..] else {
            panic!("a command sets no clock");
        };
        assert!(battery.contains("Thu 1 Jan 1970"));
    }
}
