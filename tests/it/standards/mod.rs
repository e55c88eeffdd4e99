//! What the standards ask of such a client, one test or more for each section that asks anything.
//!
//! A test is named after its section, wherever it stands: `rfc6749_4_1_3_...`. The list of sections
//! is `tests/fixtures/standards.txt`, and none of them may be without a test.

mod oidc_core;
mod rfc6749_oauth2;
mod rfc6750_bearer_token;
mod rfc7636_pkce;
mod rfc8252_native_apps;
mod rfc9700_security;

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::issuer::{Account, Issuer};

use crate::support::World;
use crate::support::login::Waiting;

/// The parameters of an authorization request.
fn asked(url: &str) -> Vec<(String, String)> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value)
}

/// A login that has told its URL, the world it is in, and its server.
fn waiting() -> (World, Issuer, Waiting) {
    let (world, issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &[]);
    (world, issuer, login)
}

/// Ends a login that a test has no more use for.
fn abandon(mut login: Waiting) {
    login.child.kill().unwrap();
    login.child.wait().unwrap();
}

fn nothing_is_stored(world: &World) -> bool {
    let store = world.state().join("agents/main/agent/auth-profiles.json");
    !store.exists()
}

/// The names of all test functions below a directory.
fn test_names(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            test_names(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let tests = text.split("#[test]\n").skip(1);
            names.extend(tests.filter_map(|test| {
                let (_, rest) = test.split_once("fn ")?;
                Some(rest.split('(').next()?.to_owned())
            }));
        }
    }
}

/// Whether `test` is named after `section`, and not after a section of that.
fn is_about(test: &str, section: &str) -> bool {
    let rest = test
        .strip_prefix(section)
        .and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

#[test]
fn every_section_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    test_names(&root.join("src"), &mut names);
    test_names(&root.join("tests"), &mut names);
    assert!(
        is_about("rfc8628_3_5_x", "rfc8628_3_5") && !is_about("rfc8628_3_5_1_x", "rfc8628_3_5")
    );
    let list = include_str!("../../fixtures/standards.txt");
    let sections = list
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let mut missing: Vec<&str> = Vec::new();
    let mut count = 0;
    for line in sections {
        let (section, _) = line.split_once(' ').unwrap();
        count += 1;
        if !names.iter().any(|name| is_about(name, section)) {
            missing.push(line);
        }
    }
    assert!(missing.is_empty(), "no test for:\n{}", missing.join("\n"));
    assert_eq!(count, 51);
}
