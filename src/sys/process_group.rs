//! A child process and all that came from it: its process group.

use std::process::Child;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Whether the child has ended. Does not wait for it in the sense of the kernel, which would give
/// its number away.
pub(super) fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(
        waitid(WaitId::Pid(Pid::from_child(child)), options),
        Ok(None)
    )
}

/// Sends a signal to the group that the child leads. The child must not have been waited for.
pub(super) fn kill(child: &Child, signal: Signal) {
    // Fails only if nobody is left in it.
    let _ = kill_process_group(Pid::from_child(child), signal);
}
