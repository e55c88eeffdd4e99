//! Where the key of the secrets lies: not beside what it opens, and not where it may be committed.

use std::path::Path;

use super::report::{Code, Finding};
use super::{git, permissions};
use crate::app::context::Context;
use crate::model::hint::{Command, Hint};
use crate::ports::vault_keys::VaultStatus;

/// Judges the slots of a vault.
pub(super) fn find(cx: Context<'_>, status: &VaultStatus, found: &mut Vec<Finding>) {
    for (at, slot) in status.slots.iter().enumerate() {
        let Some(path) = &slot.path else {
            continue;
        };
        if let Some(fault) = &slot.fault {
            let message = format!("slot {} cannot be used, {}: {fault}", at + 1, slot.words);
            let remove = Command::new("secrets slot remove").arg(&(at + 1));
            let advice = Hint::from("bring the key back, or remove the slot: ").run(remove);
            let finding = Finding::new(Code::RefUnresolved, &status.path, message, advice);
            found.push(finding.at(format!("slots.{at}")));
        }
        permissions::judge(cx, path, found);
        let why = match git::tree_of(cx.files, path) {
            _ if is_beside(cx, path) => "it is in the state directory, beside what it opens".into(),
            Some(tree) => format!(
                "it is in the git working tree {}, which does not ignore it",
                tree.display()
            ),
            None => continue,
        };
        let advice = Hint::from("add another slot, then remove this one: ")
            .run(Command::new("secrets slot add --passphrase"));
        found.push(Finding::new(Code::KeyBesideStore, path, why, advice));
    }
}

fn is_beside(cx: Context<'_>, path: &Path) -> bool {
    let real = |path: &Path| cx.files.resolve(path);
    match (real(path), real(&cx.dirs.state)) {
        (Ok(path), Ok(state)) => path.starts_with(state),
        _ => path.starts_with(&cx.dirs.state),
    }
}
