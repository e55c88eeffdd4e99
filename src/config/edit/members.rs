//! Members of the objects in a text that people wrote.

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp};

/// A member on the way to a change is not what it should be: its name, and what is wrong.
pub(in crate::config) type ShapeFault = (String, &'static str);

/// Of two members of one name the later is read, and the first is what an edit would find.
pub(super) fn is_unique(root: &CstObject, path: &[&str]) -> Result<(), ShapeFault> {
    let mut object = Some(root.clone());
    for (depth, name) in path.iter().enumerate() {
        let members = object.map(|object| object.properties()).unwrap_or_default();
        let is_it = |member: &CstObjectProp| member.decoded_name().as_deref() == Some(name);
        let mut found = members.into_iter().filter(is_it);
        object = found.next().and_then(|member| member.object_value());
        if found.next().is_some() {
            return Err((path[..=depth].join("."), "appears twice"));
        }
    }
    Ok(())
}

pub(super) const NO_OBJECT: &str = "is not an object";

/// The object at a path, made where nothing or `null` is.
pub(super) fn object_at(root: &CstObject, path: &[&str]) -> Result<CstObject, ShapeFault> {
    let mut object = root.clone();
    for (depth, name) in path.iter().enumerate() {
        if non_null(&object, name).is_some_and(|value| value.as_object().is_none()) {
            return Err((path[..=depth].join("."), NO_OBJECT));
        }
        object = object.object_value_or_set(name);
    }
    Ok(object)
}

/// The value of a member, unless it is `null`.
pub(super) fn non_null(object: &CstObject, name: &str) -> Option<CstNode> {
    let value = object.get(name)?.value()?;
    value.as_null_keyword().is_none().then_some(value)
}

pub(super) fn set(object: &CstObject, name: &str, value: &str) {
    let member = object.get(name);
    let present = member.as_ref().and_then(|member| string(&member.value()?));
    // The same in other quotes stays as it is.
    if present.as_deref() == Some(value) {
        return;
    }
    let value = CstInputValue::String(value.to_owned());
    match member {
        Some(member) => member.set_value(value),
        None => {
            object.append(name, value);
        }
    }
}

pub(super) fn object(members: &[(&str, &str)]) -> CstInputValue {
    let members = members.iter();
    let text = |text: &str| CstInputValue::String(text.to_owned());
    CstInputValue::Object(
        members
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
    )
}

pub(super) fn string(node: &CstNode) -> Option<String> {
    node.to_serde_value()?.as_str().map(str::to_owned)
}

/// Removes the elements that `is_it` picks, and counts them.
pub(super) fn prune(array: Option<CstArray>, is_it: impl Fn(&CstNode) -> bool) -> usize {
    let elements = array.map(|array| array.elements()).unwrap_or_default();
    let picked: Vec<CstNode> = elements.into_iter().filter(|node| is_it(node)).collect();
    let count = picked.len();
    for node in picked {
        node.remove();
    }
    count
}
