//! Credentials in files that no command reads: who looks for one is told where it lies, and how to
//! import it.

use std::collections::HashSet;

use crate::app::context::Context;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::{AuthProfiles, Effective};
use crate::ports::store::{Detail, Scope};

/// A file with credentials that are not in the store.
pub(in crate::app) struct StrayFile {
    /// The file.
    pub(in crate::app) path: std::path::PathBuf,
    /// The profiles that an import adds, each with its provider.
    pub(in crate::app) profiles: Vec<(ProfileId, Option<ProviderId>)>,
    /// The agent beside whose store it lies, if that is not the one of this command.
    of_other: Option<AgentId>,
    /// Whether it is that store.
    is_document: bool,
}

impl StrayFile {
    /// Returns what is said of it.
    pub(in crate::app) fn text(&self) -> String {
        let path = self.path.display();
        let names: Vec<String> = self.profiles.iter().map(|(id, _)| id.to_string()).collect();
        let names = names.join(", ");
        match self.is_document {
            true => format!("{path} holds {names} in a form that is not used"),
            false => format!("{path} is not used, but holds {names}"),
        }
    }

    /// Returns the command that imports it.
    pub(in crate::app) fn import(&self) -> Command {
        let import = Command::new("models auth import").option("--path", &self.path.display());
        match &self.of_other {
            Some(agent) => import.of_agent(agent),
            None => import,
        }
    }

    /// Returns both.
    pub(in crate::app) fn hint(&self) -> Hint {
        Hint::from(format!("{}; to import it: ", self.text())).run(self.import())
    }

    /// Whether it holds a credential for a provider.
    pub(in crate::app) fn serves(&self, provider: &ProviderId) -> bool {
        let mut all = self.profiles.iter();
        all.any(|(_, other)| other.as_ref() == Some(provider))
    }
}

/// Finds the files whose profiles are neither in an agent's own document nor in its history, from
/// which a person took them out. What cannot be read is reported elsewhere.
pub(in crate::app) fn found(
    cx: Context<'_>,
    agent: &AgentId,
    own: &AuthProfiles,
) -> Vec<StrayFile> {
    let strays = cx.store_files.strays(agent, own).unwrap_or_default();
    if strays.is_empty() {
        return Vec::new();
    }
    // Whoever looks for one provider has read no more than its profiles.
    let Ok(document) = cx.store.look(agent, Scope::All, Detail::Masked) else {
        return Vec::new();
    };
    let history = cx.store.history(agent, None).unwrap_or_default().histories;
    let stored = document.entries().iter().map(|entry| entry.key.trim());
    let kept = history.iter().map(|kept| kept.profile.as_str());
    let known: HashSet<&str> = stored.chain(kept).collect();
    let files = strays.into_iter().map(|stray| StrayFile {
        profiles: stray
            .document
            .profiles()
            .filter(|(id, _)| !known.contains(id.as_str()))
            .map(|(id, credential)| (id.clone(), credential.provider()))
            .collect(),
        is_document: Some(&stray.path) == cx.store_files.document(agent).as_ref(),
        path: stray.path,
        of_other: None,
    });
    files.filter(|file| !file.profiles.is_empty()).collect()
}

/// Finds those of an agent, and of main if it inherits from main.
pub(in crate::app) fn found_for(cx: Context<'_>, effective: &Effective) -> Vec<StrayFile> {
    let mut all = found(cx, &effective.agent, &effective.own);
    if let Some(main) = &effective.main {
        let of_main = found(cx, &AgentId::main(), main).into_iter();
        all.extend(of_main.map(|file| StrayFile {
            of_other: Some(AgentId::main()),
            ..file
        }));
    }
    all
}
