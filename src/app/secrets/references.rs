//! Which files refer to a secret.

use std::path::PathBuf;

use serde_json::Value;

use crate::app::context::Context;
use crate::config::file::parse_tree;
use crate::model::state_files::{DECLARED, PROVIDERS};
use crate::model::vault::SecretName;

/// The files that can refer to secrets, with their text. One that cannot be read is told of by
/// whoever needs it.
pub(super) struct References(Vec<(PathBuf, String)>);

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
        Self(paths.into_iter().filter_map(text).collect())
    }

    /// Every `${secret:NAME}` outside of comments, with its file.
    pub(super) fn all(&self) -> Vec<(PathBuf, SecretName)> {
        let mut found = Vec::new();
        for (path, text) in &self.0 {
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

    /// Those that refer to this one: `${secret:NAME}`, or `secret/NAME` as the id of a SecretRef.
    pub(super) fn to(&self, name: &SecretName) -> Vec<PathBuf> {
        let forms = [format!("${{secret:{name}}}"), format!("secret/{name}\"")];
        let refers = |text: &str| forms.iter().any(|form| text.contains(form));
        let files = self.0.iter().filter(|(_, text)| refers(text));
        files.map(|(path, _)| path.clone()).collect()
    }
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
