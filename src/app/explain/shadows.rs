//! Credentials and files that others hide.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::Effective;
use crate::ports::store_files::StorePlaces;

/// The files that hold the agent's credentials, and main's.
pub(super) struct Files {
    pub(super) own: StorePlaces,
    pub(super) main: Option<StorePlaces>,
}

/// Something that is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shadow {
    /// What is hidden.
    pub what: String,
    /// What hides it.
    pub by: String,
}

/// Lists profiles of main that the agent's own profiles of the same name hide, by provider.
pub(super) fn of_profiles(effective: &Effective) -> HashMap<ProviderId, Vec<Shadow>> {
    let mut shadows: HashMap<ProviderId, Vec<Shadow>> = HashMap::new();
    let Some(main) = &effective.main else {
        return shadows;
    };
    let own: HashSet<&ProfileId> = effective.own.profiles().map(|(id, _)| id).collect();
    for (id, credential) in main.profiles().filter(|(id, _)| own.contains(id)) {
        if let Some(provider) = credential.provider() {
            shadows.entry(provider).or_default().push(Shadow {
                what: format!("{id} of agent main"),
                by: format!("{id} of agent {}", effective.agent),
            });
        }
    }
    shadows
}

/// Lists files of earlier releases that a document hides.
pub(super) fn files(cx: Context<'_>, agent: &AgentId, files: &Files) -> Vec<Shadow> {
    let main = AgentId::main();
    let of = |agent: &AgentId, places: &StorePlaces| {
        let document = cx.place_of(agent);
        let shadow = |path: &std::path::PathBuf| Shadow {
            what: shown(path),
            by: shown(&document),
        };
        places.passed_over.iter().map(shadow).collect::<Vec<_>>()
    };
    let mut shadows = of(agent, &files.own);
    if let Some(places) = &files.main {
        shadows.extend(of(&main, places));
    }
    shadows
}

/// Lists what the next command that may write will change, one sentence each.
pub(super) fn unsettled(
    cx: Context<'_>,
    agent: &AgentId,
    files: &Files,
) -> Result<Vec<String>, Failure> {
    let mut told = Vec::new();
    let document = cx.place_of(agent);
    if !files.own.read.is_empty() && !files.own.read.contains(&document) {
        let read: Vec<String> = files.own.read.iter().map(|path| shown(path)).collect();
        told.push(format!(
            "{} does not exist; {} is read instead",
            shown(&document),
            read.join(" and ")
        ));
    }
    for (grant, path) in cx.store_files.waiting_answers()? {
        let record = cx.store.grant_record(&grant)?;
        let then = match record.is_some_and(|record| record.is_not_understood()) {
            true => "a refresh response that cannot be used; it is kept",
            false => "an unsaved refresh response; the next command that may write stores it",
        };
        told.push(format!("{} contains {then}", shown(&path)));
    }
    Ok(told)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
