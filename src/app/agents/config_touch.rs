//! The mark that a change leaves in the configuration.

use crate::app::context::Context;
use crate::config::edit::Edit;

/// Records in the configuration which version changed it, and when.
pub(in crate::app) fn touch(cx: Context<'_>) -> Edit {
    Edit::Touch {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at_iso: cx.clock.now().iso8601(),
    }
}
