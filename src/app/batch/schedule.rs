//! The rule of a batch: which of its jobs may begin next, by what is under way and how each host has
//! behaved. It has no clock and no thread, so that every order of events can be tested.
//!
//! A host that is in trouble is not given more work than it needs to show that it is well again,
//! and whoever waits for it takes nobody else's place.

use std::fmt;
use std::time::Duration;

use crate::model::grant::GrantDigest;
use crate::model::time::short_length;

/// The files that the process itself has open: 10, and room for those that it was given.
const FILES_OF_PROCESS: u64 = 20;

/// The files that a job has open at most: while it asks, the locks of grant and refresh, the new
/// document with its directory, the place of the response, its connection; then the document's lock,
/// the one of the new grant, what it reads, and what it writes with its directory.
const FILES_OF_JOB: u64 = 12;

/// What may be under way at once.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct Limits {
    /// Jobs.
    pub(in crate::app) jobs: usize,
    /// Jobs that have begun and wait for the answer of one host.
    pub(in crate::app) per_host: usize,
    /// The same for a host that has failed, or has not answered yet.
    pub(in crate::app) per_doubtful_host: usize,
    /// The number of jobs without a valid response after which the other jobs for that host are left.
    pub(in crate::app) unanswered: usize,
    /// The time after which nothing begins.
    pub(in crate::app) time: Option<Duration>,
}

impl Limits {
    /// Refreshes. A host that does not answer may spend each refresh token that is sent to it, so
    /// none gets a third one before it has answered.
    pub(in crate::app) const REFRESH: Self = Self {
        jobs: 16,
        per_host: 4,
        per_doubtful_host: 2,
        unanswered: 2,
        time: None,
    };

    /// The same for a process that may have so many files open. A job that cannot open one more fails,
    /// be it after its refresh token was sent.
    pub(super) fn within(self, files: Option<u64>) -> Self {
        let Some(files) = files else {
            return self;
        };
        let fit = files.saturating_sub(FILES_OF_PROCESS) / FILES_OF_JOB;
        let fit = usize::try_from(fit).unwrap_or(usize::MAX);
        Self {
            jobs: self.jobs.min(fit).max(1),
            ..self
        }
    }

    /// So many jobs, wherever they go.
    pub(in crate::app) fn at_once(jobs: usize) -> Self {
        Self {
            jobs,
            per_host: jobs,
            per_doubtful_host: jobs,
            unanswered: usize::MAX,
            time: None,
        }
    }
}

/// A job, as far as the schedule is concerned.
#[derive(Clone, Debug, Default)]
pub(in crate::app) struct Job {
    /// The host that it asks, if any.
    pub(in crate::app) host: Option<String>,
    /// The grant that it locks: two jobs of one grant follow one another, because the second would
    /// only wait.
    pub(in crate::app) grant: Option<GrantDigest>,
    /// The time before which it does not begin.
    pub(in crate::app) starts_at: Duration,
}

/// How a host behaved towards one job, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostReply {
    /// It answered, also if it refused.
    Answered,
    /// It could not be reached, or is in trouble.
    Failed,
    /// It gave no valid response, so that what was sent may be spent, or none in time.
    Unanswered,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Begin this job.
    Begin(usize),
    /// Leave this job for another time.
    Leave(usize, LeftReason),
    /// Wait until a job has ended, or until then.
    Wait(Option<Duration>),
    /// Nothing: every job has ended or is not to begin.
    Finish,
}

/// Why a job was left for another time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) enum LeftReason {
    /// Its host gave no valid response to others.
    HostUnanswered {
        /// The host.
        host: String,
        /// How many they were.
        others: usize,
    },
    /// The time limit of the batch.
    TimeLimit(Duration),
}

impl fmt::Display for LeftReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostUnanswered { host, others } => {
                let logins = if *others == 1 { "login" } else { "logins" };
                write!(
                    f,
                    "{host} gave no valid response to {others} other {logins}"
                )
            }
            Self::TimeLimit(limit) => {
                let limit = short_length(*limit);
                write!(f, "the time limit of {limit} was reached before its turn")
            }
        }
    }
}

/// The state of a batch.
pub(super) struct Schedule {
    limits: Limits,
    jobs: Vec<Place>,
    /// Jobs that have not begun, in their order.
    waiting: Vec<usize>,
    running: usize,
    /// Grants of the jobs under way.
    locked: Vec<GrantDigest>,
    hosts: Vec<Host>,
}

struct Place {
    job: Job,
    /// The place of its host in the list.
    host: Option<usize>,
    /// Whether it waits for the answer of its host.
    is_asking: bool,
}

#[derive(Default)]
struct Host {
    name: String,
    /// Jobs that have begun.
    begun: usize,
    /// Those of them that wait for its answer.
    asked: usize,
    has_answered: bool,
    has_failed: bool,
    unanswered: usize,
}

