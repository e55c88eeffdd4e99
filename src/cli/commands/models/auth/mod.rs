//! `models auth`: everything that puts a credential in, hands it out, or takes it away.

pub mod add;
pub mod cooldown;
pub mod exec;
pub mod explain;
pub mod history;
pub mod import;
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

use crate::cli::lazy_args::Deferred;
use crate::cli::output::Answer;
use crate::cli::system::System;

/// Manage credentials: log in, list, refresh, use and remove them
#[derive(Debug, Args)]
pub struct Auth {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Add a credential interactively
    Add(Deferred<add::Add>),
    /// Log in to a provider
    Login(Deferred<login::Login>),
    /// Log in to GitHub Copilot with a device code
    LoginGithubCopilot(Deferred<login_github_copilot::LoginGithubCopilot>),
    /// Store a token made with `claude setup-token`
    SetupToken(Deferred<paste::SetupToken>),
    /// Store an existing token
    PasteToken(Deferred<paste::PasteToken>),
    /// Store an API key
    PasteApiKey(Deferred<paste::PasteApiKey>),
    /// Import credentials from a file that is not read
    Import(Deferred<import::Import>),
    /// Print a valid access token, refreshing it first if needed
    Token(Deferred<token::Token>),
    /// Explain which credential is used and why
    Explain(Deferred<explain::Explain>),
    /// Run a command with a valid token in its environment
    Exec(Deferred<exec::Exec>),
    /// List stored profiles
    List(Deferred<list::List>),
    /// List providers or validate a provider manifest
    Providers(Deferred<providers::Providers>),
    /// Refresh stored tokens
    Refresh(Deferred<refresh::Refresh>),
    /// Select the profile to use for an agent or a directory
    Use(Deferred<use_profile::Use>),
    /// Show or change the order in which profiles are tried
    Order(Deferred<order::Order>),
    /// Report the outcome of a request so that rotation picks the right account
    Report(Deferred<report::Report>),
    /// Show or clear cooldowns of profiles after failures
    Cooldown(Deferred<cooldown::Cooldown>),
    /// Remove a profile from this machine
    Logout(Deferred<logout::Logout>),
    /// Show previous versions of a profile
    History(Deferred<history::History>),
    /// Restore a previous version of a profile
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

    /// Whether it is about credentials of this machine; a gateway hands out tokens as well.
    pub fn needs_store(&self) -> bool {
        use AuthCommand::{Exec, Providers, Token};
        !matches!(&self.command, Token(_) | Exec(_) | Providers(_))
    }

    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            AuthCommand::Add(command) => command.run(system),
            AuthCommand::Login(command) => command.run(system),
            AuthCommand::LoginGithubCopilot(command) => command.run(system),
            AuthCommand::SetupToken(command) => command.run(system),
            AuthCommand::PasteToken(command) => command.run(system),
            AuthCommand::PasteApiKey(command) => command.run(system),
            AuthCommand::Import(command) => command.run(system),
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
