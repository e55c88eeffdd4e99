//! Whose login it is: ID tokens that are checked before anything is stored, their signatures, and
//! the userinfo endpoint.

use crate::support::browser::visit;
use crate::support::issuer::{Issuer, Scripted};
use serde_json::{Value, json};

use crate::login::metadata_discovery::{FORCE, OPENID, PROFILE, log_in, world};
use crate::support::login::Waiting;
use crate::support::{Ran, World};

/// Changes the manifest of `acme`.
fn manifest(world: &World, issuer: &Issuer, changes: &[(&str, &str)]) {
    let text = issuer.issuer_manifest();
    let text = changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    world.write("providers/acme.toml", &text);
}

fn signed(world: &World, issuer: &Issuer) {
    let changes = [(
        "name = \"Acme\"",
        "name = \"Acme\"\nid_token = \"signature\"",
    )];
    manifest(world, issuer, &changes);
    issuer.publish_json("/jwks", &issuer.jwks());
}

/// A login that the provider agrees to and that is not accepted here.
fn refused(world: &World) -> Ran {
    let login = Waiting::start(world, &["--provider", "acme"]);
    let page = visit(&login.url).unwrap();
    assert_ne!(page.status, 200, "{page:?}");
    let (ran, _) = login.finish();
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    assert!(!document.exists(), "{ran:?}");
    assert!(ran.err.contains("nothing was saved"), "{ran:?}");
    assert!(
        ran.err
            .contains("Try: openclaw models auth login --provider acme")
    );
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
    ran
}

fn asked(issuer: &Issuer, path: &str) -> usize {
    issuer
        .visits()
        .iter()
        .filter(|visit| visit.path == path)
        .count()
}

#[test]
fn oidc_core_3_1_3_7_a_wrong_id_token_ends_the_login() {
    let (world, issuer) = world();
    for (claims, why) in [
        (
            json!({ "iss": "https://evil.example" }),
            "is from https://evil.example and not from",
        ),
        (
            json!({ "aud": ["another-client"] }),
            "is not for this client",
        ),
        (
            json!({ "azp": "another-client" }),
            "was issued to another client",
        ),
        (json!({ "exp": 1_000 }), "has expired"),
        (
            json!({ "iat": 4_000_000_000_i64 }),
            "was issued in the future",
        ),
    ] {
        issuer.change_claims(&claims);
        let ran = refused(&world);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.err.contains(why), "{ran:?}");
    }
    issuer.change_claims(&json!({}));
    log_in(&world);
}

#[test]
fn oidc_core_3_1_2_1_the_nonce_is_sent_and_must_come_back() {
    let (world, issuer) = world();
    let changes = [("path = \"/callback\"", "path = \"/callback\"\nnonce = true")];
    manifest(&world, &issuer, &changes);
    let login = Waiting::start(&world, &["--provider", "acme"]);
    let url = url::Url::parse(&login.url).unwrap();
    let (_, nonce) = url.query_pairs().find(|(name, _)| name == "nonce").unwrap();
    assert_eq!(nonce.len(), 43);
    assert!(![login.state()].contains(&nonce.into_owned()));
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);

    let (world, issuer) = self::world();
    manifest(&world, &issuer, &changes);
    for told in [json!("of another login"), Value::Null] {
        issuer.change_claims(&json!({ "nonce": told }));
        let ran = refused(&world);
        assert!(ran.err.contains("does not repeat the nonce"), "{ran:?}");
    }
}

#[test]
fn oidc_core_3_1_3_7_a_signature_is_checked_where_the_manifest_asks() {
    let (world, issuer) = world();
    signed(&world, &issuer);
    log_in(&world);
    log_in(&world);
    assert_eq!(asked(&issuer, "/jwks"), 1, "the keys are kept");
    // The issuer changes its key: it is asked once more.
    issuer.change_key();
    issuer.publish_json("/jwks", &issuer.jwks());
    log_in(&world);
    assert_eq!(asked(&issuer, "/jwks"), 2);
    assert_eq!(asked(&issuer, OPENID), 1);
}