impl Schedule {
    pub(super) fn new(limits: Limits, jobs: Vec<Job>) -> Self {
        let mut hosts: Vec<Host> = Vec::new();
        let mut place_of = |name: &String| {
            let known = hosts.iter().position(|host| host.name == *name);
            known.unwrap_or_else(|| {
                let name = name.clone();
                hosts.push(Host {
                    name,
                    ..Host::default()
                });
                hosts.len() - 1
            })
        };
        let places = jobs.into_iter().map(|job| Place {
            host: job.host.as_ref().map(&mut place_of),
            is_asking: false,
            job,
        });
        let jobs: Vec<Place> = places.collect();
        Self {
            waiting: (0..jobs.len()).collect(),
            running: 0,
            locked: Vec::new(),
            limits,
            jobs,
            hosts,
        }
    }

    /// Returns the next step, `elapsed` after the start. What is to begin counts as begun.
    pub(super) fn next(&mut self, elapsed: Duration) -> Step {
        let mut soonest = None;
        for place in 0..self.waiting.len() {
            let at = self.waiting[place];
            if let Some(reason) = self.left(at, elapsed) {
                self.waiting.remove(place);
                return Step::Leave(at, reason);
            }
            let starts_at = self.jobs[at].job.starts_at;
            if starts_at > elapsed {
                soonest = Some(soonest.map_or(starts_at, |other: Duration| other.min(starts_at)));
            } else if self.has_room(at) {
                self.waiting.remove(place);
                self.begin(at);
                return Step::Begin(at);
            }
        }
        match self.waiting.is_empty() && self.is_idle() {
            true => Step::Finish,
            false => Step::Wait(soonest),
        }
    }

    fn left(&self, at: usize, elapsed: Duration) -> Option<LeftReason> {
        if let Some(limit) = self.limits.time
            && elapsed >= limit
        {
            return Some(LeftReason::TimeLimit(limit));
        }
        let host = &self.hosts[self.jobs[at].host?];
        self.is_given_up(host).then(|| LeftReason::HostUnanswered {
            host: host.name.clone(),
            others: host.unanswered,
        })
    }

    /// Whether a host gets nothing more. One that has never answered does not get a third job,
    /// whatever became of the second.
    fn is_given_up(&self, host: &Host) -> bool {
        let most = self.limits.unanswered;
        let was_tried = !host.has_answered && host.asked == 0 && host.begun >= most;
        host.unanswered >= most || (host.unanswered > 0 && was_tried)
    }

    fn has_room(&self, at: usize) -> bool {
        let Place { job, host, .. } = &self.jobs[at];
        let host = host.map(|host| &self.hosts[host]);
        let at_host = host.is_none_or(|host| host.asked < self.most(host));
        let is_locked = job
            .grant
            .as_ref()
            .is_some_and(|grant| self.locked.contains(grant));
        self.running < self.limits.jobs && at_host && !is_locked
    }

    /// Returns how many jobs may wait for a host. One that gave a job no response may do so to
    /// those under way as well, and they count already.
    fn most(&self, host: &Host) -> usize {
        let limits = self.limits;
        match host.unanswered {
            0 if host.has_answered && !host.has_failed => limits.per_host,
            0 => limits.per_doubtful_host,
            unanswered => {
                let left = limits.unanswered.saturating_sub(unanswered);
                left.min(limits.per_doubtful_host)
            }
        }
    }

    fn begin(&mut self, at: usize) {
        let place = &mut self.jobs[at];
        self.running += 1;
        self.locked.extend(place.job.grant.clone());
        if let Some(host) = place.host {
            self.hosts[host].begun += 1;
            self.hosts[host].asked += 1;
            place.is_asking = true;
        }
    }

    /// Gives the place of a job at its host to another, for it has the answer. What it still does
    /// is no burden to the host.
    pub(super) fn answer(&mut self, at: usize, reply: Option<HostReply>) {
        let place = &mut self.jobs[at];
        let Some(host) = place.host.filter(|_| place.is_asking) else {
            return;
        };
        place.is_asking = false;
        let host = &mut self.hosts[host];
        host.asked -= 1;
        host.has_answered |= reply == Some(HostReply::Answered);
        host.has_failed |= reply > Some(HostReply::Answered);
        host.unanswered += usize::from(reply == Some(HostReply::Unanswered));
    }

    /// Ends a job, which had this reply if it asked anybody.
    pub(super) fn end(&mut self, at: usize, reply: Option<HostReply>) {
        self.answer(at, reply);
        self.running -= 1;
        if let Some(grant) = &self.jobs[at].job.grant {
            self.locked.retain(|locked| locked != grant);
        }
    }

    /// Whether no job is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.running == 0
    }

    /// Begins nothing any more; what is under way goes on.
    pub(super) fn stop(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests;
