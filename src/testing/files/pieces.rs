//! A file in memory that is read piece by piece.

use std::io::{Cursor, Read};

use super::MemoryFiles;
use crate::ports::files::{FileError, Pieces};

/// What a file held when it was opened: it is replaced by others, and not changed.
pub(super) struct MemoryPieces {
    files: MemoryFiles,
    content: Cursor<Vec<u8>>,
}

impl MemoryPieces {
    pub(super) fn new(files: &MemoryFiles, content: Vec<u8>) -> Self {
        Self {
            files: files.clone(),
            content: Cursor::new(content),
        }
    }
}

impl Pieces for MemoryPieces {
    fn size(&self) -> u64 {
        self.content.get_ref().len() as u64
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
        let count = self.content.read(buffer).expect("memory can be read");
        self.files.note_read(count);
        Ok(count)
    }

    fn is_unchanged(&self) -> Result<bool, FileError> {
        Ok(true)
    }
}

impl MemoryFiles {
    pub(super) fn note_read(&self, count: usize) {
        let mut state = self.state();
        state.largest_read = state.largest_read.max(count);
        state.bytes_read += count;
    }
}
