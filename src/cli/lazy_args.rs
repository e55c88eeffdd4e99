//! A command that is described to the parser only once it is the one that was called.
//!
//! There are dozens, and most calls are of one that must be fast. What the list of commands says
//! of it must be known before, so that stands on the variant; a test holds it to the command's own
//! first line.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The arguments `T` of a command, described late.
#[derive(Debug)]
pub struct Deferred<T>(T);

impl<T> Deref for Deferred<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Args> Args for Deferred<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(T::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(T::augment_args_for_update)
    }
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    /// The other way copies them, at every level of the command line.
    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::cli::commands::models::Models;
    use crate::cli::commands::models::auth::Auth;
    use clap::CommandFactory;

    fn first_lines(command: &Command) -> Vec<(&str, String)> {
        let commands = command.get_subcommands();
        let line = |command: &Command| command.get_about().map(ToString::to_string);
        commands
            .map(|command| (command.get_name(), line(command).unwrap_or_default()))
            .collect()
    }

    #[test]
    fn the_list_says_of_a_command_what_it_says_of_itself() {
        let built = Cli::described();
        let models = built.find_subcommand("models").unwrap();
        let auth = models.find_subcommand("auth").unwrap();
        let early = Auth::augment_args(Command::new("auth"));
        assert_eq!(first_lines(&early), first_lines(auth));
        let early = Models::augment_args(Command::new("models"));
        assert_eq!(first_lines(&early), first_lines(models));
        assert_eq!(first_lines(&Cli::command()), first_lines(&built));
    }
}
