//! `secrets audit`: secrets in the clear, references to nothing, and files that others can reach.
//! Changes nothing, asks nobody, and runs no program unless it is told to.

mod git;
mod in_clear;
mod keys;
mod loaded;
mod permissions;
mod places;
mod report;
mod resolve;
mod tree;
mod values;

pub use report::{Code, Finding, Report, Resolution, Severity, Status};

use foldhash::{HashMap, HashSet};
use std::path::PathBuf;

use in_clear::Rule;
use loaded::Loaded;
use places::{Place, Role};
use resolve::Resolver;
use tree::Content;
use values::Values;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::env_reference;
use crate::model::vault::{SecretName, VaultFault};
use crate::ports::vault::VaultPolicy;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What the key opens, too, as far as it can be had without asking anybody.
    pub opens: bool,
    /// Whether programs are asked that references name.
    pub allow_exec: bool,
}

/// Looks.
///
/// # Errors
/// If `secrets.enc` cannot be read, the agents cannot be listed, or a signal came.
pub fn run(cx: Context<'_>, request: Request) -> Result<Report, Failure> {
    let policy = cx.vault.policy()?;
    let agents = cx.store.agents()?;
    let mut report = Report {
        store: policy.as_ref().map(|it| it.store).unwrap_or_default(),
        ..Report::default()
    };
    let places = places::list(cx, &agents);
    let mut findings = permissions::find(cx, &agents, &places);
    findings.extend(tracked(cx, &places));
    let loaded = Loaded::all(cx, places, &mut report);
    in_clear(policy.as_ref(), &loaded, &mut findings);
    if let Some(status) = cx.vault_keys.status()? {
        permissions::judge(cx, &status.path, &mut findings);
        keys::find(cx, &status, &mut findings);
    }
    let names = match (&policy, request.opens) {
        (None, _) => Some(Vec::new()),
        (Some(_), false) => None,
        (Some(_), true) => match stored(cx, &loaded, &mut report, &mut findings) {
            Ok(names) => Some(names),
            Err(fault) => {
                report.values_left_out = Some(fault.to_string());
                None
            }
        },
    };
    report.findings = findings;
    let resolver = Resolver {
        cx,
        names: names.as_deref(),
        allow_exec: request.allow_exec,
    };
    resolver.check(&loaded, &agents, &mut report);
    // A program that was stopped says nothing of a reference.
    cx.uninterrupted()?;
    let order = |it: &Finding| (it.file.clone(), it.code);
    report.findings.sort_by_cached_key(order);
    Ok(report)
}

fn in_clear(policy: Option<&VaultPolicy>, loaded: &[Loaded], found: &mut Vec<Finding>) {
    let rule = Rule {
        store: policy.map(|it| it.store).unwrap_or_default(),
        part: policy.map(|it| it.part).unwrap_or_default(),
        names: names_of_references(loaded),
    };
    for Loaded { place, bytes, tree } in loaded {
        let text = || String::from_utf8_lossy(bytes.expose());
        match (place.role, tree) {
            (Role::Attempt, Some(tree)) => found.extend(rule.in_attempt(place, tree)),
            (_, Some(tree)) => rule.in_tree(place, tree, found),
            (Role::Answer, _) => found.extend(rule.in_answer(place, bytes.expose())),
            (Role::Variables, _) => rule.in_variables(place, &text(), found),
            (Role::Profiles | Role::Legacy, _) => found.extend(rule.in_broken(place, &text())),
            (Role::Attempt | Role::Settings | Role::Text, _) => {}
        }
    }
}

/// What references name. Releases of OpenClaw write such a name, too, in the place of a secret.
fn names_of_references(loaded: &[Loaded]) -> HashSet<String> {
    let mut names = HashSet::default();
    for tree in loaded.iter().filter_map(|file| file.tree.as_ref()) {
        tree::visit(tree, &mut |member| match member.content {
            Content::Reference(reference) => {
                names.insert(reference.id.to_owned());
            }
            Content::Text(text) => names.extend(env_reference::variable(text).map(str::to_owned)),
        });
    }
    names
}

/// Looks for the values of stored secrets; returns the names of all.
fn stored(
    cx: Context<'_>,
    loaded: &[Loaded],
    report: &mut Report,
    found: &mut Vec<Finding>,
) -> Result<Vec<SecretName>, VaultFault> {
    cx.vault_keys.ask_nobody();
    let names: Vec<_> = cx.secrets.list()?.into_iter().map(|it| it.name).collect();
    let values = Values::read(cx, &names)?;
    report.values = (values.count(), values.short);
    for file in loaded {
        values.find(&file.place, file.bytes.expose(), found);
    }
    Ok(names)
}

/// Finds working trees of git that files with credentials lie in; each is told once.
fn tracked(cx: Context<'_>, places: &[Place]) -> Vec<Finding> {
    let mut trees: HashMap<PathBuf, (PathBuf, usize)> = HashMap::default();
    for place in places
        .iter()
        .filter(|it| !matches!(it.role, Role::Text | Role::Settings))
    {
        if let Some(tree) = git::tree_of(cx.files, &place.path) {
            let first = || (place.path.clone(), 0);
            trees.entry(tree).or_insert_with(first).1 += 1;
        }
    }
    let found = trees.into_iter().map(|(tree, (first, count))| {
        let tree = tree.display();
        let message = match count {
            1 => format!("it lies in the git working tree {tree}, and no .gitignore names it"),
            _ => format!("it and {} more lie in the git working tree {tree}, and no .gitignore names them", count - 1),
        };
        let advice = "name the state directory in .gitignore; if it was committed, log in again and remove it from the history";
        Finding::new(Code::Tracked, first, message, advice)
    });
    found.collect()
}

/// How many findings `doctor` sums up, and whether the store is plain. Opens nothing.
///
/// # Errors
/// As [`run`].
pub fn count(cx: Context<'_>) -> Result<(usize, bool), Failure> {
    let request = Request {
        opens: false,
        allow_exec: false,
    };
    let report = run(cx, request)?;
    let is_plain = !report.store.seals();
    // Modes have checks of their own there; in a plain store everything is in the clear.
    let counts = |it: &&Finding| match it.code {
        Code::Mode => false,
        Code::PlaintextFound => !is_plain,
        _ => true,
    };
    Ok((report.findings.iter().filter(counts).count(), is_plain))
}
