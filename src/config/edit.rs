//! Changes of `openclaw.json` in the text that people wrote: comments, unknown members, `${VAR}`
//! and formatting stay. The reference release writes its processed tree back, and with it the
//! secrets that `${VAR}` stood for.

mod members;
mod models;
mod secrets;

pub(super) use members::ShapeFault;
pub use models::Role;
pub use secrets::SecretProgram;

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};

use crate::model::id::{AgentId, ProfileId, ProviderId};
use members::{NO_OBJECT, is_unique, non_null, object, object_at, prune, set, string};

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
    /// Sets the first model of a role; its fallbacks stay.
    SetPrimary {
        /// What for.
        role: Role,
        /// The model.
        reference: String,
    },
    /// Appends a model to the fallbacks of a role.
    AddFallback {
        /// What for.
        role: Role,
        /// The model.
        reference: String,
    },
    /// Takes entries out of the fallbacks of a role, as they are written; an empty list stays.
    DropFallbacks {
        /// What for.
        role: Role,
        /// The entries.
        entries: Vec<String>,
    },
    /// Makes a model one of `agents.defaults.models`, if it is none yet.
    AllowModel(String),
    /// Makes a model none of them, if nothing is said of it.
    ForgetModel(String),
    /// Sets the alias of a model, or takes it away.
    SetAlias {
        /// The model as it is written in `agents.defaults.models`.
        reference: String,
        /// The alias.
        alias: Option<String>,
    },
    /// Sets members of `agents.list[].identity`; the others stay.
    SetIdentity {
        /// The agent; without a list it is made one of a new list.
        id: AgentId,
        /// Names and values.
        members: Vec<(&'static str, String)>,
    },
    /// Makes a program one of `secrets.providers`, or puts its path right.
    PutSecretProgram {
        /// The program.
        program: SecretProgram,
        /// Where it lies.
        path: String,
    },
    /// Takes it out again, if nobody changed it.
    RemoveSecretProgram(SecretProgram),
    /// Sets `meta.lastTouchedVersion` and `lastTouchedAt`.
    Touch {
        /// The program's version.
        version: String,
        /// Now, in ISO 8601.
        at_iso: String,
    },
}

