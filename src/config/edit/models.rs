//! Changes of `agents.defaults`: which models there are, and which are used.

use jsonc_parser::cst::{CstArray, CstInputValue, CstObject};

use super::members::{ShapeFault, non_null, object_at, prune, set, string};

/// What a model is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything else: `agents.defaults.model`.
    Model,
    /// Looking at images: `agents.defaults.imageModel`.
    Image,
}

impl Role {
    /// The member of `agents.defaults` that says it.
    pub fn member(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Image => "imageModel",
        }
    }

    pub(super) fn members(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Model => &[&["agents", "defaults", "model"]],
            Self::Image => &[&["agents", "defaults", "imageModel"]],
        }
    }
}

const MODELS: [&str; 3] = ["agents", "defaults", "models"];

/// The choice of a role; a text stands for its `primary`.
fn choice(root: &CstObject, role: Role) -> Result<CstObject, ShapeFault> {
    let defaults = object_at(root, &["agents", "defaults"])?;
    let text = non_null(&defaults, role.member()).and_then(|value| string(&value));
    let choice = defaults.object_value_or_set(role.member());
    if let Some(text) = text {
        set(&choice, "primary", &text);
    }
    Ok(choice)
}

pub(super) fn set_primary(root: &CstObject, role: Role, reference: &str) -> Result<(), ShapeFault> {
    set(&choice(root, role)?, "primary", reference);
    Ok(())
}

fn fallbacks(root: &CstObject, role: Role) -> Result<CstArray, ShapeFault> {
    let choice = choice(root, role)?;
    if non_null(&choice, "fallbacks").is_some_and(|value| value.as_array().is_none()) {
        let member = format!("agents.defaults.{}.fallbacks", role.member());
        return Err((member, "is not a list"));
    }
    Ok(choice.array_value_or_set("fallbacks"))
}

pub(super) fn add_fallback(
    root: &CstObject,
    role: Role,
    reference: &str,
) -> Result<(), ShapeFault> {
    let list = fallbacks(root, role)?;
    let is_it = |node| string(&node).as_deref() == Some(reference);
    if !list.elements().into_iter().any(is_it) {
        list.append(CstInputValue::String(reference.to_owned()));
    }
    Ok(())
}

pub(super) fn drop_fallbacks(
    root: &CstObject,
    role: Role,
    entries: &[String],
) -> Result<(), ShapeFault> {
    prune(Some(fallbacks(root, role)?), |node| {
        string(node).is_some_and(|text| entries.contains(&text))
    });
    Ok(())
}

pub(super) fn allow(root: &CstObject, reference: &str) -> Result<(), ShapeFault> {
    let models = object_at(root, &MODELS)?;
    if models.get(reference).is_none() {
        models.append(reference, CstInputValue::Object(Vec::new()));
    }
    Ok(())
}

pub(super) fn forget(root: &CstObject, reference: &str) -> Result<(), ShapeFault> {
    if let Some(member) = object_at(root, &MODELS)?.get(reference)
        && let Some(model) = member.object_value()
        && model.properties().is_empty()
    {
        member.remove();
    }
    Ok(())
}

pub(super) fn set_alias(
    root: &CstObject,
    reference: &str,
    alias: Option<&str>,
) -> Result<(), ShapeFault> {
    let [agents, defaults, models] = MODELS;
    let model = object_at(root, &[agents, defaults, models, reference])?;
    match (alias, model.get("alias")) {
        (Some(alias), _) => set(&model, "alias", alias),
        (None, Some(member)) => member.remove(),
        (None, None) => {}
    }
    Ok(())
}
