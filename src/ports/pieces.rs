//! Reading a file piece by piece.

use super::file_error::FileError;

/// A file that is read piece by piece. What it is replaced by is not seen.
pub trait Pieces {
    /// Its size in bytes when it was opened.
    fn size(&self) -> u64;

    /// Reads what comes next into `buffer`, as much as fits or less, and returns how much; 0 at the
    /// end.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError>;

    /// Whether nothing was written to it since it was opened, as far as its size and its
    /// times tell.
    ///
    /// # Errors
    /// Whatever the system says.
    fn is_unchanged(&self) -> Result<bool, FileError>;
}
