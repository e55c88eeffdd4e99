use super::*;
use std::sync::Arc;

use crate::model::time::Timestamp;
use crate::ports::disk::{Kind, Owner};
use crate::testing::clock::FakeClock;
use crate::testing::files::MemoryFiles;
use crate::testing::quirk::Quirk;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const PLACE: &str = "/home/me/state";

fn session(files: &MemoryFiles, quirks: &[Quirk]) -> Session {
    files.set_now(NOW);
    files.set_quirks(quirks);
    let disk = Arc::new(files.clone());
    Session {
        lab: Lab {
            files: Arc::clone(&disk) as Arc<dyn Files>,
            disk,
            clock: Arc::new(FakeClock::new(NOW)),
            pid: 7,
        },
        start: Duration::ZERO,
        // A busy machine fails no test.
        budget: Duration::from_secs(600),
        limit: Duration::from_secs(600),
        checks: Vec::new(),
        is_stuck: false,
    }
}

fn examined(quirks: &[Quirk]) -> Vec<(&'static str, Status)> {
    let mut session = session(&MemoryFiles::new(), quirks);
    session.examine(Path::new(PLACE));
    let all = session.checks.iter();
    all.map(|check| (check.name, check.verdict.status))
        .collect()
}

fn wrong(quirks: &[Quirk]) -> Vec<(&'static str, Status)> {
    let mut all = examined(quirks);
    assert!(all.len() >= 13, "{all:?}");
    all.retain(|(_, status)| *status != Status::Ok);
    all
}

#[test]
fn a_good_disk_has_no_faults() {
    assert_eq!(wrong(&[]), []);
}

#[test]
fn what_endangers_credentials_is_a_failure_of_its_check() {
    let table: &[(Quirk, &[&str])] = &[
        (Quirk::LocksExcludeNobody, &["locks", "orphaned_locks"]),
        (Quirk::LocksEndAtTheProcess, &["locks", "orphaned_locks"]),
        (Quirk::LocksCannotBeShared, &["locks"]),
        (Quirk::LocksStay, &["orphaned_locks"]),
        (Quirk::NoLocks, &["locks"]),
        (Quirk::WideModes, &["permissions"]),
        (Quirk::CreatesTwice, &["exclusive_create"]),
        (Quirk::RenameLeavesAGap, &["rename"]),
        (Quirk::RenameTears, &["rename"]),
        (Quirk::NoSync, &["fsync"]),
        (Quirk::NoTimes, &["file_times"]),
        (Quirk::OpenToOthers, &["owner"]),
        (Quirk::Free(1_024), &["free_space"]),
        (Quirk::NoMoreFiles, &["free_space"]),
    ];
    for (quirk, names) in table {
        // Where a directory is open to others it is looked at, for one that was just made is not.
        let files = MemoryFiles::new();
        files.put(Path::new("/home/me/state/x"), "");
        let mut session = session(&files, std::slice::from_ref(quirk));
        session.examine(Path::new(PLACE));
        let checks = session.checks.iter();
        let failed = checks.filter(|check| check.verdict.status == Status::Failed);
        let failed: Vec<_> = failed.map(|check| check.name).collect();
        assert_eq!(&failed, names, "{quirk:?}");
    }
}

#[test]
fn what_only_deserves_a_look_is_a_warning() {
    let table = [
        (Quirk::NoRival, &["locks", "orphaned_locks"][..]),
        (Quirk::NoDirectorySync, &["fsync"]),
        (Quirk::Owner(Owner::Another), &["owner"]),
        // As the volumes of containers are: what decides is judged in them, and not they.
        (Quirk::Mode(0o777), &["owner"]),
        (Quirk::Mode(0o770), &[]),
        (Quirk::Owner(Owner::Root), &[]),
        (Quirk::Free(1_000_000), &["free_space"]),
        (Quirk::Kind(Kind::Memory("tmpfs")), &["file_system"]),
        (Quirk::Kind(Kind::Overlay), &["file_system"]),
        (Quirk::Kind(Kind::Network("nfs")), &["file_system"]),
        (Quirk::Kind(Kind::Served("9p")), &["file_system"]),
        (Quirk::Kind(Kind::Foreign("vfat")), &["file_system"]),
        (Quirk::Kind(Kind::Unknown(Some(1))), &[]),
        (Quirk::Kind(Kind::Unknown(None)), &[]),
        (Quirk::NoAllocation, &[]),
    ];
    for (quirk, names) in table {
        let expected: Vec<_> = names.iter().map(|name| (*name, Status::Warning)).collect();
        assert_eq!(wrong(std::slice::from_ref(&quirk)), expected, "{quirk:?}");
    }
}

