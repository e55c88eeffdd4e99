//! Where everything is: state, configuration, old logins. The only file that asks for the home.
//!
//! Pure but for the home directory of a process without `HOME`: variables and existence are asked
//! of the caller.

use std::path::{Path, PathBuf};

use super::env::names;
use crate::model::path;
use crate::model::state_files::CREDENTIALS;
use crate::ports::host::Env;

/// State directories in the home, the current name first.
const STATE_DIRS: [&str; 4] = [".openclaw", ".clawdbot", ".moltbot", ".moldbot"];
/// Configuration files in a state directory, the current name first.
const CONFIG_NAMES: [&str; 4] = [
    "openclaw.json",
    "clawdbot.json",
    "moltbot.json",
    "moldbot.json",
];

/// The variables that name a place, except the home, which is found by its bytes.
const PLACES: [&str; 8] = [
    names::OPENCLAW_HOME,
    names::STATE_DIR,
    names::LEGACY_STATE_DIR,
    names::CONFIG_PATH,
    names::LEGACY_CONFIG_PATH,
    names::OAUTH_DIR,
    names::AGENT_DIR,
    names::PI_AGENT_DIR,
];

/// The places of one run; all paths absolute, symlinks not resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The user's home directory.
    pub home: PathBuf,
    /// Where agents, stores and locks are.
    pub state_dir: PathBuf,
    /// The configuration file, whether it exists or not.
    pub config_path: PathBuf,
    /// Where old releases kept logins (`oauth.json`).
    pub oauth_dir: PathBuf,
    /// The main agent's directory, if the environment names one.
    pub agent_dir_override: Option<PathBuf>,
}

/// The places cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// Neither `HOME` nor the user database names one.
    #[error("cannot determine the home directory; set HOME")]
    NoHome,
    /// A variable that names a place is no Unicode text. Any other place would be the wrong one.
    #[error("{0} is not valid UTF-8; choose one that is")]
    Garbled(&'static str),
    /// The variable that names an instance holds no name. Its logins would go to another one.
    #[error(
        "{} is not a name: use at most 64 letters, digits, `-` and `_`",
        names::PROFILE
    )]
    NoName,
}

impl Places {
    /// Finds the places as the reference release does, with one exception: next to a state
    /// directory that was asked for, no configuration is looked for elsewhere.
    ///
    /// `exists` tells whether something is at a path; `state_dir_flag` beats the variables, which
    /// beat the name of an instance (`--profile` in front of the command, or its variable); `cwd` is
    /// what relative paths are relative to.
    ///
    /// # Errors
    /// If there is no home directory, or a variable cannot be read.
    pub fn resolve(
        env: &dyn Env,
        exists: &dyn Fn(&Path) -> bool,
        (state_dir_flag, instance): (Option<&Path>, Option<&str>),
        cwd: &Path,
    ) -> Result<Places, PathsError> {
        if let Some(name) = PLACES.into_iter().find(|name| env.is_garbled(name)) {
            return Err(PathsError::Garbled(name));
        }
        let home = env
            .plain(names::HOME)
            .map(PathBuf::from)
            .or_else(dirs::home_dir)
            .map(|home| cwd.join(home));
        // As OpenClaw 2026.5: it takes the place of the home for everything.
        let home = match env.plain(names::OPENCLAW_HOME) {
            Some(own) => {
                let user = home.unwrap_or_else(|| cwd.to_owned());
                path::resolve(own, &user, cwd)
            }
            None => home.ok_or(PathsError::NoHome)?,
        };
        let variable = |name| {
            let text = env.plain(name);
            text.map(|text| path::resolve(text, &home, cwd))
        };
        let either = |current, former| variable(current).or_else(|| variable(former));

        let explicit = match state_dir_flag {
            Some(flag) => Some(path::resolve(flag, &home, cwd)),
            None => either(names::STATE_DIR, names::LEGACY_STATE_DIR),
        };
        let explicit = match explicit {
            Some(explicit) => Some(explicit),
            None => instance_name(env, instance)?
                .map(|name| home.join(format!("{}-{name}", STATE_DIRS[0]))),
        };
        let is_explicit = explicit.is_some();
        let state_dir = explicit.unwrap_or_else(|| default_state_dir(&home, exists));
        let config_path = either(names::CONFIG_PATH, names::LEGACY_CONFIG_PATH)
            .unwrap_or_else(|| config_path(&state_dir, is_explicit, &home, exists));
        Ok(Places {
            oauth_dir: variable(names::OAUTH_DIR).unwrap_or_else(|| state_dir.join(CREDENTIALS)),
            agent_dir_override: either(names::AGENT_DIR, names::PI_AGENT_DIR),
            home,
            state_dir,
            config_path,
        })
    }
}

