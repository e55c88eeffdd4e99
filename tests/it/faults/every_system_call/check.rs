//! What must hold after every run, whatever was done to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::issuer::{Fate, Issuer};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openclaw::cli::exit_code;
use serde_json::Value;

use super::commands::{BINDINGS, CONFIG, Command, FILES, MAIN, PROFILE, STATE, TOKEN, WORK};
use super::strace::{Done, Point};
use super::totals::Totals;
use crate::support::{Ran, World, millis_from_now, setup_token};

/// The next command takes less, whatever was left behind: it does not wait until a lock of OpenClaw
/// is as old as OpenClaw lets one become.
const PROMPT: Duration = Duration::from_secs(10);

/// What happens between the arrival of an answer and the end of the one write that saves it: the
/// only calls before which a process may die and take a new token with it. Whether the heap grows
/// just then depends on where it happened to begin.
const ARRIVAL: [&str; 7] = [
    "epoll_wait",
    "epoll_ctl",
    "read",
    "recvfrom",
    "brk",
    "write",
    "fdatasync",
];

/// The files of a world by their paths, without what differs from run to run.
pub(super) type Shape = BTreeMap<&'static str, String>;

/// A run, and what is found out about it.
pub(super) struct Check<'a> {
    pub(super) command: &'a Command,
    pub(super) what: &'a str,
    pub(super) point: &'a Point,
    pub(super) old: &'a Shape,
    pub(super) new: &'a Shape,
    pub(super) world: World,
    pub(super) issuer: Issuer,
    pub(super) done: Done,
    pub(super) totals: Totals,
}

/// The files of a world as they are now.
pub(super) fn shape(world: &World) -> Shape {
    let read = |name: &str| std::fs::read_to_string(world.state().join(name)).ok();
    shape_by(world.directory.path(), &read)
}

/// The files of the world at `root`, as `read` returns them.
pub(super) fn shape_by(root: &Path, read: &dyn Fn(&str) -> Option<String>) -> Shape {
    let root = root.display().to_string();
    let read = |name: &&'static str| {
        let text = read(name)?;
        let text = text.replace(&root, "~");
        let text = match serde_json::from_str(&text) {
            Ok(tree) if *name != CONFIG => timeless(tree).to_string(),
            _ => text,
        };
        let lines = text.lines().filter(|line| !line.contains("lastTouchedAt"));
        Some((*name, lines.collect::<Vec<_>>().join("\n")))
    };
    FILES.iter().filter_map(read).collect()
}

/// Access tokens by their number, and moments by whether they have passed.
fn timeless(tree: Value) -> Value {
    match tree {
        Value::String(text) if text.starts_with("eyJ") => {
            let claims = text.split('.').nth(1).unwrap_or_default();
            let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
            let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
            claims["jti"].clone()
        }
        Value::Number(number) if number.as_i64().is_some_and(|n| n > 1_000_000_000_000) => {
            (number.as_i64() > Some(millis_from_now(0))).into()
        }
        Value::Array(items) => items.into_iter().map(timeless).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(name, value)| (name, timeless(value)))
                .collect()
        }
        other => other,
    }
}

/// Every file and directory below a directory.
pub(super) fn everything(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            found.extend(everything(&path));
        }
        found.push(path);
    }
    found
}

