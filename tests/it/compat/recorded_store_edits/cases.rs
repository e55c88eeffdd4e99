//! Every recorded store, in both layouts, as a world that a command may change.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::issuer::Issuer;
use serde_json::{Map, Value};

use super::changes::{self, Files};
use crate::support::{Ran, World, millis_from_now, ran, recorded};

pub(super) const PROFILES: &str = "agents/main/agent/auth-profiles.json";
pub(super) const CONFIG: &str = "openclaw.json";
const STATE: &str = "agents/main/agent/auth-state.json";

/// What later releases keep in a file of its own.
const SPLIT_OFF: [&str; 3] = ["order", "lastGood", "usageStats"];

/// One store in one layout.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) store: String,
    pub(super) world: World,
    env: Vec<(String, String)>,
    is_split: bool,
}

/// All of them. A store without a document has one layout only.
pub(super) fn cases() -> Vec<Case> {
    let layouts = |store: String| {
        let single = Case::new(&store);
        let split = single
            .document()
            .is_some()
            .then(|| Case::new(&store).split());
        [Some(single), split].into_iter().flatten()
    };
    recorded::stores().into_iter().flat_map(layouts).collect()
}

impl Case {
    fn new(store: &str) -> Self {
        let (world, env, _) = recorded::world(store);
        Self {
            name: format!("{store}, one file"),
            store: store.to_owned(),
            world,
            env,
            is_split: false,
        }
    }

    /// As a later release would have written it, with members that neither release knows.
    fn split(mut self) -> Self {
        let mut document = self.document().unwrap();
        let document = document.as_object_mut().unwrap();
        let mut state = Map::new();
        state.insert("version".to_owned(), 1.into());
        for name in SPLIT_OFF {
            let mut member = document.shift_remove(name);
            if name == "lastGood" {
                let member = member.get_or_insert_with(|| Map::new().into());
                member["nobody"] = "nobody:else".into();
            }
            state.extend(member.map(|member| (name.to_owned(), member)));
        }
        state.insert(
            "future".to_owned(),
            serde_json::json!({ "b": 1, "a": [2.50] }),
        );
        let pretty = |tree: &Map<String, Value>| serde_json::to_string_pretty(tree).unwrap();
        self.world.write(PROFILES, &pretty(document));
        self.world.write(STATE, &pretty(&state));
        self.name = format!("{}, split", self.store);
        self.is_split = true;
        self
    }

