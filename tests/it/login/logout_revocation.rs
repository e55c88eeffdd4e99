//! `logout --revoke`: what is sent and where to, and that nothing goes here before the server has
//! agreed.

mod interrupted;
mod issuer_binding;

use crate::support::issuer::{Account, Fate, Issuer, Revocation, Scripted};
use serde_json::json;

use crate::login::metadata_discovery::{PROFILE, log_in, world};
use crate::support::{Ran, World, ran};

const REVOKE: [&str; 6] = ["models", "auth", "logout", PROFILE, "--revoke", "--yes"];
const TOKEN: [&str; 7] = [
    "models",
    "auth",
    "token",
    "--provider",
    "acme",
    "--min-valid",
    "2h",
];
const CODEX: &str = "openai-codex:default";

/// A world with one login that can be revoked: access token, refresh token.
fn logged_in() -> (World, Issuer, String, String) {
    let (world, issuer) = world();
    log_in(&world);
    let profile = &world.store()["profiles"][PROFILE];
    let text = |name: &str| profile[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access"), text("refresh"));
    (world, issuer, access, refresh)
}

fn holds(world: &World, profile: &str) -> bool {
    world.store()["profiles"].get(profile).is_some()
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

fn sent(issuer: &Issuer) -> Vec<Vec<(String, String)>> {
    let all = issuer.revocations().into_iter();
    all.map(|revocation| revocation.parameters).collect()
}

fn unavailable() -> Scripted {
    Scripted {
        status: 503,
        headers: vec![("Retry-After", "120".to_owned())],
        ..Scripted::default()
    }
}

/// Nothing was revoked and nothing is gone.
fn untouched(world: &World, issuer: &Issuer, refresh: &str, ran: &Ran) {
    assert!(holds(world, PROFILE), "{ran:?}");
    assert_eq!(issuer.fate(refresh), Fate::Living);
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
}

#[test]
fn rfc7009_2_1_the_refresh_token_is_revoked_and_then_the_login_goes() {
    let (world, issuer, access, refresh) = logged_in();
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 0, "{ran:?}");
    let endpoint = format!("{}/oauth/revoke", issuer.url());
    assert!(
        ran.out.contains(&format!("Revoked at {endpoint}\n")),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("affects every program and machine"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("A copy is kept"), "{ran:?}");
    assert!(!holds(&world, PROFILE));
    assert_eq!(issuer.fate(&refresh), Fate::Dead);
    let client = ("client_id", "test-client");
    let of = |token: &str, hint| parameters(&[("token", token), ("token_type_hint", hint), client]);
    let expected = [of(&refresh, "refresh_token"), of(&access, "access_token")];
    assert_eq!(sent(&issuer), expected);
    let Revocation {
        content_type,
        authorization,
        ..
    } = &issuer.revocations()[0];
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    assert_eq!(*authorization, None);

    // What was revoked is not brought back, and its tokens are not kept.
    let undo = world.run(&["models", "auth", "undo", PROFILE]);
    assert_eq!(undo.code, 3, "{undo:?}");
    assert!(undo.err.contains("it was revoked just now"), "{undo:?}");
    let history = world.run(&["models", "auth", "history"]);
    assert!(history.out.contains("revoked just now"), "{history:?}");
    let kept = world.state().join("agents/main/agent/auth-history");
    for file in std::fs::read_dir(kept).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains("MARKER"), "{text}");
    }
}

