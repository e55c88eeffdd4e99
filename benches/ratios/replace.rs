//! What a durable replace costs: the store's writer against ten lines that write, fsync and rename.
//! `cargo bench --bench ratios -- replace` prints ratios; no figure decides anything.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use openclaw::ports::files::Files as _;
use openclaw::sys::files::SystemFiles;

use crate::report::{median, rounds, row};

const ROUNDS: usize = 200;
const SIZES: [(&str, usize); 3] = [("4 KiB", 4 << 10), ("64 KiB", 64 << 10), ("1 MiB", 1 << 20)];

/// What everybody writes first. The new name is not durable before the directory is synced.
fn ten_lines(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temp = path.with_extension("tmp");
    let mut file = File::create(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temp, path)
}

fn eleven_lines(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    ten_lines(path, bytes)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

fn ours(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let replaced = SystemFiles.replace(path, bytes);
    replaced.map_err(|error| error.source)
}

type Replace = fn(&Path, &[u8]) -> std::io::Result<()>;

pub(super) fn run() -> Result<(), Box<dyn Error>> {
    // Beside the build, for a temporary directory may lie in memory, where a sync costs nothing.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let path = directory.path().join("auth-profiles.json");
    let ways: [Replace; 3] = [ten_lines, eleven_lines, ours];
    for (name, size) in SIZES {
        let bytes = vec![b'x'; size];
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds(ROUNDS) {
            for (way, samples) in ways.iter().zip(&mut times) {
                let start = Instant::now();
                way(&path, &bytes)?;
                samples.push(start.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        let [ten, eleven, ours] = times.map(median);
        row(&format!("durable replace of {name} / ten lines"), ten, ours);
        row(
            &format!("durable replace of {name} / with the directory"),
            eleven,
            ours,
        );
    }
    Ok(())
}
