//! The dialog with a person at a terminal.
//!
//! Notices go to standard error. A secret is never echoed, arrives whole whatever its length and
//! line breaks (a terminal's own line editing cuts at 4,096 bytes, on macOS at 1,024), and the
//! terminal is as it was before on every way out.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use super::choose;
use super::clipboard::ClipboardProtocol;
use super::hint::Renderer;
use super::input::{Chunk, Input, LIMIT, Patience, TICK, too_long};
use super::line_editor::{Line, Typing};
use super::printer::{self, Printer, Tone, columns_of};
use super::raw_mode::{RawMode, screen_size, terminal};
use super::view::Screen;
use super::view::clean;
use super::view::notice::lines_of;
use crate::model::secret::Secret;
use crate::ports::dialog::{Choice, Dialog, DialogError, Notice, Question};
use crate::ports::host::{Clock, Interrupt};

/// Milliseconds of silence after Enter that end an answer. A paste without brackets arrives far
/// faster than that, a person types far slower.
const SILENCE: u16 = 30;

/// What the terminal can do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abilities {
    /// The way to its clipboard, if it has one.
    pub clipboard: Option<ClipboardProtocol>,
    /// Whether it shows block elements, so that it can draw a QR code.
    pub draws_blocks: bool,
    /// Whether it moves its cursor, so that it can draw a menu.
    pub moves_cursor: bool,
}

/// Tells and asks a person.
///
/// At a terminal, asking defers the signals that end a process ([`Interrupt::defer`]): one that
/// killed us in raw mode would leave the shell without echo. The caller looks at
/// [`Interrupt::pending`] from then on.
pub struct TerminalDialog {
    printer: Arc<Printer>,
    interrupt: Arc<dyn Interrupt>,
    /// Opened by the first question: most commands ask nothing.
    input: LazyLock<Input<io::Stdin>>,
    /// The prompt that stands on the last line now; a notice goes above it.
    prompt: Mutex<Option<String>>,
    /// The rows of a login's URL and of what was told since; it is to stay on the screen.
    below_url: Mutex<usize>,
    /// Looked for when they are needed first.
    abilities: LazyLock<Abilities>,
    hints: Renderer,
    clock: Arc<dyn Clock>,
}

