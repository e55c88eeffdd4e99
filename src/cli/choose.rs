//! One of several, chosen at a terminal: arrow keys, or a part of a name.
//!
//! The library draws on standard error and reads keys until there is an answer, whatever happens to
//! the process. So it does that on a thread of its own, and when a signal ends the wait the terminal
//! is given back from outside; the thread then ends with the process.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use inquire::Select;
use inquire::error::{InquireError, InquireResult};
use inquire::ui::RenderConfig;

use super::input::{Patience, TICK};
use super::{printer, raw_mode};
use crate::ports::dialog::DialogError;

/// Options that are shown at once.
const PAGE: usize = 10;
/// Fewer than this need no search.
const MANY: usize = 6;

/// Asks, and returns the index of the option that was chosen.
pub(super) fn choose(
    prompt: String,
    options: Vec<String>,
    colors: bool,
    patience: &Patience,
) -> Result<usize, DialogError> {
    raw_mode::restore_on_panic();
    raw_mode::forget_keys();
    let (sender, answers) = channel();
    let asking = move || {
        // Nobody waits any more once the process ends.
        let _ = sender.send(ask(&prompt, options, colors));
    };
    let failed = |error: io::Error| DialogError::Failed(error.to_string());
    thread::Builder::new().spawn(asking).map_err(failed)?;
    loop {
        match answers.recv_timeout(Duration::from_millis(u64::from(TICK))) {
            Ok(answer) => return answer.map_err(|error| reason(&error)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(DialogError::Failed("the prompt ended".to_owned()));
            }
        }
        if let Err(error) = patience.check() {
            raw_mode::restore();
            // What is left of the list stands below the prompt.
            printer::control("\r\n\u{1b}[J");
            return Err(error);
        }
    }
}

fn ask(prompt: &str, options: Vec<String>, colors: bool) -> InquireResult<usize> {
    let many = options.len() >= MANY;
    let mut select = Select::new(prompt, options)
        .with_page_size(PAGE)
        .with_render_config(match colors {
            true => RenderConfig::default_colored(),
            false => RenderConfig::empty(),
        });
    if many {
        select = select.with_help_message("arrows to move, type to search, Enter to select");
    } else {
        select = select
            .with_help_message("arrows to move, Enter to select")
            .without_filtering();
    }
    select.raw_prompt().map(|chosen| chosen.index)
}

fn reason(error: &InquireError) -> DialogError {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            DialogError::Cancelled
        }
        InquireError::NotTTY => DialogError::NobodyThere,
        other => DialogError::Failed(other.to_string()),
    }
}
