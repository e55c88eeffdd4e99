//! `models status` as people read it: one line per login, the facts of each, warnings last with
//! the command that mends them.

use unicode_width::UnicodeWidthStr;

use super::Page;
use crate::app::failure::{login_command, refresh_command};
use crate::app::status::{ProfileHealth, Renewal, Report, Status};
use crate::cli::printer::Tone;
use crate::model::credential::Kind;
use crate::model::id::{ProviderId, printable};
use crate::model::inheritance::Inheritance;
use crate::model::time::{Timestamp, short_duration};

/// The report, coloured; the printer takes the colour out where it is not wanted.
pub fn render(report: &Report, now: Timestamp) -> String {
    let mut page = Page::default();
    head(&mut page, report);
    logins(&mut page, report, now);
    keys(&mut page, report);
    unusable(&mut page, report);
    warnings(&mut page, report);
    page.into_text()
}

fn head(page: &mut Page, report: &Report) {
    let models = &report.models;
    let mut field = |name: &str, value: &str| page.line(&format!("{name:<11}{value}"));
    field("Agent", report.agent.as_str());
    field("Store", &report.store_path.display().to_string());
    if let Some((inheritance, main)) = &report.inheritance {
        let from = match inheritance {
            Inheritance::Isolated => String::new(),
            _ => format!(", in {}", main.display()),
        };
        field(
            "Inherits",
            &format!("{}{from}", super::inherits(inheritance)),
        );
    }
    field("Config", &report.config_path.display().to_string());
    let from = if models.default == models.resolved {
        String::new()
    } else {
        format!(" (from {})", models.default)
    };
    field("Model", &format!("{}{from}", models.resolved));
    if !models.fallbacks.is_empty() {
        field("Fallbacks", &models.fallbacks.join(", "));
    }
}

/// One line for each stored profile: name, word, what is known.
fn logins(page: &mut Page, report: &Report, now: Timestamp) {
    let profiles = &report.health.profiles;
    page.line("");
    if profiles.is_empty() {
        page.line(match report.unreadable {
            true => "No profile can be read.",
            false => "No profile is stored.",
        });
        return;
    }
    let width = profiles
        .iter()
        .map(|p| p.label.width())
        .max()
        .unwrap_or(0)
        .min(44);
    for profile in profiles {
        let pad = " ".repeat(width.saturating_sub(profile.label.width()));
        let (tone, word) = word(profile);
        let word = tone.paint(&format!("{word:<9}"));
        let line = format!(
            "{}{pad}  {word} {}",
            profile.label,
            details(profile, report, now)
        );
        page.line(line.trim_end());
    }
}

fn word(profile: &ProfileHealth) -> (Tone, &'static str) {
    let facts = &profile.facts;
    match profile.status {
        _ if !facts.secret_present => (Tone::Error, "empty"),
        Status::Ok if facts.revoked_at.is_some() => (Tone::Error, "revoked"),
        Status::Ok if facts.refusal.is_some() => (Tone::Error, "refused"),
        Status::Ok if facts.spent_since.is_some() => (Tone::Warn, "old copy"),
        Status::Ok if facts.unknown_since.is_some() => (Tone::Warn, "in doubt"),
        Status::Ok | Status::Static => (Tone::Ok, profile.status.as_str()),
        Status::Expiring => (Tone::Warn, "expiring"),
        Status::Expired | Status::Missing => (Tone::Error, profile.status.as_str()),
    }
}

