//! Two users of one machine, for tests that root runs: whose the state directory is, and somebody
//! who would like to have what lies in it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Ran, World, ran};

/// Nobody's numbers, and those of nobody's groups.
pub(crate) const VICTIM: u32 = 54_321;
pub(crate) const ATTACKER: u32 = 54_322;

/// A world that belongs to the victim, whose commands run as that user.
pub(crate) struct TwoUsers {
    pub(crate) world: World,
    program: PathBuf,
}

impl TwoUsers {
    /// Takes over a world and all that lies in it.
    pub(crate) fn of(world: World) -> Self {
        let owner = std::fs::metadata("/proc/self").unwrap().uid();
        assert_eq!(owner, 0, "this test needs root");
        // Where the program was built nobody else may be able to look. Another process copies it: a
        // program that a child of this one has open for writing, however briefly, cannot be run.
        let program = world.directory.path().join("openclaw");
        let mut copy = Command::new("cp");
        let copied = copy.arg(super::program()).arg(&program).status();
        assert!(copied.unwrap().success());
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let users = Self { world, program };
        users.settle();
        users
    }

    /// Gives everything to the victim, after a test has written to the world.
    pub(crate) fn settle(&self) {
        give(self.world.directory.path(), VICTIM);
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.world.state().join(path)
    }

    /// A file that the attacker put into the victim's state directory.
    pub(crate) fn plant(&self, path: &str, text: &str) {
        self.world.write(path, text);
        let mut path = self.path(path);
        // Closed to us it would be refused for that.
        set_mode(&path, 0o644);
        lchown(&path, Some(ATTACKER), Some(ATTACKER)).unwrap();
        while path.pop() && path.starts_with(self.world.state()) {
            if std::fs::metadata(&path).unwrap().uid() == 0 {
                lchown(&path, Some(VICTIM), Some(VICTIM)).unwrap();
            }
        }
    }

    /// A command of the victim.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let inner = self.world.command(args);
        let mut command = Command::new(&self.program);
        let set = inner.get_envs();
        let set = set.filter_map(|(name, value)| Some((name, value?)));
        command
            .args(args)
            .env_clear()
            .envs(set)
            .current_dir(self.world.directory.path())
            .stdin(Stdio::null())
            .uid(VICTIM)
            .gid(VICTIM);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Runs with a text on standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &str) -> Ran {
        let text = self.world.directory.path().join("input");
        std::fs::write(&text, input).unwrap();
        let mut command = self.command(args);
        command.stdin(Stdio::from(std::fs::File::open(text).unwrap()));
        ran(command.output().unwrap())
    }
}

/// Gives a path and all below it to a user and the user's own group.
pub(crate) fn give(path: &Path, user: u32) {
    lchown(path, Some(user), Some(user)).unwrap();
    if path.symlink_metadata().unwrap().is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}
