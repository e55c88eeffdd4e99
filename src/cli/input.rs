//! The one reader of standard input.
//!
//! It never waits longer than one tick without looking whether the question still stands, and it
//! never buffers behind the back of the next question: what follows a line is kept for it.

use std::io;
use std::os::fd::AsFd;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};

use crate::model::secret::Secret;
use crate::ports::dialog::DialogError;
use crate::ports::host::Interrupt;

/// Milliseconds between two looks at whether the question still stands.
pub(super) const TICK: u16 = 50;

/// The longest answer in bytes. Tokens have a few thousand; this only bounds memory.
pub(super) const LIMIT: usize = 1024 * 1024;

/// What one wait brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Some bytes.
    Data(Vec<u8>),
    /// Nothing within the time given.
    Idle,
    /// There is no more: end of file, or the terminal was closed.
    End,
}

/// For how long a question stands.
pub(super) struct Patience<'a> {
    /// The asker's wish to withdraw it.
    pub(super) stop: &'a dyn Fn() -> bool,
    /// The process's wish to end.
    pub(super) interrupt: &'a dyn Interrupt,
}

impl<'a> Patience<'a> {
    pub(super) fn new(stop: &'a dyn Fn() -> bool, interrupt: &'a dyn Interrupt) -> Self {
        Self { stop, interrupt }
    }

    /// # Errors
    /// If the question no longer stands.
    pub(super) fn check(&self) -> Result<(), DialogError> {
        if self.interrupt.pending().is_some() {
            Err(DialogError::Cancelled)
        } else if (self.stop)() {
            Err(DialogError::Withdrawn)
        } else {
            Ok(())
        }
    }
}

/// A file descriptor that answers come from, and what was read past the last answer.
#[derive(Debug)]
pub(super) struct Input<F> {
    source: F,
    rest: Mutex<Vec<u8>>,
}

impl<F: AsFd> Input<F> {
    /// Reads nothing yet.
    pub(super) fn new(source: F) -> Self {
        Self {
            source,
            rest: Mutex::new(Vec::new()),
        }
    }

    /// What comes within `millis`.
    pub(super) fn wait(&self, millis: u16) -> Result<Chunk, DialogError> {
        let timeout = Timespec {
            tv_sec: i64::from(millis / 1000),
            tv_nsec: i64::from(millis % 1000) * 1_000_000,
        };
        let mut fds = [PollFd::new(&self.source, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Chunk::Idle),
            Ok(_) => {}
            Err(error) => return Err(failed(error)),
        }
        let mut buffer = vec![0; 16 * 1024];
        match rustix::io::read(&self.source, &mut buffer) {
            // A terminal whose other end is gone answers EIO.
            Ok(0) | Err(Errno::IO) => Ok(Chunk::End),
            Ok(count) => {
                let data = buffer[..count].to_vec();
                drop(Secret::new(buffer));
                Ok(Chunk::Data(data))
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(Chunk::Idle),
            Err(error) => Err(failed(error)),
        }
    }

    /// Everything until end of file.
    ///
    /// # Errors
    /// If it is empty, too long or no UTF-8, cannot be read, or the question no longer stands.
    pub(super) fn read_all(&self, patience: &Patience) -> Result<Secret<String>, DialogError> {
        let mut bytes = self.take_rest();
        loop {
            patience.check()?;
            match self.wait(TICK)? {
                Chunk::Data(data) => append(&mut bytes, data)?,
                Chunk::Idle => {}
                Chunk::End => break,
            }
        }
        let text = text(bytes)?;
        if text.is_blank() {
            return Err(DialogError::Failed("standard input is empty".to_owned()));
        }
        Ok(text)
    }

    /// One line without its end; `None` at end of file. `redraw` shows the question again, once
    /// this process goes on after a stop.
    ///
    /// # Errors
    /// If it is too long or no UTF-8, cannot be read, or the question no longer stands.
    pub(super) fn read_line(
        &self,
        patience: &Patience,
        redraw: &dyn Fn(),
    ) -> Result<Option<Secret<String>>, DialogError> {
        let mut bytes = self.take_rest();
        loop {
            if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                let rest = bytes.split_off(end + 1);
                self.keep_rest(rest);
                bytes.truncate(end);
                if bytes.last() == Some(&b'\r') {
                    bytes.pop();
                }
                return text(bytes).map(Some);
            }
            if let Err(error) = patience.check() {
                self.keep_rest(bytes);
                return Err(error);
            }
            if patience.interrupt.was_continued() {
                redraw();
            }
            match self.wait(TICK)? {
                Chunk::Data(data) => append(&mut bytes, data)?,
                Chunk::Idle => {}
                Chunk::End if bytes.is_empty() => return Ok(None),
                Chunk::End => return text(bytes).map(Some),
            }
        }
    }

