//! The documents point at things that exist: every relative link and anchor in a Markdown file,
//! every path of the repository that a document names, and every document that the source names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Directories that hold documents or source; the rest is generated or belongs to other tools.
const FOLDERS: [&str; 6] = ["docs", "src", "tests", "examples", "benches", "fuzz"];

/// Every file below a directory whose name ends in one of these, without installed packages.
fn files(directory: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "node_modules" && name != "target" {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        files(&Path::new(ROOT).join(folder), &[".md"], &mut found);
    }
    for entry in std::fs::read_dir(ROOT).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    found
}

/// The lines outside fenced blocks, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number + 1, line));
        }
    }
    lines
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The code spans of a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of the links in a line.
fn links(line: &str) -> Vec<String> {
    let line = without_code(line);
    let parts = line.split("](").skip(1);
    parts
        .filter_map(|part| Some(part.split_once(')')?.0.to_owned()))
        .collect()
}

/// The anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        let is_heading = title.len() < line.len() && title.starts_with(' ');
        is_heading.then(|| anchor(title.trim()))
    });
    headings.collect()
}

/// What is wrong with one link of a document in `directory`, if anything.
fn broken(directory: &Path, own: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = directory.join(path);
    if !path.is_empty() && !target.exists() {
        return Some(format!("{link} does not exist"));
    }
    if fragment.is_empty() {
        return None;
    }
    let text = match path.is_empty() {
        true => own.to_owned(),
        false => std::fs::read_to_string(&target).unwrap_or_default(),
    };
    (!anchors(&text).contains(fragment)).then(|| format!("{link} names no heading"))
}

/// Whether a path of the repository exists; `*` stands for any part of a name.
fn exists(path: &str) -> bool {
    fn below(directory: &Path, parts: &[&str]) -> bool {
        let Some((part, rest)) = parts.split_first() else {
            return true;
        };
        if !part.contains('*') {
            let path = directory.join(part);
            return path.exists() && below(&path, rest);
        }
        let Ok(entries) = std::fs::read_dir(directory) else {
            return false;
        };
        entries.map(|entry| entry.unwrap().path()).any(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            fits(&name, part) && below(&path, rest)
        })
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    below(Path::new(ROOT), &parts)
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return name == pattern;
    };
    let Some(name) = name.strip_prefix(first) else {
        return false;
    };
    (0..=name.len()).any(|at| name.is_char_boundary(at) && fits(&name[at..], rest))
}

/// Whether a code span is a path of this repository and nothing else.
fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-*".contains(c);
    let begins = FOLDERS.iter().any(|folder| {
        let rest = span.strip_prefix(folder);
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    begins && span.chars().all(plain)
}

#[test]
fn every_link_and_anchor_resolves() {
    let documents = documents();
    assert!(documents.len() > 30, "{} documents", documents.len());
    let mut faults = Vec::new();
    let mut count = 0;
    for path in documents {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in prose(&text) {
            for link in links(line) {
                count += 1;
                if let Some(fault) = broken(path.parent().unwrap(), &text, &link) {
                    faults.push(format!("{}:{number}: {fault}", path.display()));
                }
            }
        }
    }
    assert!(count > 50, "{count} links");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut faults = Vec::new();
    let mut count = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in prose(&text) {
            for span in code(line).filter(|span| is_path(span)) {
                count += 1;
                if !exists(span) {
                    faults.push(format!("{}:{number}: {span}", path.display()));
                }
            }
        }
    }
    assert!(count > 50, "{count} paths");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_document_that_the_source_names_exists() {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        files(
            &Path::new(ROOT).join(folder),
            &[".rs", ".txt", ".sh"],
            &mut sources,
        );
    }
    let mut faults = Vec::new();
    let mut count = 0;
    for path in sources {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for (at, _) in text.match_indices("docs/") {
            let rest = &text[at..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
            let named = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if named.ends_with(".md") {
                count += 1;
                if !exists(named) {
                    faults.push(format!("{}: {named}", path.display()));
                }
            }
        }
    }
    assert!(count > 10, "{count} names");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_broken_link_is_seen() {
    let directory = Path::new(ROOT).join("docs");
    let own = "# One heading\n\n```sh\n# not a heading\n```\n## `--json` and more\n";
    let of = |link: &str| broken(&directory, own, link);
    for good in [
        "#one-heading",
        "#--json-and-more",
        "architecture.md",
        "../README.md#install",
        "https://example.com/nowhere",
    ] {
        assert_eq!(of(good), None, "{good}");
    }
    for bad in [
        "#not-a-heading",
        "nowhere.md",
        "../README.md#nowhere",
        "../nowhere/",
    ] {
        assert!(of(bad).is_some(), "{bad}");
    }
    assert_eq!(links("[a](b) `[c](d)` [e](f#g)"), ["b", "f#g"]);
    assert!(exists("tests/it/*.rs") && exists("src/*/mod.rs") && !exists("src/*/nowhere.rs"));
    assert!(is_path("src/lib.rs") && !is_path("src/lib.rs and more") && !is_path("state/src"));
}

/// The only way of handing a header over that no other user sees: arguments are public.
#[test]
fn no_example_hands_a_token_over_as_an_argument() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = vec![root.join("README.md")];
    for directory in ["docs", "src", "examples", "benches"] {
        files(
            &root.join(directory),
            &["md", "rs", "sh", "py", "toml"],
            &mut read,
        );
    }
    for path in read {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let is_argument = line.contains("$(openclaw") && line.contains("--header");
            let is_bare = line.contains("auth token") && line.contains("-H \"Authorization");
            if is_argument || is_bare {
                found.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Whoever writes a token into an argument of another program shows it to every user of the machine.
#[test]
fn no_document_and_no_help_puts_a_token_into_an_argument() {
    let mut texts = documents();
    files(&Path::new(ROOT).join("src"), &[".rs", ".toml"], &mut texts);
    files(
        &Path::new(ROOT).join("examples"),
        &[".rs", ".sh"],
        &mut texts,
    );
    let mut faults = Vec::new();
    for path in texts {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if hands_token_over_in_argument(line) {
                faults.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

/// Whether the output of `auth token` stands in a word that is no assignment.
fn hands_token_over_in_argument(line: &str) -> bool {
    line.match_indices("$(openclaw ").any(|(at, _)| {
        let command = line[at..].split(')').next().unwrap_or_default();
        let before = line[..at].trim_end_matches(['"', '\\']);
        let word = before.rsplit([' ', '`', '"']).next().unwrap_or_default();
        let name = word.strip_suffix('=').unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_assignment = !name.is_empty() && name.chars().all(is_name);
        command.contains("auth token") && !is_assignment
    })
}

#[test]
fn an_assignment_shows_a_token_to_nobody() {
    let old = r#"curl -H "$(openclaw models auth token --header)" https://x"#;
    assert!(hands_token_over_in_argument(old));
    assert!(hands_token_over_in_argument(
        "tool --token=$(openclaw models auth token)"
    ));
    for good in [
        "TOKEN=$(openclaw models auth token --provider x) || exit",
        "curl -H @<(openclaw models auth token --header) https://x",
        "openclaw models auth token --header | curl -H @- https://x",
        "PS1='$(openclaw models status --prompt) '",
    ] {
        assert!(!hands_token_over_in_argument(good), "{good}");
    }
}
