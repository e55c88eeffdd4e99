//! The texts and references in a tree of JSON, each with its path.

use serde_json::{Map, Value};

use crate::model::id::printable;
use crate::model::secret_shape::hide_secrets;

/// A member that is a text or a reference.
pub(super) struct Member<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The name of the object that it is in.
    pub(super) parent: &'a str,
    /// Its path, fit to be shown.
    pub(super) path: String,
    /// What it holds.
    pub(super) content: Content<'a>,
    /// The profile that it is a part of, with its provider.
    pub(super) profile: Option<(&'a str, Option<&'a str>)>,
    /// The provider whose settings it is a part of.
    pub(super) provider: Option<&'a str>,
}

/// What a member holds.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// A text.
    Text(&'a str),
    /// A SecretRef.
    Reference(Reference<'a>),
}

/// A SecretRef.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    /// `env`, `file`, `exec` or `store`.
    pub(super) source: &'a str,
    /// The alias in `secrets.providers`, if one is named.
    pub(super) alias: Option<&'a str>,
    /// What it is called there.
    pub(super) id: &'a str,
}

/// Visits every text and every reference.
pub(super) fn visit<'a>(root: &'a Value, look: &mut dyn FnMut(Member<'a>)) {
    let mut walk = Walk {
        names: Vec::new(),
        profile: None,
        provider: None,
        look,
    };
    // A history is that of one profile.
    walk.profile = root
        .get("profile")
        .and_then(Value::as_str)
        .map(|id| (id, None));
    walk.value(root);
}

struct Walk<'a, 'b> {
    names: Vec<&'a str>,
    profile: Option<(&'a str, Option<&'a str>)>,
    provider: Option<&'a str>,
    look: &'b mut dyn FnMut(Member<'a>),
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, value: &'a Value) {
        match value {
            Value::String(text) => self.found(Content::Text(text)),
            Value::Object(members) => match reference(members) {
                Some(reference) => self.found(Content::Reference(reference)),
                None => self.object(members),
            },
            Value::Array(items) => {
                for item in items {
                    self.value(item);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, members: &'a Map<String, Value>) {
        let before = (self.profile, self.provider);
        if let [.., above, name] = *self.names {
            match above {
                "profiles" => {
                    let provider = members.get("provider").and_then(Value::as_str);
                    self.profile = Some((name, provider));
                }
                "providers" => self.provider = Some(name),
                _ => {}
            }
        }
        for (name, value) in members {
            self.names.push(name);
            self.value(value);
            self.names.pop();
        }
        (self.profile, self.provider) = before;
    }

    fn found(&mut self, content: Content<'a>) {
        let Some((name, above)) = self.names.split_last() else {
            return;
        };
        let shown = self.names.iter();
        let shown: Vec<String> = shown
            .map(|name| hide_secrets(&printable(name, 200)).into_owned())
            .collect();
        (self.look)(Member {
            name,
            parent: above.last().copied().unwrap_or_default(),
            path: shown.join("."),
            content,
            profile: self.profile,
            provider: self.provider,
        });
    }
}

fn reference(members: &Map<String, Value>) -> Option<Reference<'_>> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let source = text("source").filter(|it| ["env", "file", "exec", "store"].contains(it))?;
    Some(Reference {
        source,
        alias: text("provider"),
        id: text("id")?,
    })
}
