//! Points in time, and durations as people write and read them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, as OpenClaw's files hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

    /// Reads a moment as people and programs write it: RFC 3339, RFC 2822, a date with or without a
    /// time, in UTC, or the digits of the number of milliseconds.
    pub fn read(text: &str) -> Option<Timestamp> {
        use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
        let text = text.trim();
        let zoned = || {
            let at = DateTime::parse_from_rfc3339(text);
            let at = at.or_else(|_| DateTime::parse_from_rfc2822(text)).ok()?;
            Some(at.to_utc())
        };
        let forms = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
        ];
        let naive = || {
            let mut read = forms
                .iter()
                .map(|form| NaiveDateTime::parse_from_str(text, form));
            read.find_map(Result::ok).map(|at| at.and_utc())
        };
        let date = || {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN).and_utc())
        };
        if let Ok(millis) = text.parse() {
            return Some(Timestamp(millis));
        }
        let at = zoned().or_else(naive).or_else(date)?;
        Some(Timestamp(at.timestamp_millis()))
    }

    /// Reads what [`Timestamp::file_stamp`] wrote.
    pub fn parse_file_stamp(text: &str) -> Option<Self> {
        let time = chrono::NaiveDateTime::parse_from_str(text, "%Y%m%d-%H%M%S").ok()?;
        Some(Self(time.and_utc().timestamp_millis()))
    }

    /// `20261121-030758`: for the name of a file that is set aside.
    pub fn file_stamp(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |time| time.format("%Y%m%d-%H%M%S").to_string(),
        )
    }
}

/// Now, and the local time zone: what it takes to tell when something is.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime {
    /// Now.
    pub now: Timestamp,
    /// Seconds east of UTC, at a moment; `None` in sentences for programs, which have ISO 8601.
    pub offset: Option<fn(Timestamp) -> i32>,
}

impl LocalTime {
    /// The time zone UTC.
    pub fn utc(now: Timestamp) -> Self {
        Self {
            now,
            offset: Some(|_| 0),
        }
    }

    /// Sentences within JSON.
    pub fn iso(now: Timestamp) -> Self {
        Self { now, offset: None }
    }

    /// `in 3 days, Tue 14:05` or `5 minutes ago, 14:05`; for programs `at` and ISO 8601.
    pub fn spoken(&self, time: Timestamp) -> String {
        if self.offset.is_none() {
            return format!("at {}", time.iso8601());
        }
        let left = self.now.until(time);
        let length = length_of(left.saturating_abs());
        let clock = self.clock(time);
        match (left, length) {
            (0.., None) => format!("in less than a minute, {clock}"),
            (0.., Some(length)) => format!("in {length}, {clock}"),
            (_, None) => format!("just now, {clock}"),
            (_, Some(length)) => format!("{length} ago, {clock}"),
        }
    }

    /// The same for what has happened: that may have been after `now` was read.
    pub fn spoken_past(&self, time: Timestamp) -> String {
        let now = self.now.max(Timestamp(time.0.saturating_add(1)));
        Self { now, ..*self }.spoken(time)
    }

    /// `14:05` today, `Tue 14:05` within six days, `Tue 8 Dec 14:05` this year, else with the year.
    pub fn clock(&self, time: Timestamp) -> String {
        let (Some(now), Some(time)) = (self.shifted(self.now), self.shifted(time)) else {
            return time.iso8601();
        };
        let days = time.date_naive().signed_duration_since(now.date_naive());
        let format = match days.num_days() {
            0 => "%H:%M",
            -6..=6 => "%a %H:%M",
            _ if time.format("%Y").to_string() == now.format("%Y").to_string() => "%a %-d %b %H:%M",
            _ => "%a %-d %b %Y %H:%M",
        };
        time.format(format).to_string()
    }

    /// `Tue 8 Dec 2026 14:05`, however near: for a time that is itself in question.
    pub fn date(&self, time: Timestamp) -> String {
        match self.shifted(time) {
            Some(time) => time.format("%a %-d %b %Y %H:%M").to_string(),
            None => time.iso8601(),
        }
    }

    /// The moment as a clock on the wall shows it, if a calendar has it.
    fn shifted(&self, time: Timestamp) -> Option<chrono::DateTime<chrono::Utc>> {
        let offset = i64::from(self.offset?(time)) * 1_000;
        chrono::DateTime::from_timestamp_millis(time.0.saturating_add(offset))
    }
}

/// A length of time in words, rounded; `None` below a minute.
fn length_of(millis: i64) -> Option<String> {
    const MINUTE: i64 = 60_000;
    let words = |unit: i64, name: &str| {
        let count = millis.saturating_add(unit / 2) / unit;
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    };
    match millis.saturating_add(MINUTE / 2) / MINUTE {
        0 => None,
        1..60 => Some(words(MINUTE, "minute")),
        60..2_850 => Some(words(60 * MINUTE, "hour")),
        _ => Some(words(24 * 60 * MINUTE, "day")),
    }
}

/// Parses a duration as OpenClaw's `--expires-in` takes it: a number, decimals allowed, and one of
/// `ms`, `s`, `m`, `h`, `d` in any case; without a unit, `default_unit`.
///
/// # Errors
/// Returns what such a duration looks like, if it is none, is negative, or too long to count.
pub fn parse_duration(text: &str, default_unit: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as 90s, 10m, 1.5h or 30d".to_owned();
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

/// A length of time: `40 s` below two minutes, else as [`short_duration`].
pub fn short_length(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        _ => short_duration(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_for_people_are_relative_first_and_local() {
        const HOUR: i64 = 3_600_000;
        // Tuesday, 2026-12-29 13:35 UTC.
        let now = Timestamp(1_798_551_300_000);
        let local = LocalTime {
            now,
            offset: Some(|_| 3_600),
        };
        let spoken = |hours: i64, seconds: i64| {
            local.spoken(Timestamp(now.0 + hours * HOUR + seconds * 1_000))
        };
        for (hours, seconds, expected) in [
            (0, 10, "in less than a minute, 14:35"),
            (0, -10, "just now, 14:34"),
            (0, 60, "in 1 minute, 14:36"),
            (0, -300, "5 minutes ago, 14:30"),
            (1, 0, "in 1 hour, 15:35"),
            (10, 0, "in 10 hours, Wed 00:35"),
            (-24, 0, "24 hours ago, Mon 14:35"),
            (72, 0, "in 3 days, Fri 14:35"),
            (-24 * 8, 0, "8 days ago, Mon 21 Dec 14:35"),
            (24 * 10, 0, "in 10 days, Fri 8 Jan 2027 14:35"),
        ] {
            assert_eq!(spoken(hours, seconds), expected);
        }
        let a_moment_later = Timestamp(now.0 + 10);
        assert_eq!(local.spoken_past(a_moment_later), "just now, 14:35");
        assert_eq!(LocalTime::utc(now).clock(now), "13:35");
        let never = Timestamp(i64::MAX);
        assert!(local.clock(never).ends_with(" ms"));
        assert_eq!(local.date(now), "Tue 29 Dec 2026 14:35");
        let iso = LocalTime::iso(now);
        assert_eq!(iso.spoken(now), "at 2026-12-29T13:35:00.000Z");
        assert_eq!(iso.clock(now), iso.date(now));
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
            Err("expected a duration such as 90s, 10m, 1.5h or 30d".to_owned())
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
