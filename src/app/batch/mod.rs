//! Many logins side by side: `tick`, the refresh of all logins, and probes.
//!
//! One thread decides what begins ([`schedule`]), and each job that is under way has one of its own.
//! A signal, or the time limit, keeps jobs from beginning; what has begun ends by itself, for its
//! refresh token may be on the way.

mod schedule;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, Scope};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::context::Context;
use super::hooks::queue::Alerts;

use schedule::{HostReply, Schedule, Step};
use watch::{WatchedHttp, WatchedPrograms, Worst};

pub(in crate::app) use schedule::{Job, LeftReason, Limits};

/// The interval at which a wait looks for a signal.
const LOOK: Duration = Duration::from_millis(20);

/// What became of a job.
pub(in crate::app) enum Ending<T> {
    /// It was done, with this result.
    Done(T),
    /// It was left for another time.
    Left(LeftReason),
    /// A signal came before it began.
    Stopped,
}

/// A job that was done, without its result.
struct Finished {
    alerts: Alerts,
    reply: Option<HostReply>,
}

/// What a job does, given its place and a context of its own.
type Work<'w> = &'w (dyn Fn(Context<'_>, usize) + Sync);

/// Runs jobs side by side; the endings, and the events for the hooks, are in the order of `jobs`.
pub(in crate::app) fn run<T: Send>(
    cx: Context<'_>,
    limits: Limits,
    jobs: Vec<Job>,
    work: &(dyn Fn(Context<'_>, usize) -> T + Sync),
) -> Vec<Ending<T>> {
    let mut results: Vec<Mutex<Option<T>>> = Vec::new();
    results.resize_with(jobs.len(), Mutex::default);
    let store = |cx: Context<'_>, at: usize| *results[at].lock() = Some(work(cx, at));
    let endings = run_all(cx, limits, jobs, &store);
    let with_result = |(ending, result): (Ending<Finished>, Mutex<Option<T>>)| match ending {
        Ending::Done(finished) => {
            // In the order of the jobs, whichever ended first.
            cx.alerts.append(&finished.alerts);
            result.into_inner().map_or(Ending::Stopped, Ending::Done)
        }
        Ending::Left(reason) => Ending::Left(reason),
        Ending::Stopped => Ending::Stopped,
    };
    endings.into_iter().zip(results).map(with_result).collect()
}

fn run_all(
    cx: Context<'_>,
    limits: Limits,
    jobs: Vec<Job>,
    work: Work<'_>,
) -> Vec<Ending<Finished>> {
    // From here on the waits heed a signal.
    cx.interrupt.defer();
    let mut endings: Vec<Ending<Finished>> = Vec::new();
    endings.resize_with(jobs.len(), || Ending::Stopped);
    let is_single = jobs.len() == 1;
    let limits = limits.within(cx.files.open_limit());
    let mut schedule = Schedule::new(limits, jobs);
    let start = cx.clock.monotonic();
    let news = News::default();
    thread::scope(|scope| {
        loop {
            if cx.interrupt.pending().is_some() {
                schedule.stop();
            }
            let elapsed = cx.clock.monotonic().saturating_sub(start);
            match schedule.next(elapsed) {
                // One job needs no thread; and where the system has none, it is done here.
                Step::Begin(at) => {
                    if is_single || start_thread(scope, cx, work, (at, &news)).is_err() {
                        perform(cx, work, (at, &news));
                    }
                }
                Step::Leave(at, reason) => endings[at] = Ending::Left(reason),
                Step::Wait(until) if schedule.is_idle() => {
                    let left = until.map_or(LOOK, |until| until.saturating_sub(elapsed));
                    cx.clock.sleep(left.min(LOOK));
                }
                Step::Wait(_) => match news.wait() {
                    Some(Event::Answered(at, reply)) => schedule.answer(at, reply),
                    Some(Event::Ended(at, finished)) => {
                        schedule.end(at, finished.reply);
                        endings[at] = Ending::Done(finished);
                    }
                    Some(Event::Panicked(at)) => {
                        schedule.end(at, None);
                        schedule.stop();
                    }
                    None => {}
                },
                Step::Finish => break,
            }
        }
    });
    endings
}

/// Starts a job on a thread of its own.
fn start_thread<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    cx: Context<'env>,
    work: Work<'env>,
    job: (usize, &'env News),
) -> io::Result<()> {
    let thread = thread::Builder::new().spawn_scoped(scope, move || perform(cx, work, job));
    thread.map(drop)
}

/// What a job tells.
enum Event {
    /// It has its answer.
    Answered(usize, Option<HostReply>),
    /// It has ended.
    Ended(usize, Finished),
    /// It panicked, which is passed on once all that was begun has ended.
    Panicked(usize),
}

/// The events that were not heard yet.
#[derive(Default)]
struct News {
    events: Mutex<VecDeque<Event>>,
    came: Condvar,
}

impl News {
    fn tell(&self, event: Event) {
        self.events.lock().push_back(event);
        self.came.notify_one();
    }

    /// Waits a moment for the next event.
    fn wait(&self) -> Option<Event> {
        let mut events = self.events.lock();
        if events.is_empty() {
            self.came.wait_for(&mut events, LOOK);
        }
        events.pop_front()
    }
}

/// Does a job with a network and a queue of events of its own, and tells when it has ended.
fn perform(cx: Context<'_>, work: Work<'_>, (at, news): (usize, &News)) {
    let (alerts, worst) = (Alerts::default(), Worst::default());
    let http = WatchedHttp {
        http: cx.http,
        interrupt: cx.interrupt,
        worst: worst.clone(),
        tell: &|| news.tell(Event::Answered(at, worst.get())),
    };
    let programs = WatchedPrograms {
        programs: cx.programs,
        worst: worst.clone(),
    };
    let own = Context {
        http: &http,
        programs: &programs,
        alerts: &alerts,
        ..cx
    };
    let ended = catch_unwind(AssertUnwindSafe(|| work(own, at)));
    let reply = worst.get();
    match ended {
        Ok(()) => news.tell(Event::Ended(at, Finished { alerts, reply })),
        // Whoever waits for its end must not wait for ever.
        Err(panic) => {
            news.tell(Event::Panicked(at));
            resume_unwind(panic);
        }
    }
}
