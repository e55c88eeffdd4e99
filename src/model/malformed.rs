//! What shows that a text is no secret that anybody could use, wherever it comes from: a paste, a
//! variable, a document. No sentence repeats any of it.

use super::bearer::LONGEST;
use super::text::is_invisible;

/// The quotes of a keyboard: they stand around secrets, and in none.
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// What pages and logs show in the place of what they hide.
const MASKS: [&str; 2] = ["***", "..."];
/// What programs write where there is nothing.
const NOTHING: [&str; 6] = ["null", "(null)", "none", "(none)", "nil", "undefined"];
/// Secrets that are neither a key nor a token, and what they are.
const OTHERS: [(&str, &str); 3] = [
    (
        "sk-ant-ort01-",
        "is a refresh token of Anthropic, which works only in the login that it came with",
    ),
    (
        "sk-ant-sid01-",
        "is a session cookie of claude.ai, which no program can use",
    ),
    ("-----BEGIN", "is a PEM file"),
];
/// The shortest prefix that is in the middle of no secret by chance.
const TELLING: usize = 4;
/// The shortest text of which two halves are alike by no chance.
const TWICE: usize = 16;

/// Why a text is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A character that none has.
    Character(char),
    /// Something else; words that follow the name of the secret.
    Other(&'static str),
}

impl Malformed {
    /// Describes it; the words follow the name of the secret.
    pub fn words(&self) -> String {
        match self {
            Self::Character(odd) => format!("contains the character {odd:?}, which none has"),
            Self::Other(words) => (*words).to_owned(),
        }
    }

    /// Judges a secret from which all that was copied along is removed.
    pub fn of(secret: &str) -> Option<Self> {
        let other = |words| Some(Self::Other(words));
        let is_odd = |c: &char| !c.is_ascii_graphic() || QUOTES.contains(c) || *c == '\\';
        if let Some(odd) = secret.chars().find(is_odd) {
            return Some(Self::Character(odd));
        }
        if secret.len() > LONGEST {
            return other("is longer than 16384 bytes");
        }
        if MASKS.iter().any(|mask| secret.contains(mask)) {
            return other("is masked, so a part of it is missing");
        }
        if let Some((_, words)) = OTHERS.iter().find(|(head, _)| secret.starts_with(head)) {
            return other(words);
        }
        if NOTHING.iter().any(|word| secret.eq_ignore_ascii_case(word)) {
            return other("is a word for nothing");
        }
        if secret.ends_with([',', ';']) {
            return other("ends with a comma or a semicolon");
        }
        let brackets = [('<', '>'), ('[', ']'), ('(', ')'), ('{', '}')];
        let is_in = |(open, close)| secret.starts_with(open) && secret.ends_with(close);
        if brackets.into_iter().any(is_in) {
            return other("is in brackets");
        }
        if secret.starts_with("$(") {
            return other("is a command of a shell");
        }
        if secret.contains("://") {
            return other("is a URL");
        }
        None
    }

    /// Judges by a look at its ends what lies in a document, where secrets are long and many.
    pub(super) fn of_stored(secret: &str) -> Option<Self> {
        let ends = [secret.chars().next(), secret.chars().next_back()];
        let odd = ends.into_iter().flatten().find(|c| QUOTES.contains(c));
        odd.map(Self::Character)
    }

    /// Says what is wrong with a text that is more than one secret: `pasted` as it came, and
    /// `secret` as it was cleaned. Secrets of its kind begin with `prefix`.
    pub fn of_several(pasted: &str, secret: &str, prefix: Option<&str>) -> Option<Self> {
        let other = |words| Some(Self::Other(words));
        let words: Vec<&str> = pasted.split_whitespace().collect();
        if words.iter().skip(1).any(|word| word.starts_with('#')) {
            return other("is followed by a comment");
        }
        let is_same = words.len() > 1 && words.iter().all(|word| word == &words[0]);
        if is_same || is_twice(secret) {
            return other("was pasted twice");
        }
        let heads = prefix
            .into_iter()
            .chain(words.first().and_then(|word| head(word)));
        let mut counts =
            heads.map(|head| words.iter().filter(|word| word.starts_with(head)).count());
        let is_joined = counts.any(|count| count > 1);
        // A short prefix may be in the middle of a secret by chance.
        let again = prefix.filter(|prefix| prefix.len() > TELLING);
        let is_again = again.is_some_and(|prefix| secret.match_indices(prefix).count() > 1);
        (is_joined || is_again)
            .then_some("is two of them, one behind the other")
            .and_then(other)
    }
}

