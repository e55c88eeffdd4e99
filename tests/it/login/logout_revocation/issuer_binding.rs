//! A token is revoked at the server that issued it, for the client it was issued to, or nowhere.

use crate::support::browser::visit;
use serde_json::json;

use super::{PROFILE, REVOKE, holds, logged_in, sent, untouched};
use crate::login::metadata_discovery::{OPENID, world};
use crate::support::login::Waiting;
use crate::support::ran;

/// Lets kept metadata be asked for anew.
fn forget_metadata(world: &crate::support::World) {
    std::fs::remove_dir_all(world.state().join("cache")).unwrap();
}

#[test]
fn rfc9700_4_4_a_manifest_that_changed_sends_no_token_elsewhere() {
    let (world, issuer, _, refresh) = logged_in();
    let url = issuer.url();
    let manifest = issuer.issuer_manifest();
    for changed in [
        format!("id = \"test-client\"\nauthorize = \"{url}/a\"\ntoken = \"{url}/other/token\""),
        format!("id = \"test-client\"\nrevoke = \"{url}/other/revoke\""),
        "id = \"another-client\"".to_owned(),
    ] {
        let manifest = manifest.replace("id = \"test-client\"", &changed);
        world.write("providers/acme.toml", &manifest);
        let ran = world.run(&REVOKE);
        assert_eq!(ran.code, 1, "{changed}: {ran:?}");
        assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
        assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
        untouched(&world, &issuer, &refresh, &ran);
    }
    assert_eq!(sent(&issuer).len(), 0);
    let asked = issuer.visits();
    assert!(asked.iter().all(|visit| visit.path == OPENID), "{asked:?}");
    world.write("providers/acme.toml", &manifest);
    assert_eq!(world.run(&REVOKE).code, 0);
}

#[test]
fn rfc9700_4_4_metadata_that_changed_sends_no_token_elsewhere() {
    let (world, issuer, _, refresh) = logged_in();
    for name in ["revocation_endpoint", "token_endpoint"] {
        let mut document = issuer.metadata();
        document[name] = json!(format!("{}/other", issuer.url()));
        issuer.publish_json(OPENID, &document);
        forget_metadata(&world);
        let ran = world.run(&REVOKE);
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
        untouched(&world, &issuer, &refresh, &ran);
    }
    assert_eq!(sent(&issuer).len(), 0);
}

#[test]
fn rfc9700_4_4_another_client_id_from_the_environment_revokes_nothing() {
    let (world, issuer) = world();
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace("id = \"test-client\"", "id_env = [\"ACME_CLIENT\"]");
    world.write("providers/acme.toml", &manifest);
    let mut login = world.command(&["models", "auth", "login", "--json", "--no-browser"]);
    login.args(["--provider", "acme"]).env("ACME_CLIENT", "one");
    let login = Waiting::of(login);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    let revoke = |client: &str| {
        let mut command = world.command(&REVOKE);
        ran(command.env("ACME_CLIENT", client).output().unwrap())
    };
    let refused = revoke("two");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("only sent to its issuer"),
        "{refused:?}"
    );
    assert!(holds(&world, PROFILE));
    assert_eq!(sent(&issuer).len(), 0);
    assert_eq!(revoke("one").code, 0);
}

#[test]
fn a_spent_copy_is_not_taken_for_the_login() {
    let (world, issuer, _, _) = logged_in();
    let spent = world.store();
    assert_eq!(world.run(&crate::login::metadata_discovery::FORCE).code, 0);
    world.write("agents/main/agent/auth-profiles.json", &spent.to_string());
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("an outdated copy of a login that was refreshed"),
        "{ran:?}"
    );
    assert_eq!(sent(&issuer).len(), 0);
}