impl TerminalDialog {
    /// A dialog over standard input and standard error; `hints` repeats the options of this call.
    pub fn new(
        printer: Arc<Printer>,
        interrupt: Arc<dyn Interrupt>,
        hints: Renderer,
        abilities: fn() -> Abilities,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            printer,
            interrupt,
            input: LazyLock::new(|| Input::new(io::stdin())),
            prompt: Mutex::new(None),
            below_url: Mutex::new(0),
            abilities: LazyLock::new(abilities),
            hints,
            clock,
        }
    }

    /// The terminal, with the rows that are left below the URL of a login.
    fn screen(&self) -> Option<Screen> {
        let (columns, rows) = io::stderr().is_terminal().then(screen_size)?;
        let taken = *self.below_url.lock();
        Some(Screen {
            columns: columns.into(),
            rows: usize::from(rows).saturating_sub(taken),
            draws_blocks: self.abilities.draws_blocks,
        })
    }

    fn show_prompt(&self, prompt: String) {
        let mut shown = self.prompt.lock();
        self.printer.err(&prompt);
        *shown = Some(prompt);
    }

    /// Where the cursor is, which is the line of the prompt or one that a shell wrote below it.
    fn show_prompt_again(&self, prompt: &str) {
        printer::control(match self.abilities.moves_cursor {
            true => "\r\u{1b}[K",
            false => "\r",
        });
        self.show_prompt(prompt.to_owned());
    }

    fn end_prompt(&self, remark: &str) {
        let mut shown = self.prompt.lock();
        self.printer.line_err(remark);
        *shown = None;
    }

    /// Begins a question: from here on the waits heed a signal.
    fn begin(&self) -> Result<(), DialogError> {
        if !self.can_ask() {
            return Err(DialogError::NobodyThere);
        }
        self.interrupt.defer();
        Ok(())
    }

    /// Above the prompt, if one stands there.
    fn tell(&self, lines: &str) {
        let shown = self.prompt.lock();
        match shown.as_ref() {
            None => self.printer.err(lines),
            Some(prompt) => {
                printer::control(match self.abilities.moves_cursor {
                    true => "\r\u{1b}[K",
                    false => "\r\n",
                });
                // Raw mode does not return the carriage at a line feed.
                let lines = lines.replace('\n', "\r\n");
                self.printer.err(&format!("{lines}{prompt}"));
            }
        }
    }

    /// Counts the rows that the URL of a login, once it is shown, and what follows it take.
    fn count(&self, lines: &str, is_url: bool, columns: usize) {
        let mut taken = self.below_url.lock();
        if is_url {
            *taken = 0;
        }
        if is_url || *taken > 0 {
            let rows = |line: &str| columns_of(line).div_ceil(columns.max(1)).max(1);
            *taken += lines.lines().map(rows).sum::<usize>();
        }
    }

    /// Sends `text` to the clipboard of the terminal that standard error is; whether that was done.
    fn copy(&self, text: &str) -> bool {
        let way = self.abilities.clipboard;
        let way = way.filter(|_| io::stderr().is_terminal());
        let sequence = way.and_then(|way| way.copy(text));
        if let Some(sequence) = &sequence {
            printer::control(sequence);
        }
        sequence.is_some()
    }

    /// Asks at the terminal of this process while standard input is something else.
    fn ask_beside_pipe(
        &self,
        prompt: &str,
        patience: &Patience,
    ) -> Result<Secret<String>, DialogError> {
        let terminal = terminal().map_err(|_| DialogError::NobodyThere)?;
        if !io::stderr().is_terminal() {
            return Err(DialogError::NobodyThere);
        }
        self.interrupt.defer();
        self.ask_hidden(&Input::new(terminal), prompt, patience)
    }

    fn ask_hidden<F: AsFd>(
        &self,
        input: &Input<F>,
        prompt: &str,
        patience: &Patience,
    ) -> Result<Secret<String>, DialogError> {
        let raw = RawMode::enter(self.abilities.moves_cursor).map_err(|error| failed(&error))?;
        let prompt = format!("{}: ", clean(prompt));
        self.show_prompt(prompt.clone());
        let answer = self.read_hidden(input, &raw, &prompt, patience);
        let remark = answer.as_ref().map_or(String::new(), |text| {
            format!("({} characters)", text.expose().chars().count())
        });
        // Before echo comes back, or the rest of a cancelled paste would be shown.
        input.discard();
        drop(raw);
        self.end_prompt(&Tone::Dim.paint(&remark));
        answer
    }

    fn read_hidden<F: AsFd>(
        &self,
        input: &Input<F>,
        raw: &RawMode,
        prompt: &str,
        patience: &Patience,
    ) -> Result<Secret<String>, DialogError> {
        let mut line = Line::default();
        let mut wait = TICK;
        loop {
            patience.check()?;
            if patience.interrupt.was_continued() {
                raw.enter_again().map_err(|error| failed(&error))?;
                self.show_prompt_again(prompt);
            }
            match input.wait(wait)? {
                Chunk::Idle if wait == SILENCE => return Ok(line.finish()),
                Chunk::Idle => line.idle(),
                Chunk::End => return Err(closed()),
                Chunk::Data(data) => {
                    let data = Secret::new(data);
                    wait = match line.feed(data.expose()) {
                        Typing::Open => TICK,
                        Typing::Ending => SILENCE,
                        Typing::Cancelled => return Err(DialogError::Cancelled),
                        Typing::Suspended => {
                            self.printer.err("\r\n");
                            raw.suspend().map_err(|error| failed(&error))?;
                            self.show_prompt_again(prompt);
                            TICK
                        }
                        Typing::Quit => {
                            self.printer.err("\r\n");
                            input.discard();
                            raw.quit().map_err(|error| failed(&error))?;
                            self.show_prompt_again(prompt);
                            TICK
                        }
                    };
                }
            }
            if line.len() > LIMIT {
                return Err(too_long());
            }
        }
    }
}

