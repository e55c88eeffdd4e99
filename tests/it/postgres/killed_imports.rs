//! `gateway import` that is killed, fails or stands still at its system calls: the login is in one place,
//! and a second run does the rest.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use super::interrupted_imports::interrupt;
use super::machine::{DOCUMENT, Machine, REFRESH};
use super::under_way::until;
use crate::secrets::kills::{killed_at, names_of, under};
use crate::support::{Ran, ran};

const BUNDLE: &str = "logins-of-files.openclaw";

#[test]
#[ignore = "needs PostgreSQL and strace"]
fn an_import_that_is_killed_anywhere_is_completed_by_the_next() {
    // How often a call is made is in part chance.
    let [calls, others @ ..] = [(); 3].map(|()| calls_of_an_import());
    let is_certain = |point: &(String, usize)| others.iter().all(|other| other.contains(point));
    let calls: Vec<_> = calls.into_iter().filter(is_certain).collect();
    // What it does to files and to the database, and the others now and then.
    let counts = |(at, (name, _)): &(usize, (String, usize))| {
        let changes = [
            "write",
            "writev",
            "sendto",
            "rename",
            "renameat2",
            "unlink",
            "fsync",
        ];
        changes.contains(&name.as_str()) || at % 20 == 0
    };
    let calls: Vec<_> = calls.into_iter().enumerate().filter(counts).collect();
    let step = calls.len().div_ceil(KILLS);
    let points: Vec<_> = calls.into_iter().step_by(step).collect();
    let killed = points.iter().filter(|(_, point)| {
        let (call, nth) = point;
        let machine = Machine::ready();
        let ended = killed_at(point, &|options| traced(&machine, options));
        // Until the second run it is in one place at most that uses it.
        let in_files = machine.world.run(&REFRESH).code == 0;
        let again = machine.run(&["gateway", "import"]);
        assert_eq!(again.code, 0, "{call} {nth}: {again:?}");
        assert_eq!(machine.rows(), "1", "{call} {nth}");
        assert_eq!(machine.world.run(&REFRESH).code, 3, "{call} {nth}");
        let before = machine.issuer.token_requests().len();
        assert_eq!(before, usize::from(in_files), "{call} {nth}");
        machine.ok(&REFRESH);
        assert_eq!(machine.issuer.token_requests().len(), before + 1);
        assert!(!machine.rescue.join(BUNDLE).exists(), "{call} {nth}");
        !ended
    });
    let killed = killed.count();
    let tried = points.len();
    assert!(tried > KILLS / 2, "{tried}");
    assert!(killed * 10 >= tried * 9, "{killed} of {tried}");
}

#[test]
#[ignore = "needs PostgreSQL and strace"]
fn a_login_that_stays_in_the_files_because_a_write_fails_does_not_come_in_as_well() {
    // Each change of a file ends with that call, so one of them takes the refresh token out of the
    // document.
    let mut failed = 0;
    for (nth, takes_back) in (1_u32..).flat_map(|nth| [(nth, false), (nth, true)]) {
        let Some((machine, ended)) = without_space(&nth.to_string(), takes_back) else {
            break;
        };
        failed += usize::from(!ended);
        // Until the next import it is in one place at most that uses it.
        let in_files = machine.world.run(&REFRESH).code == 0;
        assert!(!in_files || machine.rows() == "0", "{nth} {takes_back}");
        machine.ok(&["gateway", "import"]);
        assert_eq!(machine.rows(), "1", "{nth} {takes_back}");
        let of_files = machine.world.run(&REFRESH);
        assert_eq!(of_files.code, 3, "{nth} {takes_back}: {of_files:?}");
        machine.ok(&REFRESH);
        assert!(!machine.rescue.join(BUNDLE).exists(), "{nth} {takes_back}");
    }
    assert!(failed > 2, "{failed}");
}

/// A machine whose import had no space left at its nth change of a file, or from then on if a + follows,
/// and whose user may have taken the logins back then; whether the import ended well. `None` if it has no
/// such change.
fn without_space(nth: &str, takes_back: bool) -> Option<(Machine, bool)> {
    let machine = Machine::ready();
    let log = machine.world.state().join("calls");
    let inject = format!("inject=renameat2:error=ENOSPC:when={nth}");
    let options = [
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=renameat2",
        "-e",
        &inject,
    ];
    let ended = traced(&machine, &options);
    let is_injected = fs::read_to_string(&log).unwrap().contains("INJECTED");
    if takes_back {
        // Refused where the database may have it.
        take_back(&machine);
    }
    is_injected.then_some((machine, ended))
}

