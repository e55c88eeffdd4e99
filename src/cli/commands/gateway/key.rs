//! `gateway key`: who may ask the gateway.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::database_args::TenantArgs;
use crate::app::access::keys::{self, NewKey};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::{days, one_of};
use crate::cli::view::access_keys;
use crate::model::access::{Network, Role, parse_network};
use crate::model::id::ProfileId;
use crate::model::named::ProviderName;

/// Manage the keys that programs and people show to the gateway
///
/// A key has a role and may be limited to some credentials and networks. Changes take effect in a
/// running gateway within a second; where gateways share a database, in all of them.
#[derive(Debug, Args)]
pub(in crate::cli::commands) struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum KeyCommand {
    Add(Add),
    List(List),
    Revoke(Revoke),
}

impl Key {
    /// The database that the keys are in, if they are in one.
    pub(super) fn database(&self) -> &TenantArgs {
        match &self.command {
            KeyCommand::Add(command) => &command.database,
            KeyCommand::List(command) => &command.database,
            KeyCommand::Revoke(command) => &command.database,
        }
    }

    /// Runs it.
    pub(super) fn run(&self, system: &System) -> Answer {
        match &self.command {
            KeyCommand::Add(command) => command.run(system),
            KeyCommand::List(command) => command.run(system),
            KeyCommand::Revoke(command) => command.run(system),
        }
    }
}

/// Make a key and print it
///
/// The key is shown this once: only its digest is stored. Roles: admin may do everything; operator
/// may see, log in and log out; viewer may see; lease gets access tokens and nothing else. Limits
/// may be given several times.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway key add --name dashboard
  openclaw gateway key add --role lease --provider openai-codex --from 10.0.0.0/8 --for 7d > key
  openclaw gateway key add --role operator --json")]
struct Add {
    /// What to call the key in lists
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What its holder may do
    #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = one_of::<Role>())]
    role: Role,
    /// Limit it to a provider
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: Vec<ProviderName>,
    /// Limit it to the credentials of an agent
    #[arg(long = "only-agent", value_name = "ID")]
    agents: Vec<String>,
    /// Limit it to a profile
    #[arg(long = "profile", id = "profiles", value_name = "PROFILE")]
    #[arg(value_parser = ProfileId::parse_new)]
    profiles: Vec<ProfileId>,
    /// Limit it to callers in a network, such as 10.0.0.0/8
    #[arg(long = "from", value_name = "NETWORK", value_parser = parse_network)]
    networks: Vec<Network>,
    /// How long it is valid (default unit: days) [default: 30d for lease, at most 90d; else no end]
    #[arg(long = "for", value_name = "DURATION", value_parser = days)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    database: TenantArgs,
    /// Output the key and what it may do as JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    fn run(&self, system: &System) -> Answer {
        let made = keys::add(
            system.context(),
            &NewKey {
                name: self.name.clone(),
                role: self.role,
                providers: self.provider.clone(),
                agents: self.agents.clone(),
                profiles: self.profiles.clone(),
                networks: self.networks.clone(),
                lifetime: self.lifetime,
            },
        )?;
        let bearer = made.bearer.expose();
        if self.json {
            let mut document = access_keys::document(&made.key, system.now());
            document["key"] = bearer.as_str().into();
            return Ok(Output::json(&document).changed(true));
        }
        let mut output = Output::verbatim(bearer).changed(true);
        let line = access_keys::line(&made.key, system.local());
        output.notes.push(format!("Added key {line}"));
        output.notes.push("The key is not shown again.".to_owned());
        Ok(output)
    }
}

/// List the keys, without the keys themselves
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway key list
  openclaw gateway key list --json")]
struct List {
    #[command(flatten)]
    database: TenantArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    fn run(&self, system: &System) -> Answer {
        let listed = keys::list(system.context())?;
        if self.json {
            let now = system.now();
            let rows = listed
                .keys
                .iter()
                .map(|key| access_keys::document(key, now));
            let rows: Vec<_> = rows.collect();
            let mut output = Output::json(&json!({ "keys": rows }));
            output.notes = listed.faults;
            return Ok(output);
        }
        let mut output = Output::text(access_keys::text(&listed.keys, system.local()));
        output.notes = listed.faults;
        Ok(output)
    }
}

/// Revoke a key
///
/// A running gateway refuses it within a second. Access tokens that its holder has remain valid
/// until they expire.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway key revoke 0123456789abcdef")]
struct Revoke {
    /// Id of the key, as in the list
    #[arg(value_name = "ID")]
    key_id: String,
    #[command(flatten)]
    database: TenantArgs,
}

impl Revoke {
    fn run(&self, system: &System) -> Answer {
        let key = keys::revoke(system.context(), &self.key_id)?;
        Ok(Output::line(format!("Revoked key {}", key.id)).changed(true))
    }
}
