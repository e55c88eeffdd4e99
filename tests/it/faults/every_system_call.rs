//! The real program under `strace`: killed before every system call that it makes, and with every
//! call that touches a file failing in every way it can.
//!
//! After each run a checker looks: every file is old or new whole, what was said is so, a refresh
//! token that was spent has its successor stored, and the next command works. Both suites print
//! what they did; what did not hold is listed, and must be nothing.

mod check;
mod commands;
mod errors;
mod members;
mod neighbour;
mod power_cut;
mod strace;
mod totals;

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use check::{Check, Shape, shape};
use commands::{Command, commands};
use strace::Point;
use totals::Totals;

/// Runs at one time; most of a run is waiting, for `strace` or for what a dead process left.
const THREADS: usize = 3;
/// So many runs of one command, evenly over all that there could be.
const MOST: usize = 220;
/// The same of the writes of somebody else, which come to the same before many calls.
const PLACEMENTS: usize = 130;

/// So often a run is begun anew that was struck elsewhere than it was to be.
const TRIES: usize = 5;

/// One run to do: where, and what `strace` is told.
struct Job {
    point: Point,
    what: String,
}

fn evenly(jobs: Vec<Job>, most: usize) -> Vec<Job> {
    let count = jobs.len();
    let is_taken =
        |index: &usize| count <= most || (index * most) / count != ((index + 1) * most) / count;
    let jobs = jobs.into_iter().enumerate();
    jobs.filter(|(index, _)| is_taken(index))
        .map(|(_, job)| job)
        .collect()
}

fn one(command: &Command, job: &Job, old: &Shape, new: &Shape) -> Totals {
    let strike = |_| {
        let (world, issuer) = command.world();
        let done = strace::inject(&world, command, &job.point, &job.what, &mut || {})?;
        Some((world, issuer, done))
    };
    let Some((world, issuer, done)) = (0..TRIES).find_map(strike) else {
        return Totals::default();
    };
    let totals = Totals::of_run(&job.what, &done);
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

/// What no test captures: the sums are to be seen.
fn tell(text: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{text}").unwrap();
}

/// All that there could be: `whats` at each point.
fn jobs(points: &[Point], whats: fn(&Point) -> Vec<String>) -> Vec<Job> {
    let job = |point: &Point| {
        let whats = whats(point).into_iter();
        let point = point.clone();
        whats
            .map(move |what| Job {
                point: point.clone(),
                what,
            })
            .collect::<Vec<_>>()
    };
    points.iter().flat_map(job).collect()
}

/// Does all of them, and adds up what they come to.
fn sum_of(jobs: &[Job], one: impl Fn(&Job) -> Totals + Sync) -> Totals {
    let totals = Mutex::new(Totals::default());
    side_by_side(jobs.len(), |number| {
        let came_to = one(&jobs[number]);
        totals.lock().unwrap().add(came_to);
    });
    totals.into_inner().unwrap()
}

fn suite(title: &str, whats: fn(&Point) -> Vec<String>) {
    let mut sum = Totals::default();
    for command in commands() {
        let old = shape(&command.world().0);
        let (good, points) = strace::points(&command);
        let new = shape(&good);
        let jobs = jobs(&points, whats);
        let all = jobs.len();
        let jobs = evenly(jobs, MOST);
        let totals = sum_of(&jobs, |job| one(&command, job, &old, &new));
        let name = format!("{title} {}, {} of {all}", command.name, jobs.len());
        tell(&totals.told(&name));
        sum.add(totals);
    }
    tell(&sum.told(title));
    sum.assert_good(2_000);
}

/// Does `work` with the numbers below `count`, on many threads.
fn side_by_side(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        break;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Whether a write of somebody else just before this call can differ for us from one before the next
/// call: the memory, threads and clocks of a process see no files.
fn looks_at_files(point: &Point) -> bool {
    let own = [
        "open",
        "read",
        "write",
        "pwrite",
        "close",
        "stat",
        "newfstatat",
        "rename",
        "unlink",
        "rmdir",
        "mkdir",
        "fsync",
        "fdatasync",
        "ftruncate",
        "fallocate",
        "flock",
        "getdents",
        "readlink",
        "lseek",
        "utimens",
        "fchmod",
        "chmod",
        "recvfrom",
        "sendto",
        "connect",
    ];
    own.iter().any(|name| point.call.starts_with(name))
}

#[test]
#[ignore = "needs strace, and a few minutes"]
fn nothing_is_lost_beside_a_program_that_writes_between_any_two_system_calls() {
    let (count, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    for command in commands() {
        let (_, mut points) = strace::points(&command);
        points.retain(looks_at_files);
        let jobs = points.into_iter().flat_map(|point| {
            let job = |what: &str| Job {
                point: point.clone(),
                what: what.to_owned(),
            };
            [job("adds"), job("writes back")]
        });
        let jobs = evenly(jobs.collect(), PLACEMENTS);
        side_by_side(jobs.len(), |number| {
            let Job { point, what } = &jobs[number];
            let kind = match what == "adds" {
                true => neighbour::Kind::Adds,
                false => neighbour::Kind::WritesBack,
            };
            if let Some(found) = neighbour::place(&command, point, kind) {
                count.fetch_add(1, Ordering::SeqCst);
                wrong.lock().unwrap().extend(found);
            }
        });
        let (count, wrong) = (count.load(Ordering::SeqCst), wrong.lock().unwrap());
        let so_far = format!(
            "neighbour {}: {count} placements so far, {} wrong",
            command.name,
            wrong.len()
        );
        tell(&so_far);
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count.into_inner() >= 1_000);
}

fn kill(_: &Point) -> Vec<String> {
    vec!["signal=KILL".to_owned()]
}

#[test]
#[ignore = "needs strace, and a few minutes"]
fn nothing_is_lost_when_killed_before_every_system_call() {
    suite("kill", kill);
}

#[test]
#[ignore = "needs strace, and a few minutes"]
fn nothing_is_lost_when_every_system_call_fails_in_every_way() {
    suite("fail", errors::whats);
}
