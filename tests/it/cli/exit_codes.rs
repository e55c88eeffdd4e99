//! Every command under every kind of failure, each run as a process with a real cause: the exit
//! code is the one that the table says, and the README shows the same table.
//! `UPDATE_EXIT_CODES=1 cargo test exit_codes` writes it there anew.

mod cause;
mod cell;
mod rows;
mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Command;
use openclaw::cli::Cli;

use cell::Cell;
use rows::rows;
use table::{Column, Row};

/// Most of a run is waiting.
const THREADS: usize = 8;
const BEGIN: &str = "<!-- What follows is written by tests/it/cli/exit_codes.rs. -->\n";
const END: &str = "<!-- So far. -->\n";

/// The words of every command that does something, as the program knows them.
fn commands(command: &Command, path: &str, found: &mut Vec<String>) {
    let is_own = |argument: &clap::Arg| {
        let general = ["help", "version"].contains(&argument.get_id().as_str());
        !argument.is_global_set() && !general
    };
    let inner: Vec<&Command> = command.get_subcommands().collect();
    // A group with options of its own does something without a further word.
    let does = !command.is_subcommand_required_set() && command.get_arguments().any(is_own);
    if inner.is_empty() || does {
        found.push(path.to_owned());
    }
    for inner in inner {
        let path = format!("{path} {}", inner.get_name());
        commands(inner, path.trim_start(), found);
    }
}

#[test]
fn every_command_is_in_the_table() {
    let mut expected = Vec::new();
    commands(&Cli::described(), "", &mut expected);
    let mut found: Vec<String> = rows().iter().map(|row| row.command.to_owned()).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert!(found.len() > 20, "the commands were not found");
}

/// Runs cells side by side; what did not end as it should.
fn wrong(jobs: &[(&Row, Column, &Cell)]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS.max(jobs.iter().filter(|(_, _, cell)| cell.slow).count()) {
            scope.spawn(|| {
                while let Some((row, column, cell)) = jobs.get(next.fetch_add(1, Ordering::SeqCst))
                {
                    let ended = cell.run(row);
                    if ended.code != cell.code {
                        let what = format!(
                            "{}, {}: {} and not {}: {:.400}\n{:.800}",
                            row.command,
                            column.title(),
                            ended.code,
                            cell.code,
                            ended.err,
                            ended.out,
                        );
                        wrong.lock().unwrap().push(what);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

fn cells(rows: &[Row], slow: bool) -> Vec<(&Row, Column, &Cell)> {
    let all = rows.iter().flat_map(|row| {
        let cells = row.cells.iter();
        cells.map(move |(column, cell)| (row, *column, cell))
    });
    all.filter(|(_, _, cell)| cell.slow == slow).collect()
}

#[test]
fn every_command_ends_as_the_table_says() {
    let rows = rows();
    let jobs = cells(&rows, false);
    assert!(jobs.len() > rows.len() * 4, "{} cells", jobs.len());
    let wrong = wrong(&jobs);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[ignore = "waits as long as anybody waits for a lock: a minute"]
fn every_command_ends_as_the_table_says_when_a_lock_stays_taken() {
    let rows = rows();
    let jobs = cells(&rows, true);
    assert!(!jobs.is_empty());
    let wrong = wrong(&jobs);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn markdown() -> String {
    let columns = Column::ALL.iter().filter(|column| **column != Column::Done);
    let columns: Vec<&Column> = columns.collect();
    let titles: Vec<&str> = columns.iter().map(|column| column.title()).collect();
    let mut text = format!("| command | {} |\n|---|", titles.join(" | "));
    text.push_str(&"---|".repeat(titles.len()));
    text.push('\n');
    for row in rows() {
        let code = |column: &&Column| {
            let cell = row.cells.iter().find(|(other, _)| other == *column);
            cell.map_or_else(|| "-".to_owned(), |(_, cell)| cell.code.to_string())
        };
        let codes: Vec<String> = columns.iter().map(code).collect();
        text.push_str(&format!("| `{}` | {} |\n", row.command, codes.join(" | ")));
    }
    text
}

#[test]
fn the_readme_shows_the_table() {
    let path = format!("{}/README.md", env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let table = markdown();
    if std::env::var_os("UPDATE_EXIT_CODES").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(shown, table, "the table in README.md is out of date");
    }
}
