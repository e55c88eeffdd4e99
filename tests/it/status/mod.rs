//! How credentials stand: what is shown, probed, diagnosed and told to hooks.

pub(crate) mod alert_hooks;
mod doctor;
mod getting_started;
mod one_judgement;
pub(crate) mod probe;
mod read_only;
pub(crate) mod screens;
