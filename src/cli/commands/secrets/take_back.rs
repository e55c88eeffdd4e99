//! `secrets take-back`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use super::import::no_agent;
use super::key_args::KeyArgs;
use crate::app::secrets::moving::import::Opening;
use crate::app::secrets::moving::into_database::passphrase;
use crate::app::secrets::moving::take_back::{self, Request};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::moved::Moved;

/// Take logins back that `secrets export --move` handed over, if no other machine imported them
///
/// Only you know whether one did: two machines that have one refresh token end each other's login.
/// The file is not imported here after that; delete it. One that an interrupted `gateway import` left
/// opens with the key of its database, in GOCLAW_ENCRYPTION_KEY_FILE.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets take-back house.openclaw
  openclaw secrets take-back house.age --identity key.txt")]
pub struct TakeBack {
    /// File that the logins were moved to
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Let age open the file with this identity file
    #[arg(long, value_name = "PATH", conflicts_with = "bundle_passphrase_fd", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,
    /// Read the passphrase of the file from this file descriptor instead of asking for it
    #[arg(long, value_name = "N")]
    bundle_passphrase_fd: Option<u32>,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl TakeBack {
    /// Takes them back.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        no_agent(system)?;
        // One that was on its way into a database is sealed under the key of that.
        let key = match Moved::is_for_database(&self.file) && self.bundle_passphrase_fd.is_none() {
            true => system.named_key()?,
            false => None,
        };
        let request = Request {
            file: self.file.clone(),
            opening: Opening {
                passphrase_fd: self.bundle_passphrase_fd,
                identity: self.identity.clone(),
                passphrase: key.as_ref().map(passphrase),
            },
        };
        let outcome = take_back::run(system.context(), &request)?;
        let profiles = outcome.profiles.iter();
        if self.json {
            let profiles =
                profiles.map(|(agent, profile)| json!({ "agentId": agent, "profileId": profile }));
            return Ok(Output::json(&json!({
                "path": outcome.path,
                "bundle": outcome.bundle,
                "profiles": profiles.collect::<Vec<_>>(),
            }))
            .changed(true));
        }
        let mut text = String::new();
        for (agent, profile) in profiles {
            text.push_str(&format!("Taken back: {profile} of agent {agent}\n"));
        }
        let path = outcome.path.display();
        if outcome.was_draft {
            text.push_str(&format!(
                "The bundle was never complete: {path} is not there any more\n"
            ));
            return Ok(Output::text(text).changed(true));
        }
        if Moved::is_for_database(&outcome.path) {
            return Ok(Output::text(text).changed(true));
        }
        let warning = format!(
            "only you know whether another machine imported {path}; if one did, log out there. Delete the file"
        );
        Ok(Output::text(text).warnings([warning]).changed(true))
    }
}
