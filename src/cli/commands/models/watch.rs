//! `models status --watch`: the report again and again, until somebody has seen enough.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::app::failure::{Failure, Kind};
use crate::cli::input::{Chunk, Input, TICK};
use crate::cli::output::{Answer, Output};
use crate::cli::printer::Tone;
use crate::cli::raw_mode::screen_of_stdout;
use crate::cli::screen::Screen;
use crate::cli::system::System;
use crate::model::hint::Command;
use crate::model::time::parse_duration;
use crate::ports::host::Signal;

/// What these keys are where keys arrive one by one.
const CTRL_C: u8 = 0x03;
const CTRL_Z: u8 = 0x1a;
const CTRL_BACKSLASH: u8 = 0x1c;
/// The terminal has gone.
const HANG_UP: Signal = Signal(1);

/// The time between two reports: seconds if there is no unit.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text, "s")?;
    match interval < Duration::from_millis(100) {
        true => Err("must be at least 0.1 seconds".to_owned()),
        false => Ok(interval),
    }
}

/// Draws what `render` gives for so many columns, every `interval` and when the window changes its
/// size, until somebody has seen enough.
///
/// # Errors
/// If standard output is no terminal that can be drawn on.
pub(super) fn watch(
    system: &System,
    interval: Duration,
    render: &dyn Fn(usize) -> String,
) -> Answer {
    let is_dumb = system
        .context()
        .env
        .plain("TERM")
        .is_none_or(|term| term == "dumb");
    if screen_of_stdout().is_none() || is_dumb {
        let message = "--watch needs a terminal on standard output";
        return Err(Failure::new(Kind::Usage, message).hint(Command::new("models status")));
    }
    system.context().interrupt.defer();
    let keys = io::stdin().is_terminal();
    let screen = Screen::enter(keys)?;
    let input = keys.then(|| Input::new(io::stdin()));
    let ends = if keys { "q ends" } else { "Ctrl-C ends" };
    let ends = Tone::Dim.paint(&format!("Every {}s; {ends}.", interval.as_secs_f64()));
    while let Some(size) = screen_of_stdout() {
        let text = render(usize::from(size.0));
        screen.draw(&system.printer, &format!("{text}\n{ends}"), size)?;
        if let Some(code) = wait(system, (&screen, input.as_ref()), interval, size)? {
            return Ok(Output::default().code(code));
        }
    }
    Ok(Output::default().code(HANG_UP.exit_code()))
}

/// Waits for the next report; the exit code if there is none to come.
fn wait(
    system: &System,
    (screen, input): (&Screen, Option<&Input<io::Stdin>>),
    interval: Duration,
    size: (u16, u16),
) -> Result<Option<u8>, Failure> {
    let cx = system.context();
    let end = cx.clock.monotonic() + interval;
    loop {
        if let Some(signal) = cx.interrupt.pending() {
            return Ok(Some(signal.exit_code()));
        }
        if cx.interrupt.was_continued() {
            screen.enter_again()?;
            return Ok(None);
        }
        if cx.clock.monotonic() >= end || screen_of_stdout() != Some(size) {
            return Ok(None);
        }
        let Some(input) = input else {
            cx.clock.sleep(Duration::from_millis(TICK.into()));
            continue;
        };
        match input.wait(TICK)? {
            Chunk::Data(keys) if keys.contains(&CTRL_C) => {
                return Ok(Some(Signal::INTERRUPT.exit_code()));
            }
            Chunk::Data(keys) if keys.iter().any(|key| b"qQ".contains(key)) => return Ok(Some(0)),
            Chunk::Data(keys) if keys.contains(&CTRL_Z) => {
                screen.suspend()?;
                return Ok(None);
            }
            Chunk::Data(keys) if keys.contains(&CTRL_BACKSLASH) => screen.quit()?,
            Chunk::Data(_) | Chunk::Idle => {}
            Chunk::End => return Ok(Some(HANG_UP.exit_code())),
        }
    }
}
