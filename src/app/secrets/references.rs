//! Which files refer to a secret.

use std::path::PathBuf;

use serde_json::Value;

use crate::app::context::Context;
use crate::config::file::parse_tree;
use crate::model::secret_ref::{SecretPlace, SecretRef};
use crate::model::state_files::{DECLARED, PROVIDERS};
use crate::model::vault::SecretName;
use crate::ports::store::{Detail, Scope};

/// What can refer to secrets. A file that cannot be read is told of by whoever needs it.
pub(super) struct References {
    /// The configuration and the manifests, with their text.
    texts: Vec<(PathBuf, String)>,
    /// The documents of the agents, with the references of their profiles.
    profiles: Vec<(PathBuf, SecretRef)>,
}

impl References {
    /// Reads them.
    pub(super) fn read(cx: Context<'_>) -> Self {
        let state = &cx.dirs.state;
        let providers = state.join(PROVIDERS);
        let manifests = cx.files.list(&providers).unwrap_or_default().into_iter();
        let manifests = manifests.filter(|name| name.ends_with(".toml"));
        let mut paths = vec![state.join(DECLARED), cx.config.path().to_owned()];
        paths.extend(manifests.map(|name| providers.join(name)));
        let text = |path: PathBuf| {
            let bytes = cx.files.read_settings(&path).ok().flatten()?;
            Some((path, String::from_utf8(bytes).ok()?))
        };
        Self {
            texts: paths.into_iter().filter_map(text).collect(),
            profiles: of_profiles(cx),
        }
    }

    /// Every `${secret:NAME}` outside of comments, with its file.
    pub(super) fn all(&self) -> Vec<(PathBuf, SecretName)> {
        let mut found = Vec::new();
        for (path, text) in &self.texts {
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.starts_with('#') && !line.starts_with("//"));
            let names = lines.flat_map(|line| line.split("${secret:").skip(1));
            let names = names.filter_map(|rest| SecretName::parse(rest.split_once('}')?.0).ok());
            found.extend(names.map(|name| (path.clone(), name)));
        }
        found.sort();
        found.dedup();
        found
    }

    /// Those that refer to this one: `${secret:NAME}`, or a SecretRef to the store or to `secret/NAME`.
    pub(super) fn to(&self, name: &SecretName) -> Vec<PathBuf> {
        let forms = [format!("${{secret:{name}}}"), format!("secret/{name}\"")];
        let refers = |text: &str| {
            forms.iter().any(|form| text.contains(form)) || refers_to_stored(text, name)
        };
        let texts = self.texts.iter().filter(|(_, text)| refers(text));
        let is_it = |reference: &SecretRef| match reference.place {
            SecretPlace::Store => reference.id == name.as_str(),
            SecretPlace::Exec => reference.id.strip_prefix("secret/") == Some(name.as_str()),
            SecretPlace::Env | SecretPlace::File => false,
        };
        let profiles = self.profiles.iter().filter(|(_, it)| is_it(it));
        let paths = (texts.map(|(path, _)| path)).chain(profiles.map(|(path, _)| path));
        let mut paths: Vec<PathBuf> = paths.cloned().collect();
        paths.dedup();
        paths
    }
}

fn of_profiles(cx: Context<'_>) -> Vec<(PathBuf, SecretRef)> {
    let mut found = Vec::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked);
        let document = document.unwrap_or_default();
        let members = document.profiles().map(|(_, it)| it.extra());
        let references = members.filter_map(|it| it.get("keyRef").or_else(|| it.get("tokenRef")));
        let usual = |_| "default".to_owned();
        let references = references.filter_map(|text| SecretRef::read(text, &usual).ok());
        found.extend(references.map(|it| (cx.place_of(&agent), it)));
    }
    found
}

/// Whether braces of a text, of whichever format, hold both the name and the word `store`.
fn refers_to_stored(text: &str, name: &SecretName) -> bool {
    let quoted = |word: &str| [format!("\"{word}\""), format!("'{word}'")];
    let mut places = quoted(name.as_str()).into_iter().flat_map(|word| {
        text.match_indices(&word)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    });
    places.any(|at| {
        let start = text[..at].rfind('{').unwrap_or(at);
        let end = text[at..].find('}').map_or(at, |length| at + length);
        quoted("store")
            .iter()
            .any(|word| text[start..end].contains(word))
    })
}

/// Whether the configuration has a SecretRef to this one of `secrets.providers`, or makes it one that
/// need not be named. What cannot be read may refer to it.
pub(super) fn refers_to_provider(cx: Context<'_>, alias: &str) -> bool {
    let mut sources = cx.config.sources().into_iter();
    sources.any(|path| match cx.files.read_settings(&path) {
        Ok(None) => false,
        Ok(Some(bytes)) => parse_tree(&bytes, &path).map_or(true, |tree| names(&tree, alias)),
        Err(_) => true,
    })
}

fn names(value: &Value, alias: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            // `provider` of a reference, and the members of `secrets.defaults`.
            let is_it = value == alias && (name == "provider" || name == "exec");
            is_it || names(value, alias)
        }),
        Value::Array(values) => values.iter().any(|value| names(value, alias)),
        _ => false,
    }
}