impl Dialog for TerminalDialog {
    fn notice(&self, notice: &Notice) {
        let screen = self.screen();
        let mut lines = lines_of(notice, screen, self.clock.local(), &self.hints);
        let url = match notice {
            Notice::AuthorizeUrl(request) => Some(request),
            _ => None,
        };
        if url.is_some_and(|request| request.copy && self.copy(&request.url)) {
            lines
                .push_str("The URL was copied to your clipboard (if your terminal supports it).\n");
        }
        if let Some(screen) = screen {
            self.count(&lines, url.is_some(), screen.columns);
        }
        self.tell(&lines);
    }

    fn ask(
        &self,
        question: &Question,
        stop: &dyn Fn() -> bool,
    ) -> Result<Secret<String>, DialogError> {
        let patience = Patience::new(stop, &*self.interrupt);
        let prompt = match question {
            Question::Passphrase(prompt) if !io::stdin().is_terminal() => {
                return self.ask_beside_pipe(prompt, &patience);
            }
            _ if !io::stdin().is_terminal() => {
                return answer_from_pipe(&self.input, question, &patience);
            }
            Question::Secret(prompt) | Question::Paste(prompt) | Question::Passphrase(prompt) => {
                prompt
            }
        };
        self.begin()?;
        self.ask_hidden(&*self.input, prompt, &patience)
    }

    /// With the terminal's own line editing: the answer may be seen, and Ctrl-C comes as a signal.
    fn confirm(
        &self,
        prompt: &str,
        default: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, DialogError> {
        self.begin()?;
        let patience = Patience::new(stop, &*self.interrupt);
        // What was typed before the question was seen is no answer to it.
        self.input.discard();
        let choices = if default { "[Y/n]" } else { "[y/N]" };
        let prompt = format!("{} {choices} ", clean(prompt));
        loop {
            self.show_prompt(prompt.clone());
            match self
                .input
                .read_line(&patience, &|| self.show_prompt_again(&prompt))
            {
                Ok(Some(line)) => {
                    *self.prompt.lock() = None;
                    if let Some(answer) = yes_or_no(line.expose(), default) {
                        return Ok(answer);
                    }
                    self.printer.line_err("Answer y or n.");
                }
                // Ctrl-D on an empty line ends the input.
                missing => {
                    self.input.discard();
                    self.end_prompt("");
                    return Err(missing.err().unwrap_or(DialogError::Cancelled));
                }
            }
        }
    }

    fn choose(&self, choice: &Choice) -> Result<usize, DialogError> {
        self.begin()?;
        self.input.discard();
        let patience = Patience::new(&|| false, &*self.interrupt);
        let prompt = clean(&choice.prompt);
        let options: Vec<String> = choice.options.iter().map(|it| clean(it)).collect();
        let screen = (&*self.input, &*self.printer);
        match self.abilities.moves_cursor {
            true => choose::choose(&prompt, options, screen, &patience),
            false => choose::choose_by_number(&prompt, &options, screen, &patience),
        }
    }

    fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// Answers from standard input where it is a pipe or a file: all of it for a secret, one line for a
/// paste.
pub(super) fn answer_from_pipe(
    input: &Input<io::Stdin>,
    question: &Question,
    patience: &Patience,
) -> Result<Secret<String>, DialogError> {
    match question {
        Question::Secret(_) => input.read_all(patience),
        Question::Paste(_) => input
            .read_line(patience, &|| {})?
            .ok_or(DialogError::NobodyThere),
        // What comes from there is something else.
        Question::Passphrase(_) => Err(DialogError::NobodyThere),
    }
}

fn failed(error: &io::Error) -> DialogError {
    DialogError::Failed(error.to_string())
}

fn closed() -> DialogError {
    DialogError::Failed("the terminal was closed".to_owned())
}

fn yes_or_no(line: &str, default: bool) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "" => Some(default),
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_counts() {
        assert_eq!(yes_or_no("", true), Some(true));
        assert_eq!(yes_or_no(" ", false), Some(false));
        assert_eq!(yes_or_no("Yes", false), Some(true));
        assert_eq!(yes_or_no("n", true), Some(false));
        assert_eq!(yes_or_no("yeah", true), None);
    }
}
