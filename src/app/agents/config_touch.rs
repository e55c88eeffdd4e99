//! The mark that a change leaves in the configuration.

use crate::app::context::Context;
use crate::config::edit::Edit;

/// Records in the configuration which version changed it, and when.
pub(in crate::app) fn touch(cx: Context<'_>, version: &str) -> Edit {
    Edit::Touch {
        version: version.to_owned(),
        at_iso: cx.clock.now().iso8601(),
    }
}
