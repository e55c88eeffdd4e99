//! Files in git working trees. The index is not read: what is in one and not ignored is committed by
//! the next `git add`, if it is not yet.

use std::path::{Path, PathBuf};

use crate::ports::files::Files;

/// The working tree that a file lies in, unless something there ignores the file.
pub(super) fn tree_of(files: &dyn Files, path: &Path) -> Option<PathBuf> {
    let path = files.resolve(path).ok()?;
    let mut above = path.ancestors().skip(1);
    // A file in a linked working tree, else a directory.
    let is_tree = |at: &&Path| matches!(files.stat(&at.join(".git")), Ok(Some(_)));
    let root = above.find(is_tree)?;
    (!is_ignored(files, root, &path)).then(|| root.to_owned())
}

/// Whether a `.gitignore` on the way, or `.git/info/exclude`, names the file or a directory of it.
fn is_ignored(files: &dyn Files, root: &Path, path: &Path) -> bool {
    let directories = path
        .ancestors()
        .skip(1)
        .take_while(|at| at.starts_with(root));
    let mut lists: Vec<(&Path, PathBuf)> =
        directories.map(|at| (at, at.join(".gitignore"))).collect();
    lists.push((root, root.join(".git/info/exclude")));
    lists.iter().any(|(at, list)| {
        let bytes = files.read(list).ok().flatten().unwrap_or_default();
        let below = path.strip_prefix(at).unwrap_or(path);
        names(&String::from_utf8_lossy(&bytes), below)
    })
}

/// Whether a list names a file, or a directory that it is in; of its lines the last counts. Of
/// patterns only `*` is known, and one that may be an exception is taken for one: rather told once too
/// often than not at all.
fn names(list: &str, below: &Path) -> bool {
    let mut is_named = false;
    for line in list.lines().map(str::trim) {
        match line.strip_prefix('!') {
            Some(other) if other.contains('*') || covers(other, below) => is_named = false,
            None if !line.starts_with('#') && covers(line, below) => is_named = true,
            _ => {}
        }
    }
    is_named
}

fn covers(pattern: &str, below: &Path) -> bool {
    if ["*", "/*", "**"].contains(&pattern) {
        return true;
    }
    let pattern = pattern.trim_end_matches("/*").trim_end_matches('/');
    let is_anchored = pattern.contains('/') && !pattern.starts_with("**/");
    let pattern = pattern.trim_start_matches("**/").trim_start_matches('/');
    match is_anchored {
        true => !pattern.is_empty() && below.starts_with(pattern),
        false => below.iter().any(|step| step == pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_a_file_or_a_directory_of_it() {
        let path = Path::new("state/agents/main/agent/auth-profiles.json");
        for list in [
            "state",
            "/state/",
            "x\nagents/",
            "*",
            "auth-profiles.json",
            "state/agents",
            "state/*",
            "/*\n!.bashrc",
        ] {
            assert!(names(list, path), "{list}");
        }
        for list in [
            "",
            "#state",
            "stat",
            "/agents",
            "other/state",
            "*\n!auth-profiles.json",
            "*\n!state/**",
            "/",
        ] {
            assert!(!names(list, path), "{list}");
        }
    }
}
