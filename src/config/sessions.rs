//! `<state>/agents/<id>/sessions/sessions.json`: what OpenClaw keeps of each session. Only read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::id::AgentId;
use crate::model::state_files::AGENTS;
use crate::model::text::without_mark;
use crate::ports::files::Files;

use super::error::ConfigError;

/// What a session says of the credential to use; blank members are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The profile it is pinned to.
    pub profile: Option<String>,
    /// Whether a person pinned it, and not OpenClaw.
    pub by_person: bool,
    /// The provider of its model.
    pub provider: Option<String>,
    /// Its model.
    pub model: Option<String>,
}

/// Where the sessions of an agent are kept.
pub fn path(state: &Path, agent: &AgentId) -> PathBuf {
    let directory = state.join(AGENTS).join(agent.as_str());
    directory.join("sessions/sessions.json")
}

/// Reads what is kept of one session of an agent: under its key as given, else in lower case, else
/// under `agent:<agent>:<key>`, as OpenClaw writes it. `None` if there is no such session.
///
/// # Errors
/// Fails if the file is there and cannot be read or understood.
pub fn load(
    files: &dyn Files,
    state: &Path,
    agent: &AgentId,
    key: &str,
) -> Result<Option<Session>, ConfigError> {
    let path = path(state, agent);
    let Some(bytes) = files.read(&path)? else {
        return Ok(None);
    };
    let sessions = parse(&path, &bytes)?;
    let lower = key.trim().to_lowercase();
    let whole = format!("agent:{agent}:{lower}");
    let spellings = [key, &lower, &whole];
    let Some(entry) = spellings.iter().find_map(|key| sessions.get(*key)) else {
        return Ok(None);
    };
    let entry: Value =
        serde_json::from_str(entry.get()).map_err(|error| not_sessions(&path, &error))?;
    Ok(Some(read(&entry)))
}

/// The keys of the sessions of an agent, sorted.
///
/// # Errors
/// As [`load`].
pub fn keys(files: &dyn Files, state: &Path, agent: &AgentId) -> Result<Vec<String>, ConfigError> {
    let path = path(state, agent);
    let Some(bytes) = files.read(&path)? else {
        return Ok(Vec::new());
    };
    Ok(parse(&path, &bytes)?.into_keys().collect())
}

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<BTreeMap<String, &'a RawValue>, ConfigError> {
    serde_json::from_slice(without_mark(bytes)).map_err(|error| not_sessions(path, &error))
}

fn not_sessions(path: &Path, error: &serde_json::Error) -> ConfigError {
    ConfigError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        message: "expected a JSON object with one object per session".to_owned(),
    }
}

fn read(entry: &Value) -> Session {
    let text = |name: &str| {
        let text = entry.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    // Early entries do not say who pinned; only OpenClaw's own pins count compactions.
    let by_person = match text("authProfileOverrideSource") {
        Some(source) => source == "user",
        None => !entry["authProfileOverrideCompactionCount"].is_number(),
    };
    Session {
        profile: text("authProfileOverride"),
        by_person,
        provider: text("providerOverride"),
        model: text("modelOverride"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_pinned_is_told_by_the_source_or_the_count() {
        let by_person = |entry: Value| read(&entry).by_person;
        let user = json!({ "authProfileOverride": "a:b", "authProfileOverrideSource": "user" });
        assert!(by_person(user));
        let auto = json!({ "authProfileOverride": "a:b", "authProfileOverrideSource": "auto" });
        assert!(!by_person(auto));
        assert!(by_person(json!({ "authProfileOverride": "a:b" })));
        let counted =
            json!({ "authProfileOverride": "a", "authProfileOverrideCompactionCount": 0 });
        assert!(!by_person(counted));
    }

    #[test]
    fn blank_and_foreign_members_are_absent() {
        let entry =
            json!({ "authProfileOverride": " ", "providerOverride": 5, "modelOverride": "m" });
        let session = read(&entry);
        assert_eq!((session.profile, session.provider), (None, None));
        assert_eq!(session.model.as_deref(), Some("m"));
    }
}
