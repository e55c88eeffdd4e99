//! Secrets that are not as they should be, in short.

use std::path::PathBuf;

use super::report::Verdict;
use crate::app::context::Context;
use crate::app::secrets::audit;
use crate::model::hint::Command;
use crate::model::id::AgentId;

pub(super) fn find(cx: Context<'_>, _: &[AgentId]) -> Vec<(PathBuf, Verdict)> {
    let audit = Command::new("secrets audit");
    let verdict = match audit::count(cx) {
        Ok((0, _)) if cx.is_in_database() => {
            Verdict::ok("sealed in the database, and none found in the clear")
        }
        Ok((0, true)) => Verdict::ok("not sealed: the store is plain"),
        Ok((0, false)) => Verdict::ok("sealed, and none found in the clear"),
        Ok((1, _)) => Verdict::warning("the audit of the secrets has 1 finding", audit),
        Ok((count, _)) => {
            let found = format!("the audit of the secrets has {count} findings");
            Verdict::warning(found, audit)
        }
        Err(failure) => {
            let advice = failure.hint.clone();
            let advice = advice.unwrap_or_else(|| Command::new("secrets status").into());
            Verdict::warning(failure.to_string(), advice)
        }
    };
    vec![(cx.dirs.state.clone(), verdict)]
}
