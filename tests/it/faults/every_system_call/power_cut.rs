//! A power cut at any moment of a command: after each of its calls to the file system, every state
//! that the disk may show is built from the recorded calls, and asked what the kill suite asks:
//! each document is old or new, whole; a token that was spent has its successor in it or its
//! response saved; what a command that ended well has done is there.
//!
//! Each sync of the recording is left out in turn, too. If no state is worse for it, the suite would
//! not notice that the program forgot it, or the program need not wait for it.

mod disk;
mod trace;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::check::{Shape, shape, shape_by};
use serde_json::Value;

use super::commands::{CONFIG, Command, FILES, commands};
use super::{strace, tell};
use crate::support::World;
use disk::{Disk, Files};
use trace::Call;

/// What is recorded: calls that change files and directories, and those that send.
const CALLS: &str = "trace=open,openat,mkdir,mkdirat,write,writev,pwrite64,lseek,ftruncate,\
    fallocate,rename,renameat,renameat2,unlink,unlinkat,rmdir,fsync,fdatasync,sendto,sendmsg";

/// A command and what it did.
struct Recording {
    name: &'static str,
    /// The world's directory, in which it ran.
    root: PathBuf,
    before: Files,
    calls: Vec<Call>,
    old: Shape,
    new: Shape,
    after: Files,
    /// The refresh token that it received for a code or another one.
    received: Option<String>,
    /// Whether it spent a refresh token for that.
    spends: bool,
}

fn record(command: &Command) -> Recording {
    let (world, _issuer) = command.world();
    let (old, before) = (shape(&world), files_of(&world));
    let log = world.directory.path().join("log");
    let options = ["-y", "-xx", "-s", "1000000", "-e", CALLS, "-o"].map(str::to_owned);
    let options = [&options[..], &[log.display().to_string()]].concat();
    let done = strace::run(&world, command, &options);
    assert_eq!(done.code, Some(0), "{}: {done:?}", command.name);
    let log = std::fs::read_to_string(log).unwrap();
    let received = || {
        let store = world.store();
        let profiles = store["profiles"].as_object()?.values();
        let mut tokens = profiles.filter_map(|profile| profile["refresh"].as_str());
        let is_new = |token: &&str| !before.values().any(|bytes| holds(bytes, token));
        tokens.find(is_new).map(str::to_owned)
    };
    let received = received();
    Recording {
        name: command.name,
        calls: trace::read(&log, &world.state()),
        before,
        old,
        new: shape(&world),
        after: files_of(&world),
        received,
        spends: command.spends,
        root: world.directory.path().to_owned(),
    }
}

fn files_of(world: &World) -> Files {
    let state = world.state();
    let all = super::check::everything(&state).into_iter();
    let content = |path: &Path| match path.is_dir() {
        true => Some(disk::DIRECTORY.to_vec()),
        false => std::fs::read(path).ok(),
    };
    let all = all.filter_map(|path| {
        let bytes = content(&path)?;
        Some((path.strip_prefix(&state).ok()?.to_owned(), bytes))
    });
    all.collect()
}

/// Whether it matters if a power cut loses a change of this file. Locks die with their processes,
/// and a file that was imported is set aside again.
fn counts(path: &Path) -> bool {
    let is_lock = |part: &OsStr| {
        let part = part.to_string_lossy();
        part == "openclaw-rs" || part == "lock" || part.contains(".lock")
    };
    path != Path::new("locks") && path != Path::new(FILES[5]) && !path.iter().any(is_lock)
}

impl Recording {
    fn disk(&self) -> Disk {
        Disk::new(&self.root.join("state"), &self.before)
    }

    /// Returns what is wrong with the states that a cut may leave, if the program had made these
    /// calls.
    fn check(&self, calls: &[Call]) -> BTreeSet<String> {
        let mut disk = self.disk();
        let mut wrong = BTreeSet::new();
        let saved_by = self.saved_by(calls);
        let sent = calls.iter().position(|call| *call == Call::Send);
        let sent = sent.filter(|_| self.spends);
        for (place, call) in calls.iter().enumerate() {
            let is_last = place + 1 == calls.len();
            if !disk.apply(call) && !is_last && *call != Call::Send {
                continue;
            }
            for files in disk.after_a_cut(&counts) {
                let is_past = |moment: Option<usize>| moment.is_some_and(|then| place >= then);
                let mut faults = self.faults(&files, is_past(saved_by), is_last);
                if is_past(sent) && !self.knows_attempt(&files) {
                    faults.push("nothing tells that the refresh token was sent".to_owned());
                }
                let after = &call
                    .to_string()
                    .replace(&self.root.display().to_string(), "");
                wrong.extend(
                    faults
                        .iter()
                        .map(|fault| format!("{}, {fault}, after {after}", self.name)),
                );
            }
        }
        wrong
    }

    /// Returns the place of the first call after which the response must be durable: the one that
    /// follows the write of it to the file that was prepared.
    fn saved_by(&self, calls: &[Call]) -> Option<usize> {
        let received = self.received.as_ref()?;
        let is_written =
            |call: &Call| matches!(call, Call::Write { bytes, .. } if holds(bytes, received));
        let written = calls.iter().position(is_written)?;
        Some(written + 1)
    }

