//! Which errors of a token endpoint mean that a person must log in again: one list for all servers,
//! which a manifest extends.

use crate::model::provider::Refusals;

/// The codes that mean the grant, the user's consent or the client is refused for good, whatever
/// the server. The description in `invalid_request` decides for itself.
const CODES: [&str; 32] = [
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
];

/// Descriptions that speak of a dead refresh token, whatever the code: `*` stands for any text.
const DESCRIPTIONS: [&str; 11] = [
    "invalid*refresh token",
    "refresh token*invalid",
    "refresh token*incorrect",
    "expired*refresh token",
    "refresh token*expired",
    "refresh token*revoked",
    "revoked*refresh token",
    "refresh token*not found",
    "refresh token*does not exist",
    "refresh token*already*used",
    "refresh token*reused",
];

/// Reports whether a code is one that refuses for good.
pub(super) fn is_code(code: &str, more: &Refusals) -> bool {
    let code = plain(code);
    let mut known = CODES
        .into_iter()
        .chain(more.codes.iter().map(String::as_str));
    known.any(|known| plain(known) == code)
}

/// Reports whether an error refuses for good.
pub(super) fn is_final(status: u16, code: &str, description: &str, more: &Refusals) -> bool {
    if matches!(status, 408 | 425 | 429 | 500..) {
        return false;
    }
    let more_words = more.descriptions.iter().map(String::as_str);
    let description = words(description);
    is_code(code, more)
        || more.statuses.contains(&status)
        || DESCRIPTIONS
            .into_iter()
            .chain(more_words)
            .any(|pattern| contains(&description, pattern))
}

/// A code without what servers do not agree on: case, and what joins its words.
fn plain(code: &str) -> String {
    code.trim()
        .to_ascii_lowercase()
        .replace(['-', ' ', '.'], "_")
}

fn words(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', '-'], " ")
}

/// Whether the parts of a pattern stand in a text one after the other.
fn contains(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    words(pattern).split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
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
        ] {
            assert!(is_refused(400, code, ""), "{code}");
        }
        for description in [
            "Invalid refresh token or client_id",
            "The refresh_token is invalid",
            "The refresh token has expired",
            "Refresh token has already been used",
            "Refresh Token not found.",
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
