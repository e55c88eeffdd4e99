//! Injected failures: disks that are full, writes that end early, system calls that fail, processes
//! that die. Nothing is lost, and what is said is so.

mod atomic_write_cut_short;
mod every_store_step;
mod every_system_call;
mod full_and_read_only_disks;
mod unstored_refresh;
mod unstored_refresh_in_memory;
