//! A manifest that gives only the issuer: the endpoints come from the issuer's metadata, and what
//! that may not say is refused before anything is sent.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::{Value, json};

use crate::login::browser::redirect;
use crate::support::login::Waiting;
use crate::support::{Ran, World};

pub(crate) const OPENID: &str = "/.well-known/openid-configuration";
pub(crate) const PROFILE: &str = "acme:me@example.com";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "acme"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "acme"];
pub(crate) const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];

/// A world whose `acme` is known by its issuer alone, which publishes its metadata.
pub(crate) fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.write("providers/acme.toml", &issuer.issuer_manifest());
    issuer.publish_json(OPENID, &issuer.metadata());
    (world, issuer)
}

pub(crate) fn log_in(world: &World) -> Ran {
    let login = Waiting::start(world, &["--provider", "acme"]);
    let page = visit(&login.url).unwrap();
    let (ran, _) = login.finish();
    assert_eq!((page.status, ran.code), (200, 0), "{page:?} {ran:?}");
    ran
}

/// A login that ends before anybody is sent to the browser.
fn refused(world: &World) -> Ran {
    let ran = world.run(&LOGIN);
    assert_eq!(ran.out, "", "{ran:?}");
    assert!(!ran.err.contains("/oauth/authorize?"), "{ran:?}");
    ran
}

fn with(issuer: &Issuer, name: &str, value: Value) -> Value {
    let mut document = issuer.metadata();
    document[name] = value;
    document
}

fn asked(issuer: &Issuer) -> Vec<String> {
    let visits = issuer.visits().into_iter();
    visits.map(|visit| visit.path).collect()
}

/// The one file of the cache.
fn cached(world: &World) -> String {
    let directory = world.state().join("cache/metadata");
    let mut names = std::fs::read_dir(directory).unwrap().flatten();
    let name = names.next().unwrap().file_name().into_string().unwrap();
    assert!(names.next().is_none());
    format!("cache/metadata/{name}")
}

/// Lets what is kept run out.
fn outdate(world: &World) {
    let file = cached(world);
    let mut page: Value = serde_json::from_str(&world.read(&file)).unwrap();
    page["freshUntil"] = json!(page["fetchedAt"].as_i64().unwrap());
    world.write(&file, &page.to_string());
}

fn unavailable(issuer: &Issuer) {
    issuer.publish(
        OPENID,
        Scripted {
            status: 503,
            ..Scripted::default()
        },
    );
}

#[test]
fn an_issuer_is_enough_and_asked_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, issuer) = world();
    log_in(&world);
    assert_eq!(world.store()["profiles"][PROFILE]["accountId"], "user-1");
    assert_eq!(world.run(&TOKEN).code, 0);
    let refreshed = world.run(&FORCE);
    assert_eq!(refreshed.code, 0, "{refreshed:?}");
    assert_eq!(asked(&issuer), [OPENID]);
    assert_eq!(issuer.token_requests().len(), 2);
    let file = world.state().join(cached(&world));
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    outdate(&world);
    assert_eq!(world.run(&FORCE).code, 0);
    assert_eq!(asked(&issuer), [OPENID, OPENID]);
}

#[test]
fn rfc8414_3_1_a_path_of_the_issuer_comes_after_the_well_known_part() {
    let (world, issuer) = world();
    let tenant = format!("{}/tenant", issuer.url());
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace(
        &format!("issuer = \"{}\"", issuer.url()),
        &format!("issuer = \"{tenant}\""),
    );
    world.write("providers/acme.toml", &manifest);
    let document = with(&issuer, "issuer", json!(tenant));
    issuer.publish_json(&format!("{OAUTH}/tenant"), &document);
    issuer.change_claims(&json!({ "iss": tenant }));
    log_in(&world);
    let expected = [format!("/tenant{OPENID}"), format!("{OAUTH}/tenant")];
    assert_eq!(asked(&issuer), expected);
}

#[test]
fn rfc8414_3_3_metadata_of_another_issuer_is_not_used() {
    let (world, issuer) = world();
    let other = format!("{}/", issuer.url());
    issuer.publish_json(OPENID, &with(&issuer, "issuer", json!(other)));
    let ran = refused(&world);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("belongs to another issuer"), "{ran:?}");
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
    // What is wrong is not made good by another document.
    assert_eq!(asked(&issuer), [OPENID]);
    assert!(!world.state().join("cache").exists());
}

