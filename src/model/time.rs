//! Points in time, freshness, and durations as people write and read them.

use std::time::Duration;

use serde::Serialize;

use super::expiry::{End, ExpiryAnomaly};

/// Milliseconds since the Unix epoch, as OpenClaw's files hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `self` until `later`; negative if it has passed. Saturates.
    pub fn until(self, later: Timestamp) -> i64 {
        later.0.saturating_sub(self.0)
    }

    /// This moment moved by `duration` into the future. Saturates.
    #[must_use]
    pub fn after(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(millis))
    }

    /// `2026-11-21T03:07:58.449Z`; for a value no calendar can show, the number itself.
    pub fn iso8601(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || format!("{} ms", self.0),
            |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        )
    }

    /// `20261121-030758`: for the name of a file that is set aside.
    pub fn file_stamp(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |time| time.format("%Y%m%d-%H%M%S").to_string(),
        )
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

/// Judges an access token of a refreshable grant. Pure: the caller brings the clock.
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
    if end.oddity == Some(ExpiryAnomaly::TooEarly) {
        return Freshness::Expired { since: None };
    }
    let margin = i64::try_from(margin.as_millis()).unwrap_or(i64::MAX);
    if remaining <= 0 {
        Freshness::Expired {
            since: Some(remaining.saturating_neg()),
        }
    } else if remaining <= margin || end.oddity == Some(ExpiryAnomaly::TooLate) {
        Freshness::Due { remaining }
    } else {
        Freshness::Fresh { remaining }
    }
}

/// Parses a duration as OpenClaw's `--expires-in` takes it: a number, decimals allowed, and one of
/// `ms`, `s`, `m`, `h`, `d` in any case; without a unit, `default_unit`.
///
/// # Errors
/// What such a duration looks like, if it is none, is negative, or too long to count.
pub fn parse_duration(text: &str, default_unit: &str) -> Result<Duration, String> {
    let wrong = || "it is no length of time such as 90s, 10m, 1.5h or 30d".to_owned();
    let trimmed = text.trim().to_ascii_lowercase();
    let split = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit.trim() {
        "" => default_unit,
        unit => unit,
    };
    let millis = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64((number * millis).round() / 1_000.0).map_err(|_| wrong())
}

/// A duration in OpenClaw's short form: `0m` when over, `7m`, `40h`, `3d`.
///
/// Under an hour in minutes (at least one), under 48 hours in hours, else in days, rounded.
pub fn short_duration(millis: i64) -> String {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let rounded = |unit: i64| millis.saturating_add(unit / 2) / unit;
    if millis <= 0 {
        "0m".to_owned()
    } else if rounded(MINUTE) < 60 {
        format!("{}m", rounded(MINUTE).max(1))
    } else if rounded(HOUR) < 48 {
        format!("{}h", rounded(HOUR))
    } else {
        format!("{}d", rounded(DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn durations_follow_the_reference_grammar() {
        let parse = |text| parse_duration(text, "d");
        assert_eq!(parse("365d"), Ok(Duration::from_secs(365 * 86_400)));
        assert_eq!(parse("1"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse("1.5H"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["5x", "", "-1d", "d", "1e400d", "99999999999999999999d"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            parse("5x"),
            Err("it is no length of time such as 90s, 10m, 1.5h or 30d".to_owned())
        );
    }

    #[test]
    fn short_durations_follow_the_reference_rounding() {
        let minutes = |n: i64| n * 60_000;
        assert_eq!(short_duration(-1), "0m");
        assert_eq!(short_duration(0), "0m");
        assert_eq!(short_duration(1), "1m");
        assert_eq!(short_duration(1_197_269), "20m");
        assert_eq!(short_duration(minutes(59)), "59m");
        assert_eq!(short_duration(minutes(60)), "1h");
        assert_eq!(short_duration(17_997_269), "5h");
        assert_eq!(short_duration(minutes(60 * 47)), "47h");
        assert_eq!(short_duration(259_197_444), "3d");
        assert_eq!(short_duration(i64::MAX), "106751991167d");
    }
}
