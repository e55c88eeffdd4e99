//! The environment: the one place that reads variables, and the list of those we read.
#![expect(clippy::disallowed_methods, reason = "this file reads the environment")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::model::dotenv;
use crate::model::pairs;
use crate::model::secret::Secret;
use crate::model::text::{IS_UTF16, is_utf16};
use crate::ports::files::Files;
use crate::ports::host::{Env, SetIn, Variables};

/// The variables that steer `openclaw`; those that hold a provider's key are in its manifest.
pub mod names {
    /// The home directory.
    pub const HOME: &str = "HOME";
    /// What takes the place of the home directory.
    pub const OPENCLAW_HOME: &str = "OPENCLAW_HOME";
    /// The name of a state directory of its own, as `--profile` in front of the command.
    pub const PROFILE: &str = "OPENCLAW_PROFILE";
    /// The state directory.
    pub const STATE_DIR: &str = "OPENCLAW_STATE_DIR";
    /// The state directory, by the program's earlier name.
    pub const LEGACY_STATE_DIR: &str = "CLAWDBOT_STATE_DIR";
    /// The configuration file.
    pub const CONFIG_PATH: &str = "OPENCLAW_CONFIG_PATH";
    /// The configuration file, by the program's earlier name.
    pub const LEGACY_CONFIG_PATH: &str = "CLAWDBOT_CONFIG_PATH";
    /// The directory of old logins to import from.
    pub const OAUTH_DIR: &str = "OPENCLAW_OAUTH_DIR";
    /// The directory of the main agent.
    pub const AGENT_DIR: &str = "OPENCLAW_AGENT_DIR";
    /// The directory of the main agent, by the name its engine uses.
    pub const PI_AGENT_DIR: &str = "PI_CODING_AGENT_DIR";
    /// How many generations of each profile are kept.
    pub const AUTH_HISTORY: &str = "OPENCLAW_AUTH_HISTORY";
    /// Any of these set: the person is at another machine.
    pub const REMOTE: [&str; 5] = [
        "SSH_CLIENT",
        "SSH_TTY",
        "SSH_CONNECTION",
        "REMOTE_CONTAINERS",
        "CODESPACES",
    ];
    /// Either set: there is a display.
    pub const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];
    /// The bus of the session, on which its keyring is found; without it, where the bus lies.
    pub const SESSION_BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
    /// The directory of the session's sockets.
    pub const RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
    /// The locale of characters; the first that is set counts (POSIX, base definitions 8.2).
    pub const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];
    /// The kind of terminal.
    pub const TERM: &str = "TERM";
    /// A bundle of further CA certificates, in PEM.
    pub const CA_BUNDLE: &str = "SSL_CERT_FILE";
    /// Directories of further CA certificates, in PEM.
    pub const CA_DIRECTORIES: &str = "SSL_CERT_DIR";
    /// A bundle of further CA certificates, in PEM, for Node and so for OpenClaw.
    pub const NODE_CA_BUNDLE: &str = "NODE_EXTRA_CA_CERTS";
    /// Proxies: for https, for http, for both, and whom to reach without one. Either case counts,
    /// the lower one first.
    pub const PROXIES: [[&str; 2]; 4] = [
        ["https_proxy", "HTTPS_PROXY"],
        ["http_proxy", "HTTP_PROXY"],
        ["all_proxy", "ALL_PROXY"],
        ["no_proxy", "NO_PROXY"],
    ];
    /// Where programs are looked for.
    pub const PATH: &str = "PATH";
    /// The shell whose completion script asks.
    pub const COMPLETE: &str = "OPENCLAW_COMPLETE";
    /// The login shell.
    pub const SHELL: &str = "SHELL";
    /// Either set: Linux inside Windows, which opens the browser of Windows.
    pub const WSL: [&str; 2] = ["WSL_INTEROP", "WSL_DISTRO_NAME"];
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnv;

