//! `auth-inherit.json` beside an agent's document: how much of main's the agent sees.
//!
//! A file of our own: the configuration of OpenClaw may hold nothing that OpenClaw does not know.
//! One that cannot be understood is an error, for an agent that was cut off must not see
//! everything again because of a slip in an editor.

use serde::{Deserialize, Serialize};

use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::ports::store::StoreError;

use super::error::at;
use super::io::FileStore;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    mode: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<ProfileId>,
}

pub(super) fn read(cx: &FileStore, agent: &AgentId) -> Result<Inheritance, StoreError> {
    let path = cx.paths.inheritance(agent);
    match cx.io.files.read(&path)? {
        None => Ok(Inheritance::Inherit),
        Some(bytes) => parse(&bytes).map_err(|fault| StoreError::Inheritance {
            agent: agent.clone(),
            at: at(&path),
            fault,
        }),
    }
}

/// What is written of it, as JSON; `None` for what counts where nothing is said.
pub fn written(inheritance: &Inheritance) -> Option<String> {
    if *inheritance == Inheritance::Inherit {
        return None;
    }
    let wire = Wire {
        version: VERSION,
        mode: inheritance.as_str().to_owned(),
        profiles: inheritance.links().to_vec(),
    };
    Some(serde_json::to_string_pretty(&wire).expect("strings and a number"))
}

pub(super) fn write(
    cx: &FileStore,
    agent: &AgentId,
    inheritance: &Inheritance,
) -> Result<(), StoreError> {
    let path = cx.paths.inheritance(agent);
    let Some(text) = written(inheritance) else {
        return Ok(cx.io.files.remove(&path)?);
    };
    cx.io.files.create_dirs(&cx.paths.directory(agent))?;
    Ok(cx.io.files.replace(&path, format!("{text}\n").as_bytes())?)
}

/// Reads it.
///
/// # Errors
/// What is wrong with it: what is not understood is never taken for everything.
pub fn parse(bytes: &[u8]) -> Result<Inheritance, String> {
    let wire: Wire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.version != VERSION {
        return Err(format!("version {} is not supported", wire.version));
    }
    match (wire.mode.as_str(), wire.profiles) {
        ("inherit", links) if links.is_empty() => Ok(Inheritance::Inherit),
        ("isolated", links) if links.is_empty() => Ok(Inheritance::Isolated),
        ("linked", links) => Ok(Inheritance::Linked(links)),
        ("inherit" | "isolated", _) => Err("only mode linked can list profiles".to_owned()),
        _ => Err("mode must be inherit, isolated or linked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_never_taken_for_everything() {
        for text in [
            "",
            "{}",
            r#"{"version":2,"mode":"isolated"}"#,
            r#"{"version":1,"mode":"none"}"#,
            r#"{"version":1,"mode":"isolated","profiles":["a:b"]}"#,
            r#"{"version":1,"mode":"linked","profiles":[" "]}"#,
            r#"{"version":1,"mode":"linked","profile":"a:b"}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let linked = parse(br#"{"version":1,"mode":"linked","profiles":["a:b"]}"#);
        let id = ProfileId::parse("a:b").unwrap();
        assert_eq!(linked, Ok(Inheritance::Linked(vec![id])));
    }
}
