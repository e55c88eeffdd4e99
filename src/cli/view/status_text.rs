//! `models status` as people read it: models, accounts by provider, what stops working within a
//! week, and last what needs doing now with the command that mends it.

use super::probe;
use super::status_accounts::accounts;
use super::wrap::{Sheet, Words, padded};
use crate::app::credential::forecast::ForecastEntry;
use crate::app::credential::model_ref::Models;
use crate::app::credential::state::Actor;
use crate::app::credential::state::{State, Trouble};
use crate::app::status::{Report, WARN_AFTER_MS};
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;
use crate::model::hint::Command;
use crate::model::id::ProviderId;
use crate::model::inheritance::Inheritance;
use crate::model::time::short_duration;

/// How many of a kind a person is shown on a screen; whoever wants all asks for the document.
const SHOWN: usize = 20;

/// The report, coloured; the printer takes the colour out where it is not wanted. `width` is that
/// of the terminal; without one every account has exactly one line.
pub fn render(report: &Report, width: Option<usize>, hints: &Renderer) -> String {
    let mut sheet = Sheet::new(width);
    head(&mut sheet, report);
    accounts(&mut sheet, report);
    if let Some(probes) = &report.probes {
        sheet.lines(&probe::text(probes));
    }
    coming(&mut sheet, report, hints);
    warnings(&mut sheet, report, hints);
    sheet.into_text()
}

/// Which models are used, and where everything lies.
fn head(sheet: &mut Sheet, report: &Report) {
    let models = &report.models;
    let (of_primary, of_fallbacks) = match models.from_agent {
        None => ("", ""),
        Some((primary, fallbacks)) => (source(primary), source(fallbacks)),
    };
    field(sheet, "Agent", &[report.agent.as_str()], "");
    let alias = match models.default == models.resolved {
        true => String::new(),
        false => format!("(from {})", models.default),
    };
    let remark = format!("{alias} {of_primary}");
    field(sheet, "Model", &[&models.resolved], &remark);
    list(sheet, "Fallbacks", &models.fallbacks, of_fallbacks);
    if let Some(image) = &models.image {
        field(sheet, "Images", &[image], "");
    }
    list(sheet, "", &models.image_fallbacks, "(fallbacks)");
    list(sheet, "Aliases", &aliases(models), "");
    list(sheet, "Allowed", &models.allowed, "");
    if report.shell_env {
        let taken = report.from_shell.join(", ");
        let taken = if taken.is_empty() {
            "nothing imported"
        } else {
            &taken
        };
        field(sheet, "Shell", &["on,"], taken);
    }
    field(
        sheet,
        "Store",
        &[report.store_path.as_str()],
        &sealed(report),
    );
    if let Some((inheritance, main)) = &report.inheritance {
        let inherits = super::inherits(inheritance);
        match inheritance {
            Inheritance::Isolated => field(sheet, "Inherits", &[], &inherits),
            _ => field(
                sheet,
                "Inherits",
                &[&format!("{inherits}, in"), main.as_str()],
                "",
            ),
        }
    }
    field(
        sheet,
        "Config",
        &[&report.config_path.display().to_string()],
        "",
    );
}

/// How many of the profiles are sealed. What else `secrets.enc` says is left to `secrets status`: it
/// would be one more file to read for each prompt.
fn sealed(report: &Report) -> String {
    let profiles = &report.health.profiles;
    let sealed = profiles.iter().filter(|it| it.facts.is_sealed).count();
    match sealed {
        0 => String::new(),
        all if all == profiles.len() => "(sealed)".to_owned(),
        some => format!("({some} of {} profiles sealed)", profiles.len()),
    }
}

fn source(is_own: bool) -> &'static str {
    if is_own {
        "(set for this agent)"
    } else {
        "(default)"
    }
}

fn aliases(models: &Models) -> Vec<String> {
    let aliases = models.aliases.iter();
    aliases
        .map(|(alias, reference)| format!("{alias} = {reference}"))
        .collect()
}

/// Nothing if there is nothing.
fn list(sheet: &mut Sheet, name: &str, values: &[String], remark: &str) {
    if values.is_empty() {
        return;
    }
    let last = values.len() - 1;
    let values: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(place, value)| format!("{value}{}", if place < last { "," } else { "" }))
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    field(sheet, name, &values, remark);
}

fn field(sheet: &mut Sheet, name: &str, values: &[&str], remark: &str) {
    let hang = if sheet.is_wide() { 11 } else { 2 };
    let words = values
        .iter()
        .fold(Words::default(), |words, value| words.whole(value));
    // The narrow column is as wide as the longest name.
    let name = Tone::Dim.paint(&padded(name, 10));
    sheet.flow(
        &format!("{name} "),
        11,
        hang,
        &words.toned(Tone::Dim, remark),
    );
}

