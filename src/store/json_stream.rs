//! JSON text that is read through one small buffer: skipped, and kept only where somebody says so.
//!
//! It takes nothing that `serde_json` would not take (RFC 8259, strings of any bytes), and says of
//! all else no more than that it is [`Odd`](Stop::Odd). Whoever wants to know where the fault lies has
//! the whole text read by `raw_json`, so there is one place that describes faults.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::secret::{self, Wipe as _};
use crate::model::text::{has_json_control, is_graphic};
use crate::ports::files::{FileError, Pieces};

/// The most that is held of a text at once, apart from what is kept.
const BUFFER: usize = 64 * 1024;

/// As many bytes of a string are looked at one by one.
const SHORT: usize = 16;

/// As many bytes tell how a text is encoded.
const HEAD: usize = 3;

/// Why a text was not read to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot be read.
    File(Box<FileError>),
    /// It is something that is left to the reader of whole texts.
    Odd,
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        Self::File(Box::new(error))
    }
}

/// A text, and the place in it that has been reached. Its buffers hold secrets, so they are wiped.
pub(super) struct Stream {
    pieces: Box<dyn Pieces>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Where in the buffer begins what is kept.
    kept: Option<usize>,
    /// What was kept, and is not in the buffer any more.
    spilled: Vec<u8>,
    /// The brackets that are open within a value; as in `serde_json`, their number has no limit.
    open: Vec<u8>,
    /// Whether the last string is of graphic characters alone, none of which is escaped.
    is_graphic: bool,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.buffer.wipe();
        self.spilled.wipe();
    }
}

impl Stream {
    /// Begins a text. Sizes the buffer so that a small file is read in one piece.
    pub(super) fn new(pieces: Box<dyn Pieces>) -> Self {
        let size = usize::try_from(pieces.size()).unwrap_or(usize::MAX);
        Self {
            pieces,
            buffer: vec![0; size.clamp(HEAD, BUFFER)],
            at: 0,
            end: 0,
            kept: None,
            spilled: Vec::new(),
            open: Vec::new(),
            is_graphic: false,
        }
    }

    /// The first three bytes of the text, none of which is taken; fewer if it is shorter.
    pub(super) fn head(&mut self) -> Result<&[u8], Stop> {
        while self.end < HEAD {
            match self.pieces.read(&mut self.buffer[self.end..])? {
                0 => break,
                more => self.end += more,
            }
        }
        Ok(&self.buffer[..self.end.min(HEAD)])
    }

    /// Takes as many bytes.
    pub(super) fn take(&mut self, count: usize) {
        self.at += count;
    }

    /// The next byte that is no white space, which is not taken; `None` at the end.
    #[inline(always)]
    pub(super) fn peek_token(&mut self) -> Result<Option<u8>, Stop> {
        // Most stand right here.
        match self.buffer[..self.end].get(self.at) {
            Some(byte) if *byte > b' ' => Ok(Some(*byte)),
            _ => self.skip_blanks(),
        }
    }

