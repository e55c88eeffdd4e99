//! The accounts in `models status`: one line for each, grouped by provider.

use std::borrow::Cow;
use std::collections::BTreeMap;

use foldhash::HashSet;

use super::wrap::{Sheet, Words, pad, width};
use super::{ago, kind_name};
use crate::app::credential::facts::Renewal;
use crate::app::credential::state::{State, Trouble};
use crate::app::status::{ProfileHealth, ProviderRow, Report};
use crate::cli::printer::Tone;
use crate::model::collation;
use crate::model::credential::Kind;
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::time::{Timestamp, short_duration};
use crate::model::usage::Unusable;

/// The longest word for a state, and two blanks.
const WORD: usize = 11;
/// What is said of an account gets at least so many columns.
const NOTES: usize = 24;

/// What there is of one provider.
#[derive(Default)]
struct Group<'a> {
    profiles: Vec<&'a ProfileHealth>,
    rows: Vec<&'a ProviderRow>,
}

/// What is said of an account, and how it is meant.
type Note<'a> = (Option<Tone>, Cow<'a, str>);

/// By name, sorted as people sort.
type Groups<'a> = Vec<(String, Group<'a>)>;

/// What stands beside each account.
struct Beside<'a> {
    report: &'a Report,
    in_use: HashSet<&'a ProfileId>,
    /// Columns for names; `None` if a name has a line of its own.
    names: Option<usize>,
}

/// All of them.
pub(super) fn accounts(sheet: &mut Sheet, report: &Report) {
    let groups = groups(report);
    if groups.is_empty() {
        sheet.line("");
        sheet.line(match report.unreadable {
            true => "No profiles can be read.",
            false => "No profiles stored.",
        });
        return;
    }
    let beside = Beside {
        report,
        in_use: report.in_use(),
        names: sheet.is_wide().then(|| {
            let most = sheet.columns().saturating_sub(2 + 2 + WORD + NOTES);
            widest_name(&groups).min(most)
        }),
    };
    sheet.line("");
    for (name, group) in &groups {
        heading(sheet, name, &group.profiles, &beside);
        for profile in &group.profiles {
            account(sheet, profile, &beside);
        }
        for row in &group.rows {
            key(sheet, row, &beside);
        }
    }
}

/// By the provider's name as everything else knows it, whichever way the store writes it.
fn groups(report: &Report) -> Groups<'_> {
    let known =
        |raw: &str| ProviderId::parse(raw).map_or_else(|_| printable(raw, 80), |id| id.to_string());
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    let profiles = &report.health.profiles;
    for same in profiles.chunk_by(|one, next| one.provider == next.provider) {
        let group = groups.entry(known(&same[0].provider)).or_default();
        group.profiles.extend(same);
    }
    for row in &report.providers {
        if row.env.is_some() || row.config.is_some() {
            groups
                .entry(known(&row.provider))
                .or_default()
                .rows
                .push(row);
        }
    }
    let mut groups = Groups::from_iter(groups);
    groups.sort_by(|(one, _), (other, _)| collation::compare(one, other));
    groups
}

fn widest_name(groups: &Groups<'_>) -> usize {
    let groups = groups.iter();
    let widths = groups.flat_map(|(_, group)| {
        let profiles = group
            .profiles
            .iter()
            .map(|p| width(&p.facts.profile.shown()));
        let rows = group.rows.iter().flat_map(|row| [&row.env, &row.config]);
        profiles.chain(rows.flatten().map(|sourced| width(&sourced.source)))
    });
    widths.max().unwrap_or_default()
}

/// The provider, how many accounts it has where nobody wants to count them, and what the star of one
/// of several means.
fn heading(sheet: &mut Sheet, name: &str, profiles: &[&ProfileHealth], beside: &Beside<'_>) {
    let mut words = Words::default().toned(Tone::Bold, name);
    if profiles.len() > 5 {
        let troubled = profiles.iter().filter(|p| p.assessment.trouble().is_some());
        let count = match troubled.count() {
            0 => format!("{} accounts", profiles.len()),
            bad => format!("{} accounts, {bad} need attention", profiles.len()),
        };
        words = words.toned(Tone::Dim, &count);
    }
    let mut used = profiles.iter();
    if profiles.len() > 1 && used.any(|it| beside.in_use.contains(&it.facts.profile)) {
        words = words.toned(Tone::Dim, "(* in use)");
    }
    sheet.flow("", 0, 2, &words);
}

fn account(sheet: &mut Sheet, profile: &ProfileHealth, beside: &Beside<'_>) {
    let tone = match profile.assessment.trouble() {
        Some(Trouble::Broken) => Tone::Error,
        Some(Trouble::Doubtful) => Tone::Warn,
        None if matches!(profile.assessment.state, State::Expiring | State::Elsewhere) => {
            Tone::Warn
        }
        None => Tone::Ok,
    };
    let is_used = beside.in_use.contains(&profile.facts.profile);
    let mut notes = notes(profile, beside.report);
    if let Some(unusable) = &profile.unusable {
        let left = beside.report.at.until(unusable.until);
        notes.push((Some(Tone::Warn), passed_over(unusable, left).into()));
    }
    line(
        sheet,
        beside.names,
        (is_used, &profile.facts.profile.shown()),
        (tone, profile.assessment.state.label()),
        &joined(notes),
    );
}

