//! Who is told what happens, and asked.

use std::sync::Arc;

use crate::cli::clipboard::ClipboardProtocol;
use crate::cli::events::JsonDialog;
use crate::cli::hint::Renderer;
#[cfg(feature = "gateway")]
use crate::cli::log::LogDialog;
use crate::cli::printer::Printer;
use crate::cli::terminal::{Abilities, TerminalDialog};
use crate::ports::dialog::Dialog;
use crate::ports::host::{Clock, Interrupt};
use crate::sys::env::{SystemEnv, draws_blocks, moves_cursor};

/// Who is told what happens, and asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// A person at a terminal.
    Person,
    /// A program, by events.
    Program,
    /// Whoever reads the log of a server, who is asked nothing.
    #[cfg(feature = "gateway")]
    Log,
}

/// What tells and asks.
pub(super) fn dialog(
    audience: Audience,
    printer: &Arc<Printer>,
    interrupt: &Arc<dyn Interrupt>,
    hints: &Renderer,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Dialog> {
    let (printer, interrupt, hints) = (Arc::clone(printer), Arc::clone(interrupt), hints.clone());
    match audience {
        Audience::Person => {}
        Audience::Program => return Arc::new(JsonDialog::new(printer, interrupt, hints)),
        #[cfg(feature = "gateway")]
        Audience::Log => return Arc::new(LogDialog::new(hints)),
    }
    let abilities = || Abilities {
        clipboard: ClipboardProtocol::of(&SystemEnv),
        draws_blocks: draws_blocks(&SystemEnv),
        moves_cursor: moves_cursor(&SystemEnv),
    };
    Arc::new(TerminalDialog::new(
        printer, interrupt, hints, abilities, clock,
    ))
}
