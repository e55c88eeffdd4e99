//! Credentials in files that are not read: of another shape (`{"anthropic": {"apiKey": …}}`, as
//! forums and old guides show it), or a store in another directory. They are found and named, and
//! imported when a person asks for it.

use std::path::{Path, PathBuf};

use crate::model::credential::{Credential, Kind};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::ports::store::{Scope, StoreError};
use crate::ports::store_files::Stray;

use super::document::{self, RULED};
use super::entry;
use super::error::at;
use super::io::FileStore;
use super::keep::Keep;
use super::paths::{AUTH_JSON, DOCUMENT};
use super::raw_json::{Members, Raw};
use super::read::read_text;

/// The files with credentials that no command reads for this agent; `document` is its own.
pub(super) fn find(
    cx: &FileStore,
    agent: &AgentId,
    document: &AuthProfiles,
) -> Result<Vec<Stray>, StoreError> {
    let own = cx.paths.document(agent);
    let mut places = Vec::new();
    if cx.io.files.stat(&own)?.is_some() {
        let (auth, shared) = cx.paths.legacy(agent);
        places.extend([auth].into_iter().chain(shared));
    }
    for directory in directories(cx, agent) {
        places.extend([DOCUMENT, AUTH_JSON].map(|name| directory.join(name)));
    }
    places.retain(|path| *path != own);
    let mut found = Vec::new();
    let mut add = |path: PathBuf, document: AuthProfiles| {
        if document.profiles().next().is_some() {
            found.push(Stray { path, document });
        }
    };
    // Of the document itself only what no profile is.
    let unknown = document.extra.0.iter().filter_map(|(name, text)| {
        let value = serde_json::from_str(text.as_str()).ok()?;
        Some((name.as_str(), value))
    });
    add(own, flat(unknown));
    for path in places {
        // What cannot be read holds nothing that could be imported.
        if let Ok(Some(document)) = read(cx, &path) {
            add(path, document);
        }
    }
    Ok(found)
}

/// Where people, other releases and old guides put a store.
fn directories(cx: &FileStore, agent: &AgentId) -> Vec<PathBuf> {
    let paths = &cx.paths;
    let own = paths.directory(agent);
    let above = own.parent().filter(|_| own.ends_with("agent"));
    let mut directories: Vec<PathBuf> = above.map(Path::to_owned).into_iter().collect();
    if agent.is_main() {
        let state = &paths.state;
        let shared = [state.clone(), state.join("agent"), paths.oauth_dir.clone()];
        directories.extend(shared.into_iter().chain([paths.agents()]));
    }
    directories.retain(|directory| *directory != own);
    directories
}

/// What a file holds, whatever its shape; `None` if there is none.
pub(super) fn read(cx: &FileStore, path: &Path) -> Result<Option<AuthProfiles>, StoreError> {
    let Some(bytes) = cx.io.files.read(path)? else {
        return Ok(None);
    };
    let parsed = read_text(&bytes, parse);
    let parsed = parsed.map_err(|fault| StoreError::Corrupt {
        at: at(path),
        fault,
    });
    parsed.map(Some)
}

fn parse(text: &str) -> Result<AuthProfiles, String> {
    let mut all = document::parse(text, Scope::All)?;
    for (id, credential) in flat(Members::read(text)?.iter()).profiles() {
        if all.get(id).is_none() {
            // One that is sealed is in no such place.
            let _ = all.put(id.clone(), credential.clone());
        }
    }
    Ok(all)
}

/// The members of a document that hold a credential without being a profile.
fn flat<'a>(members: impl Iterator<Item = (&'a str, Raw<'a>)>) -> AuthProfiles {
    let mut found = AuthProfiles::default();
    for (key, value) in members {
        if !RULED.contains(&key)
            && let Some((id, credential)) = one(key, value)
        {
            let _ = found.put(id, credential);
        }
    }
    found
}

/// The credential under the name of a provider, or under that of a profile.
fn one(key: &str, value: Raw<'_>) -> Option<(ProfileId, Credential)> {
    let (provider, id) = match key.split_once(':') {
        Some((provider, _)) => (provider, key.to_owned()),
        None => (key, format!("{key}:default")),
    };
    let id = ProfileId::parse(&id).ok()?;
    let mut members = Members::read(value.get()).ok()?;
    for (other, name) in OTHER_NAMES {
        members.rename(other, name);
    }
    let kind = entry::kind(&mut members).or_else(|| guess(&members))?;
    let provider = entry::provider(&mut members).unwrap_or_else(|| provider.to_owned());
    let credential = entry::credential(&id, (kind, provider), members, &mut Keep::all()).ok()?;
    let has_refresh = credential
        .as_oauth()
        .is_some_and(|login| login.refresh_token().is_some());
    let is_one = credential.bearer().is_some() || has_refresh || credential.is_reference();
    (is_one && credential.provider().is_some()).then_some((id, credential))
}

/// How members are called elsewhere.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("api_key", "key"),
    ("apikey", "key"),
    ("access_token", "access"),
    ("accessToken", "access"),
    ("refresh_token", "refresh"),
    ("refreshToken", "refresh"),
    ("expires_at", "expires"),
];

/// What kind of credential has such members.
fn guess(members: &Members<'_>) -> Option<Kind> {
    let has = |names: &[&str]| names.iter().any(|name| members.get(name).is_some());
    if has(&["access", "refresh"]) {
        Some(Kind::OAuth)
    } else if has(&["token", "tokenRef"]) {
        Some(Kind::Token)
    } else {
        has(&["key", "apiKey", "keyRef"]).then_some(Kind::ApiKey)
    }
}

/// See [`crate::ports::store_files::StoreFiles::stray`].
pub(super) fn at_path(cx: &FileStore, path: &Path) -> Result<Option<Stray>, StoreError> {
    let document = read(cx, path)?;
    Ok(document.map(|document| Stray {
        path: path.to_owned(),
        document,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        let parsed = parse(text).unwrap();
        let all = parsed.profiles();
        all.map(|(id, credential)| format!("{id} {}", credential.kind().as_str()))
            .collect()
    }

    #[test]
    fn credentials_are_found_in_any_shape() {
        assert_eq!(
            ids(r#"{"anthropic": {"apiKey": "k"}, "groq": {"api_key": "k"}, "x": {"key": "k"}}"#),
            [
                "anthropic:default api_key",
                "groq:default api_key",
                "x:default api_key"
            ]
        );
        assert_eq!(
            ids(
                r#"{"anthropic": {"token": "t"}, "openai-codex": {"access_token": "a", "refresh_token": "r"}}"#
            ),
            ["anthropic:default token", "openai-codex:default oauth"]
        );
        assert_eq!(
            ids(r#"{"anthropic:work": {"type": "token", "provider": "anthropic", "token": "t"}}"#),
            ["anthropic:work token"]
        );
        assert_eq!(
            ids(
                r#"{"version": 1, "profiles": {"a:b": {"type": "api_key", "provider": "a", "key": "k"}}, "c": {"key": "k"}}"#
            ),
            ["a:b api_key", "c:default api_key"]
        );
    }

    #[test]
    fn what_is_no_credential_is_none() {
        let text = r#"{"version": 2, "order": {"a": ["b"]}, "meta": {"at": 1}, "a": {"apiKey": ""},
            "b": {"apiKey": 5}, "c": [], "d": "e", "": {"apiKey": "k"}, "profiles": []}"#;
        assert_eq!(ids(text), Vec::<String>::new());
        assert!(parse("[]").is_err());
    }
}
