//! Members that come and go, and what happens to OpenClaw's locks meanwhile.

use super::*;
use crate::model::time::Timestamp;
use crate::store::lock_path::{LockFormat, STORE_STALE};
use crate::testing::clock::FakeClock;
use crate::testing::files::MemoryFiles;
use crate::testing::quirk::Quirk;

const BOTH: [LockFormat; 2] = [LockFormat::Directory, LockFormat::File];
const LOCK: &str = "/a/auth-profiles.json.lock";
const PROOF: &str = "/l/peers.lock";
const AT_ONCE: Wait<'static> = Wait::uninterrupted(Duration::ZERO);

struct Case {
    memory: MemoryFiles,
    io: Io,
    clock: Arc<FakeClock>,
    shared: SharedLock,
}

impl Case {
    fn new(flavour: LockFormat) -> Self {
        let memory = MemoryFiles::new();
        memory.put(Path::new("/a/x"), "");
        memory.put(Path::new(PROOF), "");
        let clock = Arc::new(FakeClock::new(Timestamp(1_790_000_000_000)));
        Self {
            io: Io {
                files: Arc::new(memory.clone()),
                clock: Arc::clone(&clock) as _,
            },
            memory,
            clock,
            shared: SharedLock {
                turn: "/l/turn.lock".into(),
                proof: PROOF.into(),
                sites: vec![LockPath::new(LOCK.into(), flavour, STORE_STALE, "next")],
                is_passing: false,
            },
        }
    }

    fn join(&self) -> Result<Member, StoreError> {
        let who = "pid 1\n".to_owned();
        let joined = join(&self.io, self.shared.clone(), who, &AT_ONCE)?;
        Ok(joined.expect("these locks can be shared"))
    }

    fn lock(&self) -> Option<(u64, u64)> {
        let stat = self.memory.stat(Path::new(LOCK)).unwrap();
        stat.map(|stat| stat.identity)
    }
}

#[test]
fn the_first_makes_the_lock_each_touches_it_and_the_last_removes_it() {
    for flavour in BOTH {
        let case = Case::new(flavour);
        let modified = || case.memory.stat(Path::new(LOCK)).unwrap().unwrap().modified;
        let mut members = Vec::new();
        for _ in 0..3 {
            case.clock.advance(Duration::from_secs(29));
            members.push(case.join().unwrap());
            assert_eq!(modified(), case.io.clock.now());
        }
        // In the order in which they came, in the other, whoever made it.
        let middle = members.remove(1);
        assert!(!middle.leave());
        for (member, is_last) in members.into_iter().zip([false, true]) {
            assert!(case.lock().is_some());
            member.renew(&AT_ONCE).unwrap();
            assert_eq!(member.leave(), is_last);
        }
        assert!(case.lock().is_none());
    }
}

#[test]
fn members_may_differ_on_the_release_beside_them_and_on_the_locks_that_it_has() {
    for (first, then) in [BOTH, [BOTH[1], BOTH[0]]].map(|[a, b]| (a, b)) {
        let case = Case::new(first);
        let member = case.join().unwrap();
        let mut other = case.shared.clone();
        let link = "/a/link.lock";
        other.sites = [LOCK, link]
            .map(|path| LockPath::new(path.into(), then, STORE_STALE, "other"))
            .to_vec();
        let who = "pid 2\n".to_owned();
        let other = join(&case.io, other, who, &AT_ONCE).unwrap().unwrap();
        member.renew(&AT_ONCE).unwrap();
        other.renew(&AT_ONCE).unwrap();
        member.renew(&AT_ONCE).unwrap();
        assert!(!other.leave());
        assert!(member.leave());
        assert!(case.lock().is_none());
        assert!(case.memory.stat(Path::new(link)).unwrap().is_none());
    }
}

#[test]
fn what_the_dead_left_is_removed_once_nobody_lives() {
    for flavour in BOTH {
        let case = Case::new(flavour);
        let (dead, alive) = (case.join().unwrap(), case.join().unwrap());
        drop(dead);
        let next = case.join().unwrap();
        drop(alive);
        let made = case.lock();
        drop(next);
        assert_eq!(case.lock(), made, "nobody cleaned up yet");
        assert!(case.join().unwrap().leave());
        assert!(case.lock().is_none());
    }
}

#[test]
fn a_lock_that_was_taken_for_stale_is_left_to_its_new_owner() {
    for flavour in BOTH {
        let case = Case::new(flavour);
        let member = case.join().unwrap();
        let lock = Path::new(LOCK);
        case.memory.remove(lock).unwrap();
        case.memory.create_dir_new(lock).unwrap();
        case.memory.touch(lock, case.io.clock.now()).unwrap();
        let theirs = case.lock();
        let busy = |result| matches!(result, Err(StoreError::Busy { .. }));
        assert!(busy(member.renew(&AT_ONCE)));
        assert!(busy(case.join().map(drop)));
        assert!(matches!(member.place.beat(false), Ok(Beat::Lost)));
        assert_eq!(case.lock(), theirs);
        case.memory.remove(lock).unwrap();
        // Whoever of us comes next takes it again, for all of us.
        let next = case.join().unwrap();
        assert!(matches!(member.place.beat(false), Ok(Beat::Done)));
        assert!(!member.leave());
        assert!(next.leave());
        assert!(case.lock().is_none());
    }
}

#[test]
fn a_beat_waits_for_its_turn_unless_it_is_overdue() {
    for flavour in BOTH {
        beat_out_of_turn(flavour);
    }
}

fn beat_out_of_turn(flavour: LockFormat) {
    let case = Case::new(flavour);
    let member = case.join().unwrap();
    let turn = case.memory.try_lock(&case.shared.turn, Sharing::Exclusive);
    assert!(matches!(member.place.beat(false), Ok(Beat::Later)));
    // Whoever has it is stopped, and OpenClaw would take the lock.
    case.clock.advance(STORE_STALE);
    assert!(matches!(member.place.beat(true), Ok(Beat::Done)));
    let touched = case.memory.stat(Path::new(LOCK)).unwrap().unwrap().modified;
    assert_eq!(touched, case.io.clock.now());
    drop(turn);
    assert!(matches!(member.place.beat(false), Ok(Beat::Done)));
    assert!(member.leave());
    assert!(case.lock().is_none());
}

#[test]
fn where_locks_cannot_be_shared_one_keeps_openclaw_out_for_all() {
    let case = Case::new(LockFormat::Directory);
    case.memory.set_quirks(&[Quirk::LocksCannotBeShared]);
    let member = case.join().unwrap();
    let who = "pid 2\n".to_owned();
    let next = join(&case.io, case.shared.clone(), who, &AT_ONCE).unwrap();
    assert!(next.is_none() && case.lock().is_some());
    assert!(member.leave());
    assert!(case.lock().is_none());
}

#[test]
fn what_passes_goes_with_the_last() {
    let mut case = Case::new(LockFormat::File);
    case.shared.is_passing = true;
    let members = [case.join().unwrap(), case.join().unwrap()];
    assert_eq!(members.map(Member::leave), [false, true]);
    assert!(case.memory.stat(Path::new(PROOF)).unwrap().is_none());
    assert!(case.lock().is_none());
}

#[test]
fn what_a_crash_left_half_made_is_in_nobodys_way() {
    let case = Case::new(LockFormat::Directory);
    let draft = Path::new("/a/auth-profiles.json.lock.next");
    case.memory.create_dirs(draft).unwrap();
    assert!(case.join().unwrap().leave());
    assert!(case.lock().is_none());
}
