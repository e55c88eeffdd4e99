//! Which errors of a token endpoint mean that a person must log in again: one list for all servers,
//! which a manifest extends.

use crate::model::provider::Refusals;

/// The codes that mean the grant, the user's consent or the client is refused for good, whatever
/// the server. The description in `invalid_request` decides for itself.
const CODES: [&str; 42] = [
    // RFC 6749 section 5.2.
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "access_denied",
    // OpenID Connect Core section 3.1.2.6, and what Entra adds.
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    "mfa_required",
    // OpenAI.
    "refresh_token_reused",
    "refresh_token_expired",
    "refresh_token_invalidated",
    "token_expired",
    // GitHub.
    "bad_refresh_token",
    "bad_verification_code",
    "incorrect_client_credentials",
    // Google and Firebase.
    "invalid_rapt",
    "rapt_required",
    "deleted_client",
    "disabled_client",
    "user_disabled",
    "user_not_found",
    "admin_policy_enforced",
    // Others, in each order of the words.
    "invalid_refresh_token",
    "refresh_token_invalid",
    "expired_refresh_token",
    "refresh_token_revoked",
    "revoked_refresh_token",
    "refresh_token_not_found",
    "token_revoked",
    "invalid_token",
    "account_inactive",
    "expired_token",
    "revoked_token",
    "refresh_token_unknown",
    "unknown_refresh_token",
    "invalid_auth",
    "invalid_session",
    "session_expired",
    "expired_session",
    "grant_expired",
    "expired_grant",
];

/// The codes that say nothing of the grant, whatever words stand beside them: the server is in
/// trouble, or the request is wrong.
const OTHER_CODES: [&str; 20] = [
    "temporarily_unavailable",
    "server_error",
    "internal_error",
    "internal_server_error",
    "internal",
    "service_unavailable",
    "unavailable",
    "backend_error",
    "timeout",
    "overloaded",
    "overloaded_error",
    "slow_down",
    "try_again_later",
    "rate_limited",
    "rate_limit_exceeded",
    "rate_limit_error",
    "too_many_requests",
    "quota_exceeded",
    "unsupported_grant_type",
    "invalid_scope",
];

/// What is said of a refresh token that is dead, before or behind it; `*` stands for a few words.
const DEAD: [&str; 21] = [
    "invalid",
    "incorrect",
    "expired",
    "revoked",
    "unknown",
    "malformed",
    "unrecognized",
    "unrecognised",
    "not recognized",
    "wrong",
    "inactive",
    "not active",
    "consumed",
    "blacklisted",
    "reused",
    "already*used",
    "not found",
    "does not exist",
    "no longer valid",
    "not valid",
    "not a valid",
];

/// Other descriptions of a dead grant, whatever the code.
const DESCRIPTIONS: [&str; 11] = [
    "token has been*revoked",
    "token has been*expired",
    "token was revoked",
    "token has expired",
    "token is expired",
    "grant has expired",
    "grant has been revoked",
    "grant was revoked",
    "session has expired",
    "session expired",
    "please re authenticate",
];

/// Words between two parts of a description that make it speak of something else.
const ELSEWHERE: [&str; 17] = [
    "grant",
    "type",
    "parameter",
    "missing",
    "required",
    "expected",
    "request",
    "response",
    "connection",
    "error",
    "value",
    "while",
    "attempts",
    "scope",
    "server",
    "json",
    "near",
];

/// As many words may stand between two parts of a description.
const FEW: usize = 4;

/// Reports whether a code is one that refuses for good.
pub(super) fn is_code(code: &str, more: &Refusals) -> bool {
    let more: Vec<String> = more.codes.iter().map(|code| plain(code)).collect();
    is_any(code, |code| {
        more.iter().any(|known| known == code) || CODES.iter().any(|known| plain(known) == code)
    })
}

/// Reports whether a code is one that says nothing of the grant.
pub(super) fn is_passing(code: &str) -> bool {
    is_any(code, |code| {
        OTHER_CODES.iter().any(|known| plain(known) == code)
    })
}

/// Whether a code, or a word in it that has one to itself, is known: `oauth2.invalid_grant`,
/// `invalid_grant: Token has been revoked`, `ExpiredTokenException`.
fn is_any(code: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let words = code.split([':', '.', '/', '#']).map(str::trim);
    let words = words.filter(|word| !word.contains(char::is_whitespace));
    std::iter::once(code).chain(words).any(|word| {
        let word = plain(word);
        is_known(&word) || word.strip_suffix("exception").is_some_and(&is_known)
    })
}

/// Reports whether an error refuses for good.
pub(super) fn is_final(status: u16, code: &str, description: &str, more: &Refusals) -> bool {
    if matches!(status, 408 | 425 | 429 | 500..) {
        return false;
    }
    if is_code(code, more) || more.statuses.contains(&status) {
        return true;
    }
    let description = words(description);
    let said = |pattern: &String| contains(&description, pattern, &|_| true);
    let more = more.descriptions.iter().any(said);
    more || !is_passing(code) && is_dead(&description)
}

