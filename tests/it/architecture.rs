//! The house keeps its floors: imports point down, siblings do not know each other, fenced crates
//! stay in their place, files stay short. A planted violation shows that the test sees.

use std::path::{Path, PathBuf};

/// Rooms, and the rooms that each may use.
const ROOMS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("ports", &["model"]),
    ("oauth", &["model", "ports"]),
    ("providers", &["model", "ports"]),
    ("store", &["model", "ports"]),
    ("config", &["model", "ports"]),
    ("sys", &["model", "ports"]),
    ("testing", &["model", "ports"]),
    ("app", &["model", "ports", "oauth", "providers", "config"]),
    ("cli", &["model", "ports", "providers", "config", "app"]),
];

/// The composition root knows the concrete doors, too.
const WIRE: (&str, &[&str]) = ("cli/system.rs", &["store", "sys"]);

/// Crates, and the files or rooms that may name them.
const FENCES: &[(&str, &[&str])] = &[
    ("anstream", &["cli/printer.rs"]),
    ("anstyle", &["cli/printer.rs"]),
    ("base64", &["cli/clipboard.rs", "oauth/", "testing/"]),
    (
        "chrono",
        &["model/time.rs", "oauth/error.rs", "store/openclaw_lock.rs"],
    ),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/commands/completions.rs"]),
    ("crossterm", &["cli/raw_mode.rs"]),
    ("dirs", &["sys/paths.rs"]),
    ("fs2", &["sys/lock.rs"]),
    ("getrandom", &["sys/random.rs", "sys/atomic_write.rs"]),
    ("httparse", &["sys/request_head.rs"]),
    ("inquire", &["cli/choose.rs"]),
    ("jsonc_parser", &["config/"]),
    (
        "jsonwebtoken",
        &["oauth/claims.rs", "oauth/jwks.rs", "oauth/signature.rs"],
    ),
    ("oauth2", &["oauth/"]),
    ("open", &["sys/browser.rs"]),
    ("qrcode", &["cli/view/device_code.rs"]),
    ("reqwest", &["sys/http.rs"]),
    ("ring", &["oauth/signature.rs", "testing/issuer/"]),
    ("rustls", &["sys/http.rs"]),
    ("saphyr_parser", &["config/yaml.rs"]),
    ("signal_hook", &["sys/interrupt.rs"]),
    ("tiny_http", &["sys/callback.rs", "testing/issuer/"]),
    ("tokio", &["sys/http.rs"]),
    ("toml", &["providers/"]),
    (
        "zeroize",
        &[
            "model/secret.rs",
            "oauth/authorization.rs",
            "store/raw_json.rs",
            "sys/atomic_write.rs",
            "sys/process_group.rs",
        ],
    ),
];

/// What is wrong with one file, by its path below `src`.
fn faults(path: &str, source: &str) -> Vec<String> {
    let source = without_comments(&without_tests(source));
    let mut faults = Vec::new();
    let room = path.split('/').next().unwrap();
    if let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) {
        for used in rooms_used(&source) {
            let by_wire = path == WIRE.0 && WIRE.1.contains(&used.as_str());
            if used != room && !allowed.contains(&used.as_str()) && !by_wire {
                faults.push(format!("{path} uses {used}"));
            }
        }
    }
    for (name, places) in FENCES {
        let named = mentions(&source, &format!("{name}::"));
        if named && !places.iter().any(|place| path.starts_with(place)) {
            faults.push(format!("{path} names the crate {name}"));
        }
    }
    faults
}

/// The code before the unit tests, which may use whatever they like.
fn without_tests(source: &str) -> String {
    source.split("#[cfg(test)]").next().unwrap().to_owned()
}

fn without_comments(source: &str) -> String {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Whether a text stands there and is not the end of a longer name or path.
fn mentions(source: &str, text: &str) -> bool {
    source.match_indices(text).any(|(at, _)| {
        let before = source[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The rooms named in `crate::…` paths, groups and nested groups included.
fn rooms_used(source: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, text) in source.match_indices("crate::") {
        let rest = &source[at + text.len()..];
        if rest.starts_with('{') {
            rooms.extend(group(rest));
        } else {
            rooms.push(word(rest));
        }
    }
    rooms.retain(|room| ROOMS.iter().any(|(name, _)| name == room));
    rooms
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first words of the members of a `{…}` group.
fn group(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut start = false;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(c, '{' | ',') {
            start = true;
        } else if start && !c.is_whitespace() {
            words.push(word(&text[at..]));
            start = false;
        }
    }
    words
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.ends_with("node_modules") {
            // Packages that a test needed, and nobody here wrote.
        } else if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imports_point_down_and_crates_stay_fenced() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    let files = files_below(&src);
    assert!(files.len() > 50, "the source was not found");
    // Unit tests in a file of their own may use whatever they like, as those at a file's end.
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let path = file
            .strip_prefix(&src)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        wrong.extend(faults(&path, &std::fs::read_to_string(file).unwrap()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn planted_violations_are_seen() {
    let planted = [
        ("model/id.rs", "use crate::ports::http::Http;"),
        (
            "store/file.rs",
            "use crate::{model::id::AgentId, sys::files::SystemFiles};",
        ),
        (
            "oauth/grant.rs",
            "use crate::{\n    model::{id, time},\n    providers,\n};",
        ),
        (
            "app/usecase/token.rs",
            "fn f() { crate::store::file::open(); }",
        ),
        ("cli/printer.rs", "use crate::sys::clock::SystemClock;"),
        ("app/login/mod.rs", "use reqwest::Client;"),
        ("sys/callback.rs", "let x = tokio::spawn(y);"),
    ];
    for (path, source) in planted {
        assert_eq!(faults(path, source).len(), 1, "{path}: {source}");
    }
    assert!(faults("cli/system.rs", "use crate::sys::clock::SystemClock;").is_empty());
    assert!(faults("model/id.rs", "// crate::app is above us").is_empty());
    assert!(
        faults(
            "model/id.rs",
            "#[cfg(test)]\nmod tests { use crate::app::Ports; }"
        )
        .is_empty()
    );
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    for place in ["src", "tests", "examples"] {
        for file in files_below(&root().join(place)) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn every_test_file_is_run() {
    let main = std::fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for file in std::fs::read_dir(root().join("tests/it"))
        .unwrap()
        .flatten()
    {
        let name = file.file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs") else {
            continue;
        };
        let declared = main.contains(&format!("mod {module};"));
        assert!(module == "main" || declared, "{name} is not declared");
    }
}
