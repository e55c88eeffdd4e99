//! What each edit must do, said a second time.

use openclaw::config::edit::{Edit, Role, SecretProgram};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::document::{AGENTS, MODELS, PROFILES, at};

pub(super) fn add(id: &str) -> Edit {
    Edit::AddAgent {
        id: AgentId::normalise(id),
        name: "A \"new\" one".into(),
        workspace: "/w s".into(),
        agent_dir: "/a/b\\c".into(),
    }
}

pub(super) fn remove(id: &str) -> Edit {
    Edit::RemoveAgent {
        id: AgentId::normalise(id),
    }
}

/// A program for secrets, put in and taken out.
pub(super) fn secret_program() -> [Edit; 2] {
    let program = SecretProgram {
        alias: "vault",
        args: &["secrets", "resolve"],
        pass_env: &["HOME"],
    };
    let put = Edit::PutSecretProgram {
        program: program.clone(),
        path: "/a/b \"c\"".into(),
    };
    [put, Edit::RemoveSecretProgram(program)]
}

pub(super) fn edits() -> impl Strategy<Value = Edit> {
    let profile = || {
        select([&PROFILES[..], &["zai:new"]].concat()).prop_map(|id| ProfileId::parse(id).unwrap())
    };
    let provider =
        || select(vec!["anthropic", "zai"]).prop_map(|id| ProviderId::parse(id).unwrap());
    let email = prop::option::of(Just("me@example.com".to_owned()));
    let role = || select(vec![Role::Model, Role::Image]);
    let model = || select(MODELS.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        Just(add("new")),
        select(AGENTS.to_vec()).prop_map(remove),
        (profile(), provider(), email).prop_map(|(id, provider, email)| Edit::SetAuthProfile {
            id,
            provider,
            mode: "token".into(),
            email,
        }),
        (profile(), provider()).prop_map(|(id, provider)| Edit::OrderFirst { provider, id }),
        (role(), model()).prop_map(|(role, reference)| Edit::SetPrimary { role, reference }),
        (role(), model()).prop_map(|(role, reference)| Edit::AddFallback { role, reference }),
        (role(), prop::collection::vec(model(), 0..3))
            .prop_map(|(role, entries)| Edit::DropFallbacks { role, entries }),
        model().prop_map(Edit::AllowModel),
        model().prop_map(Edit::ForgetModel),
        (model(), prop::option::of(Just("two".to_owned())))
            .prop_map(|(reference, alias)| Edit::SetAlias { reference, alias }),
        select([&AGENTS[..], &["new"]].concat()).prop_map(|id| Edit::SetIdentity {
            id: AgentId::normalise(id),
            members: vec![("name", "A \"new\" one".into()), ("emoji", "🤖".into())],
        }),
        select(secret_program().to_vec()),
        Just(Edit::Touch {
            version: "0.1.0".into(),
            at_iso: "2026-02-07T12:00:00.000Z".into(),
        }),
    ]
}

fn is_agent(value: &Value, id: &AgentId) -> bool {
    value
        .as_str()
        .is_some_and(|text| AgentId::normalise(text) == *id)
}

/// Whether an edit takes out this element of a list.
pub(super) fn is_gone(value: &Value, edit: &Edit) -> bool {
    match edit {
        Edit::RemoveAgent { id } => is_agent(name_of(value), id),
        Edit::DropFallbacks { entries, .. } => entries.iter().any(|entry| value == entry),
        _ => false,
    }
}

fn name_of(value: &Value) -> &Value {
    value.get("id").or(value.get("agentId")).unwrap_or(value)
}

/// Whether an edit changes this element of a list.
pub(super) fn is_changed(value: &Value, edit: &Edit) -> bool {
    matches!(edit, Edit::SetIdentity { id, .. } if is_agent(name_of(value), id))
}

/// The choice of a role; a text stands for its primary model.
fn choice(value: &mut Value, role: Role) -> &mut Map<String, Value> {
    let defaults = at(value, &["agents", "defaults"]);
    let old = defaults.entry(role.member()).or_insert(json!({}));
    if old.is_string() {
        *old = json!({ "primary": old.take() });
    }
    old.as_object_mut().unwrap()
}

fn fallbacks(value: &mut Value, role: Role) -> &mut Vec<Value> {
    let list = choice(value, role).entry("fallbacks").or_insert(json!([]));
    list.as_array_mut().unwrap()
}