#[test]
fn a_clock_that_cannot_be_right_is_told_of() {
    for now in [Timestamp(1_000_000), Timestamp(NOW.0 + 60_000)] {
        let files = MemoryFiles::new();
        let mut session = session(&files, &[]);
        session.lab.clock = Arc::new(FakeClock::new(now));
        session.examine(Path::new(PLACE));
        let mut checks = session.checks.iter();
        let clock = checks.find(|check| check.name == "clock").unwrap();
        assert_eq!(clock.verdict.status, Status::Warning, "{clock:?}");
    }
}

#[test]
fn nothing_is_left_behind_not_even_by_those_that_were_killed() {
    for quirks in [&[][..], &[Quirk::WideModes], &[Quirk::LocksStay]] {
        let files = MemoryFiles::new();
        files.put(Path::new("/home/me/state/.openclaw-doctor-99/page"), "");
        files.kill(99);
        files.put(Path::new("/home/me/state/.openclaw-doctor-98/page"), "");
        let mut session = session(&files, quirks);
        session.examine(Path::new(PLACE));
        let names = files.list(Path::new(PLACE)).unwrap();
        assert_eq!(names, [".openclaw-doctor-98"]);
    }
    // The directory itself goes, too, if it was not there before.
    let files = MemoryFiles::new();
    files.put(Path::new("/home/me/x"), "");
    session(&files, &[]).examine(Path::new(PLACE));
    assert_eq!(files.list(Path::new("/home/me")).unwrap(), ["x"]);
}

#[test]
fn an_operation_that_fails_anywhere_is_told_of_and_nothing_is_left() {
    for n in 1..1_000 {
        let files = MemoryFiles::new();
        files.put(Path::new("/home/me/state/x"), "");
        let mut session = session(&files, &[]);
        files.fail_nth(n);
        session.examine(Path::new(PLACE));
        let is_over = !files.has_failed();
        let mut checks = session.checks.iter();
        let is_told = checks.any(|check| check.verdict.status != Status::Ok);
        assert_eq!(is_told, !is_over, "operation {n}");
        let is_clean = files.list(Path::new(PLACE)).unwrap() == ["x"];
        let says_so = session.checks.iter().any(|check| check.name == "cleanup");
        assert!(is_clean || says_so, "operation {n}");
        if is_over {
            assert!(n > 200);
            return;
        }
    }
    panic!("it never ran through");
}

#[test]
fn what_hangs_is_left_behind() {
    let mut session = session(&MemoryFiles::new(), &[Quirk::Hangs]);
    session.limit = Duration::from_millis(900);
    session.examine(Path::new(PLACE));
    assert!(session.is_stuck);
    let mut checks = session.checks.iter();
    let fsync = checks.find(|check| check.name == "fsync").unwrap();
    assert_eq!(fsync.verdict.status, Status::Warning);
    assert!(format!("{:?}", fsync.verdict.found).contains("timed out before"));
    assert!(session.checks.iter().any(|check| check.name == "clock"));
    // Once the time is over nothing more is begun.
    session.budget = Duration::ZERO;
    session.checks.clear();
    session.examine(Path::new(PLACE));
    let mut checks = session.checks.iter();
    assert!(checks.all(|check| check.verdict.status == Status::Warning));
}
