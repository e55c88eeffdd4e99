//! From the bytes of a terminal in raw mode to an answer.
//!
//! Our own decoder because the event reader of `crossterm` blocks inside a paste that has not ended
//! and spins at full load once the terminal is closed: a login left alone over SSH would do both.
//! It knows text, the few keys a line without echo needs, and bracketed paste; every other sequence
//! is passed over.

use crate::model::secret::Secret;

/// Idle ticks after which a paste that never ended counts as ended, so that Ctrl-C works again.
const PASTE_PATIENCE: u8 = 20;

/// A key that means something to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Backspace,
    Clear,
    Cancel,
    Suspend,
    Quit,
    Up,
    Down,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// `ESC O`: one more byte.
    SingleShift,
    /// `ESC [` and the parameters so far.
    Sequence(Vec<u8>),
}

/// From bytes to keys.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
    utf8: Vec<u8>,
    pasting: bool,
    after_return: bool,
    idle: u8,
}

impl Decoder {
    /// The key that a byte completes.
    pub(super) fn next(&mut self, byte: u8) -> Option<Key> {
        self.idle = 0;
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte),
            State::Escape => {
                self.state = match byte {
                    b'[' => State::Sequence(Vec::new()),
                    b'O' => State::SingleShift,
                    0x1b => State::Escape,
                    _ => State::Ground,
                };
                // Ctrl-C must work whatever came before it.
                (byte == 3 && !self.pasting).then_some(Key::Cancel)
            }
            State::SingleShift => arrow(byte),
            State::Sequence(parameters) => self.sequence(parameters, byte),
        }
    }

    fn sequence(&mut self, mut parameters: Vec<u8>, byte: u8) -> Option<Key> {
        match byte {
            b'A' | b'B' if !self.pasting => return arrow(byte),
            b'~' if parameters == b"200" => self.pasting = true,
            b'~' if parameters == b"201" => self.pasting = false,
            0x20..=0x3f if parameters.len() < 32 => {
                parameters.push(byte);
                self.state = State::Sequence(parameters);
            }
            _ => {}
        }
        None
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        if byte < 0x80 {
            self.utf8.clear();
        }
        match byte {
            0x1b => {
                self.state = State::Escape;
                None
            }
            // CR LF is one line break.
            b'\n' if after_return => None,
            b'\r' | b'\n' if self.pasting => Some(Key::Char('\n')),
            b'\r' | b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Char('\t')),
            0x80.. => self.multibyte(byte),
            0x20..=0x7e => Some(Key::Char(char::from(byte))),
            _ if self.pasting => None,
            0x03 | 0x04 => Some(Key::Cancel),
            0x08 | 0x7f => Some(Key::Backspace),
            0x15 => Some(Key::Clear),
            0x1a => Some(Key::Suspend),
            0x1c => Some(Key::Quit),
            _ => None,
        }
    }

    fn multibyte(&mut self, byte: u8) -> Option<Key> {
        self.utf8.push(byte);
        let decoded = match std::str::from_utf8(&self.utf8) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() => return None,
            // Kept visible: a damaged token must be refused, not silently shortened.
            Err(_) => Some(char::REPLACEMENT_CHARACTER),
        };
        self.utf8.clear();
        decoded.map(Key::Char)
    }

    /// Whether Escape was pressed, and nothing behind it yet.
    pub(super) fn is_escaped(&self) -> bool {
        self.state == State::Escape
    }

    /// A tick without input: an Escape that stood alone is over.
    pub(super) fn idle(&mut self) {
        self.state = State::Ground;
        self.idle = self.idle.saturating_add(1);
        if self.idle >= PASTE_PATIENCE {
            self.pasting = false;
        }
    }
}

/// The arrow key whose sequence ends so.
fn arrow(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        _ => None,
    }
}

/// What an answer has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typing {
    /// More is expected.
    Open,
    /// Enter was pressed: the answer is complete unless more input follows at once, for then that
    /// Enter was a line break of a paste by a terminal that does not bracket it.
    Ending,
    /// Ctrl-C or Ctrl-D.
    Cancelled,
    /// Ctrl-Z: what was typed stays.
    Suspended,
    /// Ctrl-\.
    Quit,
}

