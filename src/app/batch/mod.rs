//! Many logins side by side: `tick`, the refresh of all logins, and probes.
//!
//! One thread decides what begins ([`schedule`]), and each job that is under way has one of its own.
//! A signal, or the time limit, keeps jobs from beginning; what has begun ends by itself, for its
//! refresh token may be on the way.

mod schedule;
mod watch;

use std::collections::HashMap;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

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

/// A job that was done.
struct Finished<T> {
    result: T,
    alerts: Alerts,
    reply: Option<HostReply>,
}

type Threads<'s, T> = HashMap<usize, ScopedJoinHandle<'s, Finished<T>>>;

/// What a job does, given its place and a context of its own.
type Work<'w, T> = &'w (dyn Fn(Context<'_>, usize) -> T + Sync);

/// Runs jobs side by side; the endings, and the events for the hooks, are in the order of `jobs`.
pub(in crate::app) fn run<T: Send>(
    cx: Context<'_>,
    limits: Limits,
    jobs: Vec<Job>,
    work: Work<'_, T>,
) -> Vec<Ending<T>> {
    // From here on the waits heed a signal.
    cx.interrupt.defer();
    let mut endings: Vec<Ending<Finished<T>>> = Vec::new();
    endings.resize_with(jobs.len(), || Ending::Stopped);
    let is_single = jobs.len() == 1;
    let mut schedule = Schedule::new(limits, jobs);
    let start = cx.clock.monotonic();
    thread::scope(|scope| {
        let mut threads = Threads::default();
        let (news, next_news) = mpsc::channel();
        loop {
            if cx.interrupt.pending().is_some() {
                schedule.stop();
            }
            let elapsed = cx.clock.monotonic().saturating_sub(start);
            let (at, finished) = match schedule.next(elapsed) {
                Step::Begin(at) => {
                    let end = AnnounceEnd(at, news.clone());
                    let job = move || {
                        let end = end;
                        perform(cx, at, work, &end.1)
                    };
                    let spawn = || thread::Builder::new().spawn_scoped(scope, job).ok();
                    // One job needs no thread; and where the system has none, it is done here.
                    match (!is_single).then(spawn).flatten() {
                        Some(thread) => {
                            threads.insert(at, thread);
                            continue;
                        }
                        None => (at, perform(cx, at, work, &news)),
                    }
                }
                Step::Leave(at, reason) => {
                    endings[at] = Ending::Left(reason);
                    continue;
                }
                Step::Wait(until) if threads.is_empty() => {
                    let left = until.map_or(LOOK, |until| until.saturating_sub(elapsed));
                    cx.clock.sleep(left.min(LOOK));
                    continue;
                }
                Step::Wait(_) => match next_news.recv_timeout(LOOK) {
                    Ok(News::Answered(at, reply)) => {
                        schedule.answer(at, reply);
                        continue;
                    }
                    Ok(News::Ended(at)) => match join(at, &mut threads) {
                        Some(finished) => (at, finished),
                        None => continue,
                    },
                    Err(_) => continue,
                },
                Step::Finish => break,
            };
            schedule.end(at, finished.reply);
            endings[at] = Ending::Done(finished);
        }
    });
    in_order(cx, endings)
}

/// Joins the thread of a job that has ended.
fn join<T>(at: usize, threads: &mut Threads<'_, T>) -> Option<Finished<T>> {
    let finished = threads.remove(&at)?.join();
    Some(finished.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// What a job tells while it is under way.
enum News {
    /// It has its answer.
    Answered(usize, Option<HostReply>),
    /// It has ended.
    Ended(usize),
}

/// Tells that a job has ended, also if it panicked.
struct AnnounceEnd(usize, Sender<News>);

impl Drop for AnnounceEnd {
    fn drop(&mut self) {
        // Nobody listens once the batch has panicked.
        let _ = self.1.send(News::Ended(self.0));
    }
}

fn perform<T>(cx: Context<'_>, at: usize, work: Work<'_, T>, news: &Sender<News>) -> Finished<T> {
    let (alerts, worst) = (Alerts::default(), Worst::default());
    let http = WatchedHttp {
        http: cx.http,
        interrupt: cx.interrupt,
        worst: worst.clone(),
        tell: &|| {
            let _ = news.send(News::Answered(at, worst.get()));
        },
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
    Finished {
        result: work(own, at),
        reply: worst.get(),
        alerts,
    }
}

/// Queues the events in the order of the jobs, whichever ended first.
fn in_order<T>(cx: Context<'_>, endings: Vec<Ending<Finished<T>>>) -> Vec<Ending<T>> {
    let result = |ending| match ending {
        Ending::Done(Finished { result, alerts, .. }) => {
            cx.alerts.append(&alerts);
            Ending::Done(result)
        }
        Ending::Left(reason) => Ending::Left(reason),
        Ending::Stopped => Ending::Stopped,
    };
    endings.into_iter().map(result).collect()
}
