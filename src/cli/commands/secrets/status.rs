//! `secrets status`.

use clap::Args;
use serde_json::{Value, json};

use crate::app::failure::Failure;
use crate::app::secrets::status::{self, InDatabase};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::vault::SealedPart;
use crate::ports::vault_keys::{SlotStatus, VaultStatus};

/// Show where the key of the secrets lies, and whether it can be had now
///
/// Needs no key of a person and asks nobody. With a database, says how many profiles are sealed there and
/// what is left in files.
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
        let database = in_database(system)?;
        if self.json {
            let mut document = json_of(status.as_ref());
            document["database"] = json_of_database(database.as_ref());
            return Ok(Output::json(&document));
        }
        let mut text = database.as_ref().map_or_else(String::new, text_of_database);
        text.push_str(&match (status, database) {
            (None, None) => "No secrets are stored, and profiles are not sealed.\n".to_owned(),
            (None, Some(_)) => "No named secrets are stored on this machine.\n".to_owned(),
            (Some(status), database) => text_of(&status, database.is_some(), system),
        });
        Ok(Output::text(text))
    }
}

/// What is said of the profiles, if they are in a database.
pub(super) fn in_database(system: &System) -> Result<Option<InDatabase>, Failure> {
    let opened = system.opened();
    opened
        .map(|opened| status::of_database(&*opened.database, system.context_of_files()))
        .transpose()
}

pub(super) fn text_of_database(found: &InDatabase) -> String {
    let InDatabase { at, rows, in_files } = found;
    let (count, key) = (rows.credentials, &rows.key_id);
    let mut text = format!("Database: {at}\nProfiles: {count}, all sealed under the key {key}\n");
    if *in_files > 0 {
        text.push_str(&format!(
            "Files of this machine: {in_files} profiles hold tokens or keys, and do not count\n"
        ));
    }
    text
}

pub(super) fn json_of_database(found: Option<&InDatabase>) -> Value {
    found.map_or(Value::Null, |found| {
        json!({
            "at": found.at,
            "credentials": found.rows.credentials,
            "keyId": found.rows.key_id,
            "profilesInFiles": found.in_files,
        })
    })
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

fn text_of(status: &VaultStatus, is_in_database: bool, system: &System) -> String {
    let profiles = match is_in_database {
        true => "Profiles in files",
        false => "Profiles",
    };
    let mut text = format!(
        "File: {}\nVault: {}\n{profiles}: {}\n",
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
