//! What every kind of input from outside must stand: one `check` for each.
//!
//! A check panics if its bytes were lost, believed, repeated to somebody, or crashed anything. The
//! fuzz targets below `fuzz/` compile these very files.

pub(crate) mod callback;
pub(crate) mod declared;
pub(crate) mod document;
pub(crate) mod fake_ports;
pub(crate) mod manifest;
pub(crate) mod paste;
pub(crate) mod pieces;
pub(crate) mod raw;
pub(crate) mod store;
pub(crate) mod vault;
