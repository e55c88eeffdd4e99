//! Paths as people write them, in a variable, in the configuration, on the command line.

use std::path::{Component, Path, PathBuf};

/// The absolute path that is meant: trimmed; `~` as first component is `home`; relative to `base`;
/// `.` and `..` folded by name, without a look at symlinks. So does the reference release, and two
/// spellings of one directory are equal.
pub fn resolve(path: impl AsRef<Path>, home: &Path, base: &Path) -> PathBuf {
    let path = path.as_ref();
    let path = path.to_str().map_or(path, |text| Path::new(text.trim()));
    let whole = match path.strip_prefix("~") {
        Ok(rest) => base.join(home).join(rest),
        Err(_) => base.join(path),
    };
    fold(&whole)
}

/// Whether a text can name an instance, as in the reference release: it becomes part of a path.
pub fn is_instance(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_plain)
}

/// The path without `.` and `..`, by name alone.
pub fn fold(path: &Path) -> PathBuf {
    let mut folded = PathBuf::new();
    for component in path.components() {
        match component {
            // At the root there is nothing to take off.
            Component::ParentDir => {
                folded.pop();
            }
            Component::CurDir => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolved(text: &str) -> String {
        let path = resolve(text, Path::new("/home/me"), Path::new("/work/here"));
        path.display().to_string()
    }

    #[test]
    fn a_path_is_what_the_reference_takes_it_for() {
        for (text, path) in [
            ("/a", "/a"),
            ("a/b", "/work/here/a/b"),
            (" a\n", "/work/here/a"),
            ("", "/work/here"),
            (".", "/work/here"),
            ("..", "/work"),
            ("a/./../b/", "/work/here/b"),
            ("/a/../../../b", "/b"),
            ("/", "/"),
            ("~", "/home/me"),
            (" ~/a ", "/home/me/a"),
            ("~/", "/home/me"),
            ("~//a", "/home/me/a"),
            ("~/../you", "/home/you"),
            ("~a", "/work/here/~a"),
            ("a/~", "/work/here/a/~"),
            ("./~", "/work/here/~"),
        ] {
            assert_eq!(resolved(text), path, "{text:?}");
        }
    }

    #[test]
    fn a_path_that_is_no_unicode_stays_as_it_is() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = Path::new(std::ffi::OsStr::from_bytes(b" \xff/../\xfe"));
        let path = resolve(odd, Path::new("/h"), Path::new("/w"));
        assert_eq!(path.as_os_str().as_bytes(), b"/w/\xfe");
    }

    proptest! {
        #[test]
        fn what_comes_out_is_absolute_folded_and_stays(text in "[~./aé]{0,20}") {
            let path = resolved(&text);
            prop_assert!(path.starts_with('/'));
            prop_assert!(!path.split('/').any(|part| part == "." || part == ".."));
            prop_assert_eq!(resolved(&path), path);
        }
    }
}
