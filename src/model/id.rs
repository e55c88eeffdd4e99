//! Names: of agents, providers and profiles.
//!
//! A name is shown on terminals, put into messages and, for an agent, into a path. So none of them
//! can hold a control character or a bidirectional override, and an agent's name cannot leave its
//! directory (a profile id `..` once escaped into a lock path of the reference program).

use serde::{Deserialize, Serialize};

/// Defines `as_str` and `Display` of texts that were checked.
macro_rules! shown_as_text {
    ($($name:ident)*) => {$(
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

pub(crate) use shown_as_text;

/// A fault of a name; each variant begins with the kind of name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The name is blank.
    #[error("a {0} cannot be empty")]
    Empty(&'static str),
    /// The name is too long.
    #[error("a {0} cannot be longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// A character that could act on a terminal or a path.
    #[error("a {0} cannot contain {1:?}")]
    Forbidden(&'static str, char),
    /// A name that means a directory.
    #[error("{1:?} is not a valid {0}")]
    Reserved(&'static str, String),
}

/// Reports whether a character could steer a terminal: control characters and bidirectional
/// formatting.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Untrusted text made fit for one line of a terminal: unprintable characters become spaces, runs
/// of white space one space, and at most `limit` characters are kept.
///
/// For what a server says (`error_description`) and what a store holds: Codex 0.169 let a server
/// print a false success line this way.
pub fn printable(text: &str, limit: usize) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| if is_unprintable(c) { ' ' } else { c })
        .collect();
    let mut line = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(limit) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// The longest name of a new login, in bytes: with the longest provider and a number behind it, it
/// is a profile id.
const LONGEST_NAME: usize = 180;

/// Whether no name may hold a character.
fn is_forbidden(c: char) -> bool {
    is_unprintable(c) || matches!(c, '/' | '\\')
}

fn checked(what: &'static str, text: &str, limit: usize) -> Result<String, IdError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(IdError::Empty(what));
    }
    if name.len() > limit {
        return Err(IdError::TooLong(what, limit));
    }
    if let Some(character) = name.chars().find(|c| is_forbidden(*c)) {
        return Err(IdError::Forbidden(what, character));
    }
    if matches!(name, "." | "..") {
        return Err(IdError::Reserved(what, name.to_owned()));
    }
    Ok(name.to_owned())
}

/// The name of an agent: `[a-z0-9_-]{1,64}`, normalised as OpenClaw does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct AgentId(String);

impl From<String> for AgentId {
    fn from(text: String) -> Self {
        Self::normalise(&text)
    }
}

impl AgentId {
    /// The agent whose credentials the others read through to.
    pub const MAIN: &'static str = "main";

    /// The main agent.
    pub fn main() -> Self {
        Self(Self::MAIN.to_owned())
    }

    /// Normalises a text as OpenClaw does: lower case; every run of other characters becomes one
    /// `-`; dashes at the ends fall away; at most 64 characters; nothing left means `main`.
    pub fn normalise(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts_well = lower.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && lower.len() <= 64 && lower.chars().all(is_plain) {
            return Self(lower);
        }
        let mut id = String::with_capacity(lower.len());
        for c in lower.chars() {
            if is_plain(c) {
                id.push(c);
            } else if !id.ends_with('-') {
                id.push('-');
            }
        }
        let mut id = id.trim_matches('-').to_owned();
        id.truncate(64);
        if id.is_empty() {
            Self::main()
        } else {
            Self(id)
        }
    }

    /// True for the agent called `main`.
    pub fn is_main(&self) -> bool {
        self.0 == Self::MAIN
    }
}

/// Other names of providers, and what they stand for: those that OpenClaw 2026.2 knows.
pub const ALIASES: [(&str, &str); 5] = [
    ("z.ai", "zai"),
    ("z-ai", "zai"),
    ("opencode-zen", "opencode"),
    ("qwen", "qwen-portal"),
    ("kimi-code", "kimi-coding"),
];

/// The name of a provider: trimmed, lower case, aliases resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ProviderId(String);

impl ProviderId {
    /// Normalises a text and resolves the aliases that OpenClaw 2026.2 knows.
    ///
    /// # Errors
    /// Fails if the text is empty, too long, or holds a character that no name may hold.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let lower = text.trim().to_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
        let canonical = alias.map_or(lower.as_str(), |(_, id)| *id);
        checked("provider id", canonical, 64).map(Self)
    }

    /// Reports whether a text, as people write it, names this provider.
    pub fn is_named(&self, text: &str) -> bool {
        // Nearly all are written so, and a large store is asked of each of its profiles.
        text == self.0 || Self::parse(text).as_ref() == Ok(self)
    }

    /// The other names that stand for it.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        let mine = ALIASES.iter().filter(|(_, id)| *id == self.as_str());
        mine.map(|(alias, _)| *alias)
    }
}

/// The name of a stored profile, by custom `provider:name`.
///
/// OpenClaw takes any text; the credential's own `provider` field decides what it is for. An entry
/// of a store whose key cannot be a `ProfileId` is kept, named as faulty, and never used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ProfileId(String);

impl ProfileId {
    /// Takes a text as the name of a profile, trimmed.
    ///
    /// # Errors
    /// Fails if it is empty, over 256 bytes, could act on a terminal, or could be a path.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        checked("profile id", text, 256).map(Self)
    }

    /// `provider:name`.
    ///
    /// # Errors
    /// Fails if `name` cannot be part of a profile id.
    pub fn of(provider: &ProviderId, name: &str) -> Result<Self, IdError> {
        Self::parse(&format!("{provider}:{}", name.trim()))
    }

    /// `provider:name` of any name, from the second on with its number: what no profile id can hold is percent-encoded (RFC 3986), what
    /// is too long is cut, and nothing is `default`. Never fails, because the name of a new login
    /// must not decide whether it is kept.
    pub fn escaped(provider: &ProviderId, name: &str, number: usize) -> Self {
        let mut escaped = String::new();
        for c in name.trim().chars() {
            let mut text = c.to_string();
            if is_forbidden(c) {
                text = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            }
            if escaped.len() + text.len() > LONGEST_NAME {
                break;
            }
            escaped.push_str(&text);
        }
        let name = match escaped.trim() {
            "" => "default",
            name => name,
        };
        Self(match number {
            ..=1 => format!("{provider}:{name}"),
            _ => format!("{provider}:{name}-{number}"),
        })
    }
}

