//! `tick`: periodic maintenance, for cron and systemd.
//!
//! Renews what is due and what would die of disuse, for every agent, and says what ends. Nobody is
//! asked anything and no browser is opened. Nothing is refreshed that was just refreshed by somebody
//! else: that is looked at again under the lock of each grant, so any number of these may run. Of
//! what is due, several are refreshed at once (`batch`), and the report is in the order of the plan.

use std::time::Duration;

use crate::app::credential::facts_reader::{FactsReader, as_login, find_login};
use crate::app::hooks::sent_log;
use crate::model::alert::Alert;
use crate::model::credential::Credential;
use crate::model::grant::GrantDigest;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::time::Timestamp;
use crate::ports::store::{Detail, Scope};

use crate::app::batch::{self, Ending, Job, LeftReason, Limits};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::hooks::deliver;
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::leave::{LeftLogins, leave_for_later};
use crate::app::refresh::outcome::{RefreshResult, ValidToken};
use crate::app::refresh::target::host_of;

use super::tick_plan::{self, TickStep};

pub use super::tick_plan::RefreshReason;

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent whose own logins are refreshed; `None` for every agent.
    pub agent: Option<AgentId>,
    /// The time over which refreshes are spread; each login has its own place in it.
    pub spread: Duration,
    /// The time after which nothing more is begun.
    pub limit: Duration,
    /// Whether to only report what would be done.
    pub dry_run: bool,
}

/// A login that was to be refreshed.
#[derive(Clone, Debug)]
pub struct Row {
    /// The agent in whose document it lies.
    pub agent: AgentId,
    /// The id of its profile.
    pub profile: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// The reason.
    pub why: RefreshReason,
    /// The delay after the start of the command.
    pub after: Duration,
    /// When its token expired before.
    pub before: Option<Timestamp>,
    /// The result; `None` if it was not tried, or a signal came before it was known.
    pub living: Option<ValidToken>,
    /// Whether this command refreshed it.
    pub is_refreshed: bool,
}

impl Row {
    /// Returns the warning about a token that is still valid.
    pub fn warning(&self) -> Option<Hint> {
        let warning = self.living.as_ref()?.warning.as_ref()?;
        Some(Hint::about(&self.profile, warning))
    }
}

/// A problem that somebody must look at.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The agent whose login it is about.
    pub agent: Option<AgentId>,
    /// The profile.
    pub profile: Option<ProfileId>,
    /// What failed.
    pub failure: Failure,
    /// The warning if the token is still valid, with advice.
    pub warning: Option<Hint>,
}

/// The report of a tick.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The logins that were to be refreshed, in the order in which their turns came.
    pub rows: Vec<Row>,
    /// How many of them were not begun within the time limit.
    pub late: usize,
    /// Tokens that expire soon and that nothing refreshes: agent, profile, expiry.
    pub expiring: Vec<(AgentId, ProfileId, Timestamp)>,
    /// The problems.
    pub problems: Vec<Problem>,
    /// The signal that ended it, and what had been changed by then.
    pub stopped: Option<Failure>,
}

impl Report {
    /// Returns the kind of the worst problem: loss of credentials first, then what needs a person,
    /// then what passes.
    pub fn worst(&self) -> Option<Kind> {
        let rank = |kind: &Kind| match kind {
            Kind::Storage => 7,
            Kind::UnknownOutcome => 6,
            Kind::NeedsLogin | Kind::Locked => 5,
            Kind::Config => 4,
            Kind::NotFound => 3,
            Kind::Usage => 2,
            Kind::Temporary => 1,
            Kind::Busy | Kind::Cancelled(_) | Kind::NoProgram | Kind::NotRun => 0,
        };
        let kinds = self.problems.iter().map(|problem| problem.failure.kind);
        kinds.max_by_key(rank)
    }

    fn problem(&mut self, agent: Option<&AgentId>, profile: Option<&ProfileId>, failure: Failure) {
        self.problems.push(Problem {
            agent: agent.cloned(),
            profile: profile.cloned(),
            failure,
            warning: None,
        });
    }
}

/// Refreshes every login that needs it, several at once.
///
/// # Errors
/// If the agents cannot be listed. What is wrong with one agent or login stands in the report, and
/// so does a signal: what was refreshed before it is.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Report, Failure> {
    let mut report = Report::default();
    for fault in deliver::check(cx) {
        let failure = Failure::new(Kind::Config, fault);
        let failure = failure.hint("correct hooks in config.yaml in the state directory");
        report.problem(None, None, failure);
    }
    let agents = cx.agents(request.agent.as_ref())?;
    let mut planned = Vec::new();
    for agent in &agents {
        if let Err(failure) = look(cx, request, agent, (&mut report, &mut planned)) {
            report.problem(Some(agent), None, failure);
        }
    }
    planned.sort_by_key(|(row, _)| row.after);
    let jobs;
    (report.rows, jobs) = planned.into_iter().unzip();
    if !request.dry_run {
        refresh_rows(cx, request, &mut report, jobs);
        if report.stopped.is_none() {
            sent_log::ticked(cx, cx.clock.now());
        }
    }
    Ok(report)
}

