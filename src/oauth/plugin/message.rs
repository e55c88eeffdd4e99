//! What is said between this program and an external one: a JSON object a line, `type` tells which.
//!
//! Members that nobody knows are ignored, on both sides, so that both can learn; a type that nobody
//! knows is an error. No part of a line gets into an error, for any line may hold a token.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::credential::OAuth;
use crate::model::secret::Secret;

/// The version of the protocol that is spoken here.
pub(super) const PROTOCOL: u32 = 1;

/// The name and version of this program, in its hello.
pub(super) const CLIENT: &str = concat!("openclaw/", env!("CARGO_PKG_VERSION"));

/// The member of a stored credential that names the program it came from.
pub const ORIGIN: &str = "authProgram";

/// The requests that a plugin may support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new grant, with the help of a person.
    Login,
    /// A new grant for an old one.
    Refresh,
    /// The end of a grant at the provider.
    Revoke,
}

impl Request {
    /// Returns the name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
        }
    }
}

/// A line of ours.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    /// The first line of all.
    Hello {
        protocol: u32,
        client: &'static str,
        provider: &'a str,
    },
    /// The request for a login that may take until the deadline.
    Login {
        deadline: i64,
        remote: bool,
        interactive: bool,
    },
    /// The request for a new grant for this one.
    Refresh(GrantMembers<'a>),
    /// The request for the end of this grant.
    Revoke(GrantMembers<'a>),
    /// The answer of a person to a question; null if nobody was there.
    Answer { text: Option<&'a str> },
}

/// The tokens, and whatever else the profile holds.
#[derive(Serialize)]
pub(super) struct GrantMembers<'a> {
    access_token: Option<&'a str>,
    refresh_token: Option<&'a str>,
    account: AccountMembers<'a>,
    fields: BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Serialize)]
struct AccountMembers<'a> {
    id: Option<&'a str>,
    email: Option<&'a str>,
}

pub(super) fn grant_members(credential: &OAuth) -> GrantMembers<'_> {
    let fields = credential.extra.0.iter().filter(|(name, _)| name != ORIGIN);
    let fields = fields.filter_map(|(name, value)| {
        let value: &RawValue = serde_json::from_str(value.as_str()).ok()?;
        Some((name.as_str(), value))
    });
    GrantMembers {
        access_token: exposed(credential.access.as_ref()),
        refresh_token: exposed(credential.refresh.as_ref()),
        account: AccountMembers {
            id: credential.identity.account_id.as_deref(),
            email: credential.identity.email.as_deref(),
        },
        fields: fields.collect(),
    }
}

pub(super) fn exposed(secret: Option<&Secret<String>>) -> Option<&str> {
    secret.map(|secret| secret.expose().as_str())
}

/// Writes a line.
pub(super) fn line(message: &Outgoing<'_>) -> Secret<Vec<u8>> {
    // Text, numbers, and values that were JSON before: nothing in there has no JSON.
    Secret::new(serde_json::to_vec(message).expect("a message is made of what JSON has"))
}

/// A line of a program, as far as its type tells. A grant is not looked into: it is saved first.
pub(super) enum Incoming {
    Hello(Hello),
    Notice(Notice),
    Ask(Ask),
    Grant,
    Done,
    Error(ErrorMessage),
}

#[derive(Deserialize)]
struct Tag {
    r#type: String,
}

/// The hello of a program.
#[derive(Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    #[serde(default)]
    pub(super) requests: Vec<String>,
}

/// Something for the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Notice {
    /// A sentence.
    pub text: Option<String>,
    /// A page to open.
    pub url: Option<String>,
    /// A code to enter there.
    pub code: Option<String>,
}

/// A question to the person.
#[derive(Deserialize)]
pub(super) struct Ask {
    pub(super) text: String,
}

/// An error message.
#[derive(Deserialize)]
pub(super) struct ErrorMessage {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) kind: ErrorKind,
    pub(super) retry_after: Option<u64>,
}

/// The effect of an error on the grant that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ErrorKind {
    /// The grant is dead.
    #[serde(rename = "lasting")]
    Permanent,
    /// The grant is unharmed.
    #[serde(rename = "passing")]
    Transient,
    /// The provider may have spent it, and its answer never came.
    #[default]
    Unknown,
}

