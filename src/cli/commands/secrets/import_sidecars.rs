//! `secrets import --from-openclaw`.

use serde_json::json;

use super::export::count;
use super::imported::{Manner, is_stored, said};
use crate::app::secrets::import_sidecars::{self, Outcome};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

pub(super) fn run(system: &System, how: Manner) -> Answer {
    let outcome = import_sidecars::run(system.context(), (how.force, how.dry_run))?;
    let is_changed = !how.dry_run && outcome.rows.iter().any(|row| is_stored(&row.action));
    let output = match how.json {
        true => Output::json(&json!({ "dryRun": how.dry_run, "profiles": outcome.rows })),
        false => Output::text(text(&outcome, how)),
    };
    Ok(Output {
        failure: outcome.failure,
        ..output.changed(is_changed)
    })
}

fn text(outcome: &Outcome, how: Manner) -> String {
    if outcome.rows.is_empty() {
        return "No profile refers to a login that OpenClaw encrypted; nothing was changed\n"
            .to_owned();
    }
    let stored = outcome.rows.iter().filter(|row| is_stored(&row.action));
    let (verb, logins) = (how.verb(), count(stored.count(), "login"));
    let mut text = format!("{verb} {logins} from the encrypted files of OpenClaw, which stay\n");
    for row in &outcome.rows {
        let (profile, agent) = (&row.profile, &row.agent);
        let said = said(&row.action);
        text.push_str(&format!("  {profile} of agent {agent}: {said}\n"));
    }
    text
}
