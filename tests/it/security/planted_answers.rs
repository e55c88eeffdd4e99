//! Responses to refreshes that another user put where ours are saved: none replaces a login.

use std::os::unix::fs::{MetadataExt as _, symlink};

use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use serde_json::json;

use crate::support::World;
use crate::support::issuer::{Account, Fate};
use crate::support::users::{ATTACKER, TwoUsers, VICTIM, give, set_mode};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

#[test]
#[ignore = "needs root"]
fn an_answer_that_was_planted_replaces_no_login() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", 3_600);
    let users = TwoUsers::of(world);
    // Where the answer to a refresh would lie that was killed.
    let provider = ProviderId::parse("openai-codex").unwrap();
    let grant = GrantDigest::of(&provider, &Secret::from(refresh.as_str()));
    let head = json!({
        "schema": 1, "state": users.world.state(), "agent": "main", "provider": provider,
        "profile": "openai-codex:default", "tokenEndpoint": format!("{}/oauth/token", issuer.url()),
        "clientId": "test-client", "begunAt": 1,
    });
    let (access, planted) = issuer.issue();
    let body = json!({ "access_token": access, "refresh_token": planted, "expires_in": 9999 });
    let body = body.to_string();
    let path = format!("rescue/{grant}.1.answer");
    users.plant(&path, &format!("{head}\n{}\n{body}", body.len()));
    set_mode(&users.path("rescue"), 0o777);
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let stored = || users.world.only_profile()["refresh"].clone();
    for _ in 0..2 {
        let ran = users.run(&token);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(stored(), refresh.as_str());
        assert_eq!(ran.err.matches("a saved response is not used").count(), 1);
        assert!(ran.err.contains("belongs to another user"), "{ran:?}");
    }
    let directory = std::fs::metadata(users.path("rescue")).unwrap();
    assert_eq!(directory.mode() & 0o777, 0o700);
    // It would have been taken in, had the victim written it.
    give(&users.path(&path), VICTIM);
    let ran = users.run(&token);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(stored(), refresh.as_str());
    assert_eq!(issuer.fate(&planted), Fate::Spent);
}

#[test]
#[ignore = "needs root"]
fn a_link_in_the_place_of_answers_is_not_followed_to_somebody_else() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let users = TwoUsers::of(world);
    let theirs = users.world.directory.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    give(&theirs, ATTACKER);
    set_mode(&theirs, 0o777);
    symlink(&theirs, users.path("rescue")).unwrap();
    users.settle();
    give(&theirs, ATTACKER);
    let before = users.world.read(DOCUMENT);
    let ran = users.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("belongs to another user"), "{ran:?}");
    assert_eq!(users.world.read(DOCUMENT), before, "nothing was sent");
}

#[test]
#[ignore = "needs root"]
fn a_closed_file_of_somebody_else_blocks_no_grant() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", 3_600);
    let users = TwoUsers::of(world);
    let provider = ProviderId::parse("openai-codex").unwrap();
    let grant = GrantDigest::of(&provider, &Secret::from(refresh.as_str()));
    let path = format!("rescue/{grant}.1.answer");
    users.plant(&path, "anything");
    set_mode(&users.path(&path), 0o600);
    let ran = users.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}
