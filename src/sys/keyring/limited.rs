//! A call into the system that knows no limit of its own.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::ports::keyring::KeyringFault;

/// Makes the call on a thread of its own, which is left behind if the call does not return in time.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> Result<T, KeyringFault> + Send + 'static,
) -> Result<T, KeyringFault> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(call()));
    let waited = receiver.recv_timeout(limit);
    waited.unwrap_or(Err(KeyringFault::Silent { limit }))
}
