//! `secrets status`.

use clap::Args;
use serde_json::{Value, json};

use crate::app::secrets::status;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::vault::SealedPart;
use crate::ports::vault_keys::{SlotStatus, VaultStatus};

/// Show where the key of the secrets lies, and whether it can be had now
///
/// Needs no key and asks nobody.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets status
  openclaw secrets status --json")]
pub struct Status {
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Shows it.
    pub fn run(&self, system: &System) -> Answer {
        let status = status::run(system.context())?;
        Ok(match (status, self.json) {
            (status, true) => Output::json(&json_of(status.as_ref())),
            (None, false) => Output::line("No secrets are stored, and profiles are not sealed."),
            (Some(status), false) => Output::text(text_of(&status, system)),
        })
    }
}

fn json_of(status: Option<&VaultStatus>) -> Value {
    let Some(status) = status else {
        return json!({ "vault": null });
    };
    let slots = status.slots.iter().enumerate().map(|(at, slot)| {
        json!({
            "number": at + 1,
            "type": slot.kind,
            "key": slot.words,
            "fault": slot.fault,
        })
    });
    json!({
        "vault": status.policy.vault,
        "path": status.path,
        "store": status.policy.store,
        "seal": status.policy.part,
        "unlockedUntil": status.unlocked_until,
        "slots": slots.collect::<Vec<_>>(),
    })
}

fn text_of(status: &VaultStatus, system: &System) -> String {
    let mut text = format!(
        "File: {}\nVault: {}\nProfiles: {}\n",
        status.path.display(),
        status.policy.vault,
        match (status.policy.store.seals(), status.policy.part) {
            (true, SealedPart::All) => "sealed",
            (true, SealedPart::Refresh) => "refresh tokens sealed, everything else in the clear",
            (false, _) => "not sealed",
        },
    );
    match (&status.unlocked_until, &status.cache_fault) {
        (Some(until), _) => {
            let until = system.local().spoken(*until);
            text.push_str(&format!("Unlocked: yes; locks again {until}\n"));
        }
        (None, Some(fault)) => text.push_str(&format!("Unlocked: no ({fault})\n")),
        (None, None) => {
            let opens = |slot: &SlotStatus| slot.kind == "key_file" && slot.fault.is_none();
            let unlocked = match status.slots.iter().position(opens) {
                Some(at) => format!("not needed, because key {} is at hand", at + 1),
                None => "no".to_owned(),
            };
            text.push_str(&format!("Unlocked: {unlocked}\n"));
        }
    }
    text.push_str("Keys:\n");
    for (at, slot) in status.slots.iter().enumerate() {
        let fault = slot.fault.iter().map(|fault| format!(": {fault}"));
        let fault: String = fault.collect();
        text.push_str(&format!("  {} {}{fault}\n", at + 1, slot.words));
    }
    text
}
