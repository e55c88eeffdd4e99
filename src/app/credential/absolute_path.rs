//! Paths that the configuration names for everybody, wherever a command runs.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::id::printable;

/// A path of the configuration, which does not depend on where this command runs.
pub(super) fn absolute(cx: Context<'_>, written: &str) -> Result<PathBuf, Failure> {
    let path = match written.strip_prefix("~/") {
        Some(rest) => cx.dirs.home.join(rest),
        None => Path::new(written).to_owned(),
    };
    match path.is_absolute() {
        true => Ok(path),
        false => {
            let message = format!("the path {} is not absolute", printable(written, 200));
            let hint = format!("write the whole path in {}", cx.config.path().display());
            Err(Failure::new(Kind::Config, message).hint(hint))
        }
    }
}