impl Edit {
    /// The members that it may change, by names.
    pub(super) fn members(&self) -> &'static [&'static [&'static str]] {
        match self {
            Self::AddAgent { .. } => &[&["agents", "list"]],
            Self::RemoveAgent { .. } => &[
                &["agents", "list"],
                &["bindings"],
                &["tools", "agentToAgent", "allow"],
            ],
            Self::SetAuthProfile { .. } => &[&["auth", "profiles"]],
            Self::OrderFirst { .. } => &[&["auth", "order"]],
            Self::SetIdentity { .. } => &[&["agents", "list"]],
            Self::SetPrimary { role, .. }
            | Self::AddFallback { role, .. }
            | Self::DropFallbacks { role, .. } => role.members(),
            Self::AllowModel(_) | Self::ForgetModel(_) | Self::SetAlias { .. } => {
                &[&["agents", "defaults", "models"]]
            }
            Self::PutSecretProgram { .. } | Self::RemoveSecretProgram(_) => {
                &[&["secrets", "providers"]]
            }
            Self::Touch { .. } => &[&["meta"]],
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

/// Makes one change in a text that is already parsed. A comment on the line of what goes may go
/// with it; every other one stays.
///
/// # Errors
/// Fails if that would replace what somebody wrote by something of another shape.
pub(super) fn apply(root: &CstRootNode, edit: &Edit) -> Result<Counts, ShapeFault> {
    let is_object = root.value().is_none_or(|value| value.as_object().is_some());
    if !is_object {
        return Err(("the configuration".to_owned(), NO_OBJECT));
    }
    let root = root.object_value_or_set();
    for path in edit.members() {
        is_unique(&root, path)?;
    }
    match edit {
        Edit::AddAgent {
            id,
            name,
            workspace,
            agent_dir,
        } => {
            let list = agents(&root)?;
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
        Edit::RemoveAgent { id } => return Ok(remove_agent(&root, id)),
        Edit::SetAuthProfile {
            id,
            provider,
            mode,
            email,
        } => {
            let profile = object_at(&root, &["auth", "profiles", id.as_str()])?;
            set(&profile, "provider", provider.as_str());
            set(&profile, "mode", mode);
            if let Some(email) = email {
                set(&profile, "email", email);
            }
        }
        Edit::OrderFirst { provider, id } => order_first(&root, provider, id),
        Edit::SetPrimary { role, reference } => models::set_primary(&root, *role, reference)?,
        Edit::AddFallback { role, reference } => models::add_fallback(&root, *role, reference)?,
        Edit::DropFallbacks { role, entries } => models::drop_fallbacks(&root, *role, entries)?,
        Edit::AllowModel(reference) => models::allow(&root, reference)?,
        Edit::ForgetModel(reference) => models::forget(&root, reference)?,
        Edit::SetAlias { reference, alias } => {
            models::set_alias(&root, reference, alias.as_deref())?;
        }
        Edit::SetIdentity { id, members } => set_identity(&root, id, members)?,
        Edit::PutSecretProgram { program, path } => program.put(&root, path)?,
        Edit::RemoveSecretProgram(program) => program.remove(&root),
        Edit::Touch { version, at_iso } => {
            let meta = object_at(&root, &["meta"])?;
            set(&meta, "lastTouchedVersion", version);
            set(&meta, "lastTouchedAt", at_iso);
        }
    }
    Ok(Counts::default())
}

/// `agents.list`.
fn agents(root: &CstObject) -> Result<CstArray, ShapeFault> {
    let agents = object_at(root, &["agents"])?;
    if non_null(&agents, "list").is_some_and(|value| value.as_array().is_none()) {
        return Err(("agents.list".to_owned(), "is not a list"));
    }
    Ok(agents.array_value_or_set("list"))
}

fn set_identity(
    root: &CstObject,
    id: &AgentId,
    members: &[(&'static str, String)],
) -> Result<(), ShapeFault> {
    let list = agents(root)?;
    let find = || {
        let mut elements = list.elements().into_iter();
        elements.find_map(|node| names_agent(&node, "id", id).then(|| node.as_object())?)
    };
    let agent = match find() {
        Some(agent) => agent,
        None => {
            let new = list.append(object(&[("id", id.as_str())]));
            new.as_object()
                .ok_or_else(|| ("agents.list".to_owned(), NO_OBJECT))?
        }
    };
    if non_null(&agent, "identity").is_some_and(|value| value.as_object().is_none()) {
        return Err((format!("identity of agent {id}"), NO_OBJECT));
    }
    let identity = agent.object_value_or_set("identity");
    for (name, value) in members {
        set(&identity, name, value);
    }
    Ok(())
}

fn names_agent(node: &CstNode, member: &str, id: &AgentId) -> bool {
    let name = node.as_object().and_then(|object| object.get(member));
    let name = name
        .and_then(|member| member.value())
        .and_then(|value| string(&value));
    name.is_some_and(|name| AgentId::normalise(&name) == *id)
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
    let is_it = |name: &String| provider.is_named(name);
    let member = members
        .into_iter()
        .find(|member| member.decoded_name().as_ref().is_some_and(is_it));
    let Some(list) = member.and_then(|member| member.array_value()) else {
        return;
    };
    let is_it = |node: &CstNode| string(node).as_deref() == Some(id.as_str());
    let elements = list.elements();
    match elements.iter().position(is_it) {
        None => {
            list.insert(0, CstInputValue::String(id.as_str().to_owned()));
        }
        Some(0) => {}
        // A sort takes the comments along, which taking out and putting in would lose.
        Some(_) => list.sort_elements().by_key(|node| !is_it(node)),
    }
    for again in list.elements().into_iter().skip(1).filter(is_it) {
        again.remove();
    }
}
