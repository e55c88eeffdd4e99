//! Where everything of the store lies. Computes paths and touches nothing.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::model::pairs;
use crate::model::state_files::{AGENTS, CREDENTIALS, LOCKS, RESCUE};

/// The name of a document, in its directory.
pub(super) const DOCUMENT: &str = "auth-profiles.json";
pub(super) const HISTORIES: &str = "auth-history";

/// The name of what came before it.
pub(super) const AUTH_JSON: &str = "auth.json";

/// The places of the store.
#[derive(Clone, Debug)]
pub struct StorePaths {
    /// The state directory.
    pub state: PathBuf,
    /// The directory of the main agent.
    pub main_dir: PathBuf,
    /// Directories that the configuration gives to other agents.
    pub agent_dirs: Vec<(AgentId, PathBuf)>,
    /// The directory of the legacy `oauth.json`.
    pub oauth_dir: PathBuf,
    /// The release of OpenClaw that wrote the configuration last, as far as that is known.
    pub written_by: Option<String>,
    /// Another disk's directory, for what cannot be saved in the state directory.
    pub spare: Option<PathBuf>,
    /// Whose the answers are that are saved here: the state directory itself, or the name of a
    /// database, which is the same under whatever path its files lie.
    pub identity: PathBuf,
}

impl StorePaths {
    /// The usual places below a state directory: those that count where nothing names others.
    pub fn below(state: impl Into<PathBuf>) -> Self {
        let state = state.into();
        Self {
            main_dir: state.join(AGENTS).join(AgentId::MAIN).join("agent"),
            agent_dirs: Vec::new(),
            oauth_dir: state.join(CREDENTIALS),
            written_by: None,
            spare: None,
            identity: state.clone(),
            state,
        }
    }

    /// The parent of the directories of agents that the configuration gives none.
    pub(super) fn agents(&self) -> PathBuf {
        self.state.join(AGENTS)
    }

    pub(super) fn directory(&self, agent: &AgentId) -> PathBuf {
        if agent.is_main() {
            return self.main_dir.clone();
        }
        match pairs::get(&self.agent_dirs, |id| id == agent) {
            Some(directory) => directory.clone(),
            None => self.agents().join(agent.as_str()).join("agent"),
        }
    }

    pub(super) fn document(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join(DOCUMENT)
    }

    /// The second file of a document that is split.
    pub(super) fn state_file(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join("auth-state.json")
    }

    /// Where a later release keeps the credentials of an agent: all of them in one database, or
    /// each in its own.
    pub(super) fn databases(&self, agent: &AgentId) -> [PathBuf; 2] {
        let shared = self.state.join("state/openclaw.sqlite");
        let own = self.directory(agent).join("openclaw-agent.sqlite");
        [shared, own]
    }

    /// The files of earlier releases, which are read where there is no document: `auth.json` of
    /// the agent, and for main `oauth.json` of all.
    pub(super) fn legacy(&self, agent: &AgentId) -> (PathBuf, Option<PathBuf>) {
        let shared = self.oauth_dir.join("oauth.json");
        let own = self.directory(agent).join(AUTH_JSON);
        (own, agent.is_main().then_some(shared))
    }

    pub(super) fn inheritance(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join("auth-inherit.json")
    }

    pub(super) fn histories(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join(HISTORIES)
    }

    pub(super) fn history(&self, agent: &AgentId, profile: &ProfileId) -> PathBuf {
        self.histories(agent).join(history_name(profile))
    }

    /// Where later releases of OpenClaw lock a refresh.
    pub(super) fn refresh_locks(&self) -> PathBuf {
        self.state.join(LOCKS).join("oauth-refresh")
    }

    pub(super) fn grant_locks(&self) -> PathBuf {
        self.refresh_locks().join("openclaw-rs")
    }

    pub(super) fn grant_lock(&self, grant: &GrantDigest) -> PathBuf {
        self.grant_locks().join(format!("{grant}.lock"))
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.refresh_locks().join("journal")
    }

    pub(super) fn record(&self, grant: &GrantDigest) -> PathBuf {
        self.journal().join(format!("{grant}.json"))
    }

    /// The records of spent grants.
    pub(super) fn all_spent(&self) -> PathBuf {
        self.refresh_locks().join("spent")
    }

    /// The file that holds the record of a grant once that is spent.
    pub(super) fn spent(&self, grant: &GrantDigest) -> PathBuf {
        self.all_spent().join(&grant.as_str()[..2])
    }

    /// The lock of such a file.
    pub(super) fn spent_lock(&self, spent: &Path) -> PathBuf {
        spent.with_extension("lock")
    }

    /// Where answers are saved, the preferred place first.
    pub(super) fn rescue(&self) -> impl Iterator<Item = PathBuf> {
        let first = self.state.join(RESCUE);
        std::iter::once(first).chain(self.spare.clone())
    }

    pub(super) fn document_locks(&self) -> PathBuf {
        self.state.join(LOCKS).join("openclaw-rs")
    }

    /// Our lock of the document at a resolved path, and the proof that one of those lives who hold
    /// OpenClaw's.
    pub(super) fn document_lock(&self, target: &Path) -> (PathBuf, PathBuf) {
        (
            self.own_lock("store", target),
            self.own_lock("peers", target),
        )
    }

    /// Our lock of the histories beside that document.
    pub(super) fn history_lock(&self, target: &Path) -> PathBuf {
        self.own_lock("history", target)
    }

    /// The turn and the proof for the lock of a refresh at a path.
    pub(super) fn refresh_lock(&self, path: &Path) -> (PathBuf, PathBuf) {
        (self.own_lock("refresh", path), self.own_lock("peers", path))
    }

    fn own_lock(&self, kind: &str, path: &Path) -> PathBuf {
        let name = hashed(path, 16);
        self.document_locks().join(format!("{kind}-{name}.lock"))
    }

    /// Names this state directory among those that lock the same document.
    pub(super) fn who(&self) -> String {
        hashed(&self.state, 4)
    }
}

/// The name of the file that holds a profile's history.
pub(super) fn history_name(profile: &ProfileId) -> String {
    format!("{}.json", history_stem(profile))
}

/// Names a file after a profile whose own name may be anything.
pub(super) fn history_stem(profile: &ProfileId) -> String {
    hex(profile.as_str().as_bytes(), 16)
}

fn hashed(path: &Path, bytes: usize) -> String {
    hex(path.as_os_str().as_encoded_bytes(), bytes)
}

/// The first `length` bytes of the SHA-256 of `bytes`, in hexadecimal.
fn hex(bytes: &[u8], length: usize) -> String {
    let mut name = format!("{:x}", Sha256::digest(bytes));
    name.truncate(2 * length);
    name
}
