//! The vault of a state directory: `secrets.enc`, the slots that its key lies in, and the secrets
//! that have names.
//!
//! One key seals everything: what has a name in the file itself, and what profiles hold beside them.
//! Each slot holds that key, wrapped under another one from a passphrase, a key file, the keyring of
//! the system or systemd.

mod ask;
mod attempt;
mod body;
mod bundle;
mod change;
mod file;
mod file_vault;
mod keys;
mod named;
pub mod open;
mod passphrase;
mod places;
mod slots;

#[cfg(test)]
mod tests;
