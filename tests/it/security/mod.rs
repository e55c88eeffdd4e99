//! What an attacker would try, whatever the command: secrets that leak, files that others may read,
//! and input that breaks a parser. What the standards ask stands in `standards`.

mod access_control_lists;
mod bearer_characters;
mod children;
mod commands_of_root;
mod file_permissions;
mod files_of_others;
mod imported_logins;
mod kernel_keys;
mod login_of_others;
mod lost_journal;
mod memory;
mod planted_answers;
pub(crate) mod random_inputs;
mod secret_leaks;
mod session_bus_of_others;
mod special_files;
mod words_of_others;
