//! A journal that is lost, with the directory of the locks, from a backup, or by a cleaner of
//! temporary files: a manifest that changed still gets no refresh token of another server.

use serde_json::{Value, json};

use crate::login::metadata_discovery::{FORCE, PROFILE, log_in, world};
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World};

const CODEX: &str = "openai-codex:default";
const CODEX_MANIFEST: &str = "providers/openai-codex.toml";
const ACME_MANIFEST: &str = "providers/acme.toml";

fn lose_journal(world: &World) {
    std::fs::remove_dir_all(world.state().join("locks")).unwrap();
}

/// The same manifest with another token endpoint.
fn elsewhere(issuer: &Issuer) -> String {
    let url = issuer.url();
    let other = format!("id = \"test-client\"\nauthorize = \"{url}/a\"\ntoken = \"{url}/other\"");
    let manifest = issuer.issuer_manifest();
    manifest.replace("id = \"test-client\"", &other)
}

fn refuses(world: &World, args: &[&str]) {
    let ran = world.run(args);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
}

fn done(world: &World, args: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// The history of a profile, and its file.
fn history(world: &World, profile: &str) -> (String, Value) {
    let directory = "agents/main/agent/auth-history";
    let files = std::fs::read_dir(world.state().join(directory)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let paths = names.filter(|name| name.ends_with(".json"));
    let read = |path: String| {
        (
            path.clone(),
            serde_json::from_str(&world.read(&path)).unwrap(),
        )
    };
    let mut all = paths.map(|name| read(format!("{directory}/{name}")));
    all.find(|(_, it): &(String, Value)| it["profile"] == profile)
        .unwrap()
}

#[test]
fn rfc9700_4_4_a_login_goes_back_to_its_issuer() {
    let (world, issuer) = world();
    log_in(&world);
    lose_journal(&world);
    world.write(ACME_MANIFEST, &elsewhere(&issuer));
    refuses(&world, &FORCE);
    refuses(
        &world,
        &["models", "auth", "logout", PROFILE, "--revoke", "--yes"],
    );
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(issuer.revocations().len(), 0);
    world.write(ACME_MANIFEST, &issuer.issuer_manifest());
    done(&world, &FORCE);
}

#[test]
fn rfc9700_4_4_an_imported_login_goes_back_to_where_it_was_refreshed() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    done(&world, &FORCE);
    lose_journal(&world);
    let manifest = issuer.manifest();
    world.write(
        CODEX_MANIFEST,
        &manifest.replace("/oauth/token", "/other/token"),
    );
    refuses(&world, &FORCE);
    assert_eq!(issuer.token_requests().len(), 1);
    world.write(CODEX_MANIFEST, &manifest);
    done(&world, &FORCE);
}

#[test]
fn rfc9700_4_4_a_login_that_is_brought_back_goes_back_to_its_issuer() {
    let (world, issuer) = world();
    log_in(&world);
    log_in(&world);
    lose_journal(&world);
    done(&world, &["models", "auth", "undo", PROFILE]);
    world.write(ACME_MANIFEST, &elsewhere(&issuer));
    refuses(&world, &FORCE);
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn the_copy_is_of_what_can_be_used_and_unknown_members_stay() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    done(&world, &FORCE);
    let (path, mut first) = history(&world, CODEX);
    let copies = first["bindings"].as_object().unwrap();
    let endpoint = format!("{}/oauth/token", issuer.url());
    let expected = json!({ "tokenEndpoint": endpoint, "clientId": "test-client" });
    assert_eq!(copies.values().collect::<Vec<_>>(), [&expected]);
    first["later"] = json!({ "of": "a later release" });
    world.write(&path, &first.to_string());
    done(&world, &FORCE);
    let (_, second) = history(&world, CODEX);
    assert_eq!(second["later"], first["later"]);
    assert_eq!(second["bindings"].as_object().unwrap().len(), 1);
    assert_ne!(second["bindings"], first["bindings"]);
}

/// One of an earlier release has none, and a damaged one locks nobody out: who issued the login is
/// not known then, as of an imported one.
#[test]
fn a_history_without_the_copy_is_a_history() {
    for copy in [Value::Null, json!("damaged")] {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed(&issuer, "main", -10);
        done(&world, &FORCE);
        let (path, mut history) = history(&world, CODEX);
        history["bindings"] = copy;
        world.write(&path, &history.to_string());
        lose_journal(&world);
        refuses(&world, &FORCE);
        assert_eq!(issuer.token_requests().len(), 1);
        let endpoint = format!("{}/oauth/token", issuer.url());
        done(
            &world,
            &[
                &FORCE[..],
                &["--profile", CODEX, "--accept-endpoint", &endpoint],
            ]
            .concat(),
        );
        assert_eq!(issuer.token_requests().len(), 2);
    }
}
