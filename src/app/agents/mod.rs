//! Agents: the registry, the identity of each, and what it inherits from the main agent.

pub mod config_touch;
pub mod inherit;
pub mod persona;
pub mod registry;
pub mod trash;
