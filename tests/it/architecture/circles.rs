//! Circles of files: a file that needs, in the end, itself.
//!
//! What a parent module passes on by `pub use` is no need of its own, and whoever takes it from
//! there needs the file that it comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{ModulePath, code, paths};

/// The paths that each module names, by its own as in `oauth::device`.
pub(super) type Modules = BTreeMap<String, Vec<ModulePath>>;

/// Reads sources, given by their paths below `src`.
pub(super) fn modules(sources: impl IntoIterator<Item = (String, String)>) -> Modules {
    let module = |(path, source): (String, String)| {
        let name = path.trim_end_matches(".rs").trim_end_matches("/mod");
        (name.replace('/', "::"), paths(&code(&source)))
    };
    sources.into_iter().map(module).collect()
}

/// The circles within a room, each with its files and what they use of each other.
pub(super) fn circles(modules: &Modules) -> Vec<String> {
    let needs: BTreeMap<&str, BTreeSet<&str>> = modules
        .keys()
        .map(|module| (module.as_str(), needs(modules, module)))
        .collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = needs
        .keys()
        .map(|from| (*from, reached(&needs, from)))
        .collect();
    let in_circles = reached.iter().filter(|(module, all)| all.contains(*module));
    let circles: BTreeSet<BTreeSet<&str>> = in_circles
        .map(|(module, all)| {
            let back = all.iter().filter(|other| reached[*other].contains(module));
            back.copied().collect()
        })
        .collect();
    let line = |circle: &BTreeSet<&str>, module: &str| {
        let needed: Vec<&str> = needs[module].intersection(circle).copied().collect();
        format!("\n  {module} needs {}", needed.join(", "))
    };
    let lines =
        |circle: BTreeSet<&str>| circle.iter().map(|module| line(&circle, module)).collect();
    circles.into_iter().map(lines).collect()
}

/// What a module needs in the end.
fn reached<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        next.extend(
            needs[module]
                .iter()
                .filter(|needed| reached.insert(**needed)),
        );
    }
    reached
}

/// The other modules of its room that a module names.
fn needs<'a>(modules: &'a Modules, module: &str) -> BTreeSet<&'a str> {
    let room = |module: &str| module.split("::").next().map(str::to_owned);
    let own = modules[module].iter().filter(|path| !path.is_public);
    own.filter_map(|path| resolve(modules, module, &path.text, 0))
        .filter(|needed| *needed != module && room(needed) == room(module))
        .collect()
}

/// The module that defines what a path in `module` names.
fn resolve<'a>(modules: &'a Modules, module: &str, path: &str, depth: u8) -> Option<&'a str> {
    let is_module = |name: &str| modules.contains_key(name);
    let mut at = module.to_owned();
    for (index, word) in path.split("::").enumerate() {
        let below = if at.is_empty() {
            word.to_owned()
        } else {
            format!("{at}::{word}")
        };
        match word {
            "crate" => at.clear(),
            "self" => {}
            "super" => at = at.rsplit_once("::").unwrap_or_default().0.to_owned(),
            _ if is_module(&below) => at = below,
            // A name that is in scope: its `use` is looked at by itself.
            _ if index == 0 => return None,
            _ => {
                let named = |path: &&ModulePath| path.name.as_deref() == Some(word);
                let passed = modules.get(&at)?.iter().find(named).filter(|_| depth < 8);
                let origin = passed.and_then(|path| resolve(modules, &at, &path.text, depth + 1));
                return origin.or(modules.get_key_value(&at).map(|(name, _)| name.as_str()));
            }
        }
    }
    modules.get_key_value(&at).map(|(name, _)| name.as_str())
}

#[test]
fn planted_circles_are_seen() {
    let seen = |sources: &[(&str, &str)]| {
        let sources = sources.iter().chain(&[("oauth/mod.rs", "")]);
        circles(&modules(
            sources.map(|(path, code)| (path.to_string(), code.to_string())),
        ))
    };
    let device = ("oauth/device.rs", "mod poll;\npub use poll::Poll;");
    let used = "use crate::{model::id, oauth::{error::{E, F}}};";
    let poll = ("oauth/device/poll.rs", used);
    let error = "fn f() -> super::device::Poll {}";
    let circle = seen(&[device, poll, ("oauth/error.rs", error)]);
    assert_eq!(
        circle,
        ["\n  oauth::device::poll needs oauth::error\n  oauth::error needs oauth::device::poll"]
    );
    assert!(seen(&[device, poll, ("oauth/error.rs", "use crate::model::id;")]).is_empty());
    let poll = ("oauth/device/poll.rs", "use super::Device;");
    assert!(seen(&[device, poll]).is_empty(), "passing on is no use");
    let poll = (
        "oauth/device/poll.rs",
        "pub(in crate::oauth::device) fn g() {}",
    );
    let caller = ("oauth/device.rs", "mod poll;\nfn f() { poll::g() }");
    assert!(seen(&[caller, poll]).is_empty(), "who may see is no need");
    let poll = ("oauth/device/poll.rs", "use super::Device;");
    let device = ("oauth/device.rs", "mod poll;\nfn f() { poll::g() }");
    assert_eq!(seen(&[device, poll]).len(), 1, "a parent and its child");
}
