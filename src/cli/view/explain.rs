//! `models auth explain` as people read it, on 80 columns: what is used first, then each candidate
//! with why, whose account, whose bill, and the file it lies in; warnings last.

use std::borrow::Cow;

use super::wrap::{Sheet, Words, padded, width};
use super::{end, inherits, kind_name};
use crate::app::credential::account::Account;
use crate::app::credential::env_keys::EnvSource;
use crate::app::credential::selector::{Pin, PinReason};
use crate::app::explain::{CandidateSource, Explained, ProfileRow, Report, Row, Standing, Stored};

use crate::app::credential::facts::Renewal;
use crate::app::credential::reason_text::{AS_IT_IS, Reason};
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;
use crate::model::id::printable;
use crate::model::provider::Bill;
use crate::model::selection::OrderSource;
use crate::model::time::{Timestamp, short_duration};

/// What a page is wide.
const WIDTH: usize = 80;
/// How far the facts of a provider, and of a candidate, stand from the edge.
const FIELD: usize = 9;
const FACT: usize = BEFORE_FACT.len();
const BEFORE_FACT: &str = "             ";

/// The report, coloured; the printer takes the colour out where it is not wanted.
pub fn render(report: &Report, now: Timestamp, hints: &Renderer) -> String {
    let mut page = Sheet::new(Some(WIDTH));
    let inherits = report.inheritance.as_ref().map(inherits);
    let inherits = inherits.map_or_else(String::new, |what| format!("(inherits {what})"));
    page.field("Agent", FIELD, &format!("{}{inherits}", report.agent));
    page.field("Model", FIELD, &printable(&report.default_model, 200));
    for explained in &report.providers {
        page.line("");
        provider(&mut page, explained, now, hints);
    }
    for shadow in &report.shadows {
        page.line("");
        page.line(&format!("Ignored   {}", shadow.what));
        page.line(&format!("because   {} exists", shadow.by));
    }
    if !report.faults.is_empty() {
        page.line("");
    }
    for fault in &report.faults {
        warning(&mut page, fault);
    }
    page.into_text()
}

fn provider(page: &mut Sheet, explained: &Explained, now: Timestamp, hints: &Renderer) {
    let id = &explained.provider;
    let name = explained.name.as_ref().filter(|name| *name != id.as_str());
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let default = match explained.of_default_model {
        true => ", used by the default model",
        false => "",
    };
    page.line(&Tone::Bold.paint(&format!("{id}{name}{default}")));
    let used = explained.used().map(|row| match row.bill {
        Bill::Unknown => row.label(),
        bill => format!("{}, {}", row.label(), bill_of(bill)).into(),
    });
    let nothing = match explained.rows.is_empty() {
        true => "nothing",
        false => "nothing (reasons below)",
    };
    page.field("Used", FIELD, used.as_deref().unwrap_or(nothing));
    if let Some(failure) = &explained.failure {
        if explained.rows.is_empty() {
            page.field("", FIELD, &failure.to_string());
        }
        if let Some(hint) = &failure.hint {
            page.line(&format!("{:FIELD$}Try: {}", "", hints.text(hint)));
        }
    }
    let is_profile = |row: &Row| matches!(row.what, CandidateSource::Profile(_));
    if explained.rows.iter().any(is_profile) {
        page.field("Order", FIELD, &order(&explained.order));
    }
    if let Some(preferred) = &explained.preferred {
        page.field("Pinned", FIELD, &wish(preferred));
    }
    for row in &explained.rows {
        candidate(page, row, now, hints);
    }
    for shadow in &explained.shadows {
        let words = format!("{} is shadowed by {}", shadow.what, shadow.by);
        page.field("Shadow", FIELD, &words);
    }
    for text in &explained.warnings {
        warning(page, text);
    }
}

fn order(sources: &[OrderSource]) -> String {
    let mut words = sources.iter().map(|source| match source {
        OrderSource::Override(agent) => format!("the order of agent {agent}"),
        OrderSource::AuthOrder => "auth.order of openclaw.json".to_owned(),
        OrderSource::AuthProfiles => "profiles listed in auth.profiles".to_owned(),
        OrderSource::Stored => "all stored profiles".to_owned(),
    });
    let holds = words.next().unwrap_or_default();
    let others: Vec<String> = words.collect();
    let rule = match sources.first() {
        Some(OrderSource::AuthProfiles | OrderSource::Stored) => {
            " (OAuth, then tokens, then API keys; least recently used first)"
        }
        _ => "",
    };
    match others.is_empty() {
        true => format!("{holds}{rule}"),
        false => format!("{holds}{rule}; overrides {}", others.join(" and ")),
    }
}

fn wish(preferred: &Pin) -> String {
    let profile = &preferred.profile;
    let whose = match &preferred.because {
        PinReason::Profile => "by --profile".to_owned(),
        PinReason::Model => "by --model".to_owned(),
        PinReason::Session(key) => format!("by session {}", printable(key, 120)),
        PinReason::Directory(path) => {
            format!(
                "by directory {}",
                printable(&path.display().to_string(), 400)
            )
        }
    };
    match preferred.locked {
        true => format!("only {profile}, {whose}"),
        false => format!("{profile} first, {whose}"),
    }
}

