//! Which of several accounts answers: order, cooldowns, pins, bindings, what main shares, keys of the
//! environment, and `explain`, which says why.

pub(crate) mod environment_keys;
pub(crate) mod explain;
mod in_use;
mod inheritance;
mod large_store;
mod model_names;
mod names;
mod odd_ids;
mod odd_keys;
mod order;
mod pinned_profile;
mod rotation;
mod secret_references;
mod unknown_agent;
mod use_profile;
