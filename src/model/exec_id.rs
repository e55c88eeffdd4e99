//! The ids by which OpenClaw asks this program for secrets, by exec protocol 1.
//!
//! OpenClaw allows them letters, digits and `._:/-`. A profile that is called otherwise
//! (`openai:me@example.com`), or whose agent is called as the named secrets are, is named by
//! `profile:AGENT/NAME` with each other byte as `.hh`: `profile:main/openai:me.40example.2ecom`.

use super::id::{AgentId, ProfileId};
use super::secret_ref::{SecretPlace, SecretRef, is_id};
use super::vault::SecretName;

/// The member of `secrets.providers` by which `openclaw.json` names this program.
pub const OWN_PROVIDER: &str = "openclaw-vault";

/// What the id of a named secret begins with.
const NAMED: &str = "secret/";
/// What the id of a profile begins with that needs escapes. No agent has a colon in its name.
const ESCAPED: &str = "profile:";

/// What an id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecId {
    /// A named secret: `secret/NAME`.
    Named(SecretName),
    /// The key or token of a profile: `AGENT/PROFILE`.
    Profile(AgentId, ProfileId),
}

impl ExecId {
    /// Reads an id; `None` if it names nothing.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix(NAMED) {
            return SecretName::parse(name).ok().map(Self::Named);
        }
        let (text, is_escaped) = match text.strip_prefix(ESCAPED) {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (agent, profile) = text.split_once('/')?;
        let named = AgentId::normalise(agent);
        let profile = match is_escaped {
            true => unescape(profile)?,
            false => profile.to_owned(),
        };
        let profile = ProfileId::parse(&profile).ok()?;
        (named.as_str() == agent).then_some(Self::Profile(named, profile))
    }

    /// The id of a profile; `None` if every one would be too long for OpenClaw.
    pub fn of_profile(agent: &AgentId, profile: &ProfileId) -> Option<String> {
        let plain = format!("{agent}/{}", profile.as_str());
        let escaped = || format!("{ESCAPED}{agent}/{}", escape(profile.as_str()));
        let is_plain = !plain.starts_with(NAMED) && is_id(SecretPlace::Exec, &plain);
        let id = if is_plain { plain } else { escaped() };
        is_id(SecretPlace::Exec, &id).then_some(id)
    }

    /// The reference to a profile, as JSON, as `secrets migrate --openclaw` writes it.
    pub fn reference_to(agent: &AgentId, profile: &ProfileId) -> Option<String> {
        let id = Self::of_profile(agent, profile)?;
        // No id has a character that JSON escapes.
        let text = format!(r#"{{"source":"exec","provider":"{OWN_PROVIDER}","id":"{id}"}}"#);
        Some(text)
    }

    /// Whether a reference, as JSON, names a profile of that name by this program. Of any agent: early
    /// releases of OpenClaw copy profiles between agents as they are.
    pub fn is_reference_to(profile: &ProfileId, text: &str) -> bool {
        let read = SecretRef::read(text, &|_| String::new());
        read.is_ok_and(|it| {
            let is_own = it.place == SecretPlace::Exec && it.provider == OWN_PROVIDER;
            let named = || Self::parse(&it.id);
            is_own && matches!(named(), Some(Self::Profile(_, named)) if named == *profile)
        })
    }
}

fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'_' | b':' | b'/' | b'-' => escaped.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => escaped.push(byte.into()),
            _ => escaped.push_str(&format!(".{byte:02x}")),
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('.');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(agent: &str, profile: &str) -> Option<String> {
        let (agent, profile) = (
            AgentId::normalise(agent),
            ProfileId::parse(profile).unwrap(),
        );
        let id = ExecId::of_profile(&agent, &profile)?;
        assert_eq!(
            ExecId::parse(&id),
            Some(ExecId::Profile(agent.clone(), profile.clone())),
            "{id}"
        );
        let reference = ExecId::reference_to(&agent, &profile).unwrap();
        assert!(ExecId::is_reference_to(&profile, &reference), "{reference}");
        Some(id)
    }

    #[test]
    fn every_profile_has_an_id_that_openclaw_allows() {
        for (agent, profile, expected) in [
            ("main", "openai:default", "main/openai:default"),
            ("main", "a/b.c", "main/a/b.c"),
            ("main", "x:me@y.io", "profile:main/x:me.40y.2eio"),
            ("main", "..", "profile:main/.2e.2e"),
            ("main", "ä b", "profile:main/.c3.a4.20b"),
            ("main", "a.40", "main/a.40"),
            ("secret", "openai:default", "profile:secret/openai:default"),
            ("secret", "NAME", "profile:secret/NAME"),
            ("_a", "b", "profile:_a/b"),
        ] {
            assert_eq!(id(agent, profile).as_deref(), Some(expected));
        }
        assert_eq!(id("main", &"é".repeat(50)), None);
    }

    #[test]
    fn what_names_nothing_is_no_id() {
        let named = ExecId::parse("secret/NAME");
        assert_eq!(
            named,
            Some(ExecId::Named(SecretName::parse("NAME").unwrap()))
        );
        for text in [
            "",
            "main",
            "main/",
            "secret/name",
            "Main/x",
            "profile:main",
            "profile:Main/x",
            "profile:main/.",
            "profile:main/.4",
            "profile:main/.+4",
            "profile:main/.ff",
        ] {
            assert_eq!(ExecId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_reference_of_somebody_else_is_none_of_ours() {
        let profile = ProfileId::parse("a:b").unwrap();
        for text in [
            r#"{"source":"exec","provider":"other","id":"main/a:b"}"#,
            r#"{"source":"exec","provider":"openclaw-vault","id":"main/a:c"}"#,
            r#"{"source":"exec","provider":"openclaw-vault","id":"secret/A"}"#,
            r#"{"source":"env","provider":"openclaw-vault","id":"A"}"#,
            "\"x\"",
        ] {
            assert!(!ExecId::is_reference_to(&profile, text), "{text}");
        }
    }
}