/// The name of the instance that was asked for, unless it is the usual one.
fn instance_name(env: &dyn Env, flag: Option<&str>) -> Result<Option<String>, PathsError> {
    if flag.is_none() && env.is_garbled(names::PROFILE) {
        return Err(PathsError::Garbled(names::PROFILE));
    }
    let name = flag
        .map(str::to_owned)
        .or_else(|| env.plain(names::PROFILE));
    match name.filter(|name| !name.eq_ignore_ascii_case("default")) {
        Some(name) if !path::is_instance(&name) => Err(PathsError::NoName),
        name => Ok(name),
    }
}

fn default_state_dir(home: &Path, exists: &dyn Fn(&Path) -> bool) -> PathBuf {
    STATE_DIRS
        .iter()
        .map(|name| home.join(name))
        .find(|dir| exists(dir))
        .unwrap_or_else(|| home.join(STATE_DIRS[0]))
}

/// The first configuration file that exists, else where the current one would be.
///
/// With a state directory that was asked for, only there. The reference release goes on to the
/// home's and then writes it: whoever tries something out in an empty directory changes the real
/// configuration. Later releases have stopped that.
fn config_path(
    state_dir: &Path,
    is_explicit: bool,
    home: &Path,
    exists: &dyn Fn(&Path) -> bool,
) -> PathBuf {
    let in_home = STATE_DIRS.iter().map(|name| home.join(name));
    std::iter::once(state_dir.to_owned())
        .chain(in_home.filter(|_| !is_explicit))
        .flat_map(|dir| CONFIG_NAMES.map(|name| dir.join(name)))
        .find(|path| exists(path))
        .unwrap_or_else(|| state_dir.join(CONFIG_NAMES[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    fn places(vars: &[(&str, &str)], existing: &[&str], flag: Option<&str>) -> Places {
        let exists = |path: &Path| existing.iter().any(|known| path == Path::new(known));
        let env = FixedEnv::of(&[&[(names::HOME, "/h")], vars].concat());
        let flags = (flag.map(Path::new), None);
        Places::resolve(&env, &exists, flags, Path::new("/w")).unwrap()
    }

    #[test]
    fn an_instance_has_a_state_directory_of_its_own() {
        let state = |vars: &[(&str, &str)], flag, instance| {
            let env = FixedEnv::of(&[&[(names::HOME, "/h")], vars].concat());
            let flags = (flag, instance);
            let places = Places::resolve(&env, &|_| false, flags, Path::new("/w")).unwrap();
            let config = places.state_dir.join("openclaw.json");
            assert_eq!(places.config_path, config);
            places.state_dir.display().to_string()
        };
        let by_name = [(names::PROFILE, "work")];
        assert_eq!(state(&[], None, Some("dev")), "/h/.openclaw-dev");
        assert_eq!(state(&by_name, None, None), "/h/.openclaw-work");
        assert_eq!(state(&by_name, None, Some("dev")), "/h/.openclaw-dev");
        assert_eq!(state(&[], None, Some("default")), "/h/.openclaw");
        for no_name in ["../x", "my work", "-x"] {
            let env = FixedEnv::of(&[(names::HOME, "/h"), (names::PROFILE, no_name)]);
            let places = Places::resolve(&env, &|_| false, (None, None), Path::new("/w"));
            assert_eq!(places, Err(PathsError::NoName), "{no_name}");
            let flags = (None, Some("dev"));
            assert!(Places::resolve(&env, &|_| false, flags, Path::new("/w")).is_ok());
        }
        let explicit = [(names::STATE_DIR, "/s")];
        assert_eq!(state(&explicit, None, Some("dev")), "/s");
        assert_eq!(state(&[], Some(Path::new("/f")), Some("dev")), "/f");
        let home = [(names::OPENCLAW_HOME, "/o")];
        assert_eq!(state(&home, None, Some("dev")), "/o/.openclaw-dev");
        assert_eq!(
            state(&[(names::OPENCLAW_HOME, "~/o")], None, None),
            "/h/o/.openclaw"
        );
    }

    #[test]
    fn state_and_config_follow_the_table() {
        type Row = (
            &'static [(&'static str, &'static str)],
            &'static [&'static str],
            Option<&'static str>,
            &'static str,
            &'static str,
        );
        const OURS: &str = "/h/.openclaw/openclaw.json";
        const STATE: &str = names::STATE_DIR;
        let table: &[Row] = &[
            (&[], &[], None, "/h/.openclaw", OURS),
            (
                &[],
                &["/h/.moltbot"],
                None,
                "/h/.moltbot",
                "/h/.moltbot/openclaw.json",
            ),
            (
                &[],
                &["/h/.moldbot", "/h/.clawdbot", "/h/.clawdbot/clawdbot.json"],
                None,
                "/h/.clawdbot",
                "/h/.clawdbot/clawdbot.json",
            ),
            (
                &[],
                &["/h/.openclaw", "/h/.clawdbot", "/h/.clawdbot/clawdbot.json"],
                None,
                "/h/.openclaw",
                "/h/.clawdbot/clawdbot.json",
            ),
            (
                &[("OPENCLAW_STATE_DIR", "~/s")],
                &[OURS],
                None,
                "/h/s",
                "/h/s/openclaw.json",
            ),
            (
                &[("OPENCLAW_STATE_DIR", "s")],
                &["/w/s/moldbot.json"],
                None,
                "/w/s",
                "/w/s/moldbot.json",
            ),
            (
                &[("CLAWDBOT_STATE_DIR", "/c")],
                &[],
                None,
                "/c",
                "/c/openclaw.json",
            ),
            (
                &[("CLAWDBOT_STATE_DIR", "/c"), (STATE, "/o")],
                &[],
                None,
                "/o",
                "/o/openclaw.json",
            ),
            (
                &[(STATE, "/o")],
                &[OURS],
                Some("~/f"),
                "/h/f",
                "/h/f/openclaw.json",
            ),
            (
                &[("OPENCLAW_CONFIG_PATH", "c.json")],
                &[],
                None,
                "/h/.openclaw",
                "/w/c.json",
            ),
            (
                &[("CLAWDBOT_CONFIG_PATH", "/c.json")],
                &[],
                None,
                "/h/.openclaw",
                "/c.json",
            ),
            (
                &[("OPENCLAW_HOME", "/x")],
                &[],
                None,
                "/x/.openclaw",
                "/x/.openclaw/openclaw.json",
            ),
        ];
        for (vars, existing, flag, state_dir, config) in table {
            let found = places(vars, existing, *flag);
            assert_eq!(
                found.state_dir,
                Path::new(state_dir),
                "{vars:?} {existing:?}"
            );
            assert_eq!(
                found.config_path,
                Path::new(config),
                "{vars:?} {existing:?}"
            );
        }
    }

    #[test]
    fn the_other_places() {
        let plain = places(&[], &[], None);
        assert_eq!(plain.oauth_dir, Path::new("/h/.openclaw/credentials"));
        assert_eq!(plain.agent_dir_override, None);
        let both = [("PI_CODING_AGENT_DIR", "/p"), ("OPENCLAW_AGENT_DIR", "~")];
        let found = places(&both, &[], None);
        assert_eq!(found.agent_dir_override.unwrap(), Path::new("/h"));
        let found = places(&both[..1], &[], None);
        assert_eq!(found.agent_dir_override.unwrap(), Path::new("/p"));
        let found = places(&[("OPENCLAW_OAUTH_DIR", "old")], &["/h/.clawdbot"], None);
        assert_eq!(found.oauth_dir, Path::new("/w/old"));
        let found = places(&[("OPENCLAW_STATE_DIR", "../s/./t")], &[], None);
        assert_eq!(found.state_dir, Path::new("/s/t"));
    }
}
