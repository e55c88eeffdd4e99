//! No file of tests is forgotten, and no test that is ignored by default.

use std::path::PathBuf;

use super::{files_below, root};

/// The modules of `tests/it`: the path of each as tests have it, and its file.
fn test_modules() -> Vec<(String, PathBuf)> {
    let top = root().join("tests/it");
    let module = |file: PathBuf| {
        let path = file.strip_prefix(&top).unwrap().with_extension("");
        let path = path.to_str().unwrap().replace('/', "::");
        (path.trim_end_matches("::mod").to_owned(), file)
    };
    let mut modules: Vec<_> = files_below(&top).into_iter().map(module).collect();
    modules.retain(|(path, _)| path != "main");
    modules
}

#[test]
fn every_test_file_is_run() {
    let modules = test_modules();
    assert!(modules.len() > 100, "the tests were not found");
    for (path, file) in &modules {
        let (parent, name) = path.rsplit_once("::").unwrap_or(("main", path));
        let parent = modules.iter().find(|(path, _)| path == parent);
        let parent = parent.map_or(root().join("tests/it/main.rs"), |(_, file)| file.clone());
        let declared = std::fs::read_to_string(parent)
            .unwrap()
            .contains(&format!("mod {name};"));
        assert!(declared, "{} is not declared", file.display());
    }
}

/// What is ignored by default and run by nobody would fail unseen.
#[test]
fn every_ignored_test_is_run_by_name() {
    let scripts = [".ci/run", "fuzz/run.sh"].map(|script| {
        let text = std::fs::read_to_string(root().join(script)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.collect::<Vec<_>>().join(" ")
    });
    let mut words = scripts.iter().flat_map(|text| text.split_whitespace());
    let (mut run, mut skipped) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word {
            "--skip" => skipped.extend(words.next()),
            word if word.contains("::") => run.push(word),
            _ => {}
        }
    }
    for name in skipped {
        assert!(run.contains(&name), "{name} is skipped, and not run apart");
    }
    let mut ignored = 0;
    for (path, file) in test_modules() {
        let source = std::fs::read_to_string(file).unwrap();
        let no_reason = source.lines().any(|line| line.trim() == "#[ignore]");
        assert!(!no_reason, "{path}: an ignored test has no reason");
        for test in source.split("\n#[ignore = ").skip(1) {
            let (_, rest) = test.split_once("fn ").unwrap();
            let (name, _) = rest.split_once('(').unwrap();
            let name = format!("{path}::{name}");
            let is_run = run.iter().any(|prefix| name.starts_with(prefix));
            assert!(is_run, "nobody runs {name}");
            ignored += 1;
        }
    }
    assert!(ignored > 30, "only {ignored} ignored tests were found");
}
