//! Reasons why a credential is used, waits, or is skipped.
//!
//! What explains a choice and what fails for want of one say the same of the same cause.

use std::borrow::Cow;

use crate::model::credential::SecretFault;
use crate::model::grant::Refusal;
use crate::model::hint::Hint;
use crate::model::id::printable;
use crate::model::selection::Verdict;
use crate::model::time::{LocalTime, short_duration};
use crate::model::usage::Unusable;

/// The words for a token that needs no refresh.
pub const AS_IT_IS: &str = "used as is";

/// The code of candidates that are not tried, because one profile alone may be used.
pub const NOT_ASKED: &str = "not-asked";

/// The code of profiles that neither an order nor the configuration names.
pub const NOT_NAMED: &str = "not-named";

/// A reason: a code for programs, and words for people, which follow the name of the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: &'static str,
    /// The words.
    pub words: Cow<'static, str>,
    /// Further information or advice.
    pub detail: Option<Hint>,
}

impl Reason {
    pub(in crate::app) fn new(code: &'static str, words: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            words: words.into(),
            detail: None,
        }
    }

    /// Describes a verdict of selection.
    pub(in crate::app) fn of_verdict(verdict: &Verdict, local: LocalTime) -> Self {
        match verdict {
            Verdict::Eligible => Self::new("usable", "usable"),
            Verdict::CoolingDown(until) => Self::unusable(
                &Unusable {
                    until: *until,
                    disabled: None,
                },
                local,
            ),
            Verdict::NotStored => Self::new("not-stored", "is not stored"),
            Verdict::OtherProvider(other) => {
                Self::new("other-provider", format!("is for {}", printable(other, 80)))
            }
            Verdict::ConfigDisagrees => Self::new(
                "config-disagrees",
                "has another provider or mode in auth.profiles",
            ),
            Verdict::NoSecret => Self::new("no-secret", "has no secret"),
            Verdict::Elsewhere => Self::new("elsewhere", SECRET_ELSEWHERE),
            Verdict::SecretFault(fault) => Self::new(secret_code(fault), fault.words()),
            Verdict::Expired => Self::new("expired", "has expired"),
            Verdict::NotNamed => Self::new(NOT_NAMED, "is not in the configured order"),
        }
    }

    /// Describes a cooldown.
    pub(in crate::app) fn unusable(unusable: &Unusable, local: LocalTime) -> Self {
        let left = short_duration(local.now.until(unusable.until));
        let until = local.clock(unusable.until);
        match &unusable.disabled {
            None => Self::new(
                "cooling-down",
                format!("is cooling down for another {left}, until {until}"),
            ),
            Some(reason) => {
                let reason = reason.as_ref();
                let reason = reason.map_or_else(String::new, |reason| {
                    format!(" ({})", printable(reason, 40))
                });
                Self::new(
                    "disabled",
                    format!("is disabled{reason} for another {left}, until {until}"),
                )
            }
        }
    }
}

/// Follows the name of a profile whose secret is only referred to.
pub(super) const SECRET_ELSEWHERE: &str =
    "keeps its secret elsewhere, where only OpenClaw reads it";

fn secret_code(fault: &SecretFault) -> &'static str {
    match fault {
        SecretFault::Unset(_) => "variable-not-set",
        SecretFault::Bearer(_) | SecretFault::Malformed(_) => "malformed-secret",
        SecretFault::Sealed(_) => "sealed",
    }
}

/// Quotes a refusal of the provider.
pub(in crate::app) fn refusal_words(refusal: &Refusal) -> String {
    let Refusal {
        code,
        description,
        status,
    } = refusal;
    let http = match status {
        0 => String::new(),
        status => format!(", HTTP {status}"),
    };
    match description.as_str() {
        words if words.is_empty() || words == code => {
            format!("rejected by the provider ({code}{http})")
        }
        words => format!("rejected by the provider ({code}{http}: {words})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bearer::BearerFault;
    use std::collections::HashSet;

    use crate::model::time::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    #[test]
    fn each_verdict_has_a_name_and_words_of_its_own() {
        let until = Timestamp(NOW.0 + 300_000);
        let verdicts = [
            Verdict::Eligible,
            Verdict::CoolingDown(until),
            Verdict::NotStored,
            Verdict::OtherProvider("x\u{1b}[2J".to_owned()),
            Verdict::ConfigDisagrees,
            Verdict::NoSecret,
            Verdict::Elsewhere,
            Verdict::SecretFault(SecretFault::Unset("ACME_KEY".to_owned())),
            Verdict::SecretFault(SecretFault::Bearer(BearerFault::TooLong)),
            Verdict::Expired,
            Verdict::NotNamed,
        ];
        let mut reasons: Vec<Reason> = verdicts
            .iter()
            .map(|verdict| Reason::of_verdict(verdict, LocalTime::utc(NOW)))
            .collect();
        let disabled = Some(Some("billing".to_owned()));
        reasons.push(Reason::unusable(
            &Unusable { until, disabled },
            LocalTime::utc(NOW),
        ));
        let codes: HashSet<&str> = reasons.iter().map(|reason| reason.code).collect();
        let words: HashSet<&str> = reasons.iter().map(|reason| &*reason.words).collect();
        assert_eq!((codes.len(), words.len()), (12, 12), "{reasons:?}");
        assert!(!reasons[3].words.contains('\u{1b}'), "{reasons:?}");
        let left = "is disabled (billing) for another 5m, until 06:35";
        assert_eq!(reasons[11].words, left);
    }
}
