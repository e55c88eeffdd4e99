//! Text that is set for a width: lines break between words, and nothing that is to be copied, a
//! command, a path, the name of a profile, is ever broken or cut.
//!
//! What is longer than a line stands on one of its own; the terminal folds it, and gives it back
//! whole to whoever selects it.

use unicode_width::UnicodeWidthStr;

use super::clean;
use crate::cli::hint::Renderer;
use crate::cli::printer::{Tone, columns_of};
use crate::model::hint::{Hint, Part};

/// Where a line that is longer than the terminal begins.
const NEAR_LEFT: usize = 2;

/// A text that grows line by line.
#[derive(Default)]
pub(in crate::cli) struct Sheet {
    /// Columns; `None` where lines may be as long as they like.
    width: Option<usize>,
    text: String,
}

/// Words that follow each other.
#[derive(Default)]
pub(super) struct Words {
    /// All of them, one behind the other.
    text: String,
    /// Where in it each ends, and how it is meant.
    ends: Vec<(usize, Option<Tone>)>,
}

impl Words {
    /// A sentence, which may be broken between its words.
    pub(super) fn say(mut self, text: &str) -> Self {
        self.push(text.split_whitespace(), None);
        self
    }

    /// The same in a tone.
    pub(super) fn toned(mut self, tone: Tone, text: &str) -> Self {
        self.push(text.split_whitespace(), Some(tone));
        self
    }

    /// What is never broken, though it may hold spaces.
    pub(super) fn whole(mut self, text: &str) -> Self {
        self.push([text], None);
        self
    }

    /// Advice, whose commands are never broken, nor torn from what touches them.
    pub(super) fn advise(mut self, hint: &Hint, hints: &Renderer) -> Self {
        let mut word = String::new();
        for part in &hint.parts {
            match part {
                Part::Command(command) => word.push_str(&clean(&hints.command(command))),
                Part::Text(text) => {
                    let text = clean(text);
                    let mut pieces = text.split(char::is_whitespace);
                    word.push_str(pieces.next().unwrap_or_default());
                    for piece in pieces {
                        let whole = std::mem::replace(&mut word, piece.to_owned());
                        self.push((!whole.is_empty()).then_some(whole.as_str()), None);
                    }
                }
            }
        }
        self.push((!word.is_empty()).then_some(word.as_str()), None);
        self
    }

    fn push<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>, tone: Option<Tone>) {
        for text in texts {
            self.text.push_str(text);
            self.ends.push((self.text.len(), tone));
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Option<Tone>)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, tone)| {
            let word = &self.text[start..*end];
            start = *end;
            (word, *tone)
        })
    }
}

impl Sheet {
    /// An empty one, so many columns wide.
    pub(super) fn new(width: Option<usize>) -> Self {
        Self {
            width,
            text: String::new(),
        }
    }

    /// Whether there is room for columns beside each other.
    pub(super) fn is_wide(&self) -> bool {
        self.width.is_none_or(|width| width >= 60)
    }

    /// The columns, if there is a limit.
    pub(super) fn width(&self) -> Option<usize> {
        self.width
    }

    /// The columns, or as many as anybody needs.
    pub(super) fn columns(&self) -> usize {
        self.width.unwrap_or(160)
    }

    /// Whether somebody reads it line by line as it stands, and not a program.
    pub(super) fn is_read_at_once(&self) -> bool {
        self.width.is_some()
    }

    /// A line as it is.
    pub(in crate::cli) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Lines as they are.
    pub(super) fn lines(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    /// A line as it is if it fits, else broken between its words; a URL has none.
    pub(super) fn prose(&mut self, line: &str) {
        match self.fits(line) {
            true => self.line(line),
            false => self.flow("", 0, 0, &Words::default().say(line)),
        }
    }

    /// Advice behind `start`, likewise; as it is where it has line breaks of its own.
    pub(super) fn advice(&mut self, start: &str, hint: &Hint, hints: &Renderer) {
        let text = format!("{start}{}", clean(&hints.text(hint)));
        if self.fits(&text) || text.contains('\n') {
            return text.lines().for_each(|line| self.prose(line));
        }
        let used = columns_of(start);
        self.flow(start, used, 0, &Words::default().advise(hint, hints));
    }

    fn fits(&self, line: &str) -> bool {
        self.width.is_none_or(|width| columns_of(line) <= width)
    }

    /// Words behind a name, going on below themselves where they are too long for one line.
    pub(super) fn field(&mut self, name: &str, indent: usize, words: &str) {
        let words = words.split_whitespace().map(|word| (word, None));
        self.set(&padded(name, indent), indent, indent, words);
    }

    /// Words behind `start`, which is `used` columns wide; what follows the first line stands
    /// `hang` columns to the right.
    pub(super) fn flow(&mut self, start: &str, used: usize, hang: usize, words: &Words) {
        self.set(start, used, hang, words.iter());
    }

    fn set<'a>(
        &mut self,
        start: &str,
        used: usize,
        hang: usize,
        words: impl Iterator<Item = (&'a str, Option<Tone>)>,
    ) {
        let mut line = Line::starting(&mut self.text, start);
        let mut used = used;
        let mut is_first = true;
        for (word, tone) in words {
            let wide = width(word);
            let gap = usize::from(!is_first);
            let width = self.width;
            let is_over = |from: usize| width.is_some_and(|width| from + wide > width);
            if !is_first && is_over(used + gap) {
                used = if is_over(hang) {
                    NEAR_LEFT.min(hang)
                } else {
                    hang
                };
                line.end();
                line = Line::starting(&mut self.text, "");
                line.text.extend(std::iter::repeat_n(' ', used));
            } else {
                line.blank = !is_first;
                used += gap;
            }
            line.add(word, tone);
            used += wide;
            is_first = false;
        }
        line.end();
    }

    /// The text.
    pub(in crate::cli) fn into_text(self) -> String {
        self.text
    }
}

/// A line that grows at the end of a text, in which there may be thousands; what follows each other in
/// one tone is painted at once.
struct Line<'a> {
    text: &'a mut String,
    /// Where in the text it begins.
    start: usize,
    tone: Option<Tone>,
    /// Whether a blank goes before the next word.
    blank: bool,
}