/// Parses a line of a program.
///
/// # Errors
/// Returns what is wrong with it, a clause that quotes nothing.
pub(super) fn read(line: &Secret<Vec<u8>>) -> Result<Incoming, String> {
    let line = std::str::from_utf8(line.expose()).map_err(|_| "is not UTF-8".to_owned())?;
    let tag: Tag = serde_json::from_str(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "is not a JSON object with a type".to_owned(),
        _ => format!("is not valid JSON (column {})", error.column()),
    })?;
    fn as_told<'de, T: Deserialize<'de>>(line: &'de str, what: &str) -> Result<T, String> {
        let message = serde_json::from_str(line);
        message.map_err(|_| format!("is not a valid {what} of the protocol"))
    }
    Ok(match tag.r#type.as_str() {
        "hello" => Incoming::Hello(as_told(line, "hello")?),
        "notice" => Incoming::Notice(as_told(line, "notice")?),
        "ask" => Incoming::Ask(as_told(line, "question")?),
        "grant" => Incoming::Grant,
        "done" => Incoming::Done,
        "error" => Incoming::Error(as_told(line, "error")?),
        _ => return Err("has a type that is not in the protocol".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::credential::Identity;
    use crate::model::json::{Extra, Verbatim};

    fn text(line: &Secret<Vec<u8>>) -> &str {
        std::str::from_utf8(line.expose()).unwrap()
    }

    fn fault(line: &str) -> String {
        match read(&Secret::new(line.as_bytes().to_vec())) {
            Err(fault) => fault,
            Ok(_) => panic!("{line} is understood"),
        }
    }

    #[test]
    fn our_lines_are_what_the_documentation_shows() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            text(&line(&Outgoing::Hello {
                protocol: PROTOCOL,
                client: CLIENT,
                provider: "acme",
            })),
            format!(
                r#"{{"type":"hello","protocol":1,"client":"openclaw/{version}","provider":"acme"}}"#
            )
        );
        assert_eq!(
            text(&line(&Outgoing::Login {
                deadline: 1_795_242_600_000,
                remote: true,
                interactive: false,
            })),
            r#"{"type":"login","deadline":1795242600000,"remote":true,"interactive":false}"#
        );
        let extra = [("tenant", r#"{"id":1.50}"#), (ORIGIN, r#""/bin/x""#)];
        let extra = extra.map(|(name, value)| (name.to_owned(), Verbatim::new(value)));
        let credential = OAuth {
            provider: "acme".into(),
            access: Some("at\n\"".into()),
            refresh: Some("rt".into()),
            expires: None,
            identity: Identity {
                account_id: Some("7".into()),
                email: None,
            },
            extra: Extra(extra.to_vec()),
        };
        assert_eq!(
            text(&line(&Outgoing::Refresh(grant_members(&credential)))),
            r#"{"type":"refresh","access_token":"at\n\"","refresh_token":"rt","account":{"id":"7","email":null},"fields":{"tenant":{"id":1.50}}}"#
        );
        let answer = line(&Outgoing::Answer { text: None });
        assert_eq!(text(&answer), r#"{"type":"answer","text":null}"#);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_without_quoting_it() {
        for (line, expected) in [
            ("", "is not valid JSON (column 0)"),
            ("MARKER", "is not valid JSON (column 1)"),
            (r#"{"type":"grant""#, "is not valid JSON (column 15)"),
            (r#""MARKER""#, "is not a JSON object with a type"),
            (
                r#"{"access_token":"MARKER"}"#,
                "is not a JSON object with a type",
            ),
            (
                r#"{"type":"MARKER"}"#,
                "has a type that is not in the protocol",
            ),
            (
                r#"{"type":"hello","protocol":"MARKER"}"#,
                "is not a valid hello of the protocol",
            ),
            (
                r#"{"type":"error","kind":"MARKER"}"#,
                "is not a valid error of the protocol",
            ),
        ] {
            assert_eq!(fault(line), expected, "{line}");
        }
        assert!(read(&Secret::new(b"{\"type\":\"grant\xff\"}".to_vec())).is_err());
        let later = r#"{"type":"error","kind":"passing","later":[1]}"#;
        let read = read(&Secret::new(later.as_bytes().to_vec()));
        assert!(matches!(read, Ok(Incoming::Error(error)) if error.kind == ErrorKind::Transient));
    }
}