#[test]
fn oidc_core_3_1_3_7_a_wrong_signature_ends_the_login() {
    let (world, issuer) = world();
    signed(&world, &issuer);
    // The key that is published is not the one that signs, by name and by itself.
    let published = issuer.jwks();
    issuer.change_key();
    let ran = refused(&world);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("does not publish the key"), "{ran:?}");
    let mut published = published;
    published["keys"][0]["kid"] = json!("2");
    issuer.publish_json("/jwks", &published);
    let ran = refused(&world);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("its signature is invalid"), "{ran:?}");
}

#[test]
fn a_login_whose_signature_cannot_be_checked_now_is_checked_by_the_next_command() {
    let (world, issuer) = world();
    signed(&world, &issuer);
    issuer.withdraw("/jwks");
    let login = Waiting::start(&world, &["--provider", "acme"]);
    assert_ne!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("could not be checked"), "{ran:?}");
    assert!(ran.err.contains("the login is saved"), "{ran:?}");
    let list = || world.run(&["models", "auth", "list"]);
    let doctor = world.run(&["doctor"]);
    assert!(doctor.out.contains(".login contains a login"), "{doctor:?}");
    // Nothing is stored unchecked, and not every command waits for the server.
    assert!(!list().out.contains(PROFILE));
    let before = asked(&issuer, "/jwks");
    assert!(!list().out.contains(PROFILE));
    assert_eq!(asked(&issuer, "/jwks"), before);
    issuer.publish_json("/jwks", &issuer.jwks());
    let rescue = world.state().join("rescue");
    let file = std::fs::read_dir(&rescue).unwrap().next().unwrap().unwrap();
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(1);
    let opened = std::fs::File::options()
        .append(true)
        .open(file.path())
        .unwrap();
    opened.set_modified(past).unwrap();
    let ran = list();
    assert!(ran.err.contains("completing the login to Acme"), "{ran:?}");
    assert!(ran.out.contains(PROFILE), "{ran:?}");
    assert!(!file.path().exists());
    assert_eq!(issuer.exchanges().len(), 1, "the code was sent twice");
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_saved_login_whose_signature_is_wrong_is_never_stored() {
    let (world, issuer) = world();
    signed(&world, &issuer);
    issuer.withdraw("/jwks");
    let login = Waiting::start(&world, &["--provider", "acme"]);
    let _ = visit(&login.url).unwrap();
    assert_eq!(login.finish().0.code, 4);
    issuer.change_key();
    issuer.publish_json("/jwks", &issuer.jwks());
    let ran = world.run(&["models", "auth", "list"]);
    assert!(ran.err.contains("nothing was saved"), "{ran:?}");
    assert!(!ran.out.contains(PROFILE), "{ran:?}");
    let left = std::fs::read_dir(world.state().join("rescue")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn oidc_core_12_2_a_refresh_with_an_odd_id_token_is_kept_and_told() {
    let (world, issuer) = world();
    log_in(&world);
    let refreshed = |words: &str| {
        let before = world.store()["profiles"][PROFILE]["refresh"].clone();
        let ran = world.run(&FORCE);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_ne!(world.store()["profiles"][PROFILE]["refresh"], before);
        match words {
            "" => assert_eq!(ran.err, "", "{ran:?}"),
            words => assert!(ran.err.contains(words), "{ran:?}"),
        }
    };
    refreshed("");
    for (claims, words) in [
        (
            json!({ "iss": "https://evil.example" }),
            "is from https://evil.example",
        ),
        (json!({ "aud": "another-client" }), "is not for this client"),
    ] {
        issuer.change_claims(&claims);
        refreshed(words);
    }
    // What is not about who it is concerns nobody.
    issuer.change_claims(&json!({ "exp": 1_000, "nonce": "x" }));
    refreshed("");
    // Whose it is is another matter: the login would be used under a name that is not its own.
    issuer.change_claims(&json!({ "sub": "user-2" }));
    let before = world.store();
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("another account: user-2"), "{ran:?}");
    assert_eq!(world.store(), before);
}

/// The claims of `acme` come from the userinfo endpoint.
fn by_userinfo(world: &World, issuer: &Issuer) {
    let changes = [
        ("id = [\"id_token:/sub\"]", "id = [\"userinfo:/sub\"]"),
        (
            "email = [\"id_token:/email\"]",
            "email = [\"userinfo:/email\"]",
        ),
    ];
    manifest(world, issuer, &changes);
}

#[test]
fn the_userinfo_endpoint_names_a_login() {
    let (world, issuer) = world();
    by_userinfo(&world, &issuer);
    let told = json!({ "sub": "user-1", "email": "told@example.com" });
    issuer.publish_json("/userinfo", &told);
    log_in(&world);
    let profile = &world.store()["profiles"]["acme:told@example.com"];
    assert_eq!(profile["accountId"], "user-1");
    let visits = issuer.visits();
    let visit = visits
        .iter()
        .find(|visit| visit.path == "/userinfo")
        .unwrap();
    let access = profile["access"].as_str().unwrap();
    assert_eq!(visit.authorization, Some(format!("Bearer {access}")));
    // It is asked at login, and where a claim is wanted from it.
    assert_eq!(world.run(&FORCE).code, 0);
    assert_eq!(asked(&issuer, "/userinfo"), 1);
}

#[test]
fn oidc_core_5_3_2_what_is_told_of_another_is_not_used() {
    let (world, issuer) = world();
    by_userinfo(&world, &issuer);
    let told = json!({ "sub": "user-2", "email": "other@example.com" });
    issuer.publish_json("/userinfo", &told);
    let ran = log_in(&world);
    assert!(
        ran.out.contains("another account than the ID token"),
        "{ran:?}"
    );
    let store = world.store();
    let profiles = store["profiles"].as_object().unwrap();
    let names: Vec<_> = profiles.keys().collect();
    assert_eq!(names, ["acme:user-1"]);
    assert!(!store.to_string().contains("other@example.com"));
}

#[test]
fn a_login_does_not_depend_on_the_userinfo_endpoint() {
    let (world, issuer) = world();
    by_userinfo(&world, &issuer);
    let refusal = Scripted {
        status: 500,
        body: "MARKER".to_owned(),
        ..Scripted::default()
    };
    issuer.publish("/userinfo", refusal);
    let ran = log_in(&world);
    let words = "Acme for the account of this login: it returned HTTP 500";
    assert!(ran.out.contains(words), "{ran:?}");
    assert!(!ran.out.contains("MARKER"), "{ran:?}");
}

#[test]
fn oidc_core_3_1_2_1_the_nonce_of_a_login_in_two_halves_must_come_back() {
    let (world, issuer) = world();
    let changes = [("path = \"/callback\"", "path = \"/callback\"\nnonce = true")];
    manifest(&world, &issuer, &changes);
    let halves = || {
        let start = [
            "models",
            "auth",
            "login",
            "--provider",
            "acme",
            "--start",
            "--json",
        ];
        let begun: Value = serde_json::from_str(&world.run(&start).out).unwrap();
        let answer = crate::login::browser::redirect(&issuer, begun["url"].as_str().unwrap());
        let finish = ["models", "auth", "login", "--finish", "--code-file", "-"];
        world.pipe(&finish, &answer)
    };
    issuer.change_claims(&json!({ "nonce": "of another login" }));
    let ran = halves();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("does not repeat the nonce"), "{ran:?}");
    issuer.change_claims(&json!({}));
    let ran = halves();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(world.store()["profiles"][PROFILE].is_object());
}