/// Plans for an agent's own logins.
fn look(
    cx: Context<'_>,
    request: &Request,
    agent: &AgentId,
    (report, planned): (&mut Report, &mut Vec<(Row, Job)>),
) -> Result<(), Failure> {
    let own = cx.look(agent, Scope::All, Detail::Masked)?;
    let own = Effective::new(agent.clone(), own, None);
    let now = cx.clock.now();
    let note = |alert: Alert| {
        if !request.dry_run {
            cx.alerts.note(alert);
        }
    };
    let mut reader = FactsReader::new(cx);
    for seen in own.profiles() {
        match tick_plan::plan(&mut reader, &seen, now) {
            Ok(TickStep::Nothing) => {}
            Ok(TickStep::Refresh {
                why,
                grant,
                expected,
            }) => {
                if let Some(row) = row(request, &seen, why, &grant) {
                    let job = Job {
                        // Who will ask nobody need not wait for a place.
                        host: match &expected {
                            None => host(cx, &row.provider, seen.credential),
                            Some(_) => None,
                        },
                        grant: Some(grant),
                        starts_at: row.after,
                    };
                    planned.push((row, job));
                }
                // A real run finds it out.
                if let Some(failure) = expected.filter(|_| request.dry_run) {
                    report.problem(Some(agent), Some(seen.id), failure);
                }
            }
            Ok(TickStep::WarnExpiring(alert)) => {
                let end = alert.end.unwrap_or(now);
                report.expiring.push((agent.clone(), seen.id.clone(), end));
                note(*alert);
            }
            Ok(TickStep::ReportExpired(alert, failure)) => {
                report.problem(Some(agent), Some(seen.id), failure);
                note(*alert);
            }
            Err(failure) => report.problem(Some(agent), Some(seen.id), failure),
        }
    }
    Ok(())
}

fn row(
    request: &Request,
    seen: &VisibleProfile<'_>,
    why: RefreshReason,
    grant: &GrantDigest,
) -> Option<Row> {
    let after = match why {
        RefreshReason::Dead => Duration::ZERO,
        RefreshReason::Due | RefreshReason::Idle { .. } => place(grant, request.spread),
    };
    Some(Row {
        agent: seen.owner.clone(),
        profile: seen.id.clone(),
        provider: seen.credential.provider()?,
        why,
        after,
        before: seen.credential.expires(),
        living: None,
        is_refreshed: false,
    })
}

/// Returns the host that a refresh of a login asks.
fn host(cx: Context<'_>, provider: &ProviderId, credential: &Credential) -> Option<String> {
    let provider = cx.provider_of(provider, credential).ok()?;
    host_of(&provider, &*as_login(credential)?)
}

/// Returns the place of a grant in a length of time: by its digest, so that neither the logins of
/// one machine nor those of a thousand machines refresh at once.
fn place(grant: &GrantDigest, spread: Duration) -> Duration {
    let digits = grant.as_str().get(..8).unwrap_or_default();
    let number = u32::from_str_radix(digits, 16).unwrap_or_default();
    spread.mul_f64(f64::from(number) / f64::from(u32::MAX))
}

/// Refreshes the rows side by side, until a signal asks to stop or the time is over.
fn refresh_rows(cx: Context<'_>, request: &Request, report: &mut Report, jobs: Vec<Job>) {
    let limits = Limits {
        time: Some(request.limit),
        ..Limits::REFRESH
    };
    let rows = &report.rows;
    let work = |cx: Context<'_>, at: usize| refresh_row(cx, &rows[at]);
    let endings = batch::run(cx, limits, jobs, &work);
    let mut left = LeftLogins::new(cx);
    for (row, ending) in report.rows.iter_mut().zip(endings) {
        let result = match ending {
            Ending::Done(result) => result,
            Ending::Left(reason) => {
                report.late += usize::from(matches!(reason, LeftReason::TimeLimit(_)));
                leave_row((cx, &mut left), row, &reason)
            }
            Ending::Stopped => continue,
        };
        let failure = match result {
            Ok(living) => {
                row.is_refreshed = living.how == RefreshResult::Refreshed;
                let failure = living.later_failure.clone();
                row.living = Some(living);
                failure
            }
            // Removed by somebody while we waited.
            Err(failure) if failure.kind == Kind::NotFound => None,
            Err(failure) if matches!(failure.kind, Kind::Cancelled(_)) => {
                row.is_refreshed = failure.touched == StoreEffect::Changed;
                report.stopped.get_or_insert(failure);
                None
            }
            Err(failure) => Some(failure),
        };
        report.problems.extend(failure.map(|failure| Problem {
            agent: Some(row.agent.clone()),
            profile: Some(row.profile.clone()),
            failure,
            warning: row.warning(),
        }));
    }
    // Also if all that was under way has ended otherwise.
    report.stopped = report.stopped.take().or(cx.uninterrupted().err());
    let is_changed = report.rows.iter().any(|row| row.is_refreshed);
    if let Some(stopped) = report.stopped.as_mut().filter(|_| is_changed) {
        stopped.touched = StoreEffect::Changed;
    }
}

/// Refreshes a login if it is still there.
fn refresh_row(cx: Context<'_>, row: &Row) -> Result<ValidToken, Failure> {
    let document = cx.store.load(&row.agent, Scope::Profile(&row.profile))?;
    let (credential, login) = find_login(&document, &row.profile)?;
    let provider = cx.provider_of(&row.provider, credential)?;
    let policy = row.why.need(cx.clock.now());
    ensure_fresh(cx, &row.agent, &row.profile, &provider, policy, &login)
}

/// Leaves a login for the next run.
fn leave_row(
    (cx, left): (Context<'_>, &mut LeftLogins<'_>),
    row: &Row,
    reason: &LeftReason,
) -> Result<ValidToken, Failure> {
    let (credential, login) = left.find(&row.agent, &row.profile)?;
    let provider = cx.provider_of(&row.provider, credential)?;
    let policy = row.why.need(cx.clock.now());
    let whose = (&row.agent, &row.profile, login);
    leave_for_later(cx, whose, &provider, policy, &reason.to_string())
}
