#![no_main]
#![expect(dead_code, reason = "each target compiles the checks of all")]

#[path = "../../tests/it/security/random_inputs/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::vault::check(bytes));
