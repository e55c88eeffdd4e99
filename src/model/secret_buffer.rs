//! A buffer that secrets are written into.

use std::io::{self, Write};

use super::secret::{Secret, Wipe as _, extend};

/// Leaves nothing behind when it grows or is dropped.
#[derive(Default)]
pub struct SecretBuffer(Vec<u8>);

impl SecretBuffer {
    /// What was written.
    pub fn into_secret(mut self) -> Secret<Vec<u8>> {
        Secret::new(std::mem::take(&mut self.0))
    }
}

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        extend(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
