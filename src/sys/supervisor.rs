//! What systemd is told of a service (sd_notify(3)), by the socket that `NOTIFY_SOCKET` names.

use crate::ports::host::{ServiceState, Supervisor};

/// The one that started this process, if it waits to be told.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSupervisor;

impl Supervisor for SystemSupervisor {
    #[cfg(target_os = "linux")]
    fn notify(&self, state: ServiceState) {
        let state = match state {
            ServiceState::Ready => sd_notify::NotifyState::Ready,
            ServiceState::Stopping => sd_notify::NotifyState::Stopping,
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::warn!(target: "openclaw", %error, "the service manager could not be told");
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn notify(&self, _: ServiceState) {}
}