    fn skip_blanks(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            for byte in &self.buffer[self.at..self.end] {
                if !is_blank(*byte) {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            self.read_on()?;
            if self.end == 0 {
                return Ok(None);
            }
        }
    }

    /// The next byte that is no white space, which is taken.
    pub(super) fn token(&mut self) -> Result<u8, Stop> {
        let token = self.peek_token()?.ok_or(Stop::Odd)?;
        self.at += 1;
        Ok(token)
    }

    /// Takes this byte, white space before it aside.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        match self.token()? == byte {
            true => Ok(()),
            false => Err(Stop::Odd),
        }
    }

    /// Takes a string, and returns what it says.
    pub(super) fn text(&mut self) -> Result<Cow<'_, str>, Stop> {
        self.keep()?;
        self.skip_text()?;
        let quoted = self.kept();
        match quoted.contains('\\') {
            // A lone surrogate makes it none.
            true => serde_json::from_str(&quoted).map_err(|_| Stop::Odd),
            false => Ok(match quoted {
                Cow::Borrowed(quoted) => Cow::Borrowed(&quoted[1..quoted.len() - 1]),
                Cow::Owned(quoted) => Cow::Owned(quoted[1..quoted.len() - 1].to_owned()),
            }),
        }
    }

    /// Whether the last string that was taken is of graphic characters alone, none of which is escaped:
    /// to look at each of them again is what a large document takes its time for.
    pub(super) fn took_graphic_text(&self) -> bool {
        self.is_graphic
    }

    /// Takes a string.
    pub(super) fn skip_text(&mut self) -> Result<(), Stop> {
        self.expect(b'"')?;
        self.string()
    }

    /// Keeps what is taken from the next byte on that is no white space.
    pub(super) fn keep(&mut self) -> Result<(), Stop> {
        self.peek_token()?;
        self.kept = Some(self.at);
        self.spilled.clear();
        Ok(())
    }

    /// What was kept, which ends here; a byte that is no UTF-8 is replaced.
    pub(super) fn kept(&mut self) -> Cow<'_, str> {
        let kept = self.kept.take().unwrap_or(self.at);
        let kept = &self.buffer[kept..self.at];
        if self.spilled.is_empty() {
            return decode(kept);
        }
        secret::extend(&mut self.spilled, kept);
        decode(&self.spilled)
    }

    /// Where in what is kept the part lies that `take` takes, white space before it aside.
    pub(super) fn span(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<Range<usize>, Stop> {
        self.peek_token()?;
        let start = self.kept_length();
        take(self)?;
        Ok(start..self.kept_length())
    }

    fn kept_length(&self) -> usize {
        self.spilled.len() + self.at - self.kept.unwrap_or(self.at)
    }

    /// Takes a value.
    pub(super) fn skip_value(&mut self) -> Result<(), Stop> {
        self.open.clear();
        loop {
            match self.token()? {
                b'{' if self.peek_token()? != Some(b'}') => {
                    self.open.push(b'}');
                    self.skip_name()?;
                    continue;
                }
                b'[' if self.peek_token()? != Some(b']') => {
                    self.open.push(b']');
                    continue;
                }
                b'{' | b'[' => self.at += 1,
                b'"' => self.string()?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                _ => return Err(Stop::Odd),
            }
            loop {
                let Some(&close) = self.open.last() else {
                    return Ok(());
                };
                match self.token()? {
                    b',' if close == b'}' => {
                        self.skip_name()?;
                        break;
                    }
                    b',' => break,
                    other if other == close => _ = self.open.pop(),
                    _ => return Err(Stop::Odd),
                }
            }
        }
    }

    /// Ends the reading. It is odd if anything but white space follows, or if somebody wrote to the
    /// file meanwhile: what was read may be of two documents.
    pub(super) fn finish(mut self) -> Result<(), Stop> {
        match self.peek_token()? {
            None if self.pieces.is_unchanged()? => Ok(()),
            _ => Err(Stop::Odd),
        }
    }

    #[inline(always)]
    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if self.at == self.end {
            self.read_on()?;
            if self.end == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.at]))
    }

    /// Reads the next piece, now that the whole of this one is taken.
    #[cold]
    fn read_on(&mut self) -> Result<(), Stop> {
        if let Some(kept) = &mut self.kept {
            secret::extend(&mut self.spilled, &self.buffer[*kept..self.end]);
            *kept = 0;
        }
        (self.at, self.end) = (0, 0);
        self.end = self.pieces.read(&mut self.buffer)?;
        Ok(())
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let next = self.peek()?.ok_or(Stop::Odd)?;
        self.at += 1;
        Ok(next)
    }

    fn skip_name(&mut self) -> Result<(), Stop> {
        self.skip_text()?;
        self.expect(b':')
    }

    fn word(&mut self, rest: &[u8]) -> Result<(), Stop> {
        for byte in rest {
            if self.next()? != *byte {
                return Err(Stop::Odd);
            }
        }
        Ok(())
    }

    /// Takes what follows the opening quote, the closing one included.
    fn string(&mut self) -> Result<(), Stop> {
        self.is_graphic = true;
        loop {
            let rest = &self.buffer[self.at..self.end];
            // Most strings are names, which are sooner looked at byte by byte.
            let near = rest.iter().take(SHORT);
            let mut end = near.take_while(|byte| is_plain(**byte)).count();
            if rest.get(end) != Some(&b'"') {
                // Most of a large document is in long ones. Their ends are looked for by `memchr`, and
                // control characters, which are in no JSON, by the block.
                let far = &rest[end..];
                let far = &far[..memchr::memchr2(b'"', b'\\', far).unwrap_or(far.len())];
                if !is_graphic(far) {
                    self.is_graphic = false;
                    if has_json_control(far) {
                        return Err(Stop::Odd);
                    }
                }
                end += far.len();
            }
            self.at += end;
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => {
                    self.is_graphic = false;
                    self.escape()?;
                }
                ..0x20 => return Err(Stop::Odd),
                // The first of the next piece, which is looked at with it.
                _ => self.at -= 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Stop> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.next()?.is_ascii_hexdigit() {
                true => Ok(()),
                false => Err(Stop::Odd),
            }),
            _ => Err(Stop::Odd),
        }
    }

    /// Takes what follows the first character of a number.
    fn number(&mut self, first: u8) -> Result<(), Stop> {
        let first = match first {
            b'-' => self.next()?,
            first => first,
        };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits()?,
            _ => return Err(Stop::Odd),
        }
        if self.peek()? == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek()? {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek()? {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<(), Stop> {
        match self.next()?.is_ascii_digit() {
            true => self.digits(),
            false => Err(Stop::Odd),
        }
    }

    fn digits(&mut self) -> Result<(), Stop> {
        while self.peek()?.is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

/// What bytes say; those that are no UTF-8 are replaced. Only where there are any does that take a
/// look at every single byte.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Whether a byte of a string is a graphic character that stands for itself.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}
