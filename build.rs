//! Lists the manifests in `src/providers/builtin`, so that a new provider is one file.

use std::fmt::Write as _;
use std::path::Path;

#[expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a build script has no doors and speaks to cargo"
)]
fn main() {
    let directory = "src/providers/builtin";
    println!("cargo::rerun-if-changed={directory}");
    let files = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut list = String::from("[");
    for name in names.iter().filter(|name| name.ends_with(".toml")) {
        let id = name.trim_end_matches(".toml");
        let path = format!("/{directory}/{name}");
        let text = format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))");
        writeln!(list, "({id:?}, {text}),").unwrap();
    }
    list.push(']');
    let out = std::env::var_os("OUT_DIR").unwrap();
    std::fs::write(Path::new(&out).join("builtin.rs"), list).unwrap();
}
