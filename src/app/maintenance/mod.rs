//! Unattended maintenance: the periodic tick, its systemd timer, and metrics.

pub mod metrics;
pub mod systemd;
pub mod tick;
mod tick_plan;
