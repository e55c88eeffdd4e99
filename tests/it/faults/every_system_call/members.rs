//! A refresh that is killed, or whose calls fail, while another of ours is refreshing and relies on
//! the lock of OpenClaw that both share: as the first who took it, as one that came and went
//! meanwhile, and as the last.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::check::{Check, Shape, shape};
use super::commands::{CONFIG, Command, MAIN, PROFILE, WORK, profiles, refreshing};
use super::strace::{self, Done};
use super::totals::Totals;
use super::{Job, TRIES, errors, evenly, jobs, kill, sum_of, tell};
use crate::support::World;
use crate::support::in_flight::InFlight;
use crate::support::issuer::Issuer;
use crate::support::stand_in::may_be_taken;

/// So many runs of one role beside one release.
const MOST: usize = 40;

/// When the refresh that is killed has OpenClaw's lock, beside the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The other comes while the request is under way.
    First,
    /// The other was there before, and stays.
    Between,
    /// The other was there before, and goes while the request is under way.
    Last,
}

/// What kind of OpenClaw is beside us, and what lock of its is shared with whom.
struct Kind {
    version: Option<&'static str>,
    /// Agent and profile of the other refresh.
    other: (&'static str, &'static str),
    /// The lock, and when OpenClaw takes it for stale.
    lock: (&'static str, Duration),
    fill: fn(&World, &Issuer),
}

const OTHER: &str = "openai-codex:other";
const STORE_LOCK: (&str, Duration) = (
    "agents/main/agent/auth-profiles.json.lock",
    Duration::from_secs(30),
);
/// That of [`PROFILE`].
const REFRESH_LOCK: (&str, Duration) = (
    "locks/oauth-refresh/sha256-cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65.lock",
    Duration::from_secs(180),
);
const KINDS: [Kind; 3] = [
    Kind {
        version: None,
        other: ("main", OTHER),
        lock: STORE_LOCK,
        fill: |world, issuer| two_logins(world, issuer),
    },
    Kind {
        version: Some("2026.4.1"),
        other: ("main", OTHER),
        lock: STORE_LOCK,
        fill: |world, issuer| {
            two_logins(world, issuer);
            world.write(
                CONFIG,
                r#"{ "meta": { "lastTouchedVersion": "2026.4.1" } }"#,
            );
        },
    },
    Kind {
        version: Some("2026.5.7"),
        other: ("work", PROFILE),
        lock: REFRESH_LOCK,
        fill: |world, issuer| {
            two_logins(world, issuer);
            write(world, WORK, &profiles(issuer, -10));
            let agents = r#""agents": { "list": [{ "id": "main" }, { "id": "work" }] }"#;
            let meta = r#""meta": { "lastTouchedVersion": "2026.5.7" }"#;
            world.write(CONFIG, &format!("{{ {agents}, {meta} }}"));
        },
    },
];

fn two_logins(world: &World, issuer: &Issuer) {
    let mut all = profiles(issuer, -10);
    all[OTHER] = profiles(issuer, -10)[PROFILE].clone();
    write(world, MAIN, &all);
}

fn write(world: &World, path: &str, profiles: &Value) {
    let store = json!({ "version": 1, "profiles": profiles });
    world.write(path, &store.to_string());
}

/// A run beside another refresh, which is returned if it is still under way.
fn run(
    kind: &Kind,
    role: Role,
    command: &Command,
    job: &Job,
) -> Option<(World, Issuer, Done, Option<InFlight>)> {
    let (world, issuer) = command.world();
    let (agent, profile) = kind.other;
    let begin = || InFlight::begin(&world.state(), kind.version, agent, profile);
    let mut other = (role != Role::First).then(begin);
    let mut awaits = role != Role::Between;
    if awaits {
        issuer.hold();
    }
    let done = strace::inject(&world, command, &job.point, &job.what, &mut || {
        if awaits && !issuer.token_requests().is_empty() {
            awaits = false;
            match other.take() {
                Some(other) => other.end(),
                None => other = Some(begin()),
            }
            issuer.let_go();
        }
    });
    issuer.let_go();
    done.map(|done| (world, issuer, done, other))
}

fn one(
    kind: &Kind,
    role: Role,
    (command, job): (&Command, &Job),
    (old, new): (&Shape, &Shape),
) -> Totals {
    let tried = (0..TRIES).find_map(|_| run(kind, role, command, job));
    let Some((world, issuer, done, other)) = tried else {
        return Totals::default();
    };
    let lock = world.state().join(kind.lock.0);
    let mut totals = Totals::of_run(&job.what, &done);
    let told = format!(
        "{role:?} beside {:?}, {} at {:?}",
        kind.version, job.what, job.point
    );
    if let Some(other) = other {
        if may_be_taken(&lock, kind.lock.1) {
            totals
                .wrong
                .push(format!("{told}: OpenClaw may take the lock of who lives"));
        }
        other.end();
    }
    if !done.killed && totals.faults == 0 && lock.exists() {
        totals.wrong.push(format!("{told}: the lock is left"));
    }
    if !passes(&lock, kind.lock.1) {
        totals
            .wrong
            .push(format!("{told}: OpenClaw waits for long"));
    }
    let check = Check {
        command,
        what: &job.what,
        point: &job.point,
        old,
        new,
        world,
        issuer,
        done,
        totals,
    };
    check.run()
}

/// Whether a lock that nobody holds any more is free for OpenClaw within half a minute.
fn passes(lock: &Path, stale: Duration) -> bool {
    let half_a_minute = Duration::from_secs(30);
    let Ok(data) = std::fs::metadata(lock) else {
        return true;
    };
    let note: Value = std::fs::read(lock).map_or(Value::Null, |bytes| {
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    let named = note["pid"].as_u64();
    let is_dead = |pid: u64| !Path::new(&format!("/proc/{pid}")).exists();
    let age = data.modified().unwrap().elapsed();
    named.is_some_and(is_dead) || age.is_ok_and(|age| age + half_a_minute >= stale)
}

fn suite(title: &str, whats: fn(&strace::Point) -> Vec<String>) {
    let mut sum = Totals::default();
    for (number, kind) in KINDS.iter().enumerate() {
        let command = refreshing("token among others", kind.fill);
        let old = shape(&command.world().0);
        let (good, points) = strace::points(&command);
        let new = shape(&good);
        for (place, role) in [Role::First, Role::Between, Role::Last]
            .into_iter()
            .enumerate()
        {
            let mut jobs = jobs(&points, whats);
            // Before that, nobody comes.
            jobs.retain(|job| role != Role::First || job.point.sent);
            // Others in each.
            jobs.rotate_left(number * 3 + place);
            let jobs = evenly(jobs, MOST);
            let totals = sum_of(&jobs, |job| one(kind, role, (&command, job), (&old, &new)));
            let name = format!("{title} {role:?} beside {:?}", kind.version);
            tell(&totals.told(&name));
            sum.add(totals);
        }
    }
    tell(&sum.told(title));
    sum.assert_good(MOST * KINDS.len() * 2);
}

#[test]
#[ignore = "needs strace, and a few minutes"]
fn a_death_among_several_refreshes_loses_nothing_and_frees_no_lock_of_the_living() {
    suite("kill among others,", kill);
}

#[test]
#[ignore = "needs strace, and a few minutes"]
fn a_failure_among_several_refreshes_loses_nothing_and_frees_no_lock_of_the_living() {
    suite("fail among others,", errors::whats);
}