/// What an edit makes of a value, said a second time and without a text.
pub(super) fn expected(mut value: Value, edit: &Edit) -> Value {
    match edit {
        Edit::AddAgent {
            id,
            name,
            workspace,
            agent_dir,
        } => {
            let agents = at(&mut value, &["agents"]);
            let list = agents.entry("list").or_insert(json!([]));
            let list = list.as_array_mut().unwrap();
            if list.is_empty() {
                list.push(json!({ "id": "main" }));
            }
            list.push(json!({
                "id": id.as_str(), "name": name, "workspace": workspace, "agentDir": agent_dir,
            }));
        }
        Edit::RemoveAgent { id } => {
            let mut prune = |path: &str, member: &str| {
                let list = value.pointer_mut(path).and_then(Value::as_array_mut);
                let of = |item: &Value| item.get(member).unwrap_or(item).clone();
                list.into_iter()
                    .for_each(|list| list.retain(|item| !is_agent(&of(item), id)));
            };
            prune("/agents/list", "id");
            prune("/bindings", "agentId");
            prune("/tools/agentToAgent/allow", "");
        }
        Edit::SetAuthProfile {
            id,
            provider,
            mode,
            email,
        } => {
            let profile = at(&mut value, &["auth", "profiles", id.as_str()]);
            profile.insert("provider".into(), json!(provider.as_str()));
            profile.insert("mode".into(), json!(mode));
            if let Some(email) = email {
                profile.insert("email".into(), json!(email));
            }
        }
        Edit::OrderFirst { provider, id } => {
            let order = value
                .pointer_mut("/auth/order")
                .and_then(Value::as_object_mut);
            for (key, list) in order.into_iter().flatten() {
                let list = list.as_array_mut().unwrap();
                if ProviderId::parse(key).as_ref() == Ok(provider) {
                    list.retain(|other| other != id.as_str());
                    list.insert(0, json!(id.as_str()));
                }
            }
        }
        Edit::SetPrimary { role, reference } => {
            choice(&mut value, *role).insert("primary".into(), json!(reference));
        }
        Edit::AddFallback { role, reference } => {
            let list = fallbacks(&mut value, *role);
            if !list.contains(&json!(reference)) {
                list.push(json!(reference));
            }
        }
        Edit::DropFallbacks { role, entries } => {
            fallbacks(&mut value, *role).retain(|entry| !entries.iter().any(|gone| entry == gone));
        }
        Edit::AllowModel(reference) => {
            let models = at(&mut value, &["agents", "defaults", "models"]);
            models.entry(reference).or_insert(json!({}));
        }
        Edit::ForgetModel(reference) => {
            let models = at(&mut value, &["agents", "defaults", "models"]);
            if models.get(reference) == Some(&json!({})) {
                models.shift_remove(reference);
            }
        }
        Edit::SetAlias { reference, alias } => {
            let model = at(&mut value, &["agents", "defaults", "models", reference]);
            match alias {
                Some(alias) => model.insert("alias".into(), json!(alias)),
                None => model.shift_remove("alias"),
            };
        }
        Edit::SetIdentity { id, members } => {
            let list = at(&mut value, &["agents"])
                .entry("list")
                .or_insert(json!([]));
            let list = list.as_array_mut().unwrap();
            if !list.iter().any(|agent| is_agent(&agent["id"], id)) {
                list.push(json!({ "id": id.as_str() }));
            }
            let mut agents = list.iter_mut();
            let agent = agents.find(|agent| is_agent(&agent["id"], id)).unwrap();
            let identity = at(agent, &["identity"]);
            for (name, value) in members {
                identity.insert((*name).into(), json!(value));
            }
        }
        Edit::PutSecretProgram { program, path } => {
            let entry = json!({
                "source": "exec", "command": path, "args": program.args,
                "passEnv": program.pass_env, "jsonOnly": true,
            });
            at(&mut value, &["secrets", "providers"]).insert(program.alias.into(), entry);
        }
        // No document that is made up has one.
        Edit::RemoveSecretProgram(_) => {}
        Edit::Touch { version, at_iso } => {
            let meta = at(&mut value, &["meta"]);
            meta.insert("lastTouchedVersion".into(), json!(version));
            meta.insert("lastTouchedAt".into(), json!(at_iso));
        }
    }
    value
}

/// The members that an edit may change, by their paths.
pub(super) fn touched(edit: &Edit) -> Vec<Vec<&str>> {
    match edit {
        Edit::AddAgent { .. } => vec![vec!["agents", "list"]],
        Edit::RemoveAgent { .. } => vec![
            vec!["agents", "list"],
            vec!["bindings"],
            vec!["tools", "agentToAgent", "allow"],
        ],
        Edit::SetAuthProfile { id, .. } => ["provider", "mode", "email"]
            .map(|name| vec!["auth", "profiles", id.as_str(), name])
            .to_vec(),
        Edit::OrderFirst { .. } => vec![vec!["auth", "order"]],
        Edit::SetPrimary { role, .. } => {
            vec![vec!["agents", "defaults", role.member(), "primary"]]
        }
        Edit::AddFallback { role, .. } | Edit::DropFallbacks { role, .. } => {
            vec![vec!["agents", "defaults", role.member(), "fallbacks"]]
        }
        Edit::AllowModel(reference) | Edit::ForgetModel(reference) => {
            vec![vec!["agents", "defaults", "models", reference]]
        }
        Edit::SetAlias { reference, .. } => {
            vec![vec!["agents", "defaults", "models", reference, "alias"]]
        }
        Edit::SetIdentity { .. } => vec![vec!["agents", "list"]],
        Edit::PutSecretProgram { program, .. } | Edit::RemoveSecretProgram(program) => {
            vec![vec!["secrets", "providers", program.alias]]
        }
        Edit::Touch { .. } => vec![
            vec!["meta", "lastTouchedVersion"],
            vec!["meta", "lastTouchedAt"],
        ],
    }
}
