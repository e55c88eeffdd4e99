//! One of several, chosen at a terminal: by arrow keys or a part of a name, and by its number where
//! the terminal cannot move its cursor.

use std::io;

use super::input::{Chunk, Input, Patience, TICK};
use super::line_editor::{Decoder, Key};
use super::printer::{self, Printer, Tone};
use super::raw_mode::{self, RawMode};
use crate::model::secret::Secret;
use crate::ports::dialog::DialogError;

/// Options that are shown at once.
const PAGE: usize = 10;
/// Fewer than this need no search.
const MANY: usize = 6;

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pressed {
    Nothing,
    Moved,
    Chosen(usize),
    Cancelled,
    Suspended,
    Quit,
}

/// The options, which of them match, and where the mark stands.
struct Menu {
    prompt: String,
    options: Vec<String>,
    /// What was typed: a part of a name.
    part: String,
    /// Its place among those that match.
    mark: usize,
}

impl Menu {
    fn new(prompt: String, options: Vec<String>) -> Self {
        Self {
            prompt,
            options,
            part: String::new(),
            mark: 0,
        }
    }

    fn is_searched(&self) -> bool {
        self.options.len() >= MANY
    }

    /// The places of the options that match.
    fn matches(&self) -> Vec<usize> {
        let part = self.part.to_lowercase();
        let options = self.options.iter().enumerate();
        let matching = options.filter(|(_, option)| option.to_lowercase().contains(&part));
        matching.map(|(place, _)| place).collect()
    }

    fn press(&mut self, key: Key) -> Pressed {
        let matches = self.matches();
        let last = matches.len().saturating_sub(1);
        match key {
            Key::Up => self.mark = self.mark.checked_sub(1).unwrap_or(last),
            Key::Down => self.mark = if self.mark < last { self.mark + 1 } else { 0 },
            Key::Char(c) if self.is_searched() && !c.is_control() => self.search(|it| it.push(c)),
            Key::Backspace => self.search(|it| {
                it.pop();
            }),
            Key::Clear => self.search(String::clear),
            Key::Enter => {
                return matches
                    .get(self.mark)
                    .map_or(Pressed::Nothing, |&it| Pressed::Chosen(it));
            }
            Key::Cancel => return Pressed::Cancelled,
            Key::Suspend => return Pressed::Suspended,
            Key::Quit => return Pressed::Quit,
            Key::Char(_) => return Pressed::Nothing,
        }
        Pressed::Moved
    }

    fn search(&mut self, change: impl FnOnce(&mut String)) {
        change(&mut self.part);
        self.mark = 0;
    }

    /// The lines of a screen of that size, each cut to it.
    fn lines(&self, (columns, rows): (u16, u16)) -> Vec<String> {
        let room = usize::from(columns).saturating_sub(1);
        let page = PAGE.min(usize::from(rows).saturating_sub(3)).max(1);
        let matches = self.matches();
        let first = self.mark.saturating_sub(page - 1);
        let mut lines =
            vec![Tone::Bold.paint(&cut(&format!("{} {}", self.prompt, self.part), room))];
        let shown = matches.iter().enumerate().skip(first).take(page);
        lines.extend(shown.map(|(place, &option)| {
            let option = &self.options[option];
            match place == self.mark {
                true => Tone::Ok.paint(&cut(&format!("> {option}"), room)),
                false => cut(&format!("  {option}"), room),
            }
        }));
        if matches.is_empty() {
            lines.push("  (nothing matches)".to_owned());
        }
        let help = match self.is_searched() {
            true => "arrows to move, type to search, Enter to select",
            false => "arrows to move, Enter to select",
        };
        lines.push(Tone::Dim.paint(&cut(&format!("[{help}]"), room)));
        lines
    }
}

fn cut(line: &str, room: usize) -> String {
    let mut line = line.to_owned();
    while printer::columns_of(&line) > room {
        line.pop();
    }
    line
}

/// Asks, and returns the index of the option that was chosen. The terminal is given back on every
/// way out, with the question and its answer on one line.
pub(super) fn choose(
    prompt: &str,
    options: Vec<String>,
    (input, printer): (&Input<io::Stdin>, &Printer),
    patience: &Patience,
) -> Result<usize, DialogError> {
    let failed = |error: io::Error| DialogError::Failed(error.to_string());
    let raw = RawMode::enter(true).map_err(failed)?;
    let mut menu = Menu::new(format!("{prompt}:"), options);
    let mut drawn = Drawn { printer, lines: 0 };
    drawn.show(&menu);
    let mut decoder = Decoder::default();
    loop {
        if patience.interrupt.was_continued() {
            raw.enter_again().map_err(failed)?;
            drawn.forget();
            drawn.show(&menu);
        }
        let keys = match input.wait(TICK)? {
            Chunk::Data(data) => Secret::new(data),
            Chunk::Idle if decoder.is_escaped() => return Err(DialogError::Cancelled),
            Chunk::Idle => {
                decoder.idle();
                patience.check()?;
                continue;
            }
            Chunk::End => {
                return Err(DialogError::Failed("the terminal was closed".to_owned()));
            }
        };
        for key in keys.expose().iter().filter_map(|byte| decoder.next(*byte)) {
            match menu.press(key) {
                Pressed::Nothing => continue,
                Pressed::Moved => {}
                Pressed::Cancelled => return Err(DialogError::Cancelled),
                Pressed::Suspended => {
                    drawn.clear();
                    raw.suspend().map_err(failed)?;
                    // Drawn below.
                    patience.interrupt.was_continued();
                }
                Pressed::Quit => {
                    drawn.clear();
                    raw.quit().map_err(failed)?;
                }
                Pressed::Chosen(index) => {
                    drawn.clear();
                    printer.err(&format!("{} {}\r\n", menu.prompt, menu.options[index]));
                    return Ok(index);
                }
            }
            drawn.show(&menu);
        }
    }
}

