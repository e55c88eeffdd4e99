//! The way to a path, walked as the kernel walks it (path_resolution(7)): who may write to a directory
//! on it, or made a link on it, chooses what is found at its end.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::access::Subject;

/// As many links as Linux follows.
pub(super) const MAX_LINKS: usize = 40;

/// A directory, a link or a file on the way.
pub(super) struct Step<'a> {
    /// What it is.
    pub(super) subject: Subject<'a>,
    /// The directory that names it.
    pub(super) within: Subject<'a>,
    /// How many components of the path, as it was given, lead no further than to it.
    pub(super) resolved: usize,
}

/// A way that does not lead on.
pub(super) struct WalkError {
    /// Where it ends.
    pub(super) at: PathBuf,
    /// What the kernel says.
    pub(super) source: io::Error,
}

impl From<WalkError> for io::Error {
    fn from(error: WalkError) -> Self {
        error.source
    }
}

/// Shows `visit` everything on the way to a path, from the root of the file system on, and returns
/// where it ends and what is there.
///
/// # Errors
/// The first one of `visit`, or what keeps the kernel from going on.
pub(super) fn walk<E: From<WalkError>>(
    path: &Path,
    visit: &mut dyn FnMut(&Step<'_>) -> Result<(), E>,
) -> Result<(PathBuf, Metadata), E> {
    let whole = std::path::absolute(path).map_err(|error| stuck(path, error))?;
    let mut ahead = names(&whole);
    let count = ahead.len();
    // Those of the path itself are the last of what is ahead: a link puts its own in front.
    let mut given = count;
    let root = look(Path::new("/"))?;
    visit(&step(&root, &root, 0))?;
    let mut behind: Vec<(PathBuf, Metadata)> = Vec::new();
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        given = given.min(ahead.len());
        if name == ".." {
            behind.pop();
            continue;
        }
        let within = behind.last().unwrap_or(&root);
        let next = look(&within.0.join(name))?;
        let is_link = next.1.is_symlink();
        let is_end = !is_link && ahead.len() == given;
        let resolved = count - given - usize::from(!is_end);
        visit(&step(&next, within, resolved))?;
        if !is_link {
            if !next.1.is_dir() && !ahead.is_empty() {
                return Err(stuck(&next.0, Errno::NOTDIR.into()).into());
            }
            behind.push(next);
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(stuck(&next.0, Errno::LOOP.into()).into());
        }
        let target = fs::read_link(&next.0).map_err(|error| stuck(&next.0, error))?;
        if target.is_absolute() {
            behind.clear();
        }
        let mut target = names(&target);
        target.append(&mut ahead);
        ahead = target;
    }
    Ok(behind.pop().unwrap_or(root))
}

fn step<'a>(
    (at, data): &'a (PathBuf, Metadata),
    (within, directory): &'a (PathBuf, Metadata),
    resolved: usize,
) -> Step<'a> {
    Step {
        subject: Subject::named(at, data),
        within: Subject::named(within, directory),
        resolved,
    }
}

fn look(at: &Path) -> Result<(PathBuf, Metadata), WalkError> {
    match fs::symlink_metadata(at) {
        Ok(data) => Ok((at.to_owned(), data)),
        Err(error) => Err(stuck(at, error)),
    }
}

fn stuck(at: &Path, source: io::Error) -> WalkError {
    let at = at.to_owned();
    WalkError { at, source }
}

/// The components of a path, without those that lead nowhere else.
fn names(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    parts.collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests look at real files")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What lies below `base` on the way to a path there, and how much of that is resolved then.
    fn way(base: &Path, path: &str) -> (Vec<(String, usize)>, io::Result<PathBuf>) {
        let mut seen = Vec::new();
        let before = names(base).len();
        let end = walk(&base.join(path), &mut |step| {
            if let Ok(below) = step.subject.at.strip_prefix(base) {
                let resolved = step.resolved.saturating_sub(before);
                seen.push((below.display().to_string(), resolved));
            }
            Ok::<(), io::Error>(())
        });
        let seen = seen.into_iter().filter(|(below, _)| !below.is_empty());
        (seen.collect(), end.map(|(end, _)| end))
    }

    #[test]
    fn every_link_and_every_directory_behind_it_is_on_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(base.join("a/b")).unwrap();
        fs::create_dir(base.join("c")).unwrap();
        fs::write(base.join("a/b/file"), "").unwrap();
        symlink("../a/b", base.join("c/link")).unwrap();
        symlink(base.join("c"), base.join("d")).unwrap();
        let (seen, end) = way(&base, "d/link/file");
        assert_eq!(end.unwrap(), base.join("a/b/file"));
        let expected = [
            ("d", 0),
            ("c", 1),
            ("c/link", 1),
            ("a", 1),
            ("a/b", 2),
            ("a/b/file", 3),
        ];
        let expected = expected.map(|(below, resolved)| (below.to_owned(), resolved));
        assert_eq!(seen, expected);
        let (_, end) = way(&base, "d/../a/./b");
        assert_eq!(end.unwrap(), base.join("a/b"));
    }

    #[test]
    fn what_leads_nowhere_ends_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        fs::write(base.join("file"), "").unwrap();
        symlink("loop", base.join("loop")).unwrap();
        let error = |path| way(base, path).1.unwrap_err().raw_os_error();
        assert_eq!(error("none/x"), Some(Errno::NOENT.raw_os_error()));
        assert_eq!(error("file/.."), Some(Errno::NOTDIR.raw_os_error()));
        assert_eq!(error("loop"), Some(Errno::LOOP.raw_os_error()));
    }
}
