//! Changes of `openclaw.json` in the text that people wrote: comments, unknown members, `${VAR}`
//! and formatting stay. The reference release writes its processed tree back, and with it the
//! secrets that `${VAR}` stood for.

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};

use crate::model::id::{AgentId, ProfileId, ProviderId};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Appends an agent to `agents.list`; the first one makes `main` explicit, so that it stays
    /// the default.
    AddAgent {
        /// Its id.
        id: AgentId,
        /// Its name as typed.
        name: String,
        /// Its workspace.
        workspace: String,
        /// Where its credentials lie.
        agent_dir: String,
    },
    /// Takes an agent out, with its bindings and its place in `tools.agentToAgent.allow`.
    RemoveAgent {
        /// Its id.
        id: AgentId,
    },
    /// Sets `auth.profiles.<id>`.
    SetAuthProfile {
        /// The profile.
        id: ProfileId,
        /// Its provider.
        provider: ProviderId,
        /// `oauth`, `token` or `api_key`.
        mode: String,
        /// Its e-mail.
        email: Option<String>,
    },
    /// Puts a profile first in `auth.order.<provider>`, if there is such an order.
    OrderFirst {
        /// The provider.
        provider: ProviderId,
        /// The profile.
        id: ProfileId,
    },
    /// Sets `agents.defaults.model.primary`; fallbacks stay.
    SetPrimaryModel(String),
    /// Sets `meta.lastTouchedVersion` and `lastTouchedAt`.
    Touch {
        /// The program's version.
        version: String,
        /// Now, in ISO 8601.
        at_iso: String,
    },
}

impl Edit {
    /// The member that it changes, by names.
    pub(super) fn member(&self) -> &'static [&'static str] {
        match self {
            Self::AddAgent { .. } | Self::RemoveAgent { .. } => &["agents", "list"],
            Self::SetAuthProfile { .. } => &["auth", "profiles"],
            Self::OrderFirst { .. } => &["auth", "order"],
            Self::SetPrimaryModel(_) => &["agents", "defaults", "model"],
            Self::Touch { .. } => &["meta"],
        }
    }
}

/// What went besides what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bindings that went with an agent.
    pub removed_bindings: usize,
    /// Members of `tools.agentToAgent.allow` that went with it.
    pub removed_allow: usize,
}

/// Makes one change in a text that is already parsed.
pub(super) fn apply(root: &CstRootNode, edit: &Edit) -> Counts {
    let root = root.object_value_or_set();
    match edit {
        Edit::AddAgent {
            id,
            name,
            workspace,
            agent_dir,
        } => {
            let list = at(&root, &["agents"]).array_value_or_set("list");
            if list.elements().is_empty() {
                list.append(object(&[("id", AgentId::MAIN)]));
            }
            list.ensure_multiline();
            list.append(object(&[
                ("id", id.as_str()),
                ("name", name),
                ("workspace", workspace),
                ("agentDir", agent_dir),
            ]));
        }
        Edit::RemoveAgent { id } => return remove_agent(&root, id),
        Edit::SetAuthProfile {
            id,
            provider,
            mode,
            email,
        } => {
            let profile = at(&root, &["auth", "profiles"]).object_value_or_set(id.as_str());
            set(&profile, "provider", provider.as_str());
            set(&profile, "mode", mode);
            if let Some(email) = email {
                set(&profile, "email", email);
            }
        }
        Edit::OrderFirst { provider, id } => order_first(&root, provider, id),
        Edit::SetPrimaryModel(model) => {
            set(
                &at(&root, &["agents", "defaults", "model"]),
                "primary",
                model,
            );
        }
        Edit::Touch { version, at_iso } => {
            let meta = at(&root, &["meta"]);
            set(&meta, "lastTouchedVersion", version);
            set(&meta, "lastTouchedAt", at_iso);
        }
    }
    Counts::default()
}

fn at(root: &CstObject, path: &[&str]) -> CstObject {
    let mut object = root.clone();
    for name in path {
        object = object.object_value_or_set(name);
    }
    object
}

fn set(object: &CstObject, name: &str, value: &str) {
    let value = CstInputValue::String(value.to_owned());
    match object.get(name) {
        Some(member) => member.set_value(value),
        None => {
            object.append(name, value);
        }
    }
}

fn object(members: &[(&str, &str)]) -> CstInputValue {
    let members = members.iter();
    let text = |text: &str| CstInputValue::String(text.to_owned());
    CstInputValue::Object(
        members
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
    )
}

fn string(node: &CstNode) -> Option<String> {
    node.to_serde_value()?.as_str().map(str::to_owned)
}

fn names_agent(node: &CstNode, member: &str, id: &AgentId) -> bool {
    let name = node.as_object().and_then(|object| object.get(member));
    let name = name
        .and_then(|member| member.value())
        .and_then(|value| string(&value));
    name.is_some_and(|name| AgentId::normalise(&name) == *id)
}

/// Removes the elements that `is_it` picks, and counts them.
fn prune(array: Option<CstArray>, is_it: impl Fn(&CstNode) -> bool) -> usize {
    let elements = array.map(|array| array.elements()).unwrap_or_default();
    let picked: Vec<CstNode> = elements.into_iter().filter(|node| is_it(node)).collect();
    let count = picked.len();
    for node in picked {
        node.remove();
    }
    count
}

fn remove_agent(root: &CstObject, id: &AgentId) -> Counts {
    let agents = root.object_value("agents");
    prune(
        agents.and_then(|agents| agents.array_value("list")),
        |node| names_agent(node, "id", id),
    );
    let tools = root.object_value("tools");
    let between = tools.and_then(|tools| tools.object_value("agentToAgent"));
    Counts {
        removed_bindings: prune(root.array_value("bindings"), |node| {
            names_agent(node, "agentId", id)
        }),
        removed_allow: prune(
            between.and_then(|between| between.array_value("allow")),
            |node| string(node).is_some_and(|name| AgentId::normalise(&name) == *id),
        ),
    }
}

fn order_first(root: &CstObject, provider: &ProviderId, id: &ProfileId) {
    let order = root
        .object_value("auth")
        .and_then(|auth| auth.object_value("order"));
    let members = order.map(|order| order.properties()).unwrap_or_default();
    let is_it = |name: &String| ProviderId::parse(name).as_ref() == Ok(provider);
    let member = members
        .into_iter()
        .find(|member| member.decoded_name().as_ref().is_some_and(is_it));
    let Some(list) = member.and_then(|member| member.array_value()) else {
        return;
    };
    let first = list.elements().first().and_then(string);
    if first.as_deref() == Some(id.as_str()) {
        return;
    }
    prune(Some(list.clone()), |node| {
        string(node).as_deref() == Some(id.as_str())
    });
    list.insert(0, CstInputValue::String(id.to_string()));
}