#[test]
fn metadata_may_not_name_any_endpoint_it_likes() {
    let (world, issuer) = world();
    for (wrong, origin) in [
        ("http://127.0.0.1:1/token", "http://127.0.0.1:1"),
        ("http://localhost:1/token", "http://localhost:1"),
        ("https://evil.example/token", "https://evil.example"),
    ] {
        issuer.publish_json(OPENID, &with(&issuer, "token_endpoint", json!(wrong)));
        let ran = refused(&world);
        assert_eq!(ran.code, 1, "{ran:?}");
        let own = issuer.url();
        let words = format!(
            "its token_endpoint {wrong} is on {origin}, and the manifest allows only {own}"
        );
        assert!(ran.err.contains(&words), "{ran:?}");
    }
}

#[test]
fn metadata_that_cannot_be_had_is_no_metadata() {
    let (world, issuer) = world();
    unavailable(&issuer);
    let ran = refused(&world);
    assert_eq!(ran.code, 4, "{ran:?}");
    issuer.withdraw(OPENID);
    let elsewhere = Scripted {
        status: 302,
        headers: vec![("Location", format!("{}{OPENID}", issuer.url()))],
        ..Scripted::default()
    };
    issuer.publish(OAUTH, elsewhere);
    let ran = refused(&world);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("a redirect (HTTP 302)"), "{ran:?}");
    assert_eq!(asked(&issuer), [OPENID, OPENID, OAUTH]);
}

#[test]
fn rfc9207_2_4_an_announced_issuer_must_stand_on_the_callback() {
    let (world, issuer) = world();
    let announced = "authorization_response_iss_parameter_supported";
    issuer.publish_json(OPENID, &with(&issuer, announced, json!(true)));
    let login = Waiting::start(&world, &["--provider", "acme"]);
    let answer = redirect(&issuer, &login.url);
    let status = |url: &str| visit(url).unwrap().status;
    assert_eq!(status(&answer), 400);
    let iss = |issuer: &str| {
        let pairs = [("iss", issuer)];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        format!("{answer}&{}", query.extend_pairs(pairs).finish())
    };
    assert_eq!(status(&iss("https://evil.example")), 400);
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(status(&iss(issuer.url())), 200);
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn rfc9700_4_8_nothing_weaker_than_s256_is_sent() {
    let (world, issuer) = world();
    let methods = "code_challenge_methods_supported";
    issuer.publish_json(OPENID, &with(&issuer, methods, json!(["plain"])));
    let ran = refused(&world);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("PKCE with S256"), "{ran:?}");
}

#[test]
fn what_the_server_cannot_do_is_said_before_anybody_logs_in() {
    let (world, issuer) = world();
    let grants = json!(["client_credentials"]);
    issuer.publish_json(OPENID, &with(&issuer, "grant_types_supported", grants));
    let ran = refused(&world);
    assert!(ran.err.contains("authorization_code"), "{ran:?}");

    let manifest = issuer.issuer_manifest().replace(
        "id = \"test-client\"",
        "id = \"test-client\"\nsecret = \"${secret:ACME}\"",
    );
    world.write("providers/acme.toml", &manifest);
    let methods = json!(["client_secret_basic"]);
    let name = "token_endpoint_auth_methods_supported";
    issuer.publish_json(OPENID, &with(&issuer, name, methods));
    let mut command = world.command(&LOGIN);
    let ran = crate::support::ran(command.env("ACME", "MARKER").output().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("set auth = \"basic\""), "{ran:?}");
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
}

