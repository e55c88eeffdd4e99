//! Files that others can read, change, or reach under a second name.

use std::path::Path;

use super::places::{Place, Role};
use super::report::{Code, Finding};
use crate::app::context::Context;
use crate::app::doctor::other_users;
use crate::model::hint::{Hint, shell_word};
use crate::model::id::AgentId;

/// Judges files that hold secrets, and whatever decides what this program does.
pub(super) fn find(cx: Context<'_>, agents: &[AgentId], places: &[Place]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, verdict) in other_users::find(cx, agents) {
        let advice = verdict.advice.unwrap_or_default();
        let message = "another user can change it, or owns it";
        found.push(Finding::new(Code::Mode, path, message, advice));
    }
    let of_secrets = places
        .iter()
        .filter(|it| !matches!(it.role, Role::Settings | Role::Text));
    for place in of_secrets {
        judge(cx, &place.path, &mut found);
    }
    found
}

/// Judges one file that holds secrets.
pub(super) fn judge(cx: Context<'_>, path: &Path, found: &mut Vec<Finding>) {
    let Ok(Some(stat)) = cx.files.stat(path) else {
        return;
    };
    let word = shell_word(&path.display().to_string());
    if stat.mode & 0o077 != 0 {
        let message = format!("others can access it (mode {:03o})", stat.mode);
        let advice = format!("chmod go-rwx {word}");
        found.push(Finding::new(Code::Mode, path, message, advice));
    }
    if stat.links > 1 {
        let message = format!(
            "it has {} names (hard links): what is sealed or removed here stays under the others",
            stat.links
        );
        let advice: Hint = format!("find / -xdev -samefile {word}").into();
        found.push(Finding::new(Code::Mode, path, message, advice));
    }
}
