//! `secrets migrate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::key_args::KeyArgs;
use crate::app::secrets::migrate::{self, Outcome, Request};
use crate::app::secrets::reseal::Resealed;
use crate::cli::output::{Answer, Output};
use crate::cli::system::{System, program};
use crate::cli::value_parsers::one_of;
use crate::model::hint::Command;
use crate::model::vault::{SealedPart, TokenStore};

/// Seal the stored credentials, or store them in the clear again
///
/// Every token and key in auth-profiles.json, in its history and in the trash is encrypted where it
/// lies; names, accounts and expiry times stay readable. The key lies elsewhere: in a key file or
/// behind a passphrase (encrypted_file), or in the system keyring (keychain). OpenClaw cannot use
/// sealed credentials, except keys and tokens with --openclaw: a reference in each profile, and an
/// entry in openclaw.json, then let it ask this program for them.
///
/// Can be repeated at any time; a run that was interrupted is completed by the next.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets migrate --to encrypted_file --passphrase
  openclaw secrets migrate --to keychain --key-file /media/stick/openclaw.key
  openclaw secrets migrate --to plain")]
pub struct Migrate {
    /// Where the secrets lie from now on: plain, encrypted_file or keychain
    #[arg(long, value_name = "STORE", value_parser = one_of::<TokenStore>())]
    to: TokenStore,
    /// What is sealed: all, or of a login the refresh token alone
    #[arg(long, value_name = "PART", default_value = "all", value_parser = one_of::<SealedPart>())]
    seal: SealedPart,
    /// Keep a key in this file, too, which is made if it is not there
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
    /// Let a passphrase open the secrets, too
    #[arg(long)]
    passphrase: bool,
    /// Read the new passphrase from this file descriptor instead of asking for it
    #[arg(long, value_name = "N", requires = "passphrase")]
    new_passphrase_fd: Option<u32>,
    /// Accept that the loss of the one key loses every credential
    #[arg(long)]
    no_recovery: bool,
    /// Let OpenClaw 2026.5 and later get sealed keys and tokens from this program
    #[arg(long)]
    openclaw: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Migrate {
    /// Carries it out.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let request = Request {
            to: self.to,
            part: self.seal,
            key_file: self.key_file.clone(),
            passphrase: self.passphrase.then_some(self.new_passphrase_fd),
            no_recovery: self.no_recovery,
            openclaw: self.openclaw.then(program).transpose()?,
            dry_run: self.dry_run,
        };
        let outcome = migrate::run(system.context(), &request)?;
        let is_changed = outcome.done.is_some();
        let output = match self.json {
            true => Output::json(&json!({
                "store": self.to,
                "seal": self.seal,
                "profiles": outcome.profiles,
                "dryRun": self.dry_run,
                "slots": outcome.slots,
                "openclaw": outcome.referred.map(|count| json!({
                    "references": count, "unnamed": outcome.unnamed,
                })),
                "left": outcome.done.as_ref().map(|done| &done.left),
                "waiting": outcome.done.as_ref().map(|done| done.is_waiting),
            })),
            false => Output::text(self.text(&outcome, system)),
        };
        Ok(output.changed(is_changed))
    }

    fn text(&self, outcome: &Outcome, system: &System) -> String {
        let verb = match self.to.seals() {
            true => "sealed",
            false => "stored in the clear",
        };
        let count = match outcome.profiles {
            1 => "1 profile".to_owned(),
            count => format!("{count} profiles"),
        };
        let Some(done) = &outcome.done else {
            return format!("{count} would be {verb}; nothing was changed\n");
        };
        let mut text = format!("{count} {verb}\n");
        for slot in &outcome.slots {
            text.push_str(&format!("Key: {slot}\n"));
        }
        text.push_str(&referred(outcome));
        text.push_str(&left(done));
        if done.is_waiting {
            text.push_str(
                "A login or refresh is under way in another process; its response is stored as it was begun, so run this command again\n",
            );
        }
        if self.to.seals() {
            let audit = system.hints.command(&Command::new("secrets audit"));
            text.push_str(
                "The blocks of the disk on which they lay in the clear, and your backups, are not wiped\n",
            );
            text.push_str(&format!("To see what still lies in the clear: {audit}\n"));
        }
        text
    }
}

/// Says what OpenClaw gets from this program.
fn referred(outcome: &Outcome) -> String {
    let Some(count) = outcome.referred else {
        return String::new();
    };
    let what = match count {
        1 => "1 key or token".to_owned(),
        count => format!("{count} keys and tokens"),
    };
    let mut text = format!("OpenClaw gets {what} from this program\n");
    for profile in &outcome.unnamed {
        text.push_str(&format!(
            "OpenClaw cannot use {profile}: its name is too long for a reference\n"
        ));
    }
    text
}

/// Names the files that were left as they are.
pub(super) fn left(done: &Resealed) -> String {
    let lines = done.left.iter().map(|path| {
        let path = path.display();
        format!("Left as it is, because something in it does not open: {path}\n")
    });
    lines.collect()
}