    /// Whether the journal tells of the refresh, or the response is there.
    fn knows_attempt(&self, files: &Files) -> bool {
        let received = self.received.as_deref().unwrap_or_default();
        files.iter().any(|(path, bytes)| {
            let is_record = path.iter().any(|part| part == "journal") && !is_hidden(path);
            (is_record && holds(bytes, "begunAt")) || holds(bytes, received)
        })
    }

    fn faults(&self, files: &Files, must_be_saved: bool, is_last: bool) -> Vec<String> {
        let text = |name: &str| {
            let bytes = files.get(Path::new(name))?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let now = shape_by(&self.root, &text);
        let mut faults = Vec::new();
        for name in FILES {
            let found = now.get(name);
            if found != self.old.get(name) && found != self.new.get(name) {
                faults.push(format!("{name} is neither old nor new"));
            }
        }
        let imported = [FILES[4], FILES[5]];
        let has = |shape: &Shape| imported.iter().any(|name| shape.contains_key(name));
        if has(&self.old) && !has(&now) {
            faults.push("the file that was imported is gone".to_owned());
        }
        if let Some(received) = self.received.as_ref().filter(|_| must_be_saved)
            && !files.values().any(|bytes| holds(bytes, received))
        {
            faults.push("the refresh token that was received is nowhere".to_owned());
        }
        let is_torn = |path: &Path, bytes: &[u8]| {
            let is_ours = path.extension().is_some_and(|end| end == "json") && !is_hidden(path);
            is_ours && path != Path::new(CONFIG) && serde_json::from_slice::<Value>(bytes).is_err()
        };
        let torn = files.iter().filter(|(path, bytes)| is_torn(path, bytes));
        faults.extend(torn.map(|(path, _)| format!("{} is torn", path.display())));
        let lasting = self
            .after
            .iter()
            .filter(|(path, _)| is_last && counts(path));
        let missed = lasting.filter(|(path, bytes)| files.get(*path) != Some(bytes));
        faults.extend(missed.map(|(path, _)| format!("{} is not what it was", path.display())));
        faults
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with('.')
}

fn holds(bytes: &[u8], token: &str) -> bool {
    bytes
        .windows(token.len())
        .any(|part| part == token.as_bytes())
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_power_cut_loses_nothing_and_tears_nothing() {
    let mut wrong = BTreeSet::new();
    for command in commands() {
        let recording = record(&command);
        let faults = recording.check(&recording.calls);
        let (name, calls) = (command.name, recording.calls.len());
        tell(&format!(
            "power cut {name}: {calls} calls, {} faults",
            faults.len()
        ));
        wrong.extend(faults);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_sync_that_is_left_out_is_noticed() {
    let mut unnoticed = BTreeSet::new();
    for command in commands() {
        let recording = record(&command);
        let mut disk = recording.disk();
        let mut syncs = BTreeSet::new();
        for call in &recording.calls {
            if matches!(call, Call::Sync(path) if disk.needs_sync(path, &counts)) {
                syncs.insert(call);
            }
            disk.apply(call);
        }
        for left_out in syncs {
            let others = recording.calls.iter().filter(|call| *call != left_out);
            let calls: Vec<Call> = others.cloned().collect();
            if recording.check(&calls).is_empty() {
                unnoticed.insert(format!("{}: {left_out}", command.name));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
#[ignore = "needs strace"]
fn a_refresh_syncs_as_often_as_the_page_on_reliability_says() {
    let refresh = commands().into_iter().find(|command| command.spends);
    let calls = record(&refresh.unwrap()).calls;
    let is_lock = |path: &Path| path.to_string_lossy().contains(".lock");
    let is_sync = |call: &&Call| matches!(call, Call::Sync(_));
    // The first refresh of all makes directories, and the name of each durable.
    let is_new = |call: &&Call| matches!(call, Call::MakeDirectory(path) if !is_lock(path));
    let (syncs, new) = (
        calls.iter().filter(is_sync).count(),
        calls.iter().filter(is_new).count(),
    );
    assert_eq!(syncs - new, 12, "{syncs} syncs, {new} of new directories");
}

/// Others who write the document wait for these only.
#[test]
#[ignore = "needs strace"]
fn two_of_the_syncs_are_made_under_the_lock_of_the_document() {
    let refresh = commands().into_iter().find(|command| command.spends);
    let refresh = refresh.unwrap();
    let (world, _issuer) = refresh.world();
    let log = world.directory.path().join("log");
    let calls = "trace=flock,close,fsync,fdatasync";
    let options = ["-y", "-e", calls, "-o"].map(str::to_owned);
    let options = [&options[..], &[log.display().to_string()]].concat();
    let done = strace::run(&world, &refresh, &options);
    assert_eq!(done.code, Some(0), "{done:?}");
    let log = std::fs::read_to_string(log).unwrap();
    let (mut is_locked, mut times, mut under) = (false, 0, Vec::new());
    for line in log.lines() {
        let is_of_document = line.contains("/openclaw-rs/store-");
        match line {
            _ if is_of_document && line.contains("LOCK_EX") => {
                is_locked = true;
                times += 1;
            }
            _ if is_of_document && line.contains("close(") => is_locked = false,
            _ if is_locked && line.contains("sync(") => under.push(line),
            _ => {}
        }
    }
    // Once to keep OpenClaw out, once to write, once to let it in.
    assert_eq!((times, under.len()), (3, 2), "{under:#?}");
}
