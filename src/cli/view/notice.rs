//! Notices as a person reads them.

use super::wrap::Sheet;
use super::{Screen, authorize, clean, device_code};
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;
use crate::model::hint::Hint;
use crate::model::text::is_unprintable;
use crate::model::time::LocalTime;
use crate::ports::dialog::Notice;

/// What an external program has for the person.
fn from_program(text: Option<&str>, url: Option<&str>, code: Option<&str>) -> String {
    let lines = [
        text.map(clean),
        url.map(|url| {
            let url = url.replace(is_unprintable, "");
            format!("Open this URL in a browser:\n{url}")
        }),
        code.map(|code| format!("Code: {}", clean(code))),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Who logged in.
fn identity(email: Option<&str>, account_id: Option<&str>, plan: Option<&str>) -> String {
    let account = account_id.map(|id| format!("account {id}"));
    let plan = plan.map(|plan| format!("plan {plan}"));
    let known: Vec<String> = [email.map(str::to_owned), account, plan]
        .into_iter()
        .flatten()
        .collect();
    if known.is_empty() {
        "Logged in. The provider did not report the account.".to_owned()
    } else {
        format!("Logged in as {}.", known.join(", "))
    }
}

/// The lines of a notice, set for `screen` if it goes to a terminal.
pub(in crate::cli) fn lines_of(
    notice: &Notice,
    screen: Option<Screen>,
    local: LocalTime,
    hints: &Renderer,
) -> String {
    let mut sheet = Sheet::new(screen.map(|screen| screen.columns));
    match notice {
        Notice::AuthorizeUrl(request) => authorize::write(&mut sheet, request),
        Notice::DeviceCode(code) => device_code::write(&mut sheet, code, screen, local),
        Notice::Info(text) => sheet.advice("", text, hints),
        Notice::Warning(text) => warn(&mut sheet, text, hints),
        Notice::NotAccepted(why) => {
            warn(&mut sheet, &format!("not accepted: {why}").into(), hints);
        }
        other => {
            let text = sentences_of(other, local);
            text.lines().for_each(|line| sheet.prose(line));
        }
    }
    sheet.into_text()
}

fn warn(sheet: &mut Sheet, text: &Hint, hints: &Renderer) {
    let start = format!("{} ", Tone::Warn.paint("Warning:"));
    sheet.advice(&start, text, hints);
}

/// What holds no advice.
fn sentences_of(notice: &Notice, local: LocalTime) -> String {
    match notice {
        Notice::Program {
            text, url, code, ..
        } => from_program(text.as_deref(), url.as_deref(), code.as_deref()),
        Notice::Policy(text) => format!("Note: {}", clean(text)),
        Notice::Waiting { until } => format!(
            "Waiting; the login times out {}. Ctrl-C cancels.",
            local.spoken(*until)
        ),
        Notice::Exchanging => "Exchanging the code for tokens.".to_owned(),
        Notice::Identity {
            email,
            account_id,
            plan,
            profile,
            replaces,
        } => {
            let who = identity(email.as_deref(), account_id.as_deref(), plan.as_deref());
            let store = if *replaces {
                "Updating the stored profile"
            } else {
                "Saving as profile"
            };
            format!("{}\n{store} {profile}", clean(&who))
        }
        Notice::Saved {
            profile, expires, ..
        } => {
            let expiry = expires.map_or(String::new(), |expires| {
                format!(" The access token expires {}.", local.spoken(expires))
            });
            format!("{} profile {profile}.{expiry}", Tone::Ok.paint("Saved"))
        }
        Notice::AuthorizeUrl(_)
        | Notice::DeviceCode(_)
        | Notice::Info(_)
        | Notice::NotAccepted(_)
        | Notice::Warning(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ProfileId, ProviderId};
    use crate::model::time::Timestamp;

    fn shown(notice: &Notice) -> String {
        let local = LocalTime::utc(Timestamp(0));
        let lines = lines_of(notice, None, local, &Renderer::default());
        lines.trim_end_matches('\n').to_owned()
    }

    #[test]
    fn notices_are_plain_sentences() {
        let profile = || ProfileId::parse("openai-codex:a@example.com").unwrap();
        let identity = |email: Option<&str>, replaces| {
            shown(&Notice::Identity {
                email: email.map(str::to_owned),
                account_id: email.map(|_| "acc-1".to_owned()),
                plan: None,
                profile: profile(),
                replaces,
            })
        };
        assert_eq!(
            identity(Some("a@example.com"), false),
            "Logged in as a@example.com, account acc-1.\n\
             Saving as profile openai-codex:a@example.com"
        );
        assert!(
            identity(None, true).starts_with("Logged in. The provider did not report the account.")
        );
        let saved = shown(&Notice::Saved {
            profile: profile(),
            provider: ProviderId::parse("openai-codex").unwrap(),
            expires: Some(Timestamp(1_000)),
        });
        assert!(saved.ends_with("The access token expires in less than a minute, 00:00."));
        assert_eq!(
            shown(&Notice::Waiting {
                until: Timestamp(i64::MAX)
            }),
            "Waiting; the login times out in 106751991167 days, 9223372036854775807 ms. Ctrl-C cancels."
        );
    }
}
