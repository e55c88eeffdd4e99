//! When a lock of OpenClaw is stale, and how one of ours appears.

use std::sync::Arc;

use super::super::lock_path::{PATIENCE, REFRESH_STALE};
use super::super::stale_lock::{NOT_A_LOCK, is_stale};
use super::*;
use crate::ports::host::Clock as _;
use crate::testing::clock::FakeClock;
use crate::testing::files::MemoryFiles;

const LOCK: &str = "/a/auth-profiles.json.lock";
const NOW: Timestamp = Timestamp(1_790_000_000_000);
const ALIVE: u32 = 7;
const DEAD: u32 = 8;

fn files() -> MemoryFiles {
    let files = MemoryFiles::new();
    files.put(Path::new("/a/x"), "");
    files.kill(DEAD);
    files
}

fn before(millis: i64) -> Timestamp {
    Timestamp(NOW.0 - millis)
}

fn judged(files: &MemoryFiles, stale: Duration) -> bool {
    let path = Path::new(LOCK);
    let stat = files.stat(path).unwrap().unwrap();
    is_stale(files, NOW, path, &stat, stale).unwrap()
}

#[test]
fn a_directory_is_stale_by_its_time_alone() {
    let ages = [(-1_000, false), (0, false), (30_000, false), (30_001, true)];
    for (age, is_stale) in ages {
        let files = files();
        files.create_dir_new(Path::new(LOCK)).unwrap();
        files.touch(Path::new(LOCK), before(age)).unwrap();
        assert_eq!(judged(&files, STORE_STALE), is_stale, "{age}");
    }
}

#[test]
fn a_file_is_stale_by_its_owner_and_by_either_time() {
    let note = |pid: u32, age: i64| {
        let created = before(age).iso8601();
        format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"{created}\"\n}}")
    };
    let cases = [
        (note(ALIVE, 0), 0, STORE_STALE, false),
        (note(ALIVE, 30_000), 30_000, STORE_STALE, false),
        (note(ALIVE, 30_001), 0, STORE_STALE, true),
        (note(ALIVE, 0), 30_001, STORE_STALE, true),
        (note(ALIVE, 30_001), 30_001, REFRESH_STALE, false),
        (note(ALIVE, 180_001), 0, REFRESH_STALE, true),
        // Its owner may live in another container.
        (note(DEAD, 0), 0, STORE_STALE, false),
        (note(DEAD, 0), 5_000, STORE_STALE, false),
        (note(DEAD, 0), 5_001, STORE_STALE, true),
        (note(DEAD, 5_001), 5_001, REFRESH_STALE, true),
        ("{".to_owned(), 30_000, STORE_STALE, false),
        ("{".to_owned(), 30_001, STORE_STALE, true),
        (String::new(), 0, STORE_STALE, false),
        (
            r#"{"pid": -1, "createdAt": 5}"#.into(),
            0,
            STORE_STALE,
            false,
        ),
        (
            r#"{"createdAt": "yesterday"}"#.into(),
            0,
            STORE_STALE,
            false,
        ),
    ];
    for (text, age, stale, is_stale) in cases {
        let files = files();
        files.put(Path::new(LOCK), &text);
        files.touch(Path::new(LOCK), before(age)).unwrap();
        assert_eq!(judged(&files, stale), is_stale, "{text}, {age} ms old");
    }
}

#[test]
fn a_lock_is_seen_whole_and_known_and_a_draft_of_another_is_left_alone() {
    for flavour in [LockFormat::Directory, LockFormat::File] {
        let (files, clock) = (files(), FakeClock::new(NOW));
        let site = |who| LockPath::new(LOCK.into(), flavour, STORE_STALE, who);
        let other = site("other").draft;
        files.create_dir_new(&other).unwrap();
        let io = Io {
            files: Arc::new(files.clone()),
            clock: Arc::new(clock),
        };
        let mut noted = None;
        let mut note = |mark| {
            assert!(files.stat(Path::new(LOCK)).unwrap().is_none());
            noted = Some(mark);
        };
        let mark = acquire(&io, &site("me"), &Wait::uninterrupted(PATIENCE), &mut note).unwrap();
        assert_eq!(noted, Some(mark));
        assert!(mark.is_at(&files, Path::new(LOCK)).unwrap());
        assert!(files.stat(&other).unwrap().is_some());
        assert!(files.stat(&site("me").draft).unwrap().is_none());
    }
}

