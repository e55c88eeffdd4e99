//! The document said a second time, without the store.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::security::random_inputs::targets::raw::members;

/// Values that no Rust type holds without a loss, or that a second writer would lay out otherwise.
pub(super) const ODD: [&str; 8] = [
    "1e999",
    "0.10",
    r#""\ud800""#,
    r#"{ "y" :[1 , 2],"y": 3 }"#,
    r#""\u00e9é""#,
    "123456789012345678901234567890",
    "[ ]",
    "null",
];

/// Profiles that operations are about; the first three hold copies of one grant.
pub(super) const NAMES: [&str; 6] = [
    "openai-codex:a",
    "openai-codex:b",
    "openai-codex:c",
    "openai-codex:d",
    "openai-codex:e",
    "openai-codex:f",
];

/// Entries that no operation is about.
pub(super) const OTHERS: [(&str, &str); 4] = [
    ("broken", "5"),
    (
        "later",
        r#"{ "type":"passkey", "provider":"openai-codex", "n": 1e999}"#,
    ),
    (
        " spaced ",
        r#"{"type":"api_key","provider":"p","key":"k" , "keyRef": {"x":1}}"#,
    ),
    ("spaced", r#"{"type":"api_key","provider":"p","key":"k2"}"#),
];

/// What must be there: each value as its text where that must not change, else as a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    Text(String),
    Tree(Value),
}

/// The document said a second time, without the store.
#[derive(Default)]
pub(super) struct Model {
    pub(super) profiles: Vec<(String, Expected)>,
    pub(super) order: BTreeMap<String, Vec<String>>,
    pub(super) good: BTreeMap<String, String>,
    pub(super) usage: BTreeMap<String, String>,
    /// Unknown members of the document and of the state file, as text.
    pub(super) unknown: BTreeMap<String, String>,
    pub(super) unknown_state: BTreeMap<String, String>,
}

impl Model {
    pub(super) fn text(
        &self,
        unknown: &BTreeMap<String, String>,
        profiles: bool,
        state: bool,
    ) -> String {
        let object = |members: Vec<String>| format!("{{ {} }}", members.join(" ,\n"));
        let mut top: Vec<String> = vec!["\"version\":1".to_owned()];
        top.extend(unknown.iter().map(|(k, v)| format!("{}:{v}", json!(k))));
        if profiles {
            let entries = self.profiles.iter().map(|(key, expected)| match expected {
                Expected::Text(text) => format!("{}:{text}", json!(key)),
                Expected::Tree(tree) => format!("{}:{tree}", json!(key)),
            });
            top.push(format!("\"profiles\":{}", object(entries.collect())));
        }
        if state {
            top.push(format!("\"order\":{}", json!(self.order)));
            top.push(format!("\"lastGood\":{}", json!(self.good)));
            let usage = self.usage.iter().map(|(k, v)| format!("{}:{v}", json!(k)));
            top.push(format!("\"usageStats\":{}", object(usage.collect())));
        }
        object(top)
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.profiles.iter().position(|(key, _)| key == name)
    }

    pub(super) fn tree(&self, name: &str) -> Option<Value> {
        match &self.profiles[self.place(name)?].1 {
            Expected::Tree(tree) => Some(tree.clone()),
            // The odd members have no tree; nobody looks at them but as text.
            Expected::Text(text) => {
                let plain = members(text)?;
                let known = plain.into_iter().filter(|(key, _)| !key.starts_with("odd"));
                let value = |text: &str| serde_json::from_str(text).ok();
                let pairs = known.map(|(key, raw)| Some((key, value(raw.get())?)));
                pairs.collect::<Option<_>>().map(Value::Object)
            }
        }
    }

    pub(super) fn put(&mut self, name: &str, tree: Value) {
        let entry = (name.to_owned(), Expected::Tree(tree));
        match self.place(name) {
            Some(place) => self.profiles[place] = entry,
            None => self.profiles.push(entry),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        let Some(place) = self.place(name) else {
            return;
        };
        self.profiles.remove(place);
        self.order
            .values_mut()
            .for_each(|ids| ids.retain(|id| id != name));
        self.order.retain(|_, ids| !ids.is_empty());
        self.good.retain(|_, id| id != name);
        self.usage.remove(name);
    }
}

pub(super) fn start(odd: &[&str], logins: &[usize]) -> Model {
    let mut model = Model::default();
    for (n, name) in NAMES.iter().enumerate() {
        let (other, odd) = (OTHERS.get(n), odd[n]);
        if let Some((key, text)) = other {
            model
                .profiles
                .push(((*key).to_owned(), Expected::Text((*text).to_owned())));
        }
        if !logins.contains(&n) {
            continue;
        }
        let grant = if n < 3 {
            "rt-shared".to_owned()
        } else {
            format!("rt-{n}")
        };
        let text = format!(
            r#"{{"odd":{odd}, "type":"oauth","provider":"openai-codex",
               "access":"at-{n}", "refresh":"{grant}","expires":1 , "odd2" : {odd}}}"#
        );
        model
            .profiles
            .push(((*name).to_owned(), Expected::Text(text)));
        model.usage.insert(
            (*name).to_owned(),
            format!(r#"{{"errorCount": 1,"odd":{odd}}}"#),
        );
    }
    model.order.insert(
        "openai-codex".into(),
        vec!["openai-codex:a".into(), "gone".into()],
    );
    model.good.insert("groq".into(), "groq:x".into());
    model.usage.insert("gone".into(), odd[6].to_owned());
    model.unknown.insert("top".into(), odd[7].to_owned());
    model
}
