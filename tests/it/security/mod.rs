//! What an attacker would try, whatever the command: secrets that leak, and input that breaks a
//! parser. What the standards ask stands in `standards`.

pub(crate) mod random_inputs;
mod secret_leaks;