#[test]
fn json_goes_to_a_server_that_wants_it() {
    let (world, issuer) = World::with_issuer(Account::default());
    let revoke = format!("\nrevoke = \"{}/oauth/revoke\"\n\n[[flow]]", issuer.url());
    let manifest = issuer.manifest().replacen("\n\n[[flow]]", &revoke, 1);
    let manifest = format!("{manifest}\n[dialect]\nrevocation_body = \"json\"\n");
    world.write("providers/openai-codex.toml", &manifest);
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    let ran = world.run(&["models", "auth", "logout", CODEX, "--revoke", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let first = parameters(&[
        ("token", &refresh),
        ("token_type_hint", "refresh_token"),
        ("client_id", "test-client"),
    ]);
    let second = parameters(&[("token", &access), ("token_type_hint", "access_token")]);
    assert_eq!(sent(&issuer), [first, second]);
    assert_eq!(issuer.revocations()[0].content_type, "application/json");
}

#[test]
fn rfc7009_2_2_1_a_503_leaves_everything_as_it_was() {
    let (world, issuer, _, refresh) = logged_in();
    let before = world.store();
    issuer.answer_revocation(unavailable());
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.err
            .contains("was not revoked: the server returned HTTP 503")
    );
    assert!(ran.err.contains("retry in 2m"), "{ran:?}");
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
    untouched(&world, &issuer, &refresh, &ran);
    assert_eq!(world.store(), before);
    assert_eq!(sent(&issuer).len(), 1);
    // The grant is as good as it was, and nobody is kept from using it.
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 0, "{token:?}");
    assert!(!token.err.contains("revoke"), "{token:?}");
    assert_eq!(world.run(&REVOKE).code, 0);
    assert!(!holds(&world, PROFILE));
}

#[test]
fn force_forgets_what_could_not_be_revoked_and_says_so() {
    let (world, issuer, _, refresh) = logged_in();
    issuer.answer_revocation(unavailable());
    let mut forced = REVOKE.to_vec();
    forced.push("--force");
    let ran = world.run(&forced);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("the provider may still accept it"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("Revoked"), "{ran:?}");
    assert!(ran.out.contains("A copy is kept"), "{ran:?}");
    assert!(!holds(&world, PROFILE));
    assert_eq!(issuer.fate(&refresh), Fate::Living);
    // So it can be brought back, and revoked after all.
    assert_eq!(world.run(&["models", "auth", "undo", PROFILE]).code, 0);
    assert_eq!(world.run(&REVOKE).code, 0);
    assert_eq!(issuer.fate(&refresh), Fate::Dead);
}

#[test]
fn force_without_revoke_is_a_mistake() {
    let (world, ..) = logged_in();
    let ran = world.run(&["models", "auth", "logout", PROFILE, "--force", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--revoke"), "{ran:?}");
}

#[test]
fn rfc7009_2_2_a_token_that_the_server_does_not_know_is_as_good_as_revoked() {
    let (world, issuer) = World::with_issuer(Account::default());
    let revoke = format!("\nrevoke = \"{}/oauth/revoke\"\n\n[[flow]]", issuer.url());
    let manifest = issuer.manifest().replacen("\n\n[[flow]]", &revoke, 1);
    world.write("providers/openai-codex.toml", &manifest);
    world.seed_with("main", -10, "access", "nobody-issued-it");
    let ran = world.run(&["models", "auth", "logout", CODEX, "--revoke", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!holds(&world, CODEX));
}

#[test]
fn a_server_that_says_no_is_believed() {
    let (world, issuer, _, refresh) = logged_in();
    issuer.answer_revocation(Scripted {
        status: 400,
        body: json!({
            "error": "unsupported_token_type",
            "error_description": format!("no\u{1b}[2J {refresh}"),
        })
        .to_string(),
        ..Scripted::default()
    });
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("unsupported_token_type: no [2J (hidden)"),
        "{ran:?}"
    );
    let hint = format!("Try: openclaw models auth logout {PROFILE}\n");
    assert!(ran.err.contains(&hint), "{ran:?}");
    untouched(&world, &issuer, &refresh, &ran);
}

#[test]
fn no_answer_is_told_as_what_it_is() {
    let (world, issuer, _, refresh) = logged_in();
    issuer.answer_revocation(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("may or may not be revoked"), "{ran:?}");
    assert!(ran.err.contains("may already be used"), "{ran:?}");
    untouched(&world, &issuer, &refresh, &ran);
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 0, "{token:?}");
    assert!(token.err.contains("may already be used"), "{token:?}");
}

#[test]
fn what_cannot_be_revoked_says_so_before_it_asks() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let args = ["models", "auth", "logout", CODEX, "--revoke"];
    let ran = world.run(&args);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("Test issuer has no known revocation endpoint"),
        "{ran:?}"
    );
    let hint = format!("Try: openclaw models auth logout {CODEX}\n");
    assert!(ran.err.contains(&hint), "{ran:?}");
    assert!(holds(&world, CODEX));
    let mut forced = args.to_vec();
    forced.extend(["--force", "--yes"]);
    let ran = world.run(&forced);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("may still accept it"), "{ran:?}");
    assert!(!holds(&world, CODEX));

    let key = json!({ "version": 1, "profiles": { "openai:default": {
        "type": "api_key", "provider": "openai", "key": "sk-MARKER",
    } } });
    world.write("agents/main/agent/auth-profiles.json", &key.to_string());
    let ran = world.run(&["models", "auth", "logout", "openai:default", "--revoke"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("on the provider's website"), "{ran:?}");
}

