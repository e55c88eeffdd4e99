//! Child processes: the one place that makes a `Command`.
//!
//! What runs as this user can do what this user can, and a browser outlives the login. So a child is
//! a program that nobody else could have put there, found in no directory that depends on where we
//! are, and it inherits only the variables that its kind needs. Descriptors need no rule: all of
//! ours are closed on `execve`, but the one that `exec` hands over.
#![expect(clippy::disallowed_methods, reason = "this file makes the commands")]

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::env::{self, names};
use super::exec_permissions;
use crate::model::variable::{SECRETS, names_credential};
use crate::ports::exec::ExecSpec;
use crate::ports::program::{Fault, ProgramError};

/// Variables by which a program of the user's session finds home, language, terminal, display and
/// network.
const SESSION: [&str; 41] = [
    "ALL_PROXY",
    "BROWSER",
    "COLORTERM",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "DISPLAY",
    "EDITOR",
    "HOME",
    "HOSTNAME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NO_PROXY",
    "NIX_SSL_CERT_FILE",
    "PATH",
    "REMOTE_CONTAINERS",
    "REMOTE_CONTAINERS_IPC",
    "REMOTE_CONTAINERS_SOCKETS",
    "CODESPACES",
    "SESSION_MANAGER",
    "SHELL",
    "SHLVL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TERMINFO",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "USER",
    "VSCODE_IPC_HOOK_CLI",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XMODIFIERS",
    "ZDOTDIR",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Families of such variables. What a name of one says is a credential is none of them.
const SESSION_FAMILIES: [&str; 10] = [
    "LC_", "XDG_", "SSH_", "WSL", "KDE_", "GNOME_", "GTK_", "QT_", "GDK_", "MOZ_",
];

/// Which of our variables a child inherits.
#[derive(Clone, Copy)]
pub(super) enum Inherited<'a> {
    /// What a program of the user's session needs, and these by name.
    Session(&'a [String]),
    /// All but those.
    AllBut(&'a dyn Fn(&str) -> bool),
}

impl Inherited<'_> {
    fn includes(self, name: &OsStr) -> bool {
        match (self, name.to_str()) {
            (Self::Session(_), None) => false,
            (Self::Session(more), Some(name)) => {
                is_of_session(name) || more.iter().any(|one| one == name)
            }
            (Self::AllBut(_), None) => true,
            (Self::AllBut(withheld), Some(name)) => !withheld(name),
        }
    }
}

fn is_of_session(name: &str) -> bool {
    let is_of_family = SESSION_FAMILIES
        .iter()
        .any(|family| name.starts_with(family));
    SESSION.contains(&name) || (is_of_family && !names_credential(name))
}

/// Makes the command for the program at `path`, which nobody else may have put there.
///
/// # Errors
/// [`ProgramError::Refused`] with what is wrong with it, or with a directory on the way to it.
pub(super) fn command(path: &Path, inherited: Inherited<'_>) -> Result<Command, ProgramError> {
    let mut command = Command::new(checked(path)?);
    // As it was found: some programs are many, by the name of a link.
    command.arg0(path).env_clear();
    for (name, value) in env::all().filter(|(name, _)| inherited.includes(name)) {
        match name == names::PATH {
            // Set and empty it means the working directory.
            true => Some(absolute(&value)).filter(|path| !path.is_empty()),
            false => Some(value),
        }
        .map(|value| command.env(name, value));
    }
    Ok(command)
}

/// Checks that nobody but this user and root could have put the program there, and follows its
/// links.
///
/// # Errors
/// As [`command`].
pub(super) fn checked(path: &Path) -> Result<PathBuf, ProgramError> {
    exec_permissions::check(path).map_err(|fault| ProgramError::Refused {
        path: path.to_owned(),
        fault,
    })
}

/// Makes the command that runs this program itself, at `path`, without any variable.
pub(super) fn ourselves(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear();
    command
}

/// Makes the command that takes our place: what the user named, found as a shell finds it.
pub(super) fn replacement(image: &ExecSpec) -> Command {
    let mut command = Command::new(&image.program);
    command.args(&image.args);
    let is_secret = |name: &OsString| name.to_str().is_some_and(|name| name.starts_with(SECRETS));
    for name in env::all().map(|(name, _)| name).filter(is_secret) {
        command.env_remove(name);
    }
    for name in &image.without {
        command.env_remove(name);
    }
    for (name, value) in &image.with {
        command.env(name, value.expose());
    }
    command
}

/// Finds the program that a word names: an absolute path, or the first file of that name in our
/// `PATH` that may be run.
///
/// # Errors
/// What is wrong with the first that is there, if none may be run; `None` if there is none.
pub(super) fn find(word: &str) -> Result<PathBuf, Option<ProgramError>> {
    if word.contains('/') {
        let path = PathBuf::from(word);
        return match checked(&path) {
            Ok(_) => Ok(path),
            Err(ProgramError::Refused {
                fault: Fault::NotThere { .. },
                ..
            }) => Err(None),
            Err(error) => Err(Some(error)),
        };
    }
    let mut refused = None;
    for path in on_path(&env::os(names::PATH).unwrap_or_default(), word) {
        match checked(&path) {
            Ok(_) => return Ok(path),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused)
}

/// Lists the files of this name in the directories of a `PATH`, in their order.
pub(super) fn on_path(path: &OsStr, name: &str) -> Vec<PathBuf> {
    let files = directories(path).map(|directory| directory.join(name));
    files
        .filter(|file| std::fs::symlink_metadata(file).is_ok())
        .collect()
}

/// Lists the entries of a `PATH` that do not depend on the working directory; an empty one means
/// that.
pub(super) fn directories(path: &OsStr) -> impl Iterator<Item = PathBuf> + '_ {
    std::env::split_paths(path).filter(|directory| directory.is_absolute())
}

/// A `PATH` with these entries alone.
fn absolute(path: &OsStr) -> OsString {
    // They were split at colons, so none has one.
    std::env::join_paths(directories(path)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process_group::tests::script;

    #[test]
    fn a_session_has_what_programs_need_and_no_credential() {
        let more = ["ACME_TENANT".to_owned()];
        let includes = |name: &str| Inherited::Session(&more).includes(name.as_ref());
        for name in [
            "HOME",
            "LC_ALL",
            "XDG_RUNTIME_DIR",
            "SSH_AUTH_SOCK",
            "WSL_INTEROP",
        ] {
            assert!(includes(name), "{name}");
        }
        assert!(includes("ACME_TENANT"));
        for name in [
            "OPENAI_API_KEY",
            "MY_DB_PASSWORD",
            "XDG_ACME_TOKEN",
            "LD_PRELOAD",
            "ACME",
        ] {
            assert!(!includes(name), "{name}");
        }
    }

    #[test]
    fn only_absolute_directories_are_looked_in_and_handed_on() {
        let (dir, path) = script("");
        let name = path.file_name().unwrap().to_str().unwrap();
        let here = dir.path().display();
        let variable = OsString::from(format!(":.:bin:{here}/none:{here}:"));
        assert_eq!(on_path(&variable, name), std::slice::from_ref(&path));
        assert!(on_path(&variable, "openclaw-auth-none").is_empty());
        assert_eq!(absolute(&variable), *format!("{here}/none:{here}"));
    }

    #[test]
    fn a_word_is_a_program_of_path_or_an_absolute_path() {
        assert!(find("sh").unwrap().is_absolute());
        let (_dir, path) = script("");
        assert_eq!(find(path.to_str().unwrap()).unwrap(), path);
        assert_eq!(find("/nowhere/at/all"), Err(None));
        assert_eq!(find("openclaw-no-such-program"), Err(None));
        assert!(matches!(
            find("./sh"),
            Err(Some(ProgramError::Refused { .. }))
        ));
    }

    #[test]
    fn what_cannot_be_trusted_has_no_command() {
        let (_dir, path) = script("");
        std::os::unix::fs::symlink("nowhere", path.with_file_name("link")).unwrap();
        let refused = |path: &Path| command(path, Inherited::Session(&[])).is_err();
        assert!(!refused(&path));
        assert!(refused(&path.with_file_name("link")));
        assert!(refused(Path::new("openclaw-auth-test")));
        let mut mode = std::fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o757);
        std::fs::set_permissions(&path, mode).unwrap();
        assert!(refused(&path));
    }
}
