//! `tick`.

use std::time::Duration;

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::maintenance::tick::{Problem, RefreshReason, Report, Row};
use crate::app::refresh::outcome::RefreshResult;
use crate::cli::hint::Renderer;
use crate::model::id::AgentId;
use crate::model::time::{short_duration, short_length};

/// What renders advice about the credentials of an agent.
pub type Renderers<'a> = &'a dyn Fn(Option<&AgentId>) -> Renderer;

/// The document.
pub fn document(report: &Report, dry_run: bool, hints: Renderers<'_>) -> Value {
    let rows = report.rows.iter().map(|it| row(it, hints));
    let problems = report.problems.iter().map(|it| problem(it, hints));
    let expiring = report.expiring.iter();
    let expiring = expiring
        .map(|(agent, profile, end)| json!({ "agent": agent, "profile": profile, "end": end }));
    json!({
        "schema": 1,
        "dryRun": dry_run,
        "logins": rows.collect::<Vec<_>>(),
        "expiring": expiring.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

fn row(row: &Row, hints: Renderers<'_>) -> Value {
    let living = row.living.as_ref();
    let hints = hints(Some(&row.agent));
    let result = living.map(|living| match living.how {
        RefreshResult::WasFresh => "fresh",
        RefreshResult::Refreshed => "refreshed",
        RefreshResult::RefreshedElsewhere => "refreshed_elsewhere",
        RefreshResult::StillAlive | RefreshResult::NoneLivesLonger => "not_refreshed",
    });
    let result = result.or_else(|| row.is_refreshed.then_some("refreshed"));
    let end = living.map_or(row.before, |living| living.credential.expires);
    json!({
        "agent": row.agent,
        "profile": row.profile,
        "provider": row.provider,
        "why": row.why.as_ref(),
        "afterMs": row.after.as_millis(),
        "result": result,
        "end": end,
        "warning": row.warning().map(|warning| hints.text(&warning)),
    })
}

fn problem(problem: &Problem, hints: Renderers<'_>) -> Value {
    let hints = hints(problem.agent.as_ref());
    let failure = &problem.failure;
    json!({
        "agent": problem.agent,
        "profile": problem.profile,
        "kind": failure.kind.as_ref(),
        "code": failure.code,
        "message": message(problem, &hints),
        "command": failure.hint.as_ref().map(|hint| hints.text(hint)),
    })
}

/// What would be done, a line each.
pub fn plan(report: &Report) -> String {
    let mut page = Sheet::default();
    for row in &report.rows {
        let what = match row.why {
            RefreshReason::Due => "is due; would be refreshed".to_owned(),
            RefreshReason::Idle { than } => {
                let millis = i64::try_from(than.as_millis()).unwrap_or(i64::MAX);
                let than = short_duration(millis);
                format!("was not refreshed for {than}; would be refreshed")
            }
            RefreshReason::Dead => "cannot be refreshed; would be checked".to_owned(),
        };
        let after = row.after.as_secs();
        let Row { profile, agent, .. } = row;
        page.line(&format!(
            "{profile} of agent {agent} {what} after {after} s"
        ));
    }
    if report.rows.is_empty() {
        page.line("Nothing is due.");
    }
    page.into_text()
}

/// How many logins were left for the next run.
pub fn late(count: usize, limit: Duration) -> String {
    let logins = if count == 1 {
        "login was"
    } else {
        "logins were"
    };
    let limit = short_length(limit);
    format!(
        "Warning: {count} {logins} left for the next run: the time limit of {limit} was reached"
    )
}

/// A login that was refreshed before a signal ended the run.
pub fn refreshed(row: &Row) -> String {
    let of = match row.agent.is_main() {
        true => String::new(),
        false => format!("agent {}: ", row.agent),
    };
    format!("{of}{} was refreshed before the signal", row.profile)
}

/// A problem on one line: what, and the command that mends it.
pub fn line(problem: &Problem, hints: &Renderer) -> String {
    let failure = &problem.failure;
    let mut of = match (&problem.agent, &problem.profile) {
        (Some(agent), profile) if profile.is_none() || !agent.is_main() => {
            format!("agent {agent}: ")
        }
        _ => String::new(),
    };
    if let Some(profile) = &problem.profile
        && problem.warning.is_none()
        && !failure.to_string().contains(&profile.to_string())
    {
        of.push_str(&format!("{profile}: "));
    }
    let message = message(problem, hints).replace('\n', "; ");
    match &failure.hint {
        // A warning about a token that still lives names its command.
        Some(hint) if problem.warning.is_none() => {
            let stop = if message.ends_with('?') { "" } else { "." };
            format!("{of}{message}{stop} Try: {}", hints.text(hint))
        }
        _ => format!("{of}{message}"),
    }
}

fn message(problem: &Problem, hints: &Renderer) -> String {
    match &problem.warning {
        Some(warning) => hints.text(warning),
        None => problem.failure.to_string(),
    }
}
