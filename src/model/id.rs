//! Names: of agents, providers and profiles.
//!
//! A name is shown on terminals, put into messages and, for an agent, into a path. So the name of
//! an agent or a provider cannot hold a control character or a bidirectional override, and an
//! agent's name cannot leave its directory. The id of a profile is whatever a store says: it is
//! escaped where it is shown, and no file is ever called by it (a profile id `..` once escaped into
//! a lock path of the reference program).
//!
//! A copy of a name is a reference to it: every report of a large store holds those of all profiles,
//! some of them several times.

use std::fmt::Write;

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;

use super::text::{is_unprintable, one_line};

/// Defines `as_str` and `Display` of texts that were checked.
macro_rules! shown_as_text {
    ($($name:ident)*) => {$(
        $crate::model::id::held_as_text!($name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

/// Defines `as_str`.
macro_rules! held_as_text {
    ($name:ident) => {
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Defines how it is written: as text.
macro_rules! written_as_text {
    ($($name:ident)*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }
    )*};
}

pub(crate) use {held_as_text, shown_as_text, written_as_text};

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

/// Untrusted text made fit for one line of a terminal: unprintable characters become spaces, runs
/// of white space one space, and at most `limit` characters are kept.
///
/// For what a server says (`error_description`) and what a store holds: Codex 0.169 let a server
/// print a false success line this way.
pub fn printable(text: &str, limit: usize) -> String {
    // Nearly all names are, and a large store has thousands.
    if text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    one_line(
        text.chars()
            .map(|c| if is_unprintable(c) { ' ' } else { c }),
        limit,
    )
}

/// The longest name of a new login, in bytes: with the longest provider and a number behind it, it
/// is a profile id.
const LONGEST_NAME: usize = 180;

/// Whether no name may hold a character.
fn is_forbidden(c: char) -> bool {
    is_unprintable(c) || matches!(c, '/' | '\\')
}

fn checked<'a>(what: &'static str, text: &'a str, limit: usize) -> Result<&'a str, IdError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(IdError::Empty(what));
    }
    if name.len() > limit {
        return Err(IdError::TooLong(what, limit));
    }
    // Nearly all are plain, and a large store is asked of each of its profiles.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\');
    if !name.bytes().all(is_plain)
        && let Some(character) = name.chars().find(|c| is_forbidden(*c))
    {
        return Err(IdError::Forbidden(what, character));
    }
    if matches!(name, "." | "..") {
        return Err(IdError::Reserved(what, name.to_owned()));
    }
    Ok(name)
}

/// The name of an agent: `[a-z0-9_-]{1,64}`, normalised as OpenClaw does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub struct AgentId(Arc<str>);

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
        Self(Self::MAIN.into())
    }

    /// Normalises a text as OpenClaw does: lower case; every run of other characters becomes one
    /// `-`; dashes at the ends fall away; at most 64 characters; nothing left means `main`.
    pub fn normalise(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts_well = lower.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && lower.len() <= 64 && lower.chars().all(is_plain) {
            return Self(lower.into());
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
            Self(id.into())
        }
    }

    /// True for the agent called `main`.
    pub fn is_main(&self) -> bool {
        *self.0 == *Self::MAIN
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ProviderId(Arc<str>);

impl ProviderId {
    /// Normalises a text and resolves the aliases that OpenClaw 2026.2 knows.
    ///
    /// # Errors
    /// Fails if the text is empty, too long, or holds a character that no name may hold.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        checked("provider id", &Self::canonical(text), 64).map(|id| Self(id.into()))
    }

    /// Reports whether a text, as people write it, names this provider.
    pub fn is_named(&self, text: &str) -> bool {
        // As it is written nearly everywhere.
        *text == *self.0 || *Self::canonical(text) == *self.0
    }

    /// Nearly all are written so already, and a large store is asked of each of its profiles.
    fn canonical(text: &str) -> Cow<'_, str> {
        let name = text.trim();
        let is_lower = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
        let lower = match name.bytes().all(is_lower) {
            true => Cow::Borrowed(name),
            false => Cow::Owned(name.to_lowercase()),
        };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
        alias.map_or(lower, |(_, id)| Cow::Borrowed(*id))
    }

    /// The other names that stand for it.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        let mine = ALIASES.iter().filter(|(_, id)| *id == self.as_str());
        mine.map(|(alias, _)| *alias)
    }
}

