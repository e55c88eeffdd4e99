//! `gateway tenant`: teams that share a database and nothing in it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::database_args::DatabaseArgs;
use crate::app::failure::Failure;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::id::printable;
use crate::model::tenant::TenantId;
use crate::ports::database;

/// Manage the tenants of the database: teams of which none sees the logins of another
///
/// A command and a gateway work for one of them, which --tenant or OPENCLAW_TENANT names; for main
/// where none is named.
#[derive(Debug, Args)]
pub(in crate::cli::commands) struct Tenant {
    #[command(subcommand)]
    command: TenantCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum TenantCommand {
    Add(Add),
    List(List),
}

impl Tenant {
    /// The database that they are in.
    pub(super) fn database(&self) -> &DatabaseArgs {
        match &self.command {
            TenantCommand::Add(command) => &command.database,
            TenantCommand::List(command) => &command.database,
        }
    }

    /// Runs it.
    pub(super) fn run(&self, system: &System) -> Answer {
        match &self.command {
            TenantCommand::Add(command) => command.run(system),
            TenantCommand::List(command) => command.run(system),
        }
    }
}

/// Add a tenant
///
/// Done again it changes nothing. With a role, whoever connects to the database as that role sees the
/// rows of this tenant and of no other, and needs no right to change tables. Run it as the owner of the
/// tables.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway tenant add team-a
  OPENCLAW_TENANT=team-a openclaw models auth login --provider openai-codex
  openclaw gateway run --tenant team-a
  openclaw gateway tenant add team-b --role team_b")]
struct Add {
    /// Its name: lower-case letters, digits, - and _
    #[arg(value_name = "NAME", value_parser = TenantId::parse)]
    name: TenantId,
    /// Role of the database, which is there already, that may touch the rows of the tenant
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl Add {
    fn run(&self, system: &System) -> Answer {
        let database = system.required_database()?;
        let former = self.former_role(database)?;
        let is_new = database.add_tenant(&self.name, self.role.as_deref())?;
        let (name, at) = (&self.name, database.shown());
        let mut told = match is_new {
            true => format!("{at} has the tenant {name} now"),
            false => format!("{at} has the tenant {name} already, as it is to be"),
        };
        if let Some(former) = former {
            let former = printable(&former, 80);
            told.push_str(&format!("\nThe role {former} does not see it any more"));
        }
        Ok(Output::line(told).changed(is_new))
    }

    /// The role from which the tenant is taken.
    fn former_role(&self, database: &dyn database::Database) -> Result<Option<String>, Failure> {
        let tenants = database.tenants()?.into_iter();
        let mut same = tenants.filter(|tenant| tenant.id == self.name.as_str());
        let former = same.next().and_then(|tenant| tenant.role);
        Ok(former.filter(|former| self.role.as_ref().is_some_and(|role| role != former)))
    }
}

/// List the tenants, and how many credentials each has
///
/// Only those that the user of the database may see.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway tenant list
  openclaw gateway tenant list --json")]
struct List {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    fn run(&self, system: &System) -> Answer {
        let tenants = system.required_database()?.tenants()?;
        if self.json {
            let rows: Vec<Value> = tenants.iter().map(document).collect();
            return Ok(Output::json(&json!({ "tenants": rows })));
        }
        let lines: String = tenants.iter().map(line).collect();
        Ok(Output::text(format!("Tenants:\n{lines}")))
    }
}

fn document(tenant: &database::Tenant) -> Value {
    json!({
        "id": tenant.id,
        "role": tenant.role,
        "credentials": tenant.credentials,
    })
}

fn line(tenant: &database::Tenant) -> String {
    let id = printable(&tenant.id, 80);
    let count = match tenant.credentials {
        1 => "1 credential".to_owned(),
        count => format!("{count} credentials"),
    };
    match &tenant.role {
        Some(role) => format!("- {id} [role {}; {count}]\n", printable(role, 80)),
        None => format!("- {id} [{count}]\n"),
    }
}