impl Check<'_> {
    fn lost(&mut self, what: &str) {
        let text = self.text(what);
        self.totals.losses.push(text);
    }

    fn wrong(&mut self, what: &str) {
        let text = self.text(what);
        self.totals.wrong.push(text);
    }

    fn text(&self, what: &str) -> String {
        let Self {
            command,
            point,
            done,
            ..
        } = self;
        let args: String = point.args.chars().take(100).collect();
        format!(
            "{}, {} at {} number {} ({args}): {what}; it said {:?} {:?} {:?}",
            command.name, self.what, point.call, point.nth, done.code, done.out, done.err
        )
    }

    fn is(&self, now: &Shape, then: &Shape, names: &[&str]) -> bool {
        names.iter().all(|name| now.get(name) == then.get(name))
    }

    /// Everything.
    pub(super) fn run(mut self) -> Totals {
        let now = shape(&self.world);
        self.whole(&now);
        if !self.done.killed {
            self.truth(&now);
        }
        if self.command.spends {
            self.grants();
        } else {
            self.next();
        }
        self.cleared();
        self.totals
    }

    /// Each file is old or new, and the login to be imported lies somewhere.
    fn whole(&mut self, now: &Shape) {
        for name in FILES {
            let found = now.get(name);
            if found != self.old.get(name) && found != self.new.get(name) {
                self.lost(&format!("{name} is {found:?}"));
            }
        }
        let auth = [FILES[4], FILES[5]];
        let has = |shape: &Shape| auth.iter().any(|name| shape.contains_key(name));
        if has(self.old) && !has(now) {
            self.lost("auth.json is gone");
        }
    }

    /// The exit code is of the list, and whatever is said is so.
    fn truth(&mut self, now: &Shape) {
        let Some(code) = self.done.code.filter(|_| !self.done.hung) else {
            return self.wrong("it crashed or hung");
        };
        let is_listed = exit_code::TABLE
            .iter()
            .any(|(known, ..)| i32::from(*known) == code);
        if !is_listed {
            self.wrong("its exit code is not of the list");
        }
        *self.totals.codes.entry(code).or_default() += 1;
        let documents = [MAIN, STATE, WORK];
        let is_old = self.is(now, self.old, &documents);
        let is_new = self.is(now, self.new, &[MAIN, CONFIG, BINDINGS]);
        if code == 0 && !is_new {
            self.wrong("it claims success");
        }
        let says = |text: &str| self.done.err.contains(text);
        let says_old = says("No credentials were changed.")
            || says("No credentials were changed")
            || says("Nothing was stored");
        let says_saved = says("its replacement is saved");
        let says_changed = says("The credential store was changed.");
        if says_old && !is_old {
            self.wrong("it says that nothing was changed");
        }
        if says_saved && !self.is(now, self.old, &[MAIN, STATE]) {
            self.wrong("it says that the successor is not stored yet");
        }
        if says_changed && is_old {
            self.wrong("it says that something was changed");
        }
        // Where standard error itself failed, nothing can be said.
        let is_mute = self.point.call.starts_with("write") && self.point.args.starts_with("2<");
        let says = says_old || says_saved || says_changed;
        if code != 0 && !is_old && !says && !is_mute {
            self.wrong("it does not say that something was changed");
        }
        if code == 0 && self.command.name == "token" {
            let access = self.world.store()["profiles"][PROFILE]["access"].clone();
            if self.done.out.trim_end() != access {
                self.wrong("it printed another token");
            }
        }
    }

    /// The fate of the refresh token in the main agent's document.
    fn fate(&self) -> Fate {
        let store = self.world.store();
        let refresh = store["profiles"][PROFILE]["refresh"].as_str();
        self.issuer.fate(refresh.unwrap_or_default())
    }

    /// The files in which a token that can still be used lies.
    fn holders(&self, directory: &str) -> Vec<PathBuf> {
        let mut files = everything(&self.world.state().join(directory));
        files.retain(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let tokens = text.split("rt-MARKER-").skip(1);
            let mut tokens =
                tokens.filter_map(|rest| Some(format!("rt-MARKER-{}", rest.get(..4)?)));
            tokens.any(|token| self.issuer.fate(&token) == Fate::Living)
        });
        files
    }

    /// A token that was spent has its successor in the document, or where the user was told, or
    /// the process died before it could be put there and the next command says so.
    fn grants(&mut self) {
        // The server may be slower than we are.
        let waited = Instant::now();
        while self.point.sent && self.issuer.dealt_with() == 0 && waited.elapsed() < PROMPT {
            std::thread::sleep(Duration::from_millis(1));
        }
        let fate = self.fate();
        if !matches!(fate, Fate::Living | Fate::Spent) {
            self.lost(&format!("the stored token is {fate:?}"));
        }
        let is_lost = fate == Fate::Spent;
        let rescued = self.holders("rescue");
        let is_told = |path: &PathBuf| self.done.err.contains(&path.display().to_string());
        if is_lost && !self.done.killed && !rescued.iter().any(is_told) {
            self.lost("the successor of the token that was spent");
        }
        self.count_locks();
        let began = Instant::now();
        let next = self.world.run(self.command.args);
        self.prompt(began);
        match (next.code, is_lost) {
            (0, _) if self.fate() == Fate::Living => {
                self.totals.taken_in += usize::from(is_lost);
                self.copies();
            }
            (3 | 7, true) if self.done.killed => {
                let call = self.point.call.clone();
                if !ARRIVAL.contains(&call.as_str()) {
                    self.lost("the answer had arrived long ago");
                }
                self.totals
                    .windows
                    .push(format!("{call} {}", self.point.nth));
                let says = |text: &str| next.err.contains(text);
                if !says("has no known outcome") && !says("may already be used") {
                    self.wrong(&format!("the next command says {next:?}"));
                }
            }
            _ => self.lost(&format!("the next command fails: {next:?}")),
        }
    }

    fn prompt(&mut self, began: Instant) {
        let took = began.elapsed();
        if took > PROMPT {
            let Self { what, point, .. } = self;
            let text = format!("{what} at {} {}: {took:?}", point.call, point.nth);
            self.totals.slow.push(text);
        }
    }

    /// The copies of the grant have moved, or move now.
    fn copies(&mut self) {
        if !self.old.contains_key(WORK) {
            return;
        }
        let mut args = TOKEN.to_vec();
        args.extend(["--agent", "work"]);
        let work = self.world.run(&args);
        if work.code != 0 || self.fate() != Fate::Living {
            self.lost(&format!("a copy was left behind and sent: {work:?}"));
        }
    }

    /// The same command again does what it was to do, or finds it done.
    fn next(&mut self) {
        self.count_locks();
        let before = shape(&self.world);
        let began = Instant::now();
        let next = match self.command.browser {
            true => self.login(),
            false => self.world.pipe(self.command.args, &(self.command.input)()),
        };
        self.prompt(began);
        let is_done = self.is(&before, self.new, &[MAIN, CONFIG, BINDINGS]);
        if next.code != 0 && !(next.code == 1 && is_done) {
            self.lost(&format!("the next command fails: {next:?}"));
        }
        let now = shape(&self.world);
        // What was learnt by using a profile may outlive it: who is killed between two files has
        // written the more precious one.
        let names = [MAIN, CONFIG, BINDINGS];
        if !self.command.browser && !self.is(&now, self.new, &names) {
            self.lost(&format!("the next command leaves {now:?}"));
        }
    }

    fn login(&self) -> Ran {
        let login = crate::support::login::Waiting::start(&self.world, &[]);
        drop(crate::support::browser::visit(&login.url));
        login.finish().0
    }

    /// Counts the locks of OpenClaw that a dead process left.
    fn count_locks(&mut self) {
        let mut locks = everything(&self.world.state());
        locks.retain(|path| {
            let is_lock = path.extension().is_some_and(|end| end == "lock");
            // Those of the kernel cannot be left behind.
            is_lock && !path.parent().is_some_and(|p| p.ends_with("openclaw-rs"))
        });
        self.totals.locks += locks.len();
    }

    /// What a process that died or failed left is gone after one more write. Where nothing was left,
    /// that the next writes work is looked at now and then.
    fn cleared(&mut self) {
        if leftovers(&self.world).is_empty() && !self.point.nth.is_multiple_of(8) {
            return;
        }
        let paste = "models auth paste-token --provider anthropic --profile-id anthropic:sweep";
        let mut sweeps = vec![paste.to_owned()];
        if self.old.contains_key(WORK) {
            sweeps.push(format!("{paste} --agent work"));
        }
        sweeps.push("agents add sweep --workspace s --non-interactive".to_owned());
        for sweep in sweeps {
            let args: Vec<&str> = sweep.split(' ').collect();
            let swept = self.world.pipe(&args, &setup_token());
            if swept.code != 0 {
                self.lost(&format!("the next writes fail: {swept:?}"));
            }
        }
        for name in leftovers(&self.world) {
            // What belongs to one grant or one profile is swept when that is written again.
            match name.contains("/locks/") || name.contains("/auth-history/") {
                true => self.totals.left += 1,
                false => self.wrong(&format!("{name} is left")),
            }
        }
    }
}

/// What no process leaves that ends by itself.
fn leftovers(world: &World) -> Vec<String> {
    let names = everything(&world.state()).into_iter();
    let names = names.map(|path| path.display().to_string());
    names
        .filter(|name| name.ends_with(".tmp") || name.ends_with("auth-profiles.json.lock"))
        .collect()
}
