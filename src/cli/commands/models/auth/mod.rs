//! `models auth`: everything that puts a credential in, hands it out, or takes it away.

pub mod add;
pub mod history;
pub mod list;
pub mod login;
pub mod login_github_copilot;
pub mod logout;
pub mod paste;
pub mod refresh;
pub mod token;
pub mod undo;

use std::sync::Arc;

use clap::{Args, CommandFactory, Subcommand};

use crate::app::failure::{Failure, Kind};
use crate::cli::args::Cli;
use crate::cli::printer::Printer;
use crate::cli::wire::System;

/// Log in, paste, hand out, list, refresh and forget credentials
#[derive(Debug, Args)]
pub struct Auth {
    #[command(subcommand)]
    command: Option<AuthCommand>,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum AuthCommand {
    Add(add::Add),
    Login(login::Login),
    LoginGithubCopilot(login_github_copilot::LoginGithubCopilot),
    SetupToken(paste::SetupToken),
    PasteToken(paste::PasteToken),
    PasteApiKey(paste::PasteApiKey),
    Token(token::Token),
    List(list::List),
    Refresh(refresh::Refresh),
    Logout(logout::Logout),
    History(history::History),
    Undo(undo::Undo),
}

impl Auth {
    /// Whether the command reports what happens as JSON lines.
    pub fn wants_events(&self) -> bool {
        matches!(&self.command, Some(AuthCommand::Login(login)) if login.wants_events())
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Arc<Printer>) -> Result<u8, Failure> {
        match &self.command {
            Some(AuthCommand::Add(command)) => command.run(system, printer),
            Some(AuthCommand::Login(command)) => command.run(system, printer),
            Some(AuthCommand::LoginGithubCopilot(command)) => command.run(system),
            Some(AuthCommand::SetupToken(command)) => command.run(system, printer),
            Some(AuthCommand::PasteToken(command)) => command.run(system, printer),
            Some(AuthCommand::PasteApiKey(command)) => command.run(system, printer),
            Some(AuthCommand::Token(command)) => command.run(system, printer),
            Some(AuthCommand::List(command)) => command.run(system, printer),
            Some(AuthCommand::Refresh(command)) => command.run(system, printer),
            Some(AuthCommand::Logout(command)) => command.run(system, printer),
            Some(AuthCommand::History(command)) => command.run(system, printer),
            Some(AuthCommand::Undo(command)) => command.run(system, printer),
            None => help(printer),
        }
    }
}

/// Without a further word the reference release prints its help and succeeds.
fn help(printer: &Printer) -> Result<u8, Failure> {
    let mut cli = Cli::command();
    cli.build();
    let auth = cli
        .find_subcommand_mut("models")
        .and_then(|models| models.find_subcommand_mut("auth"))
        .ok_or_else(|| Failure::new(Kind::Usage, "no such command"))?;
    let text = auth.render_help().to_string();
    printer.line_out(text.trim_end())?;
    Ok(0)
}
