//! Making the names in a directory durable.

use std::fs::File;
use std::io;

use rustix::io::Errno;

/// Some file systems have no fsync for directories and keep their order by themselves.
pub(super) fn sync_directory(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::INVAL | Errno::OPNOTSUPP)
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}