/// The words of a reason.
pub(super) fn words<'a>(reason: &'a Reason, hints: &Renderer) -> Cow<'a, str> {
    match &reason.detail {
        Some(detail) => format!("{}: {}", reason.words, hints.text(detail)).into(),
        None => Cow::Borrowed(&reason.words),
    }
}

fn bill_of(bill: Bill) -> &'static str {
    match bill {
        Bill::Subscription => "subscription",
        Bill::Metered => "metered",
        Bill::Unknown => "billing unknown",
    }
}

fn candidate(page: &mut Sheet, row: &Row, now: Timestamp, hints: &Renderer) {
    let (tone, word) = match row.standing {
        Standing::Used => (Tone::Ok, "used"),
        Standing::Next => (Tone::Dim, "next"),
        Standing::Last => (Tone::Warn, "last"),
        Standing::PassedOver => (Tone::Warn, "not used"),
        Standing::Shadowed => (Tone::Dim, "shadowed"),
    };
    let mut what = match &row.what {
        CandidateSource::Profile(profile) => profile.stored.iter().map(of_kind).collect(),
        CandidateSource::Variable { place, kind, .. } => {
            let place = match place {
                EnvSource::Process => "environment variable",
                EnvSource::DotEnv => "variable in .env",
                EnvSource::Config => "variable in openclaw.json",
                EnvSource::LoginShell => "variable from the login shell",
            };
            vec![place, kind_name(*kind)]
        }
        CandidateSource::Software { .. } => vec!["sign-in of another program"],
        CandidateSource::ConfigKey { .. } => vec!["API key in openclaw.json"],
    };
    if !matches!(&row.what, CandidateSource::Profile(profile) if profile.stored.is_none()) {
        what.push(bill_of(row.bill));
    }
    let word = tone.paint(&padded(word, 8));
    let label = printable(&row.label(), 200);
    let what = what.join(", ");
    // A long name keeps its line; what it is stands below.
    let fits = FACT + width(&label) + 2 + width(&what) <= WIDTH;
    let beside = if fits { what.as_str() } else { "" };
    let mark = match row.standing {
        Standing::Used => "*",
        _ => " ",
    };
    page.line(&[mark, " ", &word, "   ", &label, "  ", beside].concat());
    if !fits {
        page.field("", FACT, &what);
    }
    page.field("", FACT, &words(&row.reason, hints));
    match &row.what {
        CandidateSource::Profile(profile) => facts(page, profile, now, hints),
        CandidateSource::Variable {
            file: Some(file), ..
        }
        | CandidateSource::ConfigKey { file, .. } => fact(page, &file.display().to_string()),
        CandidateSource::Variable { .. } | CandidateSource::Software { .. } => {}
    }
}

fn of_kind(stored: &Stored) -> &'static str {
    match stored.facts.of_client {
        true => "client credentials",
        false => kind_name(stored.facts.kind),
    }
}

fn facts(page: &mut Sheet, profile: &ProfileRow, now: Timestamp, hints: &Renderer) {
    if let Some(then) = &profile.then
        && (then.words != AS_IT_IS || then.detail.is_some())
    {
        page.field("", FACT, &words(then, hints));
    }
    let Some(stored) = &profile.stored else {
        return;
    };
    let mut known = Vec::new();
    let expires = stored.facts.expires_at();
    if expires.is_some() {
        known.push(end(expires, now));
    }
    match stored.facts.renewal {
        Renewal::Never => {}
        Renewal::Automatic => known.push("refreshed automatically".to_owned()),
        Renewal::ByCommand => known.push("auto-refresh off".to_owned()),
    }
    if let Some(since) = stored.facts.unknown_since() {
        let ago = short_duration(since.until(now).max(1));
        known.push(format!("refresh started {ago} ago, outcome unknown"));
    }
    if let Some(moved) = &stored.facts.moved {
        let ago = short_duration(moved.at.until(now).max(1));
        known.push(format!("moved to {} {ago} ago", moved.destination()));
    }
    known.extend(account(&stored.account));
    if !known.is_empty() {
        page.field("", FACT, &known.join(", "));
    }
    let owner = stored.facts.owner.as_str();
    let sealed = if stored.facts.is_sealed {
        ", sealed"
    } else {
        ""
    };
    fact(page, &[owner, ": ", stored.file.as_str(), sealed].concat());
}

fn account(account: &Account) -> Vec<String> {
    let named = |name: &str, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(format!("{name}{value}"))
    };
    [
        named("", &account.email),
        named("account ", &account.id),
        named("plan ", &account.plan),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A fact that is copied whole, however long it is.
fn fact(page: &mut Sheet, text: &str) {
    page.line(&[BEFORE_FACT, text].concat());
}

fn warning(page: &mut Sheet, text: &str) {
    let words = Words::default().toned(Tone::Warn, &format!("! {text}"));
    page.flow("", 0, 2, &words);
}
