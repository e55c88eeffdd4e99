//! `gateway import --goclaw`: credentials that GoClaw sealed, from rows of its database.

use std::path::Path;

use serde::Deserialize;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::usecase::import::{self, Outcome};
use crate::model::credential::{Credential, Identity, OAuth, Token};
use crate::model::database_key::open_goclaw;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::Extra;
use crate::model::profiles::AuthProfiles;
use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// The name of a profile, behind its provider.
const NAME: &str = "goclaw";

/// One row of its tables, or several put together. Its tokens are sealed.
#[derive(Deserialize)]
struct Row {
    provider: String,
    #[serde(alias = "token", alias = "api_key")]
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_at: Option<Moment>,
}

/// Seconds, or a date as JSON has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Date(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rows {
    Many(Vec<Row>),
    One(Row),
}

/// Imports the rows of a JSON file: one object or a list of them, whose tokens are sealed under `key`.
///
/// # Errors
/// [`Kind::NotFound`] without the file; [`Kind::Config`] if it is not such JSON, or a token is in the
/// clear or does not open: nothing was stored then.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    key: &DataKey,
    (file, dry_run): (&Path, bool),
) -> Result<Outcome, Failure> {
    let path = cx.dirs.cwd.join(file);
    let bytes = cx.files.read_input(&path)?.map(Secret::new);
    let Some(bytes) = bytes else {
        let message = format!("no such file: {}", path.display());
        return Err(Failure::new(Kind::NotFound, message)
            .hint("write provider, access_token, refresh_token and expires_at of each row to it"));
    };
    let document = read(&path, &bytes, key)?;
    let outcome = import::store(cx, agent, &document, dry_run)?;
    Ok(Outcome { path, ..outcome })
}

fn read(path: &Path, bytes: &Secret<Vec<u8>>, key: &DataKey) -> Result<AuthProfiles, Failure> {
    let refused = |why: String| {
        let message = format!("{}: {why}; nothing was imported", path.display());
        Failure::new(Kind::Config, message)
    };
    // Nothing of it is quoted.
    let rows = serde_json::from_slice(bytes.expose()).map_err(|_| {
        refused(
            "is no JSON list of objects with provider, access_token or token, refresh_token and \
             expires_at"
                .to_owned(),
        )
    })?;
    let rows = match rows {
        Rows::Many(rows) => rows,
        Rows::One(row) => vec![row],
    };
    let mut document = AuthProfiles::default();
    for (number, row) in rows.into_iter().enumerate() {
        let at = |why: String| refused(format!("row {}: {why}", number + 1));
        let provider = ProviderId::parse(&row.provider).map_err(|error| at(error.to_string()))?;
        let credential = credential(&row, &provider, key).map_err(at)?;
        // Held: it was just opened.
        let _ = document.put(vacant(&document, &provider).map_err(at)?, credential);
    }
    Ok(document)
}

fn credential(row: &Row, provider: &ProviderId, key: &DataKey) -> Result<Credential, String> {
    let open = |name: &str, value: Option<&String>| {
        let Some(value) = value else {
            return Ok(None);
        };
        let opened = open_goclaw(key, value).map_err(|why| format!("{name} {why}"))?;
        let text = std::str::from_utf8(opened.expose());
        let text = text.map_err(|_| format!("{name} is no text"))?;
        Ok::<_, String>(Some(Secret::from(text)))
    };
    let access = open("access_token", row.access_token.as_ref())?;
    let refresh = open("refresh_token", row.refresh_token.as_ref())?;
    let expires = row.expires_at.as_ref().map(moment).transpose()?;
    let provider = provider.to_string();
    match (access, refresh) {
        (None, None) => Err("has neither access_token nor refresh_token".to_owned()),
        (token, None) => Ok(Credential::Token(Token {
            provider,
            token,
            expires,
            email: None,
            extra: Extra::default(),
        })),
        (access, refresh) => Ok(Credential::OAuth(OAuth {
            provider,
            access,
            refresh,
            expires,
            identity: Identity::default(),
            extra: Extra::default(),
        })),
    }
}

fn moment(moment: &Moment) -> Result<Timestamp, String> {
    match moment {
        Moment::Seconds(seconds) => Ok(Timestamp(seconds.saturating_mul(1_000))),
        Moment::Date(text) => Timestamp::read(text)
            .ok_or_else(|| "expires_at is neither seconds nor a date".to_owned()),
    }
}

/// A name that no other row has.
fn vacant(document: &AuthProfiles, provider: &ProviderId) -> Result<ProfileId, String> {
    let name = |number: usize| match number {
        1 => ProfileId::of(provider, NAME),
        number => ProfileId::of(provider, &format!("{NAME}-{number}")),
    };
    let taken = |id: &ProfileId| document.get(id).is_some();
    let mut number = 1;
    loop {
        let id = name(number).map_err(|error| error.to_string())?;
        if !taken(&id) {
            return Ok(id);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `access-MARKER` and `refresh-MARKER`, as Python's `cryptography` seals them under the bytes from
    /// 0 to 31.
    const ACCESS: &str = "aes-gcm:AQIDBAUGBwgJCgsMZIk5sJ/n3csN8CgCQiSawgrek3kjCixYX0Vqkzo=";
    const REFRESH: &str = "aes-gcm:MjM0NTY3ODk6Ozw9tD6JsqBP6c4gRrjNHr8bEFFLTWLs5vHEUp7DTmJo";

    fn read_rows(rows: &str) -> Result<AuthProfiles, Failure> {
        let key = DataKey::new(Secret::new((0..32).collect())).unwrap();
        read(
            Path::new("rows.json"),
            &Secret::new(rows.as_bytes().to_vec()),
            &key,
        )
    }

    #[test]
    fn rows_become_profiles_of_their_kind() {
        let login = format!(
            r#"{{"provider":"openai-codex","access_token":"{ACCESS}","refresh_token":"{REFRESH}",
               "expires_at":"2026-01-01T00:00:00Z"}}"#
        );
        let token = format!(r#"{{"provider":"suno","token":"{ACCESS}","expires_at":1767225600}}"#);
        let document = read_rows(&format!("[{login},{login},{token}]")).unwrap();
        let ids: Vec<&str> = document.profiles().map(|(id, _)| id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "openai-codex:goclaw",
                "openai-codex:goclaw-2",
                "suno:goclaw"
            ]
        );
        for (_, credential) in document.profiles() {
            let bearer = credential.bearer().unwrap();
            assert_eq!(bearer.expose(), "access-MARKER");
            assert_eq!(credential.expires(), Some(Timestamp(1_767_225_600_000)));
            let refresh = credential.as_oauth().map(|login| login.refresh.clone());
            assert!(refresh.is_none_or(|token| token.unwrap().expose() == "refresh-MARKER"));
        }
        assert_eq!(read_rows(&token).unwrap().profiles().count(), 1);
    }

    #[test]
    fn what_is_in_the_clear_or_incomplete_is_refused_and_not_repeated() {
        for rows in [
            r#"{"provider":"suno","token":"access-MARKER"}"#,
            r#"{"provider":"suno","token":"aes-gcm:access-MARKER"}"#,
            r#"{"provider":"suno"}"#,
            r#"{"provider":"../suno","token":null}"#,
            r#"{"token":"access-MARKER"}"#,
            "access-MARKER",
        ] {
            let failure = read_rows(rows).unwrap_err();
            assert_eq!(failure.kind, Kind::Config);
            assert!(!failure.to_string().contains("MARKER"), "{failure}");
        }
    }
}