/// What stops working within the horizon.
fn coming(sheet: &mut Sheet, report: &Report, hints: &Renderer) {
    if report.health.profiles.is_empty() {
        return;
    }
    let ahead = || {
        let all = report.forecast.iter();
        all.filter(|coming| coming.trouble.is_none())
    };
    let acted: Vec<&ForecastEntry> = ahead().filter(|c| c.actor != Actor::Nobody).collect();
    let renewed = ahead().filter(|c| c.actor == Actor::Nobody).count();
    sheet.line("");
    let refreshed = match renewed {
        0 => None,
        1 => Some("1 login refreshes automatically".to_owned()),
        many => Some(format!("{many} logins refresh automatically")),
    };
    if acted.is_empty() {
        let nothing = match report.forecast.len() == renewed {
            true => "Nothing expires",
            false => "Nothing else expires",
        };
        let refreshed = refreshed.map_or_else(String::new, |text| format!(" ({text})"));
        let text = format!("{nothing} in the next 7 days{refreshed}");
        return sheet.flow("", 0, 2, &Words::default().toned(Tone::Dim, &text));
    }
    sheet.line(&Tone::Bold.paint("Within 7 days"));
    for coming in shown(sheet, &acted) {
        let left = coming.remaining.unwrap_or_default();
        let time = padded(&short_duration(left), 4);
        let time = match left <= WARN_AFTER_MS {
            true => Tone::Warn.paint(&time),
            false => time,
        };
        let what = match coming.actor {
            Actor::Person => "expires and cannot be refreshed:",
            Actor::Command | Actor::Nobody => "expires unless refreshed:",
        };
        let words = Words::default().whole(&name(coming)).say(what);
        let words = words.whole(&command_of(coming, hints));
        sheet.flow(&format!("  {time}  "), 8, 8, &words);
    }
    and_more(sheet, &acted, hints);
    if let Some(text) = refreshed {
        sheet.flow("  ", 2, 2, &Words::default().toned(Tone::Dim, &text));
    }
}

/// What needs doing now.
fn warnings(sheet: &mut Sheet, report: &Report, hints: &Renderer) {
    let now = report.forecast.iter();
    let now: Vec<&ForecastEntry> = now.filter(|coming| coming.trouble.is_some()).collect();
    if now.is_empty() && report.faults.is_empty() {
        return;
    }
    sheet.line("");
    for fault in &report.faults {
        let mark = format!("{} ", Tone::Warn.paint("!"));
        sheet.flow(&mark, 2, 2, &Words::default().say(&hints.text(fault)));
    }
    for coming in shown(sheet, &now) {
        let provider = ProviderId::parse(&coming.provider);
        // Nobody has asked for that model.
        let by_default = provider.is_ok_and(|id| report.models.needs_by_default(&id))
            && coming.state == State::NotStored;
        let tone = match coming.trouble {
            Some(Trouble::Broken) if !by_default => Tone::Error,
            _ => Tone::Warn,
        };
        let words = match coming.state {
            State::NotStored if by_default && report.health.profiles.is_empty() => {
                Words::default().say("not logged in yet:")
            }
            State::NotStored if by_default => Words::default()
                .say("no default model is set, and the built-in one needs")
                .whole(&format!("{}:", coming.provider)),
            State::NotStored => Words::default()
                .say("no login for")
                .whole(&format!("{},", coming.provider))
                .say("which the configured model needs:"),
            state => {
                let left = coming.remaining.map_or(String::new(), |left| {
                    format!("; its token expires in {}", short_duration(left))
                });
                let words = Words::default().whole(&name(coming));
                // What mends itself needs no command.
                let end = coming.command.as_ref().map_or("", |_| ":");
                words.toned(tone, &format!("{}{left}{end}", problem(state)))
            }
        };
        let words = words.whole(&command_of(coming, hints));
        sheet.flow(&format!("{} ", tone.paint("!")), 2, 2, &words);
    }
    and_more(sheet, &now, hints);
}

/// A state as the end of a sentence.
fn problem(state: State) -> &'static str {
    match state {
        State::Ok | State::Static => "is valid",
        State::Expiring => "is about to expire",
        State::Expired => "has expired",
        State::Empty => "has no usable secret",
        State::Elsewhere => "refers to an external secret",
        State::Revoked => "was revoked",
        State::Moved => "was moved elsewhere",
        State::Refused => "was refused by the provider",
        State::OldCopy => "is an outdated copy",
        State::InDoubt => "may have lost its refresh token",
        State::Idle => "may have expired from disuse",
        State::BackingOff => "cannot be refreshed right now",
        State::Misconfigured => "is misconfigured",
        State::NotStored => "is missing",
    }
}

fn command_of(coming: &ForecastEntry, hints: &Renderer) -> String {
    let command = coming.command.as_ref();
    command.map_or_else(String::new, |hint| hints.text(hint))
}

fn name(coming: &ForecastEntry) -> String {
    let profile = coming.profile.as_ref();
    profile.map_or_else(|| coming.provider.clone(), ToString::to_string)
}

/// All of them where lines are counted by a program, and as many as a person reads elsewhere.
fn shown<'a, 'b>(sheet: &Sheet, all: &'a [&'b ForecastEntry]) -> &'a [&'b ForecastEntry] {
    let limit = if sheet.is_read_at_once() {
        SHOWN
    } else {
        all.len()
    };
    &all[..limit.min(all.len())]
}

fn and_more(sheet: &mut Sheet, all: &[&ForecastEntry], hints: &Renderer) {
    let rest = all.len() - shown(sheet, all).len();
    if rest > 0 {
        let words = Words::default().say(&format!("and {rest} more:"));
        sheet.flow(
            "  ",
            2,
            2,
            &words.whole(&hints.command(&Command::new("models status --json"))),
        );
    }
}
