//! The meaning of a response, or of its absence, for a credential: the words and statuses of the
//! reference release.

use serde::Serialize;
use strum::AsRefStr;

/// The status of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// The provider accepts the credential.
    Ok,
    /// The provider rejects it.
    Auth,
    /// Not now: a rate limit, or overload.
    RateLimit,
    /// A bill is unpaid, or credits are used up.
    Billing,
    /// No response in time.
    Timeout,
    /// The request was malformed, which says nothing of the credential.
    Format,
    /// Not known: it was not asked, or the response says something else.
    Unknown,
    /// There is nothing to ask the provider for.
    NoModel,
}

/// The words, in lower case, that mean a status; the first that fits counts. A number must stand
/// alone: `401` is part of many request ids.
const WORDS: [(Status, &[&str]); 5] = [
    (
        Status::RateLimit,
        &[
            "rate limit",
            "rate_limit",
            "too many requests",
            "429",
            "exceeded your current quota",
            "resource exhausted",
            "resource_exhausted",
            "quota exceeded",
            "usage limit",
            "overloaded",
        ],
    ),
    (
        Status::Format,
        &[
            "string should match pattern",
            "tool_use.id",
            "tool_use_id",
            "invalid request format",
        ],
    ),
    (
        Status::Billing,
        &[
            "402",
            "payment required",
            "insufficient credits",
            "credit balance",
            "plans & billing",
        ],
    ),
    (
        Status::Timeout,
        &["timeout", "timed out", "deadline exceeded"],
    ),
    (
        Status::Auth,
        &[
            "invalid api key",
            "invalid_api_key",
            "incorrect api key",
            "api key not valid",
            "invalid token",
            "authentication",
            "re-authenticate",
            "oauth token refresh failed",
            "unauthorized",
            "forbidden",
            "access denied",
            "expired",
            "401",
            "403",
            "no credentials found",
            "no api key found",
        ],
    ),
];

/// Words beside which `billing` means an unpaid bill.
const BILLING: [&str; 4] = ["upgrade", "credits", "payment", "plan"];

/// Returns the status that the words of a failure mean, if any.
pub(super) fn of_words(text: &str) -> Option<Status> {
    let text = text.to_lowercase();
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let holds = |word: &&str| match is_number(word) {
        true => text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|other| other == *word),
        false => text.contains(word),
    };
    let pays = || text.contains("billing") && BILLING.iter().any(|word| text.contains(word));
    let mut all = WORDS.iter();
    let found = all
        .find(|(status, words)| words.iter().any(holds) || (*status == Status::Billing && pays()));
    found.map(|(status, _)| *status)
}

/// Returns the status that an error response means: by its HTTP status first, then by its words.
pub(super) fn of_answer(status: u16, words: &str) -> Status {
    match status {
        402 => Status::Billing,
        429 => Status::RateLimit,
        401 | 403 => Status::Auth,
        408 => Status::Timeout,
        _ => of_words(words).unwrap_or(match status {
            400 | 422 => Status::Format,
            _ => Status::Unknown,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_come_first_and_words_in_their_order() {
        for (status, words, expected) in [
            (402, "invalid api key", Status::Billing),
            (429, "unauthorized", Status::RateLimit),
            (401, "You exceeded your current quota", Status::Auth),
            (403, "", Status::Auth),
            (408, "", Status::Timeout),
            (400, "Your credit balance is too low", Status::Billing),
            (
                400,
                "API key not valid. Please pass a valid API key.",
                Status::Auth,
            ),
            (400, "String should match pattern '^x'", Status::Format),
            (400, "what?", Status::Format),
            (529, "overloaded_error: Overloaded", Status::RateLimit),
            (500, "billing: upgrade your plan", Status::Billing),
            (500, "billing department", Status::Unknown),
            (503, "", Status::Unknown),
            (504, "upstream timed out", Status::Timeout),
            (500, "see request req_4290 and 14015", Status::Unknown),
            (500, "upstream said 401.", Status::Auth),
            (404, "", Status::Unknown),
        ] {
            assert_eq!(of_answer(status, words), expected, "{status} {words}");
        }
    }
}