/// The name of a stored profile, by custom `provider:name`.
///
/// OpenClaw takes any text; the credential's own `provider` field decides what it is for. So the id
/// may hold what steers a terminal: [`ProfileId::as_str`] is for data, `Display` for people, whose
/// escaped form [`ProfileId::parse_new`] takes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ProfileId(Arc<str>);

impl ProfileId {
    /// Takes a text as the name of a profile, trimmed.
    ///
    /// # Errors
    /// Fails if it is blank.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match text.trim() {
            "" => Err(IdError::Empty("profile id")),
            id => Ok(Self(id.into())),
        }
    }

    /// Takes the key of an entry, and no copy of it unless white space stands around it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of_key(key: &Arc<str>) -> Result<Self, IdError> {
        match key.trim().len() {
            0 => Err(IdError::Empty("profile id")),
            length if length == key.len() => Ok(Self(Arc::clone(key))),
            _ => Self::parse(key),
        }
    }

    /// Takes the name of a profile that may be a new one, as a person typed it or as it was shown.
    ///
    /// # Errors
    /// Fails if it is blank, over 256 bytes, or holds what only a store may hold.
    pub fn parse_new(text: &str) -> Result<Self, IdError> {
        if let Some(stored) = Self::parse_shown(text) {
            return Ok(stored);
        }
        let id = Self::parse(text)?;
        match id.0.chars().find(|c| is_unprintable(*c)) {
            Some(character) => Err(IdError::Forbidden("profile id", character)),
            None if id.0.len() > 256 => Err(IdError::TooLong("profile id", 256)),
            None => Ok(id),
        }
    }

    /// Takes the escaped form of an id; `None` if the text is none.
    pub fn parse_shown(text: &str) -> Option<Self> {
        let mut id = String::with_capacity(text.len());
        let mut rest = text.trim();
        while let Some((plain, escape)) = rest.split_once('\\') {
            id.push_str(plain);
            if let Some(behind) = escape.strip_prefix('\\') {
                id.push('\\');
                rest = behind;
            } else {
                let (code, behind) = escape.strip_prefix("u{")?.split_once('}')?;
                id.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                rest = behind;
            }
        }
        id.push_str(rest);
        let id = Self::parse(&id).ok()?;
        (*id.0 != *text.trim() && id.to_string() == text.trim()).then_some(id)
    }

    /// As `Display` has it, without a copy of one that is shown as it is.
    pub fn shown(&self) -> Cow<'_, str> {
        match self.is_plain() {
            true => Cow::Borrowed(&self.0),
            false => Cow::Owned(self.to_string()),
        }
    }

    fn is_plain(&self) -> bool {
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
        self.0.bytes().all(is_plain)
    }

    /// The id as the value of a variable, which cannot hold a NUL: then it is escaped.
    pub fn in_environment(&self) -> String {
        match self.0.contains('\0') {
            true => self.to_string(),
            false => self.0.as_ref().to_owned(),
        }
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
        let id = match number {
            ..=1 => format!("{provider}:{name}"),
            _ => format!("{provider}:{name}-{number}"),
        };
        Self(id.into())
    }
}

shown_as_text!(AgentId ProviderId);
held_as_text!(ProfileId);

/// As it is, unless something in it could act on a terminal or looks escaped: then `\u{1b}` stands
/// for each such character, and `\\` for `\`. No two ids are shown alike.
impl std::fmt::Display for ProfileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_plain() {
            return f.write_str(&self.0);
        }
        let looks_escaped = ["\\u{", "\\\\"].iter().any(|sign| self.0.contains(sign));
        if !looks_escaped && !self.0.contains(is_unprintable) {
            return f.write_str(&self.0);
        }
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                c if is_unprintable(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

written_as_text!(AgentId ProviderId ProfileId);

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
mod tests;
