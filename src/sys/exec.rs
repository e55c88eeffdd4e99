//! `execve`, and a pipe that the program inherits.
//!
//! The descriptor is set aside at the start, while hardly one is open, and until the last moment
//! it is closed on `execve` like all of ours: a program that helps with a refresh never sees it.

use std::io::{self, PipeWriter, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use super::{child, memory};
use crate::model::secret::Secret;
use crate::ports::exec::{DescriptorError, Exec, ExecSpec, InheritedFd};

/// The first number that has no meaning of its own.
const FIRST: i32 = 3;

/// This process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemExec;

impl Exec for SystemExec {
    fn reserve_fd(&self, number: Option<u16>) -> Result<Box<dyn InheritedFd>, DescriptorError> {
        Ok(Box::new(pipe(number)?))
    }

    fn exec(&self, image: &ExecSpec) -> io::Error {
        let mut command = child::replacement(image);
        // The last thing before: what fails here is told with the memory still protected.
        memory::restore_core_limit();
        command.exec()
    }
}

/// A pipe whose reading end has this number, or the first that is free.
fn pipe(number: Option<u16>) -> Result<Pipe, DescriptorError> {
    let (reader, mut writer) = io::pipe()?;
    let mut reader = OwnedFd::from(reader);
    let wanted = number.map_or(reader.as_raw_fd().max(FIRST), i32::from);
    // Our own ends may have got the number.
    if writer.as_raw_fd() == wanted {
        writer = writer.try_clone()?;
    }
    if reader.as_raw_fd() != wanted {
        reader = fcntl_dupfd_cloexec(&reader, wanted).map_err(io::Error::from)?;
    }
    match number {
        Some(number) if reader.as_raw_fd() != wanted => Err(DescriptorError::Taken(number)),
        _ => Ok(Pipe {
            reader,
            writer: Some(writer),
        }),
    }
}

struct Pipe {
    reader: OwnedFd,
    writer: Option<PipeWriter>,
}

impl InheritedFd for Pipe {
    fn number(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    fn fill(&mut self, secret: &Secret<String>) -> io::Result<()> {
        if let Some(mut writer) = self.writer.take() {
            // A pipe that is too small for the token must not hold us for ever.
            let flags = fcntl_getfl(&writer)?;
            fcntl_setfl(&writer, flags | OFlags::NONBLOCK)?;
            let line = Secret::new(format!("{}\n", secret.expose()));
            writer.write_all(line.expose().as_bytes())?;
        }
        // Only now may the program have it.
        fcntl_setfd(&self.reader, FdFlags::empty())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_number_is_ours_or_refused() {
        let first = pipe(None).unwrap();
        assert!(first.number() >= FIRST);
        let taken = u16::try_from(first.number()).unwrap();
        let refused = SystemExec.reserve_fd(Some(taken));
        assert!(matches!(refused, Err(DescriptorError::Taken(number)) if number == taken));
        for far in [500, 501, 502] {
            assert_eq!(pipe(Some(far)).unwrap().number(), i32::from(far));
        }
    }

    #[test]
    fn a_program_gets_it_only_with_the_token_in_it() {
        let mut pipe = pipe(None).unwrap();
        let flags = |pipe: &Pipe| rustix::io::fcntl_getfd(&pipe.reader).unwrap();
        assert_eq!(flags(&pipe), FdFlags::CLOEXEC);
        pipe.fill(&Secret::from("tttt")).unwrap();
        assert_eq!(flags(&pipe), FdFlags::empty());
        let mut text = String::new();
        let mut reader = std::fs::File::from(pipe.reader);
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "tttt\n", "and its end");
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_no_wait() {
        let mut pipe = pipe(None).unwrap();
        let long = Secret::new("t".repeat(4 << 20));
        let error = pipe.fill(&long).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
