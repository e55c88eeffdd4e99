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

/// Whether a list names a file, or a directory that it is in. Of patterns only `*` is known: who
/// wrote another one is told once too often rather than not at all.
fn names(list: &str, below: &Path) -> bool {
    let steps: Vec<&str> = below.iter().filter_map(|step| step.to_str()).collect();
    let is_one = |line: &str| {
        let line = line
            .trim()
            .trim_end_matches(['/', '*'])
            .trim_end_matches('/');
        let is_anchored = line.trim_end_matches('/').contains('/');
        let line = line.trim_start_matches("**/").trim_start_matches('/');
        match is_anchored {
            true => below.starts_with(line) && !line.is_empty(),
            false => steps.contains(&line),
        }
    };
    let lines = || list.lines().map(str::trim);
    // An exception may be about this file.
    let has_exception = lines().any(|line| line.starts_with('!') && !line.ends_with(".gitignore"));
    !has_exception && lines().any(|line| line == "*" || (!line.starts_with('#') && is_one(line)))
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
            "/",
        ] {
            assert!(!names(list, path), "{list}");
        }
    }
}