impl Env for SystemEnv {
    /// A value that is not Unicode counts as not set.
    fn var(&self, name: &str) -> Option<Secret<String>> {
        // Wrapped before it is trimmed, so that this copy is wiped, too.
        let raw = Secret::new(std::env::var(name).ok()?);
        (!raw.is_blank()).then(|| Secret::from(raw.expose().trim()))
    }

    fn is_garbled(&self, name: &str) -> bool {
        std::env::var_os(name).is_some_and(|value| value.to_str().is_none())
    }

    fn is_remote(&self) -> bool {
        is_remote(self, cfg!(target_os = "linux"), wsl_kernel())
    }
}

/// The environment of this process, and below it the variables of `<state>/.env`.
///
/// The file is read when a variable is asked for that the process does not have: the usual token
/// costs no read. A `.env` of the working directory does not count, because whoever wrote the
/// project there must not choose whose account pays.
pub struct LayeredEnv {
    files: Arc<dyn Files>,
    path: PathBuf,
    dotenv: OnceLock<Result<Variables, Unread>>,
}

/// Why there is nothing of a file.
struct Unread {
    words: String,
    /// The step that mends it, if it was refused.
    refusal: Option<String>,
}

impl LayeredEnv {
    /// With the file at `path`, which need not exist.
    pub fn new(files: Arc<dyn Files>, path: PathBuf) -> Self {
        let dotenv = OnceLock::new();
        Self {
            files,
            path,
            dotenv,
        }
    }

    fn of_file(&self, name: &str) -> Option<Secret<String>> {
        let set = self.dotenv().as_ref().ok()?;
        let value = pairs::get(set, |other| other == name)?;
        (!value.is_blank()).then(|| Secret::from(value.expose().trim()))
    }

    fn dotenv(&self) -> &Result<Variables, Unread> {
        self.dotenv
            .get_or_init(|| match self.files.read_settings(&self.path) {
                Ok(Some(bytes)) if is_utf16(&bytes) => Err(Unread {
                    words: format!("{}: {IS_UTF16}", self.path.display()),
                    refusal: None,
                }),
                Ok(bytes) => {
                    let bytes = Secret::new(bytes.unwrap_or_default());
                    let text = Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned());
                    Ok(dotenv::parse(text.expose()))
                }
                Err(error) => Err(Unread {
                    words: error.to_string(),
                    refusal: error.untrusted().map(|_| error.remedy()),
                }),
            })
    }
}

impl Env for LayeredEnv {
    fn var(&self, name: &str) -> Option<Secret<String>> {
        SystemEnv.var(name).or_else(|| self.of_file(name))
    }

    fn set_in(&self, name: &str) -> Vec<SetIn> {
        let process = SystemEnv.var(name).map(|_| SetIn::Process);
        let file = self.of_file(name).map(|_| SetIn::DotEnv);
        process.into_iter().chain(file).collect()
    }

    fn is_garbled(&self, name: &str) -> bool {
        SystemEnv.is_garbled(name)
    }

    fn fault(&self) -> Option<String> {
        self.dotenv()
            .as_ref()
            .err()
            .map(|unread| unread.words.clone())
    }

    fn refusal(&self) -> Option<String> {
        self.dotenv().as_ref().err()?.refusal.clone()
    }

    fn is_remote(&self) -> bool {
        SystemEnv.is_remote()
    }
}

/// Whether the variables say that a browser on this machine would not be the user's.
///
/// `wsl_kernel` tells of Linux inside Windows where `sudo` or a service has dropped the variables.
pub fn is_remote(env: &dyn Env, linux: bool, wsl_kernel: bool) -> bool {
    let any = |names: &[&str]| names.iter().any(|name| env.var(name).is_some());
    any(&names::REMOTE) || (linux && !any(&names::DISPLAYS) && !wsl_kernel && !any(&names::WSL))
}

