//! The options of `models status --probe`.

use clap::Args;

use crate::app::failure::{Failure, Kind};
use crate::app::status::probe::Options;

/// What is tried, and for how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Probe options")]
pub struct ProbeFlags {
    /// Test each credential with a small real request
    #[arg(long)]
    probe: bool,
    /// Only test credentials of this provider
    #[arg(long, value_name = "ID")]
    probe_provider: Option<String>,
    /// Only test this profile; can be repeated or comma-separated
    #[arg(long, value_name = "PROFILE")]
    probe_profile: Vec<String>,
    /// Timeout of each request in milliseconds [default: 8000]
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    probe_timeout: Option<String>,
    /// Number of concurrent requests [default: 2]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    probe_concurrency: Option<String>,
    /// Maximum tokens of a response, if a model is called [default: 8]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    probe_max_tokens: Option<String>,
}

impl ProbeFlags {
    /// What they ask for; nothing without `--probe`. Numbers are looked at all the same.
    ///
    /// # Errors
    /// What the reference release says of options that do not go together or are no number.
    pub fn options(&self, plain: bool) -> Result<Option<Options>, Failure> {
        if self.probe && plain {
            return Err(usage("--probe cannot be used with --plain output."));
        }
        let timeout = "--probe-timeout must be a positive number (ms).";
        let options = Options {
            provider: trimmed(self.probe_provider.as_deref()),
            profiles: self
                .probe_profile
                .iter()
                .flat_map(|names| names.split(','))
                .filter_map(|name| trimmed(Some(name)))
                .collect(),
            timeout_ms: positive(self.probe_timeout.as_deref(), 8_000.0, timeout)?,
            concurrency: positive(
                self.probe_concurrency.as_deref(),
                2.0,
                "--probe-concurrency must be > 0.",
            )?,
            max_tokens: positive(
                self.probe_max_tokens.as_deref(),
                8.0,
                "--probe-max-tokens must be > 0.",
            )?,
        };
        Ok(self.probe.then_some(options))
    }
}

fn trimmed(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn positive(text: Option<&str>, usual: f64, wrong: &str) -> Result<f64, Failure> {
    // An empty option is none, as in the reference release.
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(usual);
    };
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(usage(wrong)),
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Kind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: ProbeFlags,
    }

    fn options(args: &[&str]) -> Result<Option<Options>, String> {
        let line = Line::parse_from(["x"].iter().chain(args));
        line.flags.options(false).map_err(|failure| failure.message)
    }

    #[test]
    fn numbers_are_those_of_the_reference() {
        let usual = options(&["--probe"]).unwrap().unwrap();
        let numbers = (usual.timeout_ms, usual.concurrency, usual.max_tokens);
        assert_eq!(numbers, (8_000.0, 2.0, 8.0));
        assert!(options(&[]).unwrap().is_none());
        for wrong in ["0", "-1", "soon", "NaN", "inf", "1e999"] {
            for (flag, said) in [
                (
                    "--probe-timeout",
                    "--probe-timeout must be a positive number (ms).",
                ),
                ("--probe-concurrency", "--probe-concurrency must be > 0."),
                ("--probe-max-tokens", "--probe-max-tokens must be > 0."),
            ] {
                assert_eq!(options(&[flag, wrong]).unwrap_err(), said, "{wrong}");
            }
        }
        let given = options(&[
            "--probe",
            "--probe-timeout",
            "0.5",
            "--probe-max-tokens",
            "",
        ]);
        let given = given.unwrap().unwrap();
        assert_eq!((given.timeout_ms, given.max_tokens), (0.5, 8.0));
    }

    #[test]
    fn profiles_come_in_turn_or_with_commas() {
        let profiles = "--probe-profile";
        let given = options(&["--probe", profiles, "a:x, a:y,", profiles, " b:z "]);
        assert_eq!(given.unwrap().unwrap().profiles, ["a:x", "a:y", "b:z"]);
    }
}
