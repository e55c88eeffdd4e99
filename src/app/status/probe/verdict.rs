//! What an answer, or none, says of a credential: the words and statuses of the reference release.

/// What came of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The provider takes the credential.
    Ok,
    /// It does not.
    Auth,
    /// Not now: a limit is reached, or too many ask.
    RateLimit,
    /// Somebody must pay first.
    Billing,
    /// No answer in time.
    Timeout,
    /// The request was not understood, which says nothing of the credential.
    Format,
    /// Nobody knows: it was not asked, or the answer says something else.
    Unknown,
    /// There is nothing that could be asked.
    NoModel,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::Billing => "billing",
            Self::Timeout => "timeout",
            Self::Format => "format",
            Self::Unknown => "unknown",
            Self::NoModel => "no_model",
        }
    }
}

/// What a text must hold, in small letters, to mean something; the first that fits counts. A number
/// must stand alone: `401` is part of many a request's id.
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

/// What makes `billing` mean that.
const BILLING: [&str; 4] = ["upgrade", "credits", "payment", "plan"];

/// What the words of a failure mean, if they say it.
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

/// What an answer means that is not a yes: its status first, then its words.
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
