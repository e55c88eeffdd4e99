//! The one place that writes to standard output and standard error.
//!
//! Two invariants: a reader that went away (`openclaw ... | head -1`) ends the output quietly,
//! while every other failure to write an answer (a full disk) is reported; and colors go only where
//! they are wanted (`--color`, `NO_COLOR`, `TERM`, pipes).

use std::convert::Infallible;
use std::io::{self, BufWriter, Stdout, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::model::text::has_control;

/// When to use colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that supports it, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always, even in a pipe.
    Always,
    /// Never.
    Never,
}

impl From<Color> for clap::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is as it should be.
    Ok,
    /// Something deserves a look.
    Warn,
    /// Something failed.
    Error,
    /// Less important than what stands around it.
    Dim,
    /// More important than what stands around it.
    Bold,
    /// Drawn white on black, whatever the colors of the terminal: a camera has to read it.
    Qr,
}

impl Tone {
    /// The number of tones.
    const ALL: usize = Tone::Qr as usize + 1;

    /// `text` in this tone. The [`Printer`] takes the colors out again where none are wanted.
    pub fn paint(self, text: &str) -> String {
        let (start, end) = self.codes();
        [start, text, end].concat()
    }

    /// What stands around a text in this tone; made once, for there may be thousands.
    pub(super) fn codes(self) -> (&'static str, &'static str) {
        static CODES: [OnceLock<[String; 2]>; Tone::ALL] = [const { OnceLock::new() }; Tone::ALL];
        let codes = CODES[self as usize].get_or_init(|| {
            let style = self.style();
            [style.render().to_string(), style.render_reset().to_string()]
        });
        (&codes[0], &codes[1])
    }

    fn style(self) -> Style {
        match self {
            Tone::Ok => AnsiColor::Green.on_default(),
            // Yellow cannot be read on white.
            Tone::Warn => AnsiColor::Magenta.on_default(),
            Tone::Error => AnsiColor::Red.on_default().bold(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Bold => Style::new().bold(),
            Tone::Qr => AnsiColor::BrightWhite.on(AnsiColor::Black),
        }
    }
}

/// Writes answers to standard output, and everything else to standard error.
#[derive(Debug)]
pub struct Printer {
    color: ColorChoice,
    stdout_closed: AtomicBool,
    lost: OnceLock<io::Error>,
}

impl Printer {
    /// A printer that uses colors as `color` says.
    pub fn new(color: Color) -> Self {
        let color = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            color,
            stdout_closed: AtomicBool::new(false),
            lost: OnceLock::new(),
        }
    }

    /// Writes `text` to standard output and flushes it. Does nothing once the reader went away;
    /// [`Printer::stdout_closed`] tells.
    ///
    /// # Errors
    /// If the text could not be written for any other reason than a reader that went away.
    pub fn out(&self, text: &str) -> io::Result<()> {
        self.write_answer(|stdout| write_to(stdout, self.color, text))
    }

    /// Like [`Printer::out`], byte for byte, whatever the color choice: for programs.
    ///
    /// # Errors
    /// As [`Printer::out`].
    pub fn out_verbatim(&self, text: &str) -> io::Result<()> {
        self.write_answer(|mut stdout| {
            stdout.write_all(text.as_bytes())?;
            stdout.flush()
        })
    }

    /// Like [`Printer::out_verbatim`] for a long text, which `write` writes piece by piece.
    ///
    /// # Errors
    /// As [`Printer::out`].
    pub fn out_streamed(
        &self,
        write: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.write_answer(|stdout| {
            let mut stream = BufWriter::with_capacity(PIECE, stdout);
            write(&mut stream)?;
            stream.flush()
        })
    }