impl<'a> Line<'a> {
    fn starting(text: &'a mut String, start: &str) -> Self {
        let line = Self {
            start: text.len(),
            text,
            tone: None,
            blank: false,
        };
        line.text.push_str(start);
        line
    }

    fn add(&mut self, word: &str, tone: Option<Tone>) {
        let is_new = tone != self.tone;
        if is_new {
            self.stop_painting();
        }
        if std::mem::take(&mut self.blank) {
            self.text.push(' ');
        }
        if let Some(tone) = tone.filter(|_| is_new) {
            self.text.push_str(tone.codes().0);
        }
        self.tone = tone;
        self.text.push_str(word);
    }

    fn stop_painting(&mut self) {
        if let Some(tone) = self.tone.take() {
            self.text.push_str(tone.codes().1);
        }
    }

    fn end(mut self) {
        self.stop_painting();
        let length = self.text[self.start..].trim_end().len();
        self.text.truncate(self.start + length);
        self.text.push('\n');
    }
}

/// `text` with blanks behind it up to `columns`.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let mut padded = String::with_capacity(text.len() + columns);
    pad(&mut padded, text, columns);
    padded
}

/// Adds `text` with blanks behind it up to `columns`.
pub(super) fn pad(to: &mut String, text: &str, columns: usize) {
    const BLANKS: &str = "                                ";
    to.push_str(text);
    let mut left = columns.saturating_sub(width(text));
    while left > 0 {
        let some = left.min(BLANKS.len());
        to.push_str(&BLANKS[..some]);
        left -= some;
    }
}

/// How many columns a text takes that is not painted.
pub(super) fn width(text: &str) -> usize {
    // Nearly all is ASCII, and a large store has thousands of lines.
    match text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => text.len(),
        false => text.width(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hint::Command;

    fn set(width: usize, words: &Words) -> String {
        let mut sheet = Sheet::new(Some(width));
        sheet.flow("> ", 2, 4, words);
        sheet.into_text()
    }

    #[test]
    fn lines_break_between_words_and_never_in_a_command() {
        let words = || {
            Words::default()
                .say("one two three")
                .whole("a command of four words")
        };
        assert_eq!(
            set(80, &words()),
            "> one two three a command of four words\n"
        );
        assert_eq!(
            set(30, &words()),
            "> one two three\n    a command of four words\n"
        );
        // Too long for its place, and then too long for any.
        let near_left = "> one two\n    three\n  a command of four words\n";
        assert_eq!(set(9, &words()), near_left);
    }

    #[test]
    fn advice_breaks_between_its_words_and_never_in_a_command() {
        let hint = Hint::from("see `")
            .run(Command::new("models auth list"))
            .then("`, if at all");
        let told = |width| {
            let mut sheet = Sheet::new(width);
            sheet.advice("Note: ", &hint, &Renderer::default());
            sheet.into_text()
        };
        let line = "Note: see `openclaw models auth list`, if at all\n";
        assert_eq!(told(None), line);
        assert_eq!(told(Some(80)), line);
        let broken = "Note: see\n`openclaw models auth list`,\nif at all\n";
        assert_eq!(told(Some(29)), broken);
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        let words = || Words::default().say("日本 語");
        assert_eq!(set(9, &words()), "> 日本 語\n");
        assert_eq!(set(8, &words()), "> 日本\n    語\n");
        assert_eq!(padded("日本", 6), "日本  ");
    }
}