#[test]
fn an_access_token_alone_is_revoked_as_one() {
    let (world, issuer, access, _) = logged_in();
    let mut store = world.store();
    let profile = store["profiles"][PROFILE].as_object_mut().unwrap();
    profile.remove("refresh");
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = parameters(&[
        ("token", &access),
        ("token_type_hint", "access_token"),
        ("client_id", "test-client"),
    ]);
    assert_eq!(sent(&issuer), [expected]);
    assert!(!holds(&world, PROFILE));
}

#[test]
fn everything_that_holds_the_same_login_is_named_and_goes_with_it() {
    let (world, issuer, ..) = logged_in();
    world.add_agent("work");
    let mut store = world.store();
    let copy = store["profiles"][PROFILE].clone();
    store["profiles"]["acme:twin"] = copy.clone();
    store["profiles"]["acme:other"] = json!({
        "type": "oauth", "provider": "acme", "access": "a", "refresh": "another", "expires": 1,
    });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let work = json!({ "version": 1, "profiles": { "acme:mine": copy } });
    world.write("agents/work/agent/auth-profiles.json", &work.to_string());

    let dry = world.run(&["models", "auth", "logout", PROFILE, "--revoke", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    let named = [
        "Profile acme:twin of agent main is the same login and is removed, too.",
        "Profile acme:mine of agent work is the same login and is removed, too.",
        "Agent work inherits acme:me@example.com from agent main and loses it.",
    ];
    let endpoint = format!("Would revoke at {}/oauth/revoke\n", issuer.url());
    assert!(dry.out.contains(&endpoint), "{dry:?}");
    assert!(named.iter().all(|line| dry.out.contains(line)), "{dry:?}");
    assert!(!dry.out.contains("acme:other"), "{dry:?}");
    assert_eq!((sent(&issuer).len(), world.store()), (0, store));

    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(named.iter().all(|line| ran.err.contains(line)), "{ran:?}");
    assert!(
        ran.out
            .contains("Removed the same login: acme:mine of agent work"),
        "{ran:?}"
    );
    let left: Vec<String> = world.store()["profiles"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(left, ["acme:other"]);
    assert!(
        !world
            .read("agents/work/agent/auth-profiles.json")
            .contains("acme:mine")
    );
}

#[test]
fn a_secret_is_shown_as_the_registration_says() {
    let (world, issuer) = world();
    let client = "id = \"test-client\"\nsecret = \"${secret:ACME}\"\nauth = \"basic\"";
    let manifest = issuer
        .issuer_manifest()
        .replace("id = \"test-client\"", client);
    world.write("providers/acme.toml", &manifest);
    let mut document = issuer.metadata();
    document["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
    issuer.publish_json(crate::login::metadata_discovery::OPENID, &document);
    let store = json!({ "version": 1, "profiles": { PROFILE: {
        "type": "oauth", "provider": "acme", "access": "a-MARKER", "refresh": "r-MARKER", "expires": 1,
    } } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let mut command = world.command(&REVOKE);
    let ran = ran(command.env("ACME", "s-MARKER").output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    // test-client:s-MARKER
    let basic = "Basic dGVzdC1jbGllbnQ6cy1NQVJLRVI=".to_owned();
    let first = &issuer.revocations()[0];
    assert_eq!(first.authorization, Some(basic));
    let expected = [("token", "r-MARKER"), ("token_type_hint", "refresh_token")];
    assert_eq!(first.parameters, parameters(&expected));
    assert!(!format!("{ran:?}").contains("MARKER"), "{ran:?}");
}
