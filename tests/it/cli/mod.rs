//! The program as a process: its words, exit codes, prompts and signals, and `exec`, which starts
//! another.

mod colors;
mod completions;
mod exec;
mod exit_codes;
mod local_times;
mod prompts;
mod reference;
mod signals;
mod transcripts;
