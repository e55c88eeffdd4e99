//! What a secret looks like, for texts that quote one which nobody here knows: a server that repeats
//! a token of somebody else, a word of the command line.
//!
//! Only the words of others are judged by shape. Ours name paths, profiles and fingerprints, which may
//! look alike. In those of others a UUID and a request id stay, for support asks for them, and so do
//! words, versions, names of models and the host of a URL.

use std::borrow::Cow;

/// What is shown in the place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// The shortest run of characters that is a secret by what it is made of.
const LONG: usize = 24;
/// As many characters follow the prefix of a secret at least.
const BEHIND: usize = 6;
/// What keys and tokens begin with.
const PREFIXES: [&str; 9] = [
    "sk-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "ock_",
    "eyJ",
];
/// What a request id begins with.
const REQUEST: [&str; 2] = ["req_", "req-"];

/// Replaces by [`HIDDEN`] what looks like a secret.
pub fn hide_secrets(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut written = 0;
    for (start, run) in runs(text) {
        let is_in_url = run.starts_with("//") && text[..start].ends_with(':');
        // The host of a URL is none, and each step of its path stands for itself.
        let parts = match is_in_url {
            true => run.split('/').skip(3).collect(),
            false => vec![run],
        };
        for part in parts {
            if let Some(at) = secret_in(part) {
                let from = part.as_ptr() as usize - text.as_ptr() as usize;
                shown.push_str(&text[written..from + at]);
                shown.push_str(HIDDEN);
                written = from + part.len();
            }
        }
    }
    if written == 0 {
        return text.into();
    }
    shown.push_str(&text[written..]);
    shown.into()
}

/// Whether a word has something in it that looks like a secret.
pub fn looks_secret(word: &str) -> bool {
    runs(word).any(|(_, run)| secret_in(run).is_some())
}

/// The runs of characters of which tokens are made. An equals sign is one at an end, as padding.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "_-.~+/".contains(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(is_of_token)?;
        let behind = &text[start..];
        let end = behind
            .find(|c| !is_of_token(c))
            .map_or(text.len(), |end| start + end);
        let padding = text[end..].bytes().take_while(|byte| *byte == b'=').count();
        let is_padding = !text[end + padding..].starts_with(is_of_token);
        rest = end + padding;
        Some((start, &text[start..if is_padding { rest } else { end }]))
    })
}

/// Where a secret begins in a run; it ends with that.
fn secret_in(run: &str) -> Option<usize> {
    let known = PREFIXES.iter().filter_map(|prefix| {
        let mut places = run.match_indices(prefix).map(|(at, _)| at);
        places.find(|at| {
            let is_apart = !run[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
            is_apart && run.len() - at >= prefix.len() + BEHIND
        })
    });
    known.min().or_else(|| is_random(run).then_some(0))
}

/// Whether a long run is made of three kinds of characters and is no more than words.
fn is_random(run: &str) -> bool {
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        |byte| !byte.is_ascii_alphanumeric(),
    ];
    let has = |kind: &&fn(&u8) -> bool| run.bytes().any(|byte| kind(&byte));
    run.len() >= LONG
        && kinds.iter().filter(has).count() >= 3
        && !REQUEST.iter().any(|prefix| run.starts_with(prefix))
        && !is_uuid(run)
        && !run.split(|c: char| !c.is_ascii_alphanumeric()).all(is_word)
}

/// Whether it is a word of one case, perhaps with a capital in front, a number or a date, or short.
fn is_word(piece: &str) -> bool {
    let all = |is: fn(&u8) -> bool| piece.bytes().all(|byte| is(&byte));
    let rest = piece.get(1..).unwrap_or_default();
    piece.len() <= 3
        || all(u8::is_ascii_uppercase)
        || all(u8::is_ascii_alphabetic) && rest.bytes().all(|byte| byte.is_ascii_lowercase())
        || all(u8::is_ascii_digit) && piece.len() <= 8
}

fn is_uuid(run: &str) -> bool {
    let parts = run.trim_end_matches('.').split('-');
    let lengths = parts.map(|part| {
        let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then_some(part.len())
    });
    lengths.eq([8, 4, 4, 4, 12].map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden() {
        for (text, shown) in [
            (
                "bad token sk-ant-oat01-ABCDEFGHIJKLMNOPQRSTUVWX1234567890abcdef",
                "bad token (hidden)",
            ),
            ("token=sk-proj-abcdef!", "token=(hidden)!"),
            ("Bearer/sk-abcdef.", "Bearer/(hidden)"),
            (
                "gho_16C7e42F292c, ghp_abcdef github_pat_11ABCDE_x",
                "(hidden), (hidden) (hidden)",
            ),
            ("<eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln>", "<(hidden)>"),
            (
                "1//0gAbCdEfGhIjKlMnOpQrStU was revoked",
                "(hidden) was revoked",
            ),
            ("AbCdEfGhIjKlMnOpQrStUvWx12==", "(hidden)"),
            (
                "access_token=AbCd1fGhIjKlMnOpQrStUvWx&x=1",
                "access_token=(hidden)&x=1",
            ),
            (
                "https://x.example/a/AbCd1fGhIjKlMnOpQrStUvWx/b?t=AbCd1fGhIjKlMnOpQrStUvWx",
                "https://x.example/a/(hidden)/b?t=(hidden)",
            ),
            ("ä sk-abcdefg ä", "ä (hidden) ä"),
        ] {
            assert_eq!(hide_secrets(text), shown);
        }
    }

    #[test]
    fn what_people_need_stays() {
        for text in [
            "",
            "AADSTS70008: The refresh token has expired. Trace ID: 3f2504e0-4f89-11d3-9a0c-0305e82c3301.",
            "request id: req_011CSHoEeqs5C35K2UUqR7Fy (req-0b1c2d3e4f5a6b7c8d9e0f1A)",
            "model claude-3-5-sonnet-20241022 is gone, use anthropic.claude-3-5-sonnet-20241022-v2:0",
            "see https://docs.eu-west-1.Example.com/errors/Invalid_grant-2#what-to-do-then",
            "Incorrect API key provided: sk-proj-****x1. Internal-Server-Error.Please-try-again",
            "unsupported_country_region_territory at 2026-11-29T06:29:00.123Z, task-force-risk-taking",
            "sha256:0123456789ab anthropic:first.last@example.com",
        ] {
            assert_eq!(hide_secrets(text), text);
        }
    }
}
