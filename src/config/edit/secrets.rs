//! Changes of `secrets.providers`: the program that gives OpenClaw what is sealed here.

use jsonc_parser::cst::{CstInputValue, CstObject};
use serde_json::{Value, json};

use super::members::{ShapeFault, is_unique, non_null, object_at, set};

/// The member that is changed, and the objects that it lies in.
const PROVIDERS: [&str; 2] = ["secrets", "providers"];

/// What the provider is, apart from the path of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretProgram {
    /// By which name.
    pub alias: &'static str,
    /// `args`.
    pub args: &'static [&'static str],
    /// `passEnv`.
    pub pass_env: &'static [&'static str],
}

impl SecretProgram {
    /// Names the program at this path. What was added to the entry since it was made stays.
    pub(super) fn put(&self, root: &CstObject, path: &str) -> Result<(), ShapeFault> {
        let providers = object_at(root, &PROVIDERS)?;
        let name = || format!("{}.{}", PROVIDERS.join("."), self.alias);
        is_unique(&providers, &[self.alias])?;
        let Some(there) = non_null(&providers, self.alias) else {
            if let Some(null) = providers.get(self.alias) {
                null.remove();
            }
            providers.append(self.alias, self.entry(path));
            return Ok(());
        };
        let tree = there.to_serde_value().unwrap_or_default();
        match there.as_object() {
            Some(entry) if self.is_it(&tree) => {
                set(&entry, "command", path);
                Ok(())
            }
            _ => Err((name(), "is there, and another program or source")),
        }
    }

    /// Takes the entry out if it is as it was made, and what is left empty with it.
    pub(super) fn remove(&self, root: &CstObject) {
        let secrets = root.object_value(PROVIDERS[0]);
        let providers = secrets
            .as_ref()
            .and_then(|it| it.object_value(PROVIDERS[1]));
        let entry = providers.as_ref().and_then(|it| it.get(self.alias));
        let tree = entry.as_ref().and_then(|it| it.value()?.to_serde_value());
        let (Some(entry), Some(tree)) = (entry, tree) else {
            return;
        };
        let is_as_made = tree == self.as_made(tree["command"].as_str().unwrap_or_default());
        if !is_as_made {
            return;
        }
        entry.remove();
        // Early releases take no configuration that has `secrets`, whatever is in it.
        for (holder, name, object) in [
            (secrets.as_ref(), PROVIDERS[1], providers.as_ref()),
            (Some(root), PROVIDERS[0], secrets.as_ref()),
        ] {
            if let (Some(holder), Some(object)) = (holder, object)
                && object.properties().is_empty()
                && let Some(member) = holder.get(name)
            {
                member.remove();
            }
        }
    }

    /// Whether an entry is this program, wherever that lies.
    fn is_it(&self, entry: &Value) -> bool {
        entry["source"] == "exec" && entry["args"] == json!(self.args)
    }

    fn as_made(&self, path: &str) -> Value {
        json!({ "source": "exec", "command": path, "args": self.args, "passEnv": self.pass_env,
            "jsonOnly": true })
    }

    fn entry(&self, path: &str) -> CstInputValue {
        let text = |text: &str| CstInputValue::String(text.to_owned());
        let list = |texts: &[&str]| CstInputValue::Array(texts.iter().map(|it| text(it)).collect());
        let members = [
            ("source", text("exec")),
            ("command", text(path)),
            ("args", list(self.args)),
            ("passEnv", list(self.pass_env)),
            ("jsonOnly", CstInputValue::Bool(true)),
        ];
        let members = members.into_iter();
        CstInputValue::Object(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }
}
