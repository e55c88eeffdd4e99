//! What an exchange left beside a file: what another program wrote there while the next content was
//! being made, until that is merged.
//!
//! An implementation of [`Files::replace_over`] gives the file that it exchanges a name that tells
//! what was expected in its place and what was to be put there. So whoever finds it after a crash
//! knows whose content it is.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::files::{Displaced, FileError, Files};

const SUFFIX: &str = ".swap";

/// Names the file that is exchanged with `target`: `.<target>.<expected>.<new>.<random>.swap`.
pub fn name(target: &str, seen: Option<&[u8]>, new: &[u8], random: u32) -> String {
    let seen = seen.map_or_else(|| "none".to_owned(), digest);
    format!(".{target}.{seen}.{}.{random:08x}{SUFFIX}", digest(new))
}

fn digest(content: &[u8]) -> String {
    let mut digest = format!("{:x}", Sha256::digest(content));
    digest.truncate(16);
    digest
}

/// Whether a file is one that was exchanged, whatever with.
pub fn is_one(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(SUFFIX)
}

/// What was expected and what was to be put in place, by the name of a file that was exchanged
/// with `target`.
fn known<'a>(target: &str, name: &'a str) -> Option<[&'a str; 2]> {
    let rest = name.strip_prefix('.')?.strip_prefix(target)?;
    let mut parts = rest.strip_prefix('.')?.strip_suffix(SUFFIX)?.split('.');
    let known = [parts.next()?, parts.next()?];
    (parts.count() == 1).then_some(known)
}

/// What processes that died left beside a file.
#[derive(Debug, Default)]
pub struct Left {
    /// Content of another program that is merged nowhere.
    pub foreign: Vec<Displaced>,
    /// What was replaced, or never came into place: nobody needs it.
    pub needless: Vec<PathBuf>,
}

/// Looks for it. Only for who holds the lock of the file: what a living process has exchanged is
/// its own.
///
/// # Errors
/// If the directory or one of the files cannot be read.
pub fn left(files: &dyn Files, path: &Path) -> Result<Left, FileError> {
    let mut left = Left::default();
    let path = files.resolve(path)?;
    let (Some(directory), Some(target)) = (path.parent(), path.file_name()) else {
        return Ok(left);
    };
    let target = target.to_string_lossy();
    for name in files.list(directory)? {
        let Some(known) = known(&target, &name) else {
            continue;
        };
        let path = directory.join(&name);
        let Some(bytes) = files.read(&path)? else {
            continue;
        };
        match known.contains(&&*digest(&bytes)) {
            true => left.needless.push(path),
            false => left.foreign.push(Displaced { path, bytes }),
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_content_it_is() {
        let name = name("a.json", Some(b"seen"), b"new", 7);
        let known = known("a.json", &name).unwrap();
        assert_eq!(known, [digest(b"seen"), digest(b"new")]);
        assert!(is_one(&name));
        for (target, name) in [
            ("b.json", name.as_str()),
            ("a", &name),
            ("a.json", ".a.json.1.0123abcd.tmp"),
            ("a.json", ".a.json.swap"),
        ] {
            assert_eq!(super::known(target, name), None, "{name}");
        }
    }
}
