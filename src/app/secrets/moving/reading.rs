//! Reading a bundle that a person named.

use std::path::{Path, PathBuf};

use super::content::Content;
use super::envelope::Opening;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::ports::bundle::LONGEST;

/// Reads a bundle and opens it.
pub(super) fn open(
    cx: Context<'_>,
    file: &Path,
    opening: &Opening,
) -> Result<(PathBuf, Content), Failure> {
    let path = cx.dirs.cwd.join(file);
    let missing = || {
        let message = format!("no such file: {}", path.display());
        Failure::new(Kind::NotFound, message).hint(Command::new("secrets export --to FILE"))
    };
    let there = cx.files.stat(&path)?.ok_or_else(missing)?;
    if there.size > LONGEST {
        let message = format!("{} is longer than 64 MiB, and so no bundle", path.display());
        return Err(Failure::new(Kind::Usage, message));
    }
    let bytes = cx.files.read(&path)?.ok_or_else(missing)?;
    if there.mode & 0o077 != 0 {
        let path = path.display();
        cx.warn(format!(
            "other users may read {path}, and try to guess its passphrase"
        ));
    }
    let content = opening.open(cx, &path, bytes)?;
    Ok((path, content))
}