#[test]
fn a_refresh_outlives_metadata_that_cannot_be_had_and_a_login_does_not() {
    let (world, issuer) = world();
    log_in(&world);
    outdate(&world);
    unavailable(&issuer);
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("could not fetch"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 2);
    assert_eq!(refused(&world).code, 4);
    // Without anything kept the token that lives is still handed out.
    std::fs::remove_dir_all(world.state().join("cache")).unwrap();
    world.age_grants(86_400);
    let ran = world.run(&[
        "models",
        "auth",
        "token",
        "--provider",
        "acme",
        "--min-valid",
        "2h",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("could not fetch"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn rfc9700_4_4_a_grant_does_not_follow_metadata_to_another_endpoint() {
    let (world, issuer) = world();
    log_in(&world);
    outdate(&world);
    let other = json!(format!("{}/other/token", issuer.url()));
    issuer.publish_json(OPENID, &with(&issuer, "token_endpoint", other));
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(asked(&issuer), [OPENID, OPENID]);
    assert_eq!(issuer.token_requests().len(), 1);
    // A kept document that somebody changed is no way there, either.
    let file = cached(&world);
    let changed = world.read(&file).replace("/other/token", "/third/token");
    world.write(&file, &changed);
    assert!(world.run(&FORCE).err.contains("only sent to its issuer"));
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn rfc9700_4_4_a_grant_does_not_go_with_another_client_id() {
    let (world, issuer) = world();
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace("id = \"test-client\"", "id_env = [\"ACME_CLIENT\"]");
    world.write("providers/acme.toml", &manifest);
    let run = |args: &[&str], client: &str| {
        let mut command = world.command(args);
        crate::support::ran(command.env("ACME_CLIENT", client).output().unwrap())
    };
    let mut command = world.command(&["models", "auth", "login", "--json", "--no-browser"]);
    command
        .args(["--provider", "acme"])
        .env("ACME_CLIENT", "one");
    let login = Waiting::of(command);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    let ran = run(&FORCE, "two");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(run(&FORCE, "one").code, 0);
}

#[test]
fn a_device_code_needs_no_more_than_the_issuer() {
    let (world, issuer) = world();
    let manifest = issuer.issuer_manifest();
    let (head, tail) = manifest.split_once("[[flow]]").unwrap();
    let (_, tail) = tail.split_once("[account]").unwrap();
    let flow =
        "[[flow]]\nkind = \"device\"\nscopes = [\"openid\", \"offline_access\"]\n\n[account]";
    world.write("providers/acme.toml", &format!("{head}{flow}{tail}"));
    let refused = world.run(&LOGIN);
    assert_eq!(refused.code, 1, "{refused:?}");
    let words = "has no device authorization endpoint";
    assert!(refused.err.contains(words), "{refused:?}");
    let endpoint = json!(format!("{}/oauth/device/code", issuer.url()));
    issuer.publish_json(
        OPENID,
        &with(&issuer, "device_authorization_endpoint", endpoint),
    );
    let ran = world.run(&LOGIN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.store()["profiles"][PROFILE]["accountId"], "user-1");
    assert_eq!(world.run(&FORCE).code, 0);
    // What comes that way is looked into no less.
    issuer.change_claims(&json!({ "aud": "another-client" }));
    let ran = world.run(&LOGIN);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("is not for this client"), "{ran:?}");
}

#[test]
fn a_client_asks_for_itself_at_the_endpoint_that_the_issuer_names() {
    use openclaw::model::provider::ClientAuth;
    let (world, issuer) = world();
    issuer.expect_client("client-1", "MARKER", ClientAuth::Post);
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace(
        "id = \"test-client\"",
        "id = \"client-1\"\nsecret = \"${secret:ACME}\"",
    );
    let (head, tail) = manifest.split_once("[[flow]]").unwrap();
    let (_, tail) = tail.split_once("[account]").unwrap();
    let flow = "[[flow]]\nkind = \"client_credentials\"\nscopes = [\"api\"]\n\n[account]";
    world.write("providers/acme.toml", &format!("{head}{flow}{tail}"));
    let run = |args: &[&str]| {
        let mut command = world.command(args);
        crate::support::ran(command.env("ACME", "MARKER").output().unwrap())
    };
    let refused = run(&LOGIN);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("client_credentials"), "{refused:?}");
    let mut document = with(
        &issuer,
        "grant_types_supported",
        json!(["client_credentials"]),
    );
    let methods = json!(["client_secret_post"]);
    document["token_endpoint_auth_methods_supported"] = methods;
    issuer.publish_json(OPENID, &document);
    let ran = run(&LOGIN);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Its token is revoked as what it is.
    let revoke = [
        "models",
        "auth",
        "logout",
        "acme:default",
        "--revoke",
        "--yes",
    ];
    let ran = run(&revoke);
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = &issuer.revocations()[0].parameters;
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["token", "token_type_hint", "client_id", "client_secret"]
    );
    assert_eq!(sent[1].1, "access_token");
}