    /// Throws away what was typed or pasted but not read, so that the tail of a secret does not end
    /// up on the command line of the shell. Only a terminal has such a queue; elsewhere nothing
    /// happens.
    pub(super) fn discard(&self) {
        drop(Secret::new(self.take_rest()));
        let _ = tcflush(&self.source, QueueSelector::IFlush);
    }

    fn take_rest(&self) -> Vec<u8> {
        std::mem::take(&mut *self.rest.lock())
    }

    fn keep_rest(&self, rest: Vec<u8>) {
        *self.rest.lock() = rest;
    }
}

fn append(bytes: &mut Vec<u8>, data: Vec<u8>) -> Result<(), DialogError> {
    bytes.extend_from_slice(&data);
    drop(Secret::new(data));
    if bytes.len() > LIMIT {
        drop(Secret::new(std::mem::take(bytes)));
        return Err(too_long());
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> Result<Secret<String>, DialogError> {
    String::from_utf8(bytes).map(Secret::new).map_err(|error| {
        drop(Secret::new(error.into_bytes()));
        DialogError::Failed("it is not UTF-8 text".to_owned())
    })
}

/// The answer is longer than [`LIMIT`].
pub(super) fn too_long() -> DialogError {
    DialogError::Failed("it is longer than 1 MiB".to_owned())
}

fn failed(error: Errno) -> DialogError {
    DialogError::Failed(io::Error::from(error).to_string())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;

    use super::*;
    use crate::ports::host::Signal;

    struct Quiet(Option<Signal>);

    impl Interrupt for Quiet {
        fn defer(&self) {}
        fn pending(&self) -> Option<Signal> {
            self.0
        }
    }

    const PATIENT: Patience = Patience {
        stop: &|| false,
        interrupt: &Quiet(None),
    };

    fn line(input: &Input<io::PipeReader>) -> Option<String> {
        input
            .read_line(&PATIENT, &|| {})
            .unwrap()
            .map(|text| text.expose().clone())
    }

    #[test]
    fn lines_come_one_by_one_and_the_last_needs_no_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"one\r\n\ntwo").unwrap();
        drop(writer);
        let input = Input::new(reader);
        assert_eq!(line(&input).as_deref(), Some("one"));
        assert_eq!(line(&input).as_deref(), Some(""));
        assert_eq!(line(&input).as_deref(), Some("two"));
        assert_eq!(line(&input), None);
    }

    #[test]
    fn all_of_a_long_pipe_is_read_and_an_endless_one_is_refused() {
        let read = |length: usize| {
            let (reader, mut writer) = io::pipe().unwrap();
            let feeder = std::thread::spawn(move || writer.write_all(&vec![b'x'; length]));
            let answer = Input::new(reader).read_all(&PATIENT);
            let _ = feeder.join().unwrap();
            answer
        };
        assert_eq!(read(200_000).unwrap().expose().len(), 200_000);
        assert_eq!(read(LIMIT + 1).unwrap_err(), too_long());
        assert!(matches!(read(0), Err(DialogError::Failed(_))));
    }

    #[test]
    fn a_silent_pipe_does_not_outlast_the_question() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"half").unwrap();
        let input = Input::new(reader);
        let looks = Cell::new(0);
        let stop = || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        };
        let withdrawn = Patience {
            stop: &stop,
            interrupt: &Quiet(None),
        };
        assert_eq!(
            input.read_line(&withdrawn, &|| {}),
            Err(DialogError::Withdrawn)
        );
        let killed = Patience {
            stop: &|| false,
            interrupt: &Quiet(Some(Signal::INTERRUPT)),
        };
        assert_eq!(
            input.read_line(&killed, &|| {}),
            Err(DialogError::Cancelled)
        );
        writer.write_all(b" whole\n").unwrap();
        assert_eq!(line(&input).as_deref(), Some("half whole"));
    }
}
