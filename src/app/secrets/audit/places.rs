//! The files in which secrets lie, or once lay.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::model::id::AgentId;
use crate::model::state_files::{CREDENTIALS, PENDING, PROVIDERS, RESCUE};

/// What a file is for, which says what in it is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Credentials, which are sealed in a sealed store: documents, histories, copies of them.
    Profiles,
    /// Credentials in a file of an early release.
    Legacy,
    /// A response that is saved until it is stored.
    Answer,
    /// A login that was started.
    Attempt,
    /// Settings of OpenClaw.
    Settings,
    /// Variables.
    Variables,
    /// Text of people, which may refer to secrets.
    Text,
}

/// A file.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) role: Role,
}

/// Names that the files begin with; what follows is `.bak`, `.unreadable-…` or the like.
const NAMES: [(&str, Role); 10] = [
    ("auth-profiles.json", Role::Profiles),
    ("auth.json", Role::Legacy),
    ("oauth.json", Role::Legacy),
    ("github-copilot.token.json", Role::Legacy),
    ("models.json", Role::Settings),
    ("catalog.json", Role::Settings),
    ("openclaw.json", Role::Settings),
    (".env", Role::Variables),
    ("config.yaml", Role::Text),
    ("config.yml", Role::Text),
];

/// So deep directories lie in the trash.
const DEEPEST: usize = 8;

/// Lists them, each once.
pub(super) fn list(cx: Context<'_>, agents: &[AgentId]) -> Vec<Place> {
    let mut found = Found {
        cx,
        places: Vec::new(),
    };
    let state = &cx.dirs.state;
    for agent in agents {
        let directory = cx.store_files.directory(agent);
        found.named(&directory);
        if let Some(document) = cx.store_files.document(agent) {
            found.add(document, Role::Profiles);
        }
        found.ending(&directory.join("auth-history"), ".json", Role::Profiles);
    }
    found.named(state);
    for path in cx.config.sources() {
        found.add(path, Role::Settings);
    }
    for directory in cx.store_files.directories() {
        found.named(&directory);
    }
    found.ending(&state.join(CREDENTIALS), ".json", Role::Legacy);
    found.ending(&state.join(PROVIDERS), ".toml", Role::Text);
    for directory in cx.of_every_store(RESCUE) {
        for suffix in [
            ".answer",
            ".login",
            ".unconfirmed",
            ".undecided",
            ".declined",
        ] {
            found.ending(&directory, suffix, Role::Answer);
        }
    }
    for directory in cx.of_every_store(PENDING) {
        found.ending(&directory, ".json", Role::Attempt);
    }
    let answers = cx.store_files.waiting_answers().unwrap_or_default();
    for (_, path) in answers {
        found.add(path, Role::Answer);
    }
    found.below(&state.join("trash"), DEEPEST);
    found.places
}

struct Found<'a> {
    cx: Context<'a>,
    places: Vec<Place>,
}

impl Found<'_> {
    fn add(&mut self, path: PathBuf, role: Role) {
        let is_known = self.places.iter().any(|place| place.path == path);
        let stat = self.cx.files.stat(&path);
        // What cannot be looked at is told of when it is read.
        let is_there = stat.map_or(true, |stat| stat.is_some_and(|stat| !stat.is_dir));
        if is_there && !is_known {
            self.places.push(Place { path, role });
        }
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        self.cx.files.list(directory).unwrap_or_default()
    }

    /// Those in a directory that are known by their names.
    fn named(&mut self, directory: &Path) {
        for name in self.names(directory) {
            if let Some(role) = role(&name) {
                self.add(directory.join(name), role);
            }
        }
    }

    fn ending(&mut self, directory: &Path, suffix: &str, role: Role) {
        let names = self.names(directory).into_iter();
        for name in names.filter(|name| name.ends_with(suffix)) {
            self.add(directory.join(name), role);
        }
    }

    fn below(&mut self, directory: &Path, depth: usize) {
        if depth == 0 {
            return;
        }
        self.named(directory);
        if directory.ends_with("auth-history") {
            self.ending(directory, ".json", Role::Profiles);
        }
        for name in self.names(directory) {
            let path = directory.join(name);
            if matches!(self.cx.files.stat(&path), Ok(Some(stat)) if stat.is_dir) {
                self.below(&path, depth - 1);
            }
        }
    }
}

fn role(name: &str) -> Option<Role> {
    let mut known = NAMES.iter();
    let (_, role) = known.find(|(known, _)| {
        let rest = name.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '~']))
    })?;
    (!name.ends_with(".lock")).then_some(*role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_file_is_known_by_its_name() {
        for (name, expected) in [
            ("auth-profiles.json", Some(Role::Profiles)),
            ("auth-profiles.json.bak", Some(Role::Profiles)),
            ("auth-profiles.json.bak.2", Some(Role::Profiles)),
            (
                "auth-profiles.json.unreadable-20261121",
                Some(Role::Profiles),
            ),
            ("auth-profiles.json.lock", None),
            ("auth-profiles.jsonl", None),
            ("openclaw.json.bak", Some(Role::Settings)),
            (".env", Some(Role::Variables)),
            (".env.local", Some(Role::Variables)),
            (".envrc", None),
            ("notes.txt", None),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }
}
