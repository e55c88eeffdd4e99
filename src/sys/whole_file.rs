//! Files that are read whole, up to a limit.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::OFlags;

use super::file_trust::check_private;
use super::pieces::{open, open_any};
use crate::ports::files::TooLarge;

/// The longest file that is read whole, in bytes; a store, which has its own limit, may be as long.
const LONGEST: u64 = 65 * 1024 * 1024;

/// The most that is read from a pipe, in bytes.
const PIPE_LIMIT: u64 = 1024 * 1024;

/// Reads a file that this user or root owns.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (file, data) = open(path)?;
    content(file, &data)
}

/// Reads a file of this user alone, of at most so many bytes.
pub(super) fn read_private(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let (file, data) = open(path)?;
    check_private(path, &data)?;
    let mut bytes = Vec::new();
    match file.take(longest + 1).read_to_end(&mut bytes)? as u64 {
        length if length <= longest => Ok(bytes),
        _ => Err(io::Error::other(format!(
            "it is longer than {longest} bytes"
        ))),
    }
}

/// Reads a file of anybody.
pub(super) fn read_any(path: &Path) -> io::Result<Vec<u8>> {
    let (file, data) = open_any(path, OFlags::empty())?;
    content(file, &data)
}

/// Reads an open file to its end.
pub(super) fn content(mut file: File, data: &Metadata) -> io::Result<Vec<u8>> {
    if data.len() > LONGEST {
        return Err(io::Error::other(TooLarge(data.len(), LONGEST)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a pipe to its end, which a person has named and may have yet to write to.
pub(super) fn read_pipe(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pipe = File::open(path)?.take(PIPE_LIMIT + 1);
    match pipe.read_to_end(&mut bytes)? as u64 {
        ..=PIPE_LIMIT => Ok(bytes),
        _ => Err(io::Error::other("it is longer than 1 MiB")),
    }
}