/// What stands on the screen, taken away when it is dropped.
struct Drawn<'a> {
    printer: &'a Printer,
    lines: usize,
}

impl Drawn<'_> {
    fn show(&mut self, menu: &Menu) {
        self.clear();
        let lines = menu.lines(raw_mode::screen_size());
        self.lines = lines.len();
        // Raw mode does not return the carriage at a line feed.
        self.printer.err(&lines.join("\r\n"));
    }

    /// The cursor stands on its last line, or on one of a shell's below it.
    fn forget(&mut self) {
        self.lines = self.lines.min(1);
    }

    fn clear(&mut self) {
        match std::mem::take(&mut self.lines) {
            0 => {}
            1 => printer::control("\r\u{1b}[J"),
            many => printer::control(&format!("\r\u{1b}[{}A\u{1b}[J", many - 1)),
        }
    }
}

impl Drop for Drawn<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Asks for a number, with the terminal's own line editing.
pub(super) fn choose_by_number(
    prompt: &str,
    options: &[String],
    (input, printer): (&Input<io::Stdin>, &Printer),
    patience: &Patience,
) -> Result<usize, DialogError> {
    for (number, option) in (1..).zip(options) {
        printer.line_err(&format!("{number:>3}) {option}"));
    }
    loop {
        let question = format!("{prompt} (1-{}): ", options.len());
        printer.err(&question);
        let again = || printer.err(&format!("\r{question}"));
        let line = input.read_line(patience, &again)?;
        let line = line.ok_or(DialogError::Cancelled)?;
        match line.expose().trim().parse::<usize>() {
            Ok(number) if (1..=options.len()).contains(&number) => return Ok(number - 1),
            _ => printer.line_err("Enter one of the numbers."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(count: usize) -> Menu {
        let options = (0..count).map(|number| format!("Option {number}"));
        Menu::new("Which?".to_owned(), options.collect())
    }

    #[test]
    fn arrows_go_around_and_enter_takes_the_marked_one() {
        let mut menu = menu(3);
        assert_eq!(menu.press(Key::Up), Pressed::Moved);
        assert_eq!(menu.press(Key::Enter), Pressed::Chosen(2));
        menu.press(Key::Down);
        menu.press(Key::Down);
        assert_eq!(menu.press(Key::Enter), Pressed::Chosen(1));
        assert_eq!(
            menu.press(Key::Char('x')),
            Pressed::Nothing,
            "too few to search"
        );
        assert_eq!(menu.press(Key::Suspend), Pressed::Suspended);
        assert_eq!(menu.press(Key::Quit), Pressed::Quit);
        assert_eq!(menu.press(Key::Cancel), Pressed::Cancelled);
    }

    #[test]
    fn a_part_of_a_name_leaves_those_that_contain_it() {
        let mut menu = menu(12);
        for c in "ION 1".chars() {
            menu.press(Key::Char(c));
        }
        assert_eq!(menu.matches(), [1, 10, 11]);
        menu.press(Key::Down);
        assert_eq!(menu.press(Key::Enter), Pressed::Chosen(10));
        menu.press(Key::Char('x'));
        assert_eq!(menu.press(Key::Enter), Pressed::Nothing);
        menu.press(Key::Clear);
        assert_eq!(menu.matches().len(), 12);
    }

    #[test]
    fn the_mark_stays_in_sight_and_no_line_is_wider_than_the_screen() {
        let mut menu = menu(40);
        for _ in 0..20 {
            menu.press(Key::Down);
        }
        for size in [(80, 24), (12, 5), (4, 1)] {
            let lines = menu.lines(size);
            let marked = lines.iter().filter(|line| line.contains('>'));
            assert_eq!(marked.count(), 1, "{lines:?}");
            assert!(
                lines
                    .iter()
                    .all(|line| printer::columns_of(line) < size.0.into())
            );
        }
        assert_eq!(menu.lines((80, 24)).len(), PAGE + 2);
    }
}
