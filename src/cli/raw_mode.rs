//! Raw mode of the terminal, and the way back out of it on every path; and the terminal's size.
//!
//! A guard restores the terminal when it is dropped. A release aborts on a panic and drops nothing,
//! so the first guard also puts the restoration in front of the panic hook.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::Command;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode, is_raw_mode_enabled};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::printer;

/// A signal that stops or ends this process has done so by then.
const ACTS_WITHIN: Duration = Duration::from_millis(100);

static HOOK: Once = Once::new();
/// Whether the terminal knows control sequences.
static IS_STEERED: AtomicBool = AtomicBool::new(true);

/// While it lives the terminal is in raw mode: no echo, no limit to the length of a line, no signal
/// from a key, and pastes come in brackets.
#[derive(Debug)]
pub(super) struct RawMode(());

impl RawMode {
    /// Switches raw mode on, of standard input or else of the terminal of this process; one that is not `steered` gets no
    /// control sequence.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn enter(steered: bool) -> io::Result<Self> {
        IS_STEERED.store(steered, Ordering::SeqCst);
        restore_on_panic();
        enable_raw_mode()?;
        control(&EnableBracketedPaste);
        Ok(Self(()))
    }
}

impl RawMode {
    /// Gives the terminal back and stops this job, as Ctrl-Z does where the terminal itself reads
    /// it; returns in raw mode once the job goes on.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn suspend(&self) -> io::Result<()> {
        self.signal_job(Signal::TSTP)
    }

    /// Gives the terminal back and ends this job, as Ctrl-\ does where the terminal itself reads
    /// it; returns in raw mode where that signal is ignored.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn quit(&self) -> io::Result<()> {
        self.signal_job(Signal::QUIT)
    }

    fn signal_job(&self, signal: Signal) -> io::Result<()> {
        restore();
        let _ = kill_current_process_group(signal);
        // Another thread may be the one that the signal reaches first.
        std::thread::park_timeout(ACTS_WITHIN);
        self.enter_again()
    }

    /// Switches raw mode on again, whatever a shell made of the terminal while this process was
    /// stopped.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn enter_again(&self) -> io::Result<()> {
        enable_raw_mode()?;
        // That does nothing where raw mode was on before.
        let terminal = terminal()?;
        let mut termios = tcgetattr(&terminal)?;
        termios.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &termios)?;
        control(&EnableBracketedPaste);
        Ok(())
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// The terminal that answers come from: standard input, or else that of this process.
pub(super) fn terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    match stdin.is_terminal() {
        true => stdin.as_fd().try_clone_to_owned(),
        false => Ok(File::open("/dev/tty")?.into()),
    }
}

/// Gives the terminal back should this process panic in raw mode, whoever switched it on.
pub(super) fn restore_on_panic() {
    before_panic(&HOOK, restore);
}

/// Does `restore` before a panic is reported, from the first call with `once` on.
pub(super) fn before_panic(once: &Once, restore: fn()) {
    once.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            previous(panic);
        }));
    });
}

/// Gives the terminal back if it is in raw mode.
pub(super) fn restore() {
    if is_raw_mode_enabled().unwrap_or(false) {
        control(&Show);
        control(&DisableBracketedPaste);
        let _ = disable_raw_mode();
    }
}

/// Columns and rows of the terminal that standard error is; those of the oldest terminals where it
/// does not say.
pub(super) fn screen_size() -> (u16, u16) {
    size_of(&io::stderr())
}

/// Columns of the terminal that standard error is; `None` if it is none.
pub(super) fn columns_of_stderr() -> Option<usize> {
    let terminal = io::stderr().is_terminal();
    terminal.then(|| usize::from(screen_size().0))
}

/// Columns and rows of the terminal that standard output is; `None` if it is none.
pub(super) fn screen_of_stdout() -> Option<(u16, u16)> {
    let stdout = io::stdout();
    stdout.is_terminal().then(|| size_of(&stdout))
}

fn size_of(terminal: &impl AsFd) -> (u16, u16) {
    match rustix::termios::tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

fn control(command: &impl Command) {
    let mut sequence = String::new();
    if IS_STEERED.load(Ordering::SeqCst) && command.write_ansi(&mut sequence).is_ok() {
        printer::control(&sequence);
    }
}
