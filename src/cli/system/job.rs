//! What a timer runs, and where units lie.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{System, names, program, variable};
use crate::app::database::source::{KEY_FILE, URL_FILE};
use crate::app::failure::Failure;
use crate::app::maintenance::systemd::Job;
use crate::model::path::resolve;

impl System {
    /// What a timer runs: this program, on the state directory of this process.
    ///
    /// # Errors
    /// If the path of this program cannot be determined.
    pub fn job(&self, args: Vec<String>, every: Duration) -> Result<Job, Failure> {
        let text = |path: &Path| path.display().to_string();
        let mut env = vec![
            (names::STATE_DIR, text(&self.dirs.state)),
            (names::CONFIG_PATH, text(self.config.path())),
        ];
        let plain = |name| Some((name, variable(name)?));
        let more = [names::AGENT_DIR, names::OAUTH_DIR, names::PATH];
        env.extend(more.into_iter().filter_map(plain));
        // A timer runs in another directory.
        let absolute = |(name, path)| (name, text(&resolve(path, &self.dirs.home, &self.dirs.cwd)));
        let of_database = [URL_FILE, KEY_FILE].into_iter().filter_map(plain);
        env.extend(of_database.map(absolute));
        // So that its advice names the directory, too, as that of this command does.
        let flag = self.global.state_dir.iter();
        let flag = flag.flat_map(|_| ["--state-dir".to_owned(), text(&self.dirs.state)]);
        Ok(Job {
            program: program()?,
            args: flag.chain(args).collect(),
            env,
            every,
        })
    }

    /// Where the units of this user lie (XDG Base Directory Specification).
    pub fn units(&self) -> PathBuf {
        self.config_home().join("systemd/user")
    }
}
