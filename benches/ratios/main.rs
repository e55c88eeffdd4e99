//! Ratios that a shell script cannot measure. `cargo bench --bench ratios` measures all of them, and with
//! their names behind `--` some. One program, for each would have to be linked with everything.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark makes its own files and processes"
)]
#![expect(clippy::print_stdout, reason = "a benchmark is there to be read")]

#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
#[path = "../../tests/it/support/issuer/mod.rs"]
mod issuer;
mod many;
mod refresh;
mod replace;
mod report;

use std::error::Error;

/// What is measured: its name, and how.
type Measured = (&'static str, fn() -> Result<(), Box<dyn Error>>);

const ALL: [Measured; 3] = [
    ("replace", replace::run),
    ("refresh", refresh::run),
    ("many", many::run),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds an option of its own.
    let named = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let named: Vec<String> = named.collect();
    let is_wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    let mut wanted = ALL.iter().filter(|(name, _)| is_wanted(name));
    wanted.try_for_each(|(_, run)| run())
}