/// An answer that is being typed or pasted. Wiped when dropped.
#[derive(Default)]
pub(super) struct Line {
    decoder: Decoder,
    text: String,
    ending: bool,
}

impl Line {
    /// Takes what came from the terminal in one piece.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Typing {
        for byte in bytes {
            let Some(key) = self.decoder.next(*byte) else {
                continue;
            };
            match key {
                Key::Cancel => return Typing::Cancelled,
                Key::Suspend => return Typing::Suspended,
                Key::Quit => return Typing::Quit,
                Key::Up | Key::Down => continue,
                _ => {}
            }
            if std::mem::take(&mut self.ending) {
                self.text.push('\n');
            }
            match key {
                Key::Char(char) => self.text.push(char),
                // Enter alone is no answer: leave the question open.
                Key::Enter => self.ending = !self.text.trim().is_empty(),
                Key::Backspace => drop(self.text.pop()),
                Key::Clear => self.clear(),
                Key::Cancel | Key::Suspend | Key::Quit | Key::Up | Key::Down => {}
            }
        }
        if self.ending {
            Typing::Ending
        } else {
            Typing::Open
        }
    }

    /// A tick without input.
    pub(super) fn idle(&mut self) {
        self.decoder.idle();
    }

    /// How many bytes there are so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The answer.
    pub(super) fn finish(mut self) -> Secret<String> {
        Secret::new(std::mem::take(&mut self.text))
    }

    fn clear(&mut self) {
        drop(Secret::new(std::mem::take(&mut self.text)));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&[u8]]) -> (Typing, String) {
        let mut line = Line::default();
        let mut typing = Typing::Open;
        for piece in pieces {
            typing = line.feed(piece);
        }
        (typing, line.finish().expose().clone())
    }

    fn ending(text: &str) -> (Typing, String) {
        (Typing::Ending, text.to_owned())
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(typed(&[b"abX\x7fc\r"]), ending("abc"));
        assert_eq!(typed(&[b"wrong\x15right\n"]), ending("right"));
        assert_eq!(typed(&["zü\x7fé".as_bytes(), b"\r"]), ending("zé"));
        assert_eq!(typed(&[b"z\xc3", b"\xa9\r"]), ending("zé"));
        assert_eq!(typed(&[b"z\xff\r"]), ending("z\u{fffd}"));
        assert_eq!(typed(&[b"a\x1b[D\x1bOA\x1b[1;5C\x1bxb\r"]), ending("ab"));
        assert_eq!(typed(&[b"\x7f\r"]).0, Typing::Open);
        assert_eq!(typed(&[b"a\x03"]).0, Typing::Cancelled);
        assert_eq!(typed(&[b"a\x04"]).0, Typing::Cancelled);
        assert_eq!(typed(&[b"a\x1b\x03"]).0, Typing::Cancelled);
        assert_eq!(typed(&[b"a\x1a"]).0, Typing::Suspended);
        assert_eq!(typed(&[b"a\x1c"]).0, Typing::Quit);
    }

    #[test]
    fn a_bracketed_paste_is_taken_whole_however_it_is_cut() {
        let bytes = b"\x1b[200~sk-\r\nant\rx\x03\ny\x1b[201~\r";
        assert_eq!(typed(&[bytes]), ending("sk-\nant\nx\ny"));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(typed(&single), ending("sk-\nant\nx\ny"));
        assert_eq!(typed(&[b"\x1b[200~sk\r"]).0, Typing::Open);
    }

    #[test]
    fn an_enter_with_more_behind_it_belongs_to_the_paste() {
        assert_eq!(typed(&[b"one\rtwo\r"]), ending("one\ntwo"));
        assert_eq!(typed(&[b"one\r\n", b"two"]).0, Typing::Open);
    }

    #[test]
    fn idle_time_ends_what_hangs() {
        let mut line = Line::default();
        line.feed(b"\x1b");
        line.idle();
        line.feed(b"a\x1b[200~b");
        for _ in 0..PASTE_PATIENCE {
            assert_eq!(line.feed(b""), Typing::Open);
            line.idle();
        }
        assert_eq!(line.feed(b"\x03"), Typing::Cancelled);
        assert_eq!(line.finish().expose(), "ab");
    }
}