fn details(profile: &ProfileHealth, report: &Report, now: Timestamp) -> String {
    let facts = &profile.facts;
    let mut parts = vec![profile.kind.as_str().replace('_', " ")];
    if facts.of_client {
        parts.push("client credentials".to_owned());
    }
    if let Some(remaining) = profile.remaining {
        parts.push(if remaining > 0 {
            let what = match profile.kind {
                Kind::OAuth => "access ends",
                Kind::Token | Kind::ApiKey => "ends",
            };
            format!("{what} in {}", short_duration(remaining))
        } else if facts.renewal == Renewal::Automatic
            && facts.refusal.is_none()
            && facts.revoked_at.is_none()
        {
            format!("access ended {}, refreshed when asked for", ago(remaining))
        } else {
            format!("ended {}", ago(remaining))
        });
    }
    if profile.kind == Kind::OAuth && !facts.refresh_present {
        parts.push("no refresh token".to_owned());
    }
    if facts.renewal == Renewal::ByCommand {
        parts.push("refreshed by command only".to_owned());
    }
    if let Some(proven) = facts.proven_at {
        parts.push(format!("grant proven {}", ago(now.until(proven))));
    }
    if let Some((refusal, _)) = &facts.refusal {
        parts.push(format!("refused: {}", refusal.code));
    }
    if let Some(at) = facts.revoked_at {
        parts.push(format!("revoked {}", ago(now.until(at))));
    }
    if let Some(since) = facts.spent_since {
        let since = ago(now.until(since));
        parts.push(format!("spent: the login was renewed {since}"));
    }
    if let Some(since) = facts.unknown_since {
        let since = ago(now.until(since));
        parts.push(format!("how a refresh begun {since} ended is not known"));
    }
    if facts.owner != report.agent {
        parts.push(format!("from {}", facts.owner));
    }
    parts.join(", ")
}

/// How long ago something was that lies `remaining` milliseconds ahead, which is negative.
fn ago(remaining: i64) -> String {
    match remaining.saturating_neg() {
        ..60_000 => "just now".to_owned(),
        passed => format!("{} ago", short_duration(passed)),
    }
}

/// Providers that only a variable or the configuration speaks for.
fn keys(page: &mut Page, report: &Report) {
    for row in &report.providers {
        let counts = row.counts;
        if counts.oauth + counts.token + counts.api_key > 0 {
            continue;
        }
        if let Some(sourced) = row.env.as_ref().or(row.config.as_ref()) {
            let provider = printable(&row.provider, 80);
            page.line(&format!(
                "{provider}  {}  {}",
                sourced.value, sourced.source
            ));
        }
    }
}

fn unusable(page: &mut Page, report: &Report) {
    for row in &report.unusable {
        let what = match &row.disabled {
            None => "cooling down".to_owned(),
            Some(None) => "disabled".to_owned(),
            Some(Some(reason)) => format!("disabled ({})", printable(reason, 40)),
        };
        let left = short_duration(row.remaining);
        let line = format!("{} is {what} for another {left}", row.id);
        page.line(&Tone::Warn.paint(&line));
    }
}

/// Whether the command that mends it is a refresh, which needs no person.
fn is_refreshed(profile: &ProfileHealth) -> bool {
    let facts = &profile.facts;
    let is_doubtful = facts.refusal.is_some() || facts.unknown_since.is_some();
    match facts.renewal {
        Renewal::Never => false,
        _ if facts.of_client => true,
        Renewal::Automatic => false,
        Renewal::ByCommand => !is_doubtful && facts.spent_since.is_none(),
    }
}

/// What needs doing, each with its command.
fn warnings(page: &mut Page, report: &Report) {
    let mut lines: Vec<String> = report.faults.clone();
    for provider in &report.missing {
        let Ok(id) = ProviderId::parse(provider) else {
            continue;
        };
        let command = match id.as_str() {
            "anthropic" => "openclaw models auth setup-token".to_owned(),
            _ => login_command(&id, None, false),
        };
        lines.push(format!(
            "the model in use needs {provider}, and nothing is stored for it: {command}"
        ));
    }
    for profile in &report.health.profiles {
        let (tone, word) = word(profile);
        let Ok(provider) = ProviderId::parse(&profile.provider) else {
            continue;
        };
        if profile.kind == Kind::ApiKey || tone == Tone::Ok {
            continue;
        }
        let command = match is_refreshed(profile) {
            true => format!("{} --force", refresh_command(&profile.id)),
            false => {
                let by_paste = profile.kind == Kind::Token && !profile.facts.of_client;
                login_command(&provider, Some(&profile.id), by_paste)
            }
        };
        lines.push(format!("{} is {word}: {command}", profile.id));
    }
    if lines.is_empty() {
        return;
    }
    page.line("");
    for line in lines {
        page.line(&Tone::Warn.paint(&format!("! {line}")));
    }
}
