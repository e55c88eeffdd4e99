//! Who speaks for a provider: built-in manifests, files that are dropped in, blocks of `config.yaml`,
//! and external programs.

mod builtin_wire;
pub(crate) mod declared_in_config;
mod external_program;
pub(crate) mod manifests;
