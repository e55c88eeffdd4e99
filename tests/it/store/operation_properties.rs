//! Any sequence of operations on a store: what each of them means happens, and every byte that none
//! of them means stays, in one file and in two.

mod model;

use std::collections::BTreeMap;

use openclaw::app::usecase::{logout, refresh};
use openclaw::model::credential::{Credential, Token};
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::json::{Extra, Verbatim};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::usage::Usage;
use openclaw::ports::store::Documents as _;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::security::random_inputs::targets::fake_ports::FakePorts;
use crate::security::random_inputs::targets::raw::{Members, members, within};

use model::{Expected, Model, NAMES, ODD, start};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const STATE: &str = "agents/main/agent/auth-state.json";

#[derive(Clone, Debug)]
enum Step {
    Put(usize, String),
    Remove(usize),
    Logout(usize),
    Refresh(usize),
    Order(&'static str, Vec<usize>),
    ClearOrder(&'static str),
    Good(usize),
    Use(usize, i64),
    Nothing,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..NAMES.len();
    let provider = || select(vec!["openai-codex", "groq"]);
    let step = prop_oneof![
        (n(), "[ -~é]{1,8}").prop_map(|(n, secret)| Step::Put(n, secret)),
        n().prop_map(Step::Remove),
        n().prop_map(Step::Logout),
        n().prop_map(Step::Refresh),
        (provider(), prop::collection::vec(n(), 1..4)).prop_map(|(p, ids)| Step::Order(p, ids)),
        provider().prop_map(Step::ClearOrder),
        n().prop_map(Step::Good),
        (n(), 0..2_000_000_000_000_i64).prop_map(|(n, at)| Step::Use(n, at)),
        Just(Step::Nothing),
    ];
    prop::collection::vec(step, 0..14)
}

/// Does one step with the store and with the model.
fn take(fakes: &FakePorts, model: &mut Model, step: &Step) {
    let main = AgentId::main();
    let id = |n: &usize| ProfileId::parse(NAMES[*n]).unwrap();
    let update = |change: &mut dyn FnMut(&mut AuthProfiles)| {
        let written = fakes.store.update(&main, &mut |document| {
            change(document);
            true
        });
        written.unwrap();
    };
    match step {
        Step::Put(n, secret) => {
            let token = Token {
                provider: "openai-codex".into(),
                token: Some(Secret::from(secret.as_str())),
                expires: None,
                email: None,
                extra: Extra::default(),
            };
            update(&mut |document| assert!(document.put(id(n), Credential::Token(token.clone()))));
            let tree = json!({ "type": "token", "provider": "openai-codex", "token": secret });
            model.put(NAMES[*n], tree);
        }
        Step::Remove(n) => {
            update(&mut |document| drop(document.remove(&id(n))));
            model.remove(NAMES[*n]);
        }
        Step::Logout(n) => {
            let request = logout::Request {
                agent: main,
                profile: id(n),
                yes: true,
                dry_run: false,
                revoke: false,
                force: false,
                forget: false,
            };
            let done = logout::run(fakes.ports(), &request).is_ok();
            assert_eq!(done, model.place(NAMES[*n]).is_some());
            model.remove(NAMES[*n]);
        }
        Step::Refresh(n) => refreshed(fakes, model, NAMES[*n]),
        Step::Order(provider, ids) => {
            let ids: Vec<String> = ids.iter().map(|n| NAMES[*n].to_owned()).collect();
            update(&mut |document| {
                document.order.retain(|(other, _)| other != provider);
                document.order.push(((*provider).to_owned(), ids.clone()));
            });
            model.order.insert((*provider).to_owned(), ids);
        }
        Step::ClearOrder(provider) => {
            update(&mut |document| document.order.retain(|(other, _)| other != provider));
            model.order.remove(*provider);
        }
        Step::Good(n) => {
            let name = NAMES[*n].to_owned();
            update(&mut |document| {
                document
                    .last_good
                    .retain(|(other, _)| other != "openai-codex");
                document
                    .last_good
                    .push(("openai-codex".to_owned(), name.clone()));
            });
            model.good.insert("openai-codex".to_owned(), name);
        }
        Step::Use(n, at) => {
            let (name, text) = (
                NAMES[*n].to_owned(),
                format!(r#"{{"lastUsed":{at},"n":1e999}}"#),
            );
            update(&mut |document| {
                document.usage.retain(|(other, _)| *other != name);
                document.usage.push((name.clone(), usage(&text)));
            });
            model.usage.insert(name, text);
        }
        Step::Nothing => {
            let kept = fakes.store.update(&main, &mut |document| {
                document.order.clear();
                document.remove(&id(&0));
                false
            });
            kept.unwrap();
        }
    }
}

fn usage(text: &str) -> Usage {
    Usage {
        text: Verbatim::new(text),
        ..Usage::default()
    }
}

/// Every copy of the grant gets the same new one, and keeps its own unknown members.
fn refreshed(fakes: &FakePorts, model: &mut Model, name: &str) {
    let before = model.tree(name);
    let profile = ProfileId::parse(name).unwrap();
    let reports = refresh::run(fakes.ports(), &AgentId::main(), Some(&profile), true);
    let Some(grant) = before.and_then(|tree| tree.get("refresh").cloned()) else {
        assert!(reports.is_err(), "{name} holds nothing to refresh");
        return;
    };
    let living = reports.unwrap().remove(0).result.unwrap().credential;
    let text = |secret: &Option<Secret<String>>| secret.as_ref().unwrap().expose().clone();
    for copy in NAMES {
        let Some(mut tree) = model
            .tree(copy)
            .filter(|tree| tree.get("refresh") == Some(&grant))
        else {
            continue;
        };
        tree["access"] = json!(text(&living.access));
        tree["refresh"] = json!(text(&living.refresh));
        tree["expires"] = json!(living.expires.unwrap().0);
        model.put(copy, tree);
    }
}

fn read(fakes: &FakePorts, path: &str) -> Option<Members> {
    let text = String::from_utf8(fakes.bytes(path)?).unwrap();
    Some(members(&text).unwrap())
}

/// Nothing there is more, less or other than the model says.
fn compare(fakes: &FakePorts, model: &Model, split: bool, odd: &[&str]) {
    let document = read(fakes, DOCUMENT).unwrap();
    let state = read(fakes, STATE);
    let keeper = match split {
        true => state.clone().unwrap_or_default(),
        false => document.clone(),
    };
    assert!(split || state.is_none(), "the layout has changed");
    let text = String::from_utf8(fakes.bytes(DOCUMENT).unwrap()).unwrap();
    let order: serde_json::Map<String, Value> = {
        let plain = text.replace("1e999", "0").replace(r"\ud800", "x");
        let tree: Value = serde_json::from_str(&plain).unwrap();
        tree["profiles"].as_object().cloned().unwrap_or_default()
    };
    let names: Vec<&String> = model.profiles.iter().map(|(name, _)| name).collect();
    assert_eq!(order.keys().collect::<Vec<_>>(), names);
    let profiles = within(&document, "profiles");
    for (name, expected) in &model.profiles {
        match expected {
            Expected::Text(text) => assert_eq!(profiles[name].get(), text, "{name}"),
            Expected::Tree(tree) => {
                let entry = members(profiles[name].get()).unwrap();
                for (key, value) in tree.as_object().unwrap() {
                    let found: Value = serde_json::from_str(entry[key].get()).unwrap();
                    assert_eq!(found, *value, "{key} of {name}");
                }
                let n = NAMES.iter().position(|other| other == name).unwrap();
                // A refresh keeps the unknown members; what replaces a login has none.
                for key in ["odd", "odd2"]
                    .iter()
                    .filter(|_| tree.get("refresh").is_some())
                {
                    assert_eq!(entry[*key].get(), odd[n], "{key} of {name}");
                }
            }
        }
    }
    let trees = |name: &str| -> BTreeMap<String, Value> {
        let all = within(&keeper, name).into_iter();
        all.map(|(key, raw)| (key, serde_json::from_str(raw.get()).unwrap()))
            .collect()
    };
    assert_eq!(json!(trees("order")), json!(model.order));
    assert_eq!(json!(trees("lastGood")), json!(model.good));
    let usage = within(&keeper, "usageStats").into_iter();
    let usage: BTreeMap<String, String> = usage.map(|(k, raw)| (k, raw.get().to_owned())).collect();
    assert_eq!(usage, model.usage);
    for (unknown, file) in [(&model.unknown, &document), (&model.unknown_state, &keeper)] {
        for (name, text) in unknown {
            assert_eq!(file[name].get(), text, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn every_operation_does_what_it_means_and_nothing_else(
        steps in steps(),
        odd in prop::collection::vec(select(ODD.to_vec()), 8),
        logins in prop::collection::vec(0..NAMES.len(), 0..6),
        split in any::<bool>(),
    ) {
        let fakes = FakePorts::new();
        let mut model = start(&odd, &logins);
        fakes.put(DOCUMENT, model.text(&model.unknown, true, !split).as_bytes());
        if split {
            model.unknown_state.insert("own".into(), odd[0].to_owned());
            fakes.put(STATE, model.text(&model.unknown_state, false, true).as_bytes());
        }
        for step in &steps {
            take(&fakes, &mut model, step);
            compare(&fakes, &model, split, &odd);
        }
    }
}
