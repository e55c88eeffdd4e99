//! The whole screen of a terminal, for what redraws itself, and the way back on every path.
//!
//! A guard leaves the screen when it is dropped. A release aborts on a panic and drops nothing, so
//! the first guard also puts the way back in front of the panic hook.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::printer::{self, Printer, columns_of};
use super::raw_mode::{RawMode, before_panic};

/// The other screen, which keeps the scrollback as it is, without a cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// Between these two a terminal that knows them shows nothing half drawn.
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

static HOOK: Once = Once::new();
static ENTERED: AtomicBool = AtomicBool::new(false);

/// While it lives, standard output shows the other screen.
#[derive(Debug)]
pub(super) struct Screen {
    /// Where somebody can press a key.
    keys: Option<RawMode>,
}

impl Screen {
    /// Switches to the other screen; standard output must be a terminal. With `keys`, which needs
    /// standard input to be one, keys arrive one by one and are not shown.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn enter(keys: bool) -> io::Result<Self> {
        before_panic(&HOOK, leave);
        let keys = keys.then(|| RawMode::enter(true)).transpose()?;
        ENTERED.store(true, Ordering::SeqCst);
        printer::steer(ENTER)?;
        Ok(Self { keys })
    }

    /// Takes the screen again after this process was stopped: a shell may have used it meanwhile.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn enter_again(&self) -> io::Result<()> {
        self.keys.iter().try_for_each(RawMode::enter_again)?;
        ENTERED.store(true, Ordering::SeqCst);
        printer::steer(ENTER)
    }

    /// Gives the screen back and stops this job, as Ctrl-Z does where the terminal itself reads it.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn suspend(&self) -> io::Result<()> {
        leave();
        self.keys.iter().try_for_each(RawMode::suspend)?;
        self.enter_again()
    }

    /// Gives the screen back and ends this job, as Ctrl-\ does where the terminal itself reads it.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn quit(&self) -> io::Result<()> {
        leave();
        self.keys.iter().try_for_each(RawMode::quit)?;
        self.enter_again()
    }

    /// Draws `text` in the place of what is there, in one write; `size` is columns and rows.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn draw(&self, printer: &Printer, text: &str, size: (u16, u16)) -> io::Result<()> {
        let text = printer.as_wanted(text);
        let columns = usize::from(size.0).max(1);
        let mut frame = BEGIN.to_owned();
        let mut row = 1;
        for line in fitted(&text, columns, usize::from(size.1)) {
            let rows = rows_of(&line, columns);
            // Cleared before it is written: behind a line that ends at the last column, clearing
            // the rest would take its last character along.
            for row in (row..row + rows).rev() {
                frame.push_str(&format!("\u{1b}[{row};1H\u{1b}[K"));
            }
            frame.push_str(&line);
            row += rows;
        }
        if row <= usize::from(size.1) {
            frame.push_str(&format!("\u{1b}[{row};1H\u{1b}[J"));
        }
        frame.push_str(END);
        printer::steer(&frame)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the screen back, once.
fn leave() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // There is nowhere left to say that it failed.
        let _ = printer::steer(LEAVE);
    }
}

/// The rows that a line takes once the terminal has folded it.
fn rows_of(line: &str, columns: usize) -> usize {
    columns_of(line).div_ceil(columns).max(1)
}

/// The lines that fit. Where there are too many, the middle goes: the first lines say what is
/// looked at, and the last what needs doing.
fn fitted(text: &str, columns: usize, rows: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let heights: Vec<usize> = lines.iter().map(|line| rows_of(line, columns)).collect();
    let owned = |lines: &[&str]| -> Vec<String> { lines.iter().map(ToString::to_string).collect() };
    if heights.iter().sum::<usize>() <= rows {
        return owned(&lines);
    }
    // How many of `heights` fit into `room`.
    let taken = |heights: &mut dyn Iterator<Item = &usize>, room: usize| {
        let mut used = 0;
        heights
            .take_while(|height| {
                used += **height;
                used <= room
            })
            .count()
    };
    let room = rows.saturating_sub(1);
    let last = taken(&mut heights.iter().rev(), room / 2);
    let tail = lines.len() - last;
    let left = room - heights[tail..].iter().sum::<usize>();
    let first = taken(&mut heights[..tail].iter(), left);
    let mut shown = owned(&lines[..first]);
    shown.push(format!("… {} more lines …", tail - first));
    shown.extend(owned(&lines[tail..]));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_goes_when_there_is_no_room() {
        let text: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let shown = fitted(&text, 80, 5);
        assert_eq!(
            shown,
            [
                "line 1",
                "line 2",
                "… 16 more lines …",
                "line 19",
                "line 20"
            ]
        );
        assert_eq!(fitted(&text, 80, 20).len(), 20);
        // A folded line takes its rows, and no size of a window is too small.
        assert_eq!(
            fitted("aaaa\nbbbb\ncccc\n", 2, 5),
            ["aaaa", "… 1 more lines …", "cccc"]
        );
        assert_eq!(fitted("aaaa\nbbbb\n", 2, 1), ["… 2 more lines …"]);
        assert_eq!(fitted("aaaa\nbbbb\n", 2, 0), ["… 2 more lines …"]);
    }

    #[test]
    fn colors_take_no_room_and_wide_characters_two_columns() {
        assert_eq!(rows_of("\u{1b}[31mabcd\u{1b}[0m", 4), 1);
        assert_eq!(rows_of("日本語", 4), 2);
        assert_eq!(rows_of("", 4), 1);
    }
}
