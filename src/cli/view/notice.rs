//! Words of notices.

use crate::cli::terminal::clean;
use crate::model::id::is_unprintable;
use crate::model::time::Timestamp;

/// What an external program has for the person.
pub(in crate::cli) fn from_program(
    text: Option<&str>,
    url: Option<&str>,
    code: Option<&str>,
) -> String {
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
pub(in crate::cli) fn identity(
    email: Option<&str>,
    account_id: Option<&str>,
    plan: Option<&str>,
) -> String {
    let account = account_id.map(|id| format!("account {id}"));
    let plan = plan.map(|plan| format!("plan {plan}"));
    let known: Vec<String> = [email.map(str::to_owned), account, plan]
        .into_iter()
        .flatten()
        .collect();
    if known.is_empty() {
        "Logged in. The provider does not say as whom.".to_owned()
    } else {
        format!("Logged in as {}.", known.join(", "))
    }
}

/// `2026-11-21 03:07:58 UTC`.
pub(in crate::cli) fn moment(time: Timestamp) -> String {
    let iso = time.iso8601();
    match iso
        .split_once('.')
        .and_then(|(second, _)| second.split_once('T'))
    {
        Some((day, clock)) => format!("{day} {clock} UTC"),
        None => iso,
    }
}