#[test]
#[ignore = "needs PostgreSQL and strace"]
fn a_move_whose_bundle_came_in_is_completed_without_it() {
    let (machine, marker) = (1..)
        .find_map(|nth| {
            let (machine, _) =
                without_space(&format!("{nth}+"), false).expect("one leaves the logins in both");
            let is_there = machine.rescue.join(BUNDLE).exists();
            let marker = marker(&machine).filter(|_| is_there)?;
            Some((machine, marker))
        })
        .unwrap();
    assert!(machine.world.read(DOCUMENT).contains(&machine.refresh));
    let fates = machine.world.state().join("bundles");
    fs::create_dir_all(&fates).unwrap();
    let fate = fates.join(marker.with_extension("json").file_name().unwrap());
    fs::write(fate, r#"{"state":"imported","at":0}"#).unwrap();
    fs::remove_file(machine.rescue.join(BUNDLE)).unwrap();
    let back = take_back(&machine);
    assert_eq!(back.code, 1, "{back:?}");
    assert_eq!(machine.world.run(&REFRESH).code, 3);
    assert!(!machine.world.read(DOCUMENT).contains(&machine.refresh));
    assert!(!marker.exists());
}

/// What says of an import that it is not completed.
fn marker(machine: &Machine) -> Option<PathBuf> {
    let all = fs::read_dir(machine.world.state().join("rescue")).ok()?;
    let mut all = all.map(|entry| entry.unwrap().path());
    all.find(|path| path.extension().is_some_and(|it| it == "move"))
}

fn take_back(machine: &Machine) -> Ran {
    let mut back = machine.world.command(&["secrets", "take-back"]);
    let key = machine.world.state().join("key");
    back.arg(machine.rescue.join(BUNDLE))
        .env("GOCLAW_ENCRYPTION_KEY_FILE", key);
    ran(back.output().unwrap())
}

#[test]
#[ignore = "needs PostgreSQL and strace"]
fn what_an_import_has_begun_to_take_in_is_not_taken_back() {
    let machine = Machine::ready();
    interrupt(&machine);
    // As if it had been killed a moment before.
    let fates = fs::read_dir(machine.world.state().join("bundles")).unwrap();
    let fates: Vec<_> = fates.map(|entry| entry.unwrap().path()).collect();
    let [fate] = &*fates else { panic!("{fates:?}") };
    fs::remove_file(fate).unwrap();
    let log = machine.world.state().join("calls");
    let to_log = ["-f", "-o", log.to_str().unwrap()];
    // It stands still where it looks for what became of the bundle.
    let there = ["-P", fate.to_str().unwrap(), "-e", "trace=openat"];
    let stop = ["-e", "inject=openat:signal=SIGSTOP:when=1"];
    let options = [&to_log[..], &there, &stop].concat();
    let import = machine.command("key", &["gateway", "import"]);
    let mut import = under(&import, &options).spawn().unwrap();
    let stopped = || {
        let told = fs::read_to_string(&log).unwrap_or_default();
        let line = told
            .lines()
            .find(|line| line.contains("stopped by SIGSTOP"))?;
        line.split_once(' ')?.0.parse().ok().and_then(Pid::from_raw)
    };
    until(|| stopped().is_some());
    let back = take_back(&machine);
    kill_process(stopped().unwrap(), Signal::CONT).unwrap();
    assert!(import.wait().unwrap().success());
    assert_ne!(back.code, 0, "{back:?}");
    assert_eq!(machine.rows(), "1");
    assert_eq!(machine.world.run(&REFRESH).code, 3);
    machine.ok(&REFRESH);
}

/// So many kills at most.
const KILLS: usize = 40;

/// Imports under strace; whether it ended by itself.
fn traced(machine: &Machine, options: &[&str]) -> bool {
    let import = machine.command("key", &["gateway", "import"]);
    under(&import, options).status().unwrap().success()
}

/// The system calls of one that nobody kills.
fn calls_of_an_import() -> Vec<(String, usize)> {
    let machine = Machine::ready();
    let log = machine.world.state().join("calls");
    let options = ["-o", log.to_str().unwrap(), "-s", "0"];
    assert!(traced(&machine, &options));
    names_of(&fs::read_to_string(log).unwrap())
}
