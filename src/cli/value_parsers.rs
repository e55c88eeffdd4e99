//! How the values of options are read.

use std::time::Duration;

use crate::model::time::parse_duration;

/// A duration of which a bare number is seconds: `90`, `10m`, `1.5h`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    parse_duration(text, "s")
}

/// A duration of which a bare number is days, as `--expires-in` of the reference release.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    parse_duration(text, "d")
}
