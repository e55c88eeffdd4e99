//! `models auth`: everything that puts a credential in, hands it out, or takes it away.

pub mod add;
pub mod cooldown;
pub mod exec;
pub mod explain;
pub mod history;
pub mod list;
pub mod login;
pub mod login_github_copilot;
pub mod logout;
pub mod order;
pub mod paste;
pub mod providers;
pub mod refresh;
pub mod report;
pub mod selector_args;
pub mod token;
pub mod undo;
pub mod use_profile;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::cli::lazy_args::Deferred;
use crate::cli::output::Output;
use crate::cli::system::System;

/// Log in, paste, hand out, list, refresh and forget credentials
#[derive(Debug, Args)]
pub struct Auth {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Choose a provider and a method, and log in
    Add(Deferred<add::Add>),
    /// Log in to a provider, in a browser or by its own method
    Login(Deferred<login::Login>),
    /// Log in to GitHub Copilot with a device code
    LoginGithubCopilot(Deferred<login_github_copilot::LoginGithubCopilot>),
    /// Store a token made with `claude setup-token`
    SetupToken(Deferred<paste::SetupToken>),
    /// Store a token that was made elsewhere
    PasteToken(Deferred<paste::PasteToken>),
    /// Store an API key
    PasteApiKey(Deferred<paste::PasteApiKey>),
    /// Print a living token, refreshed first if it must be
    Token(Deferred<token::Token>),
    /// Say which credential would be used, and why
    Explain(Deferred<explain::Explain>),
    /// Run a program with a living token in its environment or on a descriptor
    Exec(Deferred<exec::Exec>),
    /// List the stored profiles
    List(Deferred<list::List>),
    /// List the providers, or check the manifest of one
    Providers(Deferred<providers::Providers>),
    /// Refresh stored logins
    Refresh(Deferred<refresh::Refresh>),
    /// Make one profile the one that is used
    Use(Deferred<use_profile::Use>),
    /// Say in which order the profiles of a provider are tried
    Order(Deferred<order::Order>),
    /// Tell how a request with a profile ended, so that the right account is next
    Report(Deferred<report::Report>),
    /// Show which profiles are passed over after failures, and end that
    Cooldown(Deferred<cooldown::Cooldown>),
    /// Forget one profile on this machine
    Logout(Deferred<logout::Logout>),
    /// Show what profiles held before
    History(Deferred<history::History>),
    /// Put back what a profile held before
    Undo(Deferred<undo::Undo>),
}

impl Auth {
    /// Whether the command reports what happens as JSON lines.
    pub fn wants_events(&self) -> bool {
        matches!(&self.command, AuthCommand::Login(login) if login.wants_events())
    }

    /// Whether the command takes no lock and writes nothing, whatever lies around.
    pub fn only_looks(&self) -> bool {
        matches!(&self.command, AuthCommand::Explain(_))
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        match &self.command {
            AuthCommand::Add(command) => command.run(system),
            AuthCommand::Login(command) => command.run(system),
            AuthCommand::LoginGithubCopilot(command) => command.run(system),
            AuthCommand::SetupToken(command) => command.run(system),
            AuthCommand::PasteToken(command) => command.run(system),
            AuthCommand::PasteApiKey(command) => command.run(system),
            AuthCommand::Token(command) => command.run(system),
            AuthCommand::Explain(command) => command.run(system),
            AuthCommand::Exec(command) => command.run(system),
            AuthCommand::List(command) => command.run(system),
            AuthCommand::Providers(command) => command.run(system),
            AuthCommand::Refresh(command) => command.run(system),
            AuthCommand::Use(command) => command.run(system),
            AuthCommand::Order(command) => command.run(system),
            AuthCommand::Report(command) => command.run(system),
            AuthCommand::Cooldown(command) => command.run(system),
            AuthCommand::Logout(command) => command.run(system),
            AuthCommand::History(command) => command.run(system),
            AuthCommand::Undo(command) => command.run(system),
        }
    }
}
