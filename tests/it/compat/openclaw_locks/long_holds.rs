//! Locks that are held for longer than a peer waits, and locks that are taken away.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use super::*;
use crate::support::in_flight::InFlight;

fn inspect(beside: &Beside) -> Metadata {
    std::fs::metadata(beside.lock()).unwrap()
}

#[test]
fn a_lock_that_was_taken_from_us_is_left_to_its_new_owner_and_nothing_is_lost() {
    for release in BOTH {
        let beside = Beside::new(release);
        beside.issuer.set_delay(Duration::from_secs(3));
        let ours = beside.ours(&TOKEN);
        beside.until_asked();
        // As if we had slept since then.
        let lock = File::open(beside.lock()).unwrap();
        lock.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let theirs = beside.openclaw(vec![Act::Count(1), Act::Hold(4_000), Act::Count(1)]);
        let limit = SystemTime::now() + Duration::from_secs(60);
        // Early releases write in place: what is read in the middle of that is no JSON.
        let counted = || {
            let store = std::fs::read(beside.document()).unwrap();
            let store: Value = serde_json::from_slice(&store).unwrap_or_default();
            store["standIn"] == 1
        };
        while !counted() {
            assert!(SystemTime::now() < limit, "{release:?}: they never got it");
            std::thread::sleep(Duration::from_millis(5));
        }
        done(theirs);
        let ours = done(ours);
        let store = beside.world.store();
        assert_eq!(store["standIn"], 2, "{release:?}");
        let access = &store["profiles"]["openai-codex:default"]["access"];
        assert_eq!(*access, ours.out.trim_end(), "{release:?}");
        assert!(!beside.lock().exists());
    }
}

#[test]
#[ignore = "needs minutes: a lock is held for longer than OpenClaw waits"]
fn a_lock_that_is_held_for_long_is_not_taken_from_us() {
    for release in BOTH {
        let beside = Beside::new(release);
        let version = (release == Release::Late).then_some(WITHOUT_REFRESH_LOCKS);
        let state = beside.world.state();
        let ours = InFlight::begin(&state, version, "main", "openai-codex:default");
        let first = inspect(&beside);
        // Each gives up after some 45 s, a moment at which the lock was stale without a heartbeat.
        for _ in 0..2 {
            let theirs = beside.openclaw(vec![Act::Count(1)]);
            let theirs = ran(theirs.wait_with_output().unwrap());
            assert!(theirs.err.contains("lock busy"), "{release:?}: {theirs:?}");
        }
        let now = inspect(&beside);
        assert!(now.modified().unwrap() > first.modified().unwrap());
        assert_eq!(now.is_dir(), release == Release::Early);
        assert!(!now.is_dir() || now.ino() == first.ino());
        let last = beside.openclaw(vec![Act::Count(1)]);
        std::thread::sleep(Duration::from_secs(5));
        ours.end();
        done(last);
        assert_eq!(beside.world.store()["standIn"], 1);
        assert!(!beside.lock().exists());
    }
}
