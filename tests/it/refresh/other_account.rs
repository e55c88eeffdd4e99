//! A refresh that is answered for another account than the login is of: nothing of it is stored
//! under that name.

use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use serde_json::json;

use crate::support::World;
use crate::support::issuer::{Account, Fate};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];

/// A proxy or a cache that mixes users would let one work, and pay, under the name of another.
#[test]
fn an_answer_about_another_account_replaces_no_login() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", -10);
    let before = world.only_profile();
    issuer.set_account(Account {
        id: "acct_mallory".to_owned(),
        ..Account::default()
    });
    let first = world.run(&TOKEN);
    assert_eq!((first.code, first.out.as_str()), (3, ""), "{first:?}");
    let words = "it is about another account: acct_mallory";
    assert!(first.err.contains(words), "{first:?}");
    for args in [TOKEN.as_slice(), &FORCE, &["tick"], &TOKEN] {
        let ran = world.run(args);
        assert_ne!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(world.only_profile(), before);
    assert_eq!(issuer.fate(&refresh), Fate::Spent);
}

#[test]
fn a_saved_answer_about_another_account_is_not_taken_in() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", 3_600);
    let before = world.only_profile();
    issuer.set_account(Account {
        id: "acct_mallory".to_owned(),
        ..Account::default()
    });
    let (access, other) = issuer.issue();
    // As a process leaves it that is killed before it has looked.
    let provider = ProviderId::parse("openai-codex").unwrap();
    let grant = GrantDigest::of(&provider, &Secret::from(refresh.as_str()));
    let head = json!({
        "schema": 1, "state": world.state(), "agent": "main", "provider": provider,
        "profile": "openai-codex:default", "tokenEndpoint": format!("{}/oauth/token", issuer.url()),
        "clientId": "test-client", "begunAt": 1,
    });
    let body = json!({ "access_token": access, "refresh_token": other, "expires_in": 9999 });
    let body = body.to_string();
    let answer = format!("{head}\n{}\n{body}", body.len());
    world.write(&format!("rescue/{grant}.1.answer"), &answer);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "the old token is valid: {ran:?}");
    assert_eq!(world.only_profile(), before);
    let ran = world.run(&FORCE);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(issuer.token_requests().is_empty());
}