    fn write_answer(&self, write: impl FnOnce(Stdout) -> io::Result<()>) -> io::Result<()> {
        if self.stdout_closed() {
            return Ok(());
        }
        let open = settle(write(io::stdout()))?;
        if !open {
            self.stdout_closed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Like [`Printer::out_verbatim`], and ends the line.
    ///
    /// # Errors
    /// As [`Printer::out`].
    pub fn line_out(&self, line: &str) -> io::Result<()> {
        self.out_verbatim(&format!("{line}\n"))
    }

    /// Remembers that a line of standard output was lost while there was more to do.
    pub fn note_lost(&self, error: io::Error) {
        // The first says why.
        let _ = self.lost.set(error);
    }

    /// Why something of standard output was lost, if that happened.
    pub fn lost(&self) -> Option<&io::Error> {
        self.lost.get()
    }

    /// Writes `text` to standard error. A failure is passed over: there is nowhere left to say it.
    pub fn err(&self, text: &str) {
        let _ = write_to(io::stderr(), self.color, text);
    }

    /// Like [`Printer::err`], and ends the line.
    pub fn line_err(&self, line: &str) {
        self.err(&format!("{line}\n"));
    }

    /// Whether colors were asked for by name, and not only not forbidden.
    pub fn must_color(&self) -> bool {
        matches!(self.color, ColorChoice::Always)
    }

    /// Whether standard error shows colors, for a prompt that draws itself.
    pub fn colors_prompts(&self) -> bool {
        let stream = AutoStream::new(io::stderr(), self.color);
        stream.current_choice() != ColorChoice::Never
    }

    /// `text` as standard output shows it: with its colors, or without them.
    pub(super) fn as_wanted(&self, text: &str) -> String {
        let stdout = AutoStream::new(io::stdout(), self.color);
        match stdout.current_choice() {
            ColorChoice::Never => plain(text),
            _ => text.to_owned(),
        }
    }

    /// Whether the reader of standard output has gone: the rest of the answer is wanted by nobody.
    pub fn stdout_closed(&self) -> bool {
        self.stdout_closed.load(Ordering::Relaxed)
    }
}

/// Sends a control sequence to the terminal that standard error is; whatever the color choice, for
/// it steers the terminal and does not decorate. Used from a panic hook, so it cannot fail.
pub(super) fn control(sequence: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(sequence.as_bytes());
    let _ = stderr.flush();
}

/// How many columns a text takes, whatever it is painted with.
pub(super) fn columns_of(text: &str) -> usize {
    strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// Sends a text with control sequences to the terminal that standard output is, in one write and
/// whatever the color choice.
///
/// # Errors
/// If the terminal is gone.
pub(super) fn steer(frame: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(frame.as_bytes())?;
    stdout.flush()
}

/// The most that is written at once.
const PIECE: usize = 64 * 1024;

/// In one write, so that lines of several threads do not mix, and flushed, so that a full disk is
/// noticed here and not after `main`.
fn write_to<S>(stream: S, color: ColorChoice, text: &str) -> io::Result<()>
where
    S: anstream::stream::RawStream,
    AutoStream<S>: Write,
{
    let mut stream = AutoStream::new(stream, color);
    if stream.current_choice() == ColorChoice::Never {
        // Given to this stream, each stretch of text between two colors would be a write of its own.
        let mut stream = BufWriter::with_capacity(text.len().min(PIECE), stream.into_inner());
        strip(text, |text| stream.write_all(text.as_bytes()))?;
        return stream.flush();
    }
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// `text` without its colors.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let stripped = strip(text, |text| {
        plain.push_str(text);
        Ok::<_, Infallible>(())
    });
    match stripped {
        Ok(()) => plain,
    }
}

/// Gives what `text` is without its colors to `add`. In most lines of a long one there are no others
/// than ours.
fn strip<E>(text: &str, mut add: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((plain, behind)) = split_at_color(rest) {
            add(plain)?;
            rest = behind;
        }
        match has_control(rest.trim_end_matches('\n')) {
            true => strip_str(rest).try_for_each(&mut add)?,
            false => add(rest)?,
        }
    }
    Ok(())
}

/// What every control sequence of a terminal begins with (ECMA-48, ESC).
const ESCAPE: u8 = 0x1b;

/// Returns what stands before and behind the first color (ECMA-48, SGR), if there is no other control
/// character before it.
fn split_at_color(text: &str) -> Option<(&str, &str)> {
    let (plain, escape) = text.split_at(memchr::memchr(ESCAPE, text.as_bytes())?);
    let (parameters, behind) = escape[1..].strip_prefix('[')?.split_once('m')?;
    let is_color = |byte: u8| byte.is_ascii_digit() || byte == b';';
    (parameters.bytes().all(is_color) && !has_control(plain)).then_some((plain, behind))
}

/// `false` if the reader went away.
fn settle(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        assert!(settle(Ok(())).unwrap());
        assert!(!settle(Err(io::ErrorKind::BrokenPipe.into())).unwrap());
        assert!(settle(Err(io::ErrorKind::StorageFull.into())).is_err());
    }

    #[test]
    fn colors_are_taken_out_where_none_are_wanted() {
        let painted = Tone::Error.paint("no");
        let written = |color| {
            let mut stream = AutoStream::new(Vec::new(), color);
            stream.write_all(painted.as_bytes()).unwrap();
            String::from_utf8(stream.into_inner()).unwrap()
        };
        assert_eq!(written(ColorChoice::Never), "no");
        assert_eq!(written(ColorChoice::Auto), "no");
        assert_eq!(written(ColorChoice::Always), painted);
        assert!(painted.contains('\u{1b}'));
        let lines = format!("a\n{painted}\tb\u{7}\n\nä{painted}");
        assert_eq!(plain(&lines), strip_str(&lines).to_string());
        assert_eq!(plain(&lines), "a\nno\tb\n\näno");
    }
}
