//! The columns and the rows of the table.

use crate::support::issuer::Issuer;

use super::cause::{CONFIG, broken, waiting};
use super::cell::Cell;
use crate::support::World;

/// A kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// None: everything is as it should be.
    Done,
    Usage,
    NotFound,
    Config,
    Login,
    Temporary,
    Storage,
    Busy,
    Unknown,
    Stopped,
}

impl Column {
    pub(super) const ALL: [Self; 10] = [
        Self::Done,
        Self::Usage,
        Self::NotFound,
        Self::Config,
        Self::Login,
        Self::Temporary,
        Self::Storage,
        Self::Busy,
        Self::Unknown,
        Self::Stopped,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usage => "usage",
            Self::NotFound => "not found",
            Self::Config => "configuration",
            Self::Login => "login needed",
            Self::Temporary => "temporary",
            Self::Storage => "storage",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Stopped => "Ctrl-C",
        }
    }

    /// What a script may expect, whatever the command.
    fn usual_code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Usage | Self::NotFound | Self::Config => 1,
            Self::Login => 3,
            Self::Temporary => 4,
            Self::Storage => 5,
            Self::Busy => 6,
            Self::Unknown => 7,
            Self::Stopped => 130,
        }
    }
}

/// A command, and what it ends with under each kind of failure that it can meet.
pub(super) struct Row {
    pub(super) command: &'static str,
    /// The words with which it succeeds.
    pub(super) words: &'static str,
    /// Whether they stand before its last word.
    between: bool,
    /// What is on its standard input.
    pub(super) input: String,
    /// What else lies in its world.
    pub(super) prepare: fn(&World, &Issuer),
    pub(super) cells: Vec<(Column, Cell)>,
}

impl Row {
    /// A command that succeeds with these words, reads the configuration, and is ended by Ctrl-C
    /// where it waits.
    pub(super) fn new(command: &'static str, words: &'static str) -> Self {
        Self {
            command,
            words,
            between: false,
            input: String::new(),
            prepare: |_, _| {},
            cells: Vec::new(),
        }
        .on(Column::Done, Cell::plain())
        .on(Column::Usage, Cell::plain().also("--no-such-option"))
        .on(Column::Config, broken(CONFIG))
        .on(Column::Stopped, waiting(CONFIG))
    }

    pub(super) fn between(mut self) -> Self {
        self.between = true;
        self
    }

    pub(super) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    pub(super) fn prepare(mut self, prepare: fn(&World, &Issuer)) -> Self {
        self.prepare = prepare;
        self
    }

    /// With this cell, in the place of another one.
    pub(super) fn on(mut self, column: Column, mut cell: Cell) -> Self {
        if cell.code < 0 {
            cell.code = column.usual_code();
        }
        self.cells.retain(|(other, _)| *other != column);
        self.cells.push((column, cell));
        self
    }

    pub(super) fn line(&self, more: &str, words: &str) -> String {
        match self.command.rsplit_once(' ') {
            Some((group, verb)) if self.between => format!("{group} {words} {verb} {more}"),
            _ => format!("{} {more} {words}", self.command),
        }
    }

    /// It cannot come to that.
    pub(super) fn never(mut self, column: Column) -> Self {
        self.cells.retain(|(other, _)| *other != column);
        self
    }
}