/// Whether a description speaks of a dead refresh token.
fn is_dead(description: &str) -> bool {
    let said = |pattern: &str| contains(description, pattern, &is_close);
    let of_token = |dead: &&str| {
        said(&format!("{dead}*refresh token")) || said(&format!("refresh token*{dead}"))
    };
    DEAD.iter().any(of_token) || DESCRIPTIONS.iter().any(|pattern| said(pattern))
}

/// A code without what servers do not agree on: case, and what joins its words.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(|c| c.is_alphanumeric());
    letters.collect::<String>().to_ascii_lowercase()
}

fn words(text: &str) -> String {
    let text = text.to_ascii_lowercase().replace(['_', '-'], " ");
    text.replace("refreshtoken", "refresh token")
}

/// Whether the parts of a pattern stand in a text one after the other, with nothing between them
/// that is no gap.
fn contains(text: &str, pattern: &str, is_gap: &dyn Fn(&str) -> bool) -> bool {
    let pattern = words(pattern);
    let parts: Vec<&str> = pattern.split('*').collect();
    follows(text, &parts, &|_| true, is_gap)
}

fn follows(
    text: &str,
    parts: &[&str],
    is_first_gap: &dyn Fn(&str) -> bool,
    is_gap: &dyn Fn(&str) -> bool,
) -> bool {
    let Some((part, parts)) = parts.split_first() else {
        return true;
    };
    let mut places = text.match_indices(part);
    places.any(|(at, _)| {
        is_first_gap(&text[..at]) && follows(&text[at + part.len()..], parts, is_gap, is_gap)
    })
}

/// Whether what stands between two parts of a sentence leaves them one thought.
fn is_close(gap: &str) -> bool {
    let mut words = gap.split_whitespace();
    !gap.contains([':', ';', '.', ','])
        && gap.split_whitespace().count() <= FEW
        && !words.any(|word| ELSEWHERE.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(status: u16, code: &str, description: &str) -> bool {
        is_final(status, code, description, &Refusals::default())
    }

    #[test]
    fn a_dead_grant_is_known_by_code_or_description() {
        for code in [
            "invalid_grant",
            "bad_refresh_token",
            "interaction_required",
            "Invalid-Grant",
            "TOKEN_EXPIRED",
            "invalidGrant",
            "RefreshTokenExpired",
            "oauth2.invalid_grant",
            "invalid_grant: Token has been expired or revoked.",
            "ExpiredTokenException",
            "session_expired",
        ] {
            assert!(is_refused(400, code, ""), "{code}");
        }
        for description in [
            "Invalid refresh token or client_id",
            "The refresh_token is invalid",
            "The refresh token has expired",
            "Refresh token has already been used",
            "Refresh Token not found.",
            "Unknown refresh token",
            "Malformed refresh token",
            "wrong refreshToken",
            "The refresh token is no longer valid",
            "The refresh token is not recognized",
            "Invalid request, or an invalid refresh token",
            "Token has been expired or revoked.",
            "The grant has expired",
            "Please re-authenticate",
            "Your session has expired. Please sign in again.",
        ] {
            assert!(
                is_refused(400, "invalid_request", description),
                "{description}"
            );
        }
    }

    #[test]
    fn what_says_nothing_of_the_grant_is_no_refusal() {
        for (status, code, description) in [
            (400, "invalid_request", ""),
            (400, "invalid_request", "refresh token is required"),
            (400, "invalid_request", "Invalid scope"),
            (400, "invalid_scope", "invalid"),
            (400, "temporarily_unavailable", ""),
            (429, "invalid_grant", "Invalid refresh token"),
            (503, "invalid_grant", ""),
            (400, "temporarily_unavailable", "invalid refresh token"),
            (400, "server_error", "expired refresh token"),
            (
                403,
                "rate_limit_exceeded",
                "Too many invalid attempts with this refresh token",
            ),
            (
                400,
                "",
                "Too many invalid attempts with this refresh token, try later",
            ),
            (
                400,
                "",
                "invalid response from upstream while redeeming refresh token",
            ),
            (
                400,
                "",
                "internal error: expired connection while validating the refresh token",
            ),
            (
                400,
                "invalid_request",
                "Invalid value for grant_type: expected authorization_code or refresh_token",
            ),
            (
                400,
                "invalid_request",
                "Invalid request: missing parameter refresh_token",
            ),
            (
                400,
                "unsupported_grant_type",
                "Invalid grant_type refresh_token",
            ),
            (400, "invalid_request", "Invalid grant_type refresh_token"),
            (400, "invalid_request", "Unknown parameter refresh_token"),
            (
                400,
                "invalid_request",
                "Invalid JSON near refresh token field",
            ),
        ] {
            assert!(
                !is_refused(status, code, description),
                "{status} {code} {description}"
            );
        }
    }

    #[test]
    fn a_manifest_adds_codes_words_and_statuses() {
        let more = Refusals {
            codes: vec!["E1007".into()],
            descriptions: vec!["session * over".into()],
            statuses: vec![400],
        };
        assert!(is_final(403, "e1007", "", &more));
        assert!(is_final(403, "x", "Your session is over!", &more));
        assert!(!is_final(403, "x", "over: your session", &more));
        assert!(is_final(400, "", "", &more) && !is_final(403, "", "", &more));
    }
}