shown_as_text!(AgentId ProviderId ProfileId);

macro_rules! parsed_from_text {
    ($($name:ident)*) => {$(
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
    )*};
}

parsed_from_text!(ProviderId ProfileId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_normalised_as_in_the_reference() {
        let id = |text| AgentId::normalise(text).0;
        assert_eq!(id("Work_1"), "work_1");
        assert_eq!(id("My Agent! v2"), "my-agent-v2");
        assert_eq!(id("a:b"), "a-b");
        assert_eq!(id("!!!"), "main");
        assert_eq!(id("工作"), "main");
        assert_eq!(id(""), "main");
        assert_eq!(id("../../etc"), "etc");
        assert_eq!(id(&"x".repeat(80)).len(), 64);
    }

    #[test]
    fn providers_have_aliases() {
        let id = |text| ProviderId::parse(text).unwrap().0;
        assert_eq!(id(" Z.AI "), "zai");
        assert_eq!(id("qwen"), "qwen-portal");
        assert_eq!(id("OpenAI-Codex"), "openai-codex");
        let zai = ProviderId::parse("zai").unwrap();
        assert_eq!(zai.aliases().collect::<Vec<_>>(), ["z.ai", "z-ai"]);
    }

    #[test]
    fn profile_ids_cannot_act() {
        assert_eq!(ProfileId::parse(" weird id ").unwrap().0, "weird id");
        for wrong in [
            "",
            " ",
            "..",
            "a/b",
            "a\\b",
            "a\u{1b}[2Jb",
            "a\nb",
            "a\u{202e}b",
        ] {
            assert!(ProfileId::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(ProfileId::parse(&"x".repeat(257)).is_err());
    }

    #[test]
    fn any_name_can_become_part_of_a_profile_id() {
        let provider = ProviderId::parse("acme").unwrap();
        let id = |name: &str| {
            let id = ProfileId::escaped(&provider, name, 1);
            assert_eq!(ProfileId::parse(id.as_str()).as_ref(), Ok(&id));
            id.0
        };
        assert_eq!(id("me@example.com"), "acme:me@example.com");
        assert_eq!(
            id("team/me\\x@example.com"),
            "acme:team%2Fme%5Cx@example.com"
        );
        assert_eq!(id("a\u{1b}\u{202e}b"), "acme:a%1B%E2%80%AEb");
        assert_eq!(id(" "), "acme:default");
        assert_eq!(id(".."), "acme:..");
        assert_eq!(id(&"ü".repeat(300)).len(), "acme:".len() + LONGEST_NAME);
        let second = ProfileId::escaped(&provider, &"x".repeat(300), 2);
        assert!(second.as_str().ends_with("x-2"));
    }

    #[test]
    fn printable_text_stays_on_one_line() {
        assert_eq!(
            printable("a\r\n\u{1b}[32mLogged in\u{7}", 99),
            "a [32mLogged in"
        );
        assert_eq!(printable("aaaa", 2), "aa…");
    }
}