    /// Main's document, if there is one that can be read.
    pub(super) fn document(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.world.state().join(PROFILES)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The state that belongs to it, wherever it is kept.
    fn state(&self) -> Value {
        match self.is_split {
            true => serde_json::from_str(&self.world.read(STATE)).unwrap(),
            false => self.document().unwrap_or_default(),
        }
    }

    /// The profiles of main's document that are of this type.
    pub(super) fn profiles(&self, kind: &str) -> Vec<String> {
        let document = self.document().unwrap_or_default();
        let profiles = document["profiles"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mine = profiles.iter().filter(|(_, entry)| entry["type"] == kind);
        mine.map(|(id, _)| id.clone()).collect()
    }

    /// The members of the state that speak of `profile`, as changes that a logout makes.
    pub(super) fn mentions(&self, profile: &str) -> Vec<String> {
        let state = self.state();
        let members = |name: &str| state[name].as_object().cloned().unwrap_or_default();
        let mut found = Vec::new();
        for (provider, order) in members("order") {
            let order = order.as_array().unwrap();
            if order.iter().any(|id| id == profile) {
                let sign = if order.len() == 1 { "-" } else { "" };
                found.push(self.at(sign, &format!("/order/{provider}")));
            }
        }
        for (provider, last) in members("lastGood") {
            if last == profile {
                found.push(self.gone("lastGood", &provider, members("lastGood").len()));
            }
        }
        if members("usageStats").contains_key(profile) {
            found.push(self.gone("usageStats", profile, members("usageStats").len()));
        }
        found
    }

    /// What a new profile changes in an order that does not list it: it comes first.
    pub(super) fn put_first(&self, provider: &str) -> Option<String> {
        let state = self.state();
        let order = state.get("order")?.get(provider)?;
        order
            .is_array()
            .then(|| self.at("", &format!("/order/{provider}")))
    }

    /// What a new credential changes in what is held against its profile: nothing is left of it.
    pub(super) fn forgiven(&self, profile: &str) -> Vec<String> {
        let usage = self.state()["usageStats"][profile].clone();
        let at = |sign: &str, name: &str| {
            let pointer = format!("/usageStats/{profile}/{name}");
            usage.get(name).map(|_| self.at(sign, &pointer))
        };
        let gone = [
            "cooldownUntil",
            "disabledUntil",
            "disabledReason",
            "failureCounts",
        ];
        let mut found: Vec<String> = gone.iter().filter_map(|name| at("-", name)).collect();
        if !found.is_empty() {
            found.extend(at("", "errorCount"));
        }
        found
    }

    /// A member that goes takes an object that is empty then with it.
    fn gone(&self, object: &str, name: &str, count: usize) -> String {
        match count {
            1 => self.at("-", &format!("/{object}")),
            _ => self.at("-", &format!("/{object}/{name}")),
        }
    }

    /// A change at a pointer into the document, in the file where the layout has it.
    pub(super) fn at(&self, sign: &str, pointer: &str) -> String {
        let top = pointer.trim_start_matches('/').split('/').next().unwrap();
        let file = match self.is_split && SPLIT_OFF.contains(&top) {
            true => STATE,
            false => PROFILES,
        };
        format!("{sign}{file}#{pointer}")
    }

    /// What a first write changes besides `changes`: a document that was not there, or could not
    /// be read, is written whole, and what it was made from is set aside.
    pub(super) fn written(&self, changes: Vec<String>) -> Vec<String> {
        let whole: &[&str] = match self.store.as_str() {
            "not-json" => &[
                PROFILES,
                "+agents/main/agent/auth-profiles.json.unreadable-<stamp>",
            ],
            "legacy-auth-json" => &[
                "+agents/main/agent/auth-profiles.json",
                "-agents/main/agent/auth.json",
                "+agents/main/agent/auth.json.imported",
            ],
            "empty" | "env-keys" | "legacy-oauth-json" => {
                &["+agents/main/agent/auth-profiles.json"]
            }
            _ => return changes,
        };
        let outside = changes
            .into_iter()
            .filter(|change| !change.contains(PROFILES));
        outside
            .chain(whole.iter().map(ToString::to_string))
            .collect()
    }

    /// Gives a stored login a grant of the issuer that has ended.
    pub(super) fn seed(&self, issuer: &Issuer, profile: &str) {
        let mut document = self.document().unwrap();
        let (access, refresh) = issuer.issue();
        let entry = &mut document["profiles"][profile];
        entry["access"] = access.into();
        entry["refresh"] = refresh.into();
        entry["expires"] = millis_from_now(-60).into();
        let text = serde_json::to_string_pretty(&document).unwrap();
        self.world.write(PROFILES, &text);
    }

    pub(super) fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.world.command(args);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// The profiles that can be used; none of a document that cannot be read.
    pub(super) fn listed(&self) -> Vec<String> {
        let ran = self.run(&["models", "auth", "list", "--json"]);
        let list: Value = serde_json::from_str(&ran.out).unwrap_or_default();
        let rows = list["profiles"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["id"].to_string()).collect()
    }

    fn files(&self) -> Files {
        fn walk(root: &Path, directory: &Path, files: &mut Files) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(root, &path, files);
                } else {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    files.insert(unstamped(&name), std::fs::read(&path).unwrap());
                }
            }
        }
        let mut files = Files::new();
        walk(&self.world.state(), &self.world.state(), &mut files);
        // Locks, the journal of refreshes and the history have tests of their own.
        files.retain(|name, _| !name.starts_with("locks/") && !name.contains("/auth-history/"));
        files
    }

    /// Asserts that `act` succeeds and changes exactly that, and leaves what it wrote readable for
    /// its owner only.
    pub(super) fn assert_changes(&self, act: impl FnOnce(&Self) -> Ran, expected: &[String]) {
        let mut before = self.files();
        for name in before.keys() {
            let path = self.world.state().join(name);
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
        }
        let ran = act(self);
        assert_eq!(ran.code, 0, "{}: {ran:?}", self.name);
        let mut after = self.files();
        if before.get(CONFIG) != after.get(CONFIG) {
            let backup = after.get("openclaw.json.bak");
            assert_eq!(backup, before.get(CONFIG), "{}", self.name);
        }
        for files in [&mut before, &mut after] {
            files.retain(|name, _| !name.starts_with("openclaw.json.bak"));
        }
        let mut expected = expected.to_vec();
        expected.sort();
        let changed = changes::between(&before, &after);
        assert_eq!(changed, expected, "{}: {ran:?}", self.name);
        for (name, bytes) in &after {
            let path = self.world.state().join(name);
            let written = before.get(name) != Some(bytes) && path.exists();
            if written && !name.ends_with(".imported") {
                let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}: {name}", self.name);
            }
        }
        assert_kept(&before, &after, &self.name);
    }
}

/// What is no tree: the comments of a configuration, and the bytes that were set aside.
fn assert_kept(before: &Files, after: &Files, name: &str) {
    let comments = |files: &Files| {
        let text = files.get("openclaw.json").cloned().unwrap_or_default();
        let text = String::from_utf8(text).unwrap();
        let lines = text.lines().filter(|line| line.contains("//"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(comments(before), comments(after), "{name}");
    let aside = after.iter().find(|(path, _)| path.contains(".unreadable-"));
    if let Some((_, bytes)) = aside {
        assert_eq!(Some(bytes), before.get(PROFILES), "{name}");
    }
}

/// The name of a file that carries a moment, without it.
fn unstamped(name: &str) -> String {
    let is_stamp = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    let starts = name.char_indices().map(|(at, _)| at);
    for at in starts {
        if name.get(at..at + 15).is_some_and(is_stamp) {
            return format!("{}<stamp>{}", &name[..at], &name[at + 15..]);
        }
    }
    name.to_owned()
}