/// Returns the part of a secret that names its kind: `sk-`, `gsk_`.
fn head(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(is_invisible);
    let end = word.find(['-', '_'])?;
    let is_name = end > 0 && word.bytes().take(end).all(|c| c.is_ascii_lowercase());
    is_name.then(|| &word[..=end])
}

fn is_twice(secret: &str) -> bool {
    let middle = secret.len() / 2;
    secret.len() >= TWICE
        && secret.is_char_boundary(middle)
        && secret[..middle] == secret[middle..]
        && secret.bytes().any(|byte| byte != secret.as_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_nobody_could_use_is_told_from_a_secret() {
        for secret in [
            "sk-proj-x1",
            "YWJj/+==",
            "1|abc",
            "id:secret",
            "x*y!z$",
            "4/0Ab.c..d~",
            "a,b",
            "none-of-it",
        ] {
            assert_eq!(Malformed::of(secret), None, "{secret}");
        }
        for odd in ['\u{201c}', '\u{2013}', '"', '\'', '`', '\\', 'é', ' ', '\n'] {
            for secret in [format!("{odd}sk"), format!("s{odd}k"), format!("sk{odd}")] {
                assert_eq!(Malformed::of(&secret), Some(Malformed::Character(odd)));
            }
        }
        for (secret, word) in [
            ("sk-proj-****", "masked"),
            ("sk-...x1", "masked"),
            ("sk-x1\u{2026}", "character"),
            ("sk-proj-x1,", "comma"),
            ("sk-proj-x1;", "semicolon"),
            ("<sk-proj-x1>", "brackets"),
            ("{sk-proj-x1}", "brackets"),
            ("https://example.com/keys", "URL"),
            ("None", "nothing"),
            ("$(catkey)", "shell"),
            ("-----BEGINKEY-----", "PEM"),
            ("sk-ant-ort01-x", "refresh token"),
            ("sk-ant-sid01-x", "cookie"),
        ] {
            let words = Malformed::of(secret).map(|fault| fault.words());
            assert!(words.is_some_and(|text| text.contains(word)), "{secret}");
        }
    }

    #[test]
    fn two_secrets_are_told_from_one_that_was_wrapped() {
        let whole = |pasted: &str, prefix| {
            let secret: String = pasted.split_whitespace().collect();
            let fault = Malformed::of_several(pasted, &secret, prefix);
            fault.map(|fault| fault.words())
        };
        let (twice, two, comment) = (
            Some("was pasted twice"),
            Some("is two of them, one behind the other"),
            Some("is followed by a comment"),
        );
        for (pasted, prefix, expected) in [
            ("sk-abcdefgh", Some("sk-"), None),
            ("sk-abc\ndefgh", Some("sk-"), None),
            ("sk-abcsk-defgh", Some("sk-"), None),
            ("aaaaaaaaaaaaaaaaaaaa", None, None),
            ("abc#def", None, None),
            ("ABCD-x\nABCD-y", None, None),
            ("x-api-key: sk-abcdefgh", Some("sk-"), None),
            ("sk-abcdefghsk-abcdefgh", Some("sk-"), twice),
            ("sk-abcdefgh\nsk-abcdefgh\n", Some("sk-"), twice),
            ("0123456789abcdef0123456789abcdef", None, twice),
            ("sk-abcdefgh\nsk-ijklmnop", Some("sk-"), two),
            ("sk-abcdefgh\nsk-ijklmnop", None, two),
            ("gsk_a gsk_b", None, two),
            ("sk-ant-oat01-absk-ant-oat01-cd", Some("sk-ant-oat01-"), two),
            ("sk-abcdefgh # work", Some("sk-"), comment),
        ] {
            assert_eq!(whole(pasted, prefix).as_deref(), expected, "{pasted}");
        }
    }
}
