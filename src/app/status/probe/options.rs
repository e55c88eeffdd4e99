//! Options of the probes.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// The largest number of threads.
const MOST_AT_ONCE: usize = 64;
/// The longest deadline, in milliseconds: a day.
const LONGEST_MS: f64 = 86_400_000.0;

/// The options, with numbers as given, because the report repeats them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Only this provider.
    pub provider: Option<String>,
    /// Only these profiles; empty means all.
    #[serde(rename = "profileIds")]
    pub profiles: Vec<String>,
    /// The time limit of one probe in milliseconds; more than zero.
    #[serde(serialize_with = "number")]
    pub timeout_ms: f64,
    /// The number of probes at once; more than zero.
    #[serde(serialize_with = "number")]
    pub concurrency: f64,
    /// The number of tokens that a model may answer with; more than zero.
    #[serde(serialize_with = "number")]
    pub max_tokens: f64,
}

/// Writes a whole number as one: `8000`, not `8000.0`.
fn number<S: Serializer>(given: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match given.to_string().parse::<i64>() {
        Ok(whole) => serializer.serialize_i64(whole),
        Err(_) => serializer.serialize_f64(*given),
    }
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

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_written_as_the_reference_does() {
        let written = |number: f64| super::number(&number, serde_json::value::Serializer).unwrap();
        assert_eq!(written(8_000.0).to_string(), "8000");
        assert_eq!(written(0.5).to_string(), "0.5");
    }
}