/// Whether a terminal of this locale and kind shows block elements.
pub fn draws_blocks(env: &dyn Env) -> bool {
    let locale = names::LOCALE.iter().find_map(|name| env.plain(name));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
    is_utf8 && moves_cursor(env)
}

/// Whether a program may move the cursor of the terminal.
pub fn moves_cursor(env: &dyn Env) -> bool {
    env.plain(names::TERM).is_some_and(|term| term != "dumb")
}

/// All variables of this process, as they are.
pub(super) fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The value of a variable of this process, as it is.
pub(super) fn os(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn wsl_kernel() -> bool {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .is_ok_and(|release| release.to_ascii_lowercase().contains("microsoft"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    #[test]
    fn remote_is_ssh_a_container_or_linux_without_a_display() {
        let table: &[(&'static [&'static str], bool, bool, bool)] = &[
            (&["DISPLAY"], true, false, false),
            (&["WAYLAND_DISPLAY"], true, false, false),
            (&[], true, false, true),
            (&[], true, true, false),
            (&["WSL_DISTRO_NAME"], true, false, false),
            (&[], false, false, false),
            (&["DISPLAY", "SSH_CLIENT"], true, false, true),
            (&["DISPLAY", "SSH_TTY"], true, false, true),
            (&["SSH_CONNECTION"], false, false, true),
            (&["DISPLAY", "REMOTE_CONTAINERS"], true, true, true),
            (&["CODESPACES"], false, false, true),
        ];
        for (set, linux, wsl, remote) in table {
            let set: Vec<(&str, &str)> = set.iter().map(|name| (*name, "x")).collect();
            let env = FixedEnv::of(&set);
            assert_eq!(is_remote(&env, *linux, *wsl), *remote, "{set:?}");
        }
    }

    #[test]
    fn blocks_are_drawn_in_a_utf8_locale_on_a_terminal_that_is_not_dumb() {
        let draws = |vars: &[(&str, &str)]| draws_blocks(&FixedEnv::of(vars));
        assert!(draws(&[("LANG", "en_US.UTF-8"), ("TERM", "xterm")]));
        assert!(draws(&[
            ("LC_CTYPE", "C.utf8"),
            ("LANG", "C"),
            ("TERM", "vt100")
        ]));
        assert!(!draws(&[
            ("LC_ALL", "C"),
            ("LANG", "en_US.UTF-8"),
            ("TERM", "xterm")
        ]));
        assert!(!draws(&[("LANG", "en_US.UTF-8"), ("TERM", "dumb")]));
        assert!(!draws(&[("LANG", "en_US.UTF-8")]));
        assert!(!draws(&[("TERM", "xterm")]));
    }

    #[test]
    fn the_file_stands_below_the_process() {
        use crate::testing::files::MemoryFiles;
        let files = MemoryFiles::new();
        let path = PathBuf::from("/state/.env");
        files.put(
            &path,
            "PATH=other\nOPENCLAW_TEST_ONLY_HERE= x \nOPENCLAW_TEST_BLANK=' '\n",
        );
        let env = LayeredEnv::new(Arc::new(files), path);
        assert_eq!(env.plain("OPENCLAW_TEST_ONLY_HERE").unwrap(), "x");
        assert_eq!(env.plain("PATH"), SystemEnv.plain("PATH"));
        assert_eq!(env.set_in("PATH"), [SetIn::Process, SetIn::DotEnv]);
        assert_eq!(env.set_in("OPENCLAW_TEST_ONLY_HERE"), [SetIn::DotEnv]);
        assert_eq!(env.set_in("OPENCLAW_TEST_BLANK"), []);
        assert!(env.var("OPENCLAW_TEST_BLANK").is_none() && env.fault().is_none());
    }

    #[test]
    fn a_variable_that_is_not_set_is_none() {
        assert!(SystemEnv.var("OPENCLAW_TEST_NEVER_SET").is_none());
        assert!(SystemEnv.plain("PATH").is_some());
    }
}
