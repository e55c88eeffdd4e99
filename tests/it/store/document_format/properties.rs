//! Whatever the text and whatever the changes: no panic, and no loss.

use openclaw::model::credential::{Credential, Token};
use openclaw::model::json::Extra;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::Scope;
use openclaw::store::document::{merge_state, parse};
use openclaw::store::legacy;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::security::random_inputs::targets::pieces;

use super::{all, id, single, value};

/// JSON, and text that is almost JSON.
fn anything() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        "\"[a-z:]{0,6}\"",
        Just(r#""oauth""#.to_owned()),
        Just(r#""token""#.to_owned()),
        ".{0,4}",
    ];
    let name = prop::sample::select(vec![
        "profiles",
        "order",
        "lastGood",
        "usageStats",
        "version",
        "type",
        "provider",
        "token",
        "expires",
        "email",
        "a",
        " a",
        "\\ud800",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let object = prop::collection::vec((name.clone(), inner), 0..6);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(","))),
            object.prop_map(|members| {
                let members = members.iter().map(|(k, v)| format!("\"{k}\":{v}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, String),
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..6_usize, ".{0,8}").prop_map(|(n, secret)| Step::Put(n, secret)),
        (0..6_usize).prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..12)
}

proptest! {
    #[test]
    fn no_text_panics(text in anything(), state in anything()) {
        let _ = legacy::import(Some(&text), Some(&state));
        let within = format!(r#"{{"profiles": {text}, "order": {state}, "usageStats": {text}}}"#);
        pieces::check(text.as_bytes());
        pieces::check(within.as_bytes());
        for document in [parse(&text, Scope::All), parse(&within, Scope::All)] {
            let Ok(mut document) = document else { continue };
            let _ = merge_state(&mut document, &state);
            let written = single(&document);
            prop_assert_eq!(single(&all(&written)), written);
        }
    }

    #[test]
    fn changes_keep_what_they_do_not_mean(
        steps in steps(),
        unknown in prop::collection::vec("[ -~é\\n]{0,12}", 6),
    ) {
        let mut expected = Map::new();
        for (n, unknown) in unknown.iter().enumerate() {
            let entry = json!({"type": "token", "provider": "p", "token": "t", "x": {"y": [unknown, 1e30]}});
            expected.insert(format!("p:{n}"), entry);
        }
        let text = json!({"version": 3, "profiles": expected, "top": unknown}).to_string();
        let mut document = all(&text);
        for step in steps {
            match step {
                Step::Put(n, secret) => {
                    let name = format!("p:{n}");
                    let token = Token {
                        provider: "p".into(),
                        token: Some(Secret::from(secret.as_str())),
                        expires: Some(Timestamp(9)),
                        email: None,
                        extra: Extra::default(),
                    };
                    assert!(document.put(id(&name), Credential::Token(token)));
                    let entry = json!({"type": "token", "provider": "p", "token": secret, "expires": 9});
                    expected.insert(name, entry);
                }
                Step::Remove(n) => {
                    let name = format!("p:{n}");
                    let was_there = expected.shift_remove(&name).is_some();
                    prop_assert_eq!(document.remove(&id(&name)).is_some(), was_there);
                }
            }
            document = all(&single(&document));
        }
        let written = value(&single(&document));
        let order = |profiles: &Value| profiles.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(order(&written["profiles"]), order(&Value::Object(expected.clone())));
        prop_assert_eq!(written, json!({"version": 3, "profiles": expected, "top": unknown}));
    }
}
