//! Makes inputs from a corpus: takes a real one, breaks it in one to five places, and remembers
//! where a check fell.
//!
//! The seed is printed first, so every run can be had again; the coverage-guided runs are those of
//! `fuzz/`.
#![expect(
    clippy::print_stdout,
    reason = "the seed must be seen, and the test runner shows it"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;

/// No input is longer: what grows without end tells nothing new.
const LONGEST: usize = 64 * 1024;

/// One kind of input.
pub(crate) struct Target {
    /// The name of its corpus below `tests/corpus`.
    pub(crate) name: &'static str,
    /// Panics if something is wrong.
    pub(crate) check: fn(&[u8]),
    /// What real inputs are made of.
    pub(crate) words: &'static [&'static str],
}

/// How many inputs.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Runs(u64),
    Time(Duration),
}

/// What has broken some parser somewhere.
const TOKENS: [&[u8]; 36] = [
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\udfff\\ud800",
    b"\\u0000",
    b"\x1b[2J",
    b"\x1b]0;x\x07",
    b"\xc2\x9b31m",
    b"\xe2\x80\xae",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x94\x91",
    b"\r\n\r\n",
    b"\n",
    b"\t",
    b"1e999",
    b"-1e-999",
    b"1795230521",
    b"-1",
    b"0",
    b"9223372036854775808",
    b"18446744073709551616",
    b"8640000000000001",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"{\"a\":1,\"a\":2}",
    b"%00",
    b"%ff",
    b"%",
    b"../../",
    b"&&==",
];

/// Every input of a corpus, sorted by name.
pub(crate) fn corpus(name: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join("tests/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "the corpus of {name} is gone");
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Checks the corpus, then inputs made from it, and prints how many. Panics at the first that falls,
/// with what is needed to see it again.
pub(crate) fn run(target: &Target, seed: u64, limit: Limit) -> u64 {
    // As large a stack as a program has: that of a test is a quarter, and what is not optimised
    // needs more of it.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(8 << 20);
        let runs = thread.spawn_scoped(scope, || run_here(target, seed, limit));
        runs.unwrap().join().unwrap()
    })
}

fn run_here(target: &Target, seed: u64, limit: Limit) -> u64 {
    println!("{}: OPENCLAW_TEST_SEED={seed}", target.name);
    let seeds = corpus(target.name);
    let mut rng = Rng::with_seed(seed);
    let start = Instant::now();
    let mut runs = 0;
    for input in &seeds {
        checked(target, seed, input);
        runs += 1;
    }
    while match limit {
        Limit::Runs(most) => runs < most,
        Limit::Time(most) => start.elapsed() < most,
    } {
        let input = broken(&mut rng, &seeds, target.words);
        checked(target, seed, &input);
        runs += 1;
    }
    println!("{}: {runs} runs", target.name);
    drop(std::fs::remove_file(saved(target, seed)));
    runs
}

fn saved(target: &Target, seed: u64) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{seed}", target.name))
}

fn checked(target: &Target, seed: u64, input: &[u8]) {
    // Written beforehand: a stack that overflows ends the process without a word.
    let path = saved(target, seed);
    std::fs::write(&path, input).unwrap();
    let Err(fall) = std::panic::catch_unwind(|| (target.check)(input)) else {
        return;
    };
    let hex = input.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    println!(
        "{} fell with OPENCLAW_TEST_SEED={seed}; its input is saved as {} and is in hexadecimal {hex}",
        target.name,
        path.display()
    );
    std::panic::resume_unwind(fall);
}

fn broken(rng: &mut Rng, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..=5) {
        let other = &seeds[rng.usize(..seeds.len())];
        one_break(rng, &mut input, other, words);
        input.truncate(LONGEST);
    }
    input
}

fn one_break(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let at = rng.usize(..=input.len());
    let to = rng.usize(at..=input.len());
    let splice =
        |input: &mut Vec<u8>, with: &[u8]| drop(input.splice(at..at, with.iter().copied()));
    match rng.u8(..11) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 => input.truncate(at),
        3 => drop(input.drain(at..to)),
        4 => {
            let again = input[at..to].to_vec();
            splice(input, &again);
        }
        5 => {
            let from = rng.usize(..=other.len());
            splice(input, &other[from..rng.usize(from..=other.len())]);
        }
        6 => {
            input.truncate(at);
            input.extend_from_slice(&other[rng.usize(..=other.len())..]);
        }
        7 => splice(input, TOKENS[rng.usize(..TOKENS.len())]),
        8 if !words.is_empty() => splice(input, words[rng.usize(..words.len())].as_bytes()),
        9 => {
            let nests: [(&str, &str); 3] = [("[", "]"), ("{\"a\":", "}"), ("[[a]]\na.", "")];
            let (open, close) = nests[rng.usize(..nests.len())];
            let depth = rng.usize(1..2_000);
            splice(input, close.repeat(depth).as_bytes());
            splice(input, open.repeat(depth).as_bytes());
        }
        _ => number(rng, input),
    }
}

/// Puts another number in the place of one.
fn number(rng: &mut Rng, input: &mut Vec<u8>) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|&at| input[at].is_ascii_digit() && (at == 0 || !input[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[rng.usize(..starts.len())];
    let length = input[start..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let numbers = [
        "0",
        "-1",
        "1",
        "1795230521",
        "1795230521000",
        "1795230521000000",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "1e308",
        "1e309",
        "0.1",
        "-0",
    ];
    let number = numbers[rng.usize(..numbers.len())];
    input.splice(start..start + length, number.bytes());
}