/// A variable or the configuration that carries a key. A stored profile goes before it.
fn key(sheet: &mut Sheet, row: &ProviderRow, beside: &Beside<'_>) {
    let mut is_used = row.effective.kind != "profiles";
    for sourced in [&row.env, &row.config].into_iter().flatten() {
        let word = match is_used {
            true => (Tone::Ok, "in use"),
            false => (Tone::Dim, "fallback"),
        };
        let words = Words::default().say(&sourced.value);
        line(
            sheet,
            beside.names,
            (is_used, &sourced.source),
            word,
            &words,
        );
        is_used = false;
    }
}

/// Name, word and notes: beside each other where there is room, else the name alone first. A star
/// marks what is in use.
fn line(
    sheet: &mut Sheet,
    names: Option<usize>,
    (is_used, name): (bool, &str),
    (tone, word): (Tone, &str),
    notes: &Words,
) {
    let mut mark = if is_used { "* " } else { "  " };
    let Some(columns) = names else {
        sheet.line(&[mark, name].concat());
        let start = format!("    {}  ", tone.paint(word));
        return sheet.flow(&start, 6 + width(word), 4, notes);
    };
    let hang = 2 + columns + 2 + WORD;
    let mut name = name;
    if width(name) > columns {
        sheet.line(&[mark, name].concat());
        (mark, name) = ("  ", "");
    }
    let mut start = mark.to_owned();
    pad(&mut start, name, columns + 2);
    let (colored, plain) = tone.codes();
    start.push_str(colored);
    pad(&mut start, word, WORD);
    start.push_str(plain);
    sheet.flow(&start, hang, hang, notes);
}

/// What is known of it, the most telling first.
fn notes<'a>(profile: &'a ProfileHealth, report: &Report) -> Vec<Note<'a>> {
    let facts = &profile.facts;
    let mut notes: Vec<Note<'a>> = Vec::new();
    notes.push(match facts.of_client {
        true => (None, "client credentials".into()),
        false => (None, kind_name(facts.kind).into()),
    });
    if let Some(reference) = &facts.reference {
        notes.push((None, reference.into()));
    }
    let mut note = |text: String| notes.push((None, text.into()));
    if let Some(end) = facts.expires_at() {
        let remaining = report.at.until(end);
        let token = match facts.kind {
            Kind::OAuth => "access token ",
            Kind::Token | Kind::ApiKey => "",
        };
        let is_refreshed = remaining <= 0
            && facts.renewal == Renewal::Automatic
            && profile.assessment.state == State::Ok;
        note(match remaining {
            1.. => format!("{token}expires in {}", short_duration(remaining)),
            _ if is_refreshed => {
                format!("{token}expired {}, refreshes on next use", ago(remaining))
            }
            _ => format!("{token}expired {}", ago(remaining)),
        });
    }
    let is_told = facts.kind == Kind::OAuth || facts.expires.is_some();
    if facts.expires_at().is_none() && facts.secret_present && is_told {
        note("no known expiry".to_owned());
    }
    if facts.kind == Kind::OAuth && !facts.refresh_present {
        note("no refresh token".to_owned());
    }
    if facts.renewal == Renewal::ByCommand {
        note("auto-refresh off".to_owned());
    }
    if let Some((refusal, _)) = facts.refusal() {
        note(format!("refresh rejected: {}", refusal.code));
    }
    // As far as a proof is from now, in the direction of the past.
    let since = |time: Timestamp| ago(report.at.until(time));
    if let Some((at, reason)) = facts.last_failure() {
        let times = match facts.failures() {
            ..=1 => String::new(),
            count => format!("{count} times, last "),
        };
        let reason = printable(reason, 120);
        note(format!("refresh failed {times}{}: {reason}", since(at)));
    }
    if let Some(moved) = &facts.moved {
        let whither = moved.destination();
        let moved_at = since(moved.at);
        note(match moved.is_in_database() {
            true => format!("moved to {whither} {moved_at}"),
            false => {
                let to = printable(&moved.to, 120);
                format!("moved to {whither} {moved_at}, in {to}")
            }
        });
    }
    if let Some(at) = facts.revoked_at() {
        note(format!("revoked {}", since(at)));
    }
    if let Some(at) = facts.spent_since() {
        note(format!("refresh token already used {}", since(at)));
    }
    if let Some(at) = facts.unknown_since() {
        note(format!("refresh started {}, outcome unknown", since(at)));
    }
    if facts.owner != report.agent {
        note(format!("inherited from {}", facts.owner));
    }
    if let Some(email) = &profile.email
        && !facts.profile.as_str().contains(email.as_str())
    {
        notes.push((Some(Tone::Dim), email.into()));
    }
    if let Some(proven) = facts.proven_at() {
        let text = format!("last refresh {}", since(proven));
        notes.push((Some(Tone::Dim), text.into()));
    }
    notes
}

fn passed_over(unusable: &Unusable, left: i64) -> String {
    let left = short_duration(left);
    match &unusable.disabled {
        None => format!("cooling down for {left}"),
        Some(None) => format!("disabled for {left}"),
        Some(Some(reason)) => format!("disabled ({}) for {left}", printable(reason, 40)),
    }
}

/// Separates them by dots.
fn joined(notes: Vec<Note<'_>>) -> Words {
    let last = notes.len().saturating_sub(1);
    let notes = notes.into_iter().enumerate();
    notes.fold(Words::default(), |words, (place, (tone, text))| {
        let text = if place < last { text + " ·" } else { text };
        match tone {
            Some(tone) => words.toned(tone, &text),
            None => words.say(&text),
        }
    })
}