#[test]
fn a_file_that_several_of_us_hold_names_nobody_and_is_stale_after_half_a_minute() {
    for stale in [STORE_STALE, REFRESH_STALE] {
        let files = files();
        let clock = Arc::new(FakeClock::new(NOW));
        let io = Io {
            files: Arc::new(files.clone()),
            clock: Arc::clone(&clock) as _,
        };
        let site = LockPath::new(LOCK.into(), LockFormat::File, stale, "me");
        let text = || String::from_utf8(files.read(Path::new(LOCK)).unwrap().unwrap()).unwrap();
        let wait = Wait::uninterrupted(PATIENCE);
        let made = acquire(&io, &site, &wait, &mut |_| {}).unwrap();
        let beat = |mark, is_own| {
            let mark = beat(&io, &site, (mark, is_own), &mut |_| {});
            mark.unwrap().unwrap()
        };
        let own = beat(made, true);
        let pid = format!("\"pid\": {}", std::process::id());
        assert!(text().contains(&pid), "{}", text());
        // Another touches it, be it that its process has the same number in another container.
        let shared = beat(own, false);
        assert!(!text().contains("pid"), "{}", text());
        // Whoever touches it next.
        let last = beat(shared, true);
        assert!(!text().contains("pid"), "{}", text());
        assert!(last.is_at(&files, Path::new(LOCK)).unwrap());
        assert!(!judged(&files, stale), "{}", text());
        clock.advance(SHARED_STALE);
        assert!(!remove_stale(&files, &*io.clock, &site, &mut None).unwrap());
        clock.advance(Duration::from_millis(1));
        assert!(remove_stale(&files, &*io.clock, &site, &mut None).unwrap());
    }
}

/// A lock of somebody at a path, and the store's view of it.
fn foreign(modified: Timestamp) -> (MemoryFiles, Io, Arc<FakeClock>, LockPath) {
    let files = files();
    files.create_dir_new(Path::new(LOCK)).unwrap();
    files.touch(Path::new(LOCK), modified).unwrap();
    let clock = Arc::new(FakeClock::new(NOW));
    let io = Io {
        files: Arc::new(files.clone()),
        clock: Arc::clone(&clock) as _,
    };
    let site = LockPath::new(LOCK.into(), LockFormat::File, STORE_STALE, "me");
    (files, io, clock, site)
}

#[test]
fn a_lock_from_the_future_is_stale_when_nobody_touches_it() {
    let tomorrow = before(-86_400_000);
    let (_, io, clock, site) = foreign(tomorrow);
    let wait = Wait::uninterrupted(PATIENCE);
    acquire(&io, &site, &wait, &mut |_| {}).unwrap();
    let waited = clock.monotonic();
    assert!((STORE_STALE..PATIENCE).contains(&waited), "{waited:?}");
    // One that is touched is held, whatever the clock of its holder says.
    let (touched, io, clock, site) = foreign(tomorrow);
    let mut watched = None;
    for beat in 0..6 {
        touched
            .touch(Path::new(LOCK), before(-86_400_000 - beat))
            .unwrap();
        assert!(!remove_stale(&touched, &*io.clock, &site, &mut watched).unwrap());
        clock.advance(STORE_STALE / 2);
    }
}

/// A refresh lock from tomorrow that names a process.
fn refresh_lock(pid: u32) -> (MemoryFiles, Io, Arc<FakeClock>, LockPath) {
    let (files, io, clock, site) = foreign(before(0));
    files.remove(Path::new(LOCK)).unwrap();
    files.put(Path::new(LOCK), &format!("{{\"pid\": {pid}}}"));
    files.touch(Path::new(LOCK), before(-86_400_000)).unwrap();
    let stale = REFRESH_STALE;
    (files, io, clock, LockPath { stale, ..site })
}

#[test]
fn a_refresh_lock_from_the_future_is_stale_by_what_commands_saw_one_after_the_other() {
    let (files, io, clock, site) = refresh_lock(ALIVE);
    let wait = Wait::uninterrupted(PATIENCE);
    let mut busy = 0;
    while acquire(&io, &site, &wait, &mut |_| {}).is_err() {
        busy += 1;
        // Nothing is known of the time between two commands but that the lock is the same.
        clock.advance(Duration::from_secs(10));
    }
    assert_eq!(busy, 2, "{:?}", clock.monotonic());
    assert!(clock.monotonic() >= REFRESH_STALE);
    assert_eq!(files.read(&site.seen()).unwrap(), None, "nothing is left");
    // One that was touched meanwhile is another one.
    let (files, io, clock, site) = refresh_lock(ALIVE);
    assert!(acquire(&io, &site, &wait, &mut |_| {}).is_err());
    files.touch(Path::new(LOCK), before(-86_400_001)).unwrap();
    clock.advance(REFRESH_STALE);
    assert!(acquire(&io, &site, &wait, &mut |_| {}).is_err());
}

#[test]
fn a_lock_of_a_dead_process_from_the_future_is_left_alone_for_as_long_as_any() {
    let (_, io, clock, site) = refresh_lock(DEAD);
    acquire(&io, &site, &Wait::uninterrupted(PATIENCE), &mut |_| {}).unwrap();
    let waited = clock.monotonic();
    let bounds = Duration::from_secs(5)..Duration::from_secs(6);
    assert!(bounds.contains(&waited), "{waited:?}");
}

#[test]
fn a_directory_with_something_in_it_is_no_lock() {
    let (files, io, clock, site) = foreign(before(60_000));
    files.put(&Path::new(LOCK).join("notes"), "mine");
    files.touch(Path::new(LOCK), before(60_000)).unwrap();
    let wait = Wait::uninterrupted(PATIENCE);
    let error = acquire(&io, &site, &wait, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains(NOT_A_LOCK), "{error}");
    assert!(clock.monotonic() < Duration::from_secs(1), "nobody waits");
    assert!(
        files
            .read(&Path::new(LOCK).join("notes"))
            .unwrap()
            .is_some()
    );
}
