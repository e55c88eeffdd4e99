//! A document that was put back after its grant had been spent: what is in it is never sent again.

use crate::support::issuer::{Account, Issuer};
use serde_json::{Value, json};

use crate::support::{Ran, World};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const REFRESH: [&str; 4] = ["models", "auth", "refresh", "--force"];
const MAIN: &str = "agents/main/agent/auth-profiles.json";
const WORK: &str = "agents/work/agent/auth-profiles.json";

/// A world whose login was refreshed so often, and the document as it was before.
fn refreshed(left: i64, times: usize) -> (World, Issuer, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", left);
    world.add_agent("work");
    let backup = world.read(MAIN);
    for _ in 0..times {
        let ran = world.run(&REFRESH);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    (world, issuer, backup)
}

fn token(world: &World, agent: &str) -> Ran {
    let mut args = TOKEN.to_vec();
    args.extend(["--agent", agent]);
    world.run(&args)
}

/// As if an earlier version had refreshed the login.
fn forget_history(world: &World) {
    std::fs::remove_dir_all(world.state().join("agents/main/agent/auth-history")).unwrap();
}

fn login(world: &World, path: &str) -> Value {
    let document: Value = serde_json::from_str(&world.read(path)).unwrap();
    document["profiles"]["openai-codex:default"].clone()
}

/// The document with its one profile under another name.
fn renamed(backup: &str, name: &str) -> String {
    let mut document: Value = serde_json::from_str(backup).unwrap();
    let login = document["profiles"]["openai-codex:default"].take();
    document["profiles"] = json!({ name: login });
    document.to_string()
}

#[test]
fn an_old_copy_whose_token_still_lives_takes_over_its_successor() {
    let (world, issuer, backup) = refreshed(3_600, 2);
    let newest = login(&world, MAIN);
    world.write(MAIN, &backup);
    assert_ne!(login(&world, MAIN)["access"], newest["access"]);
    let ran = world.run(&["models", "auth", "explain", "--provider", "openai-codex"]);
    let words = "replaced by the newest version, which the history of openai-codex:default kept";
    assert!(
        ran.out.replace("\n", " ").contains(words) || ran.out.contains("the history of"),
        "{ran:?}"
    );
    let ran = token(&world, "main");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out.trim_end(), newest["access"]);
    assert!(ran.err.contains("which the history kept"), "{ran:?}");
    assert_eq!(login(&world, MAIN), newest);
    assert_eq!(issuer.token_requests().len(), 2);
    let ran = token(&world, "main");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn an_old_copy_that_lives_and_has_no_successor_is_handed_out() {
    let (world, issuer, backup) = refreshed(3_600, 1);
    world.write(MAIN, &backup);
    forget_history(&world);
    let ran = token(&world, "main");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(ran.out.trim_end(), login(&world, MAIN)["access"]);
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_spent_grant_without_a_successor_is_not_sent() {
    let (world, issuer, backup) = refreshed(-10, 1);
    world.write(MAIN, &backup);
    forget_history(&world);
    let before = world.read(MAIN);
    for _ in 0..2 {
        let ran = token(&world, "main");
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        assert!(ran.err.contains("openai-codex:default"), "{ran:?}");
        assert!(ran.err.contains("an outdated copy"), "{ran:?}");
        assert!(ran.err.contains("not in this state directory"), "{ran:?}");
        let hint = "models auth login --provider openai-codex";
        assert!(ran.err.contains(hint), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1, "a spent grant was sent");
    assert_eq!(world.read(MAIN), before);
}

/// However many refreshes lie between: the journal leads from each grant to the next.
#[test]
fn a_copy_of_a_profile_takes_its_successor_from_another_agent() {
    for times in [1, 3] {
        let (world, issuer, backup) = refreshed(-10, times);
        let own = backup.replace("\"custom\":", "\"own\":");
        world.write(WORK, &own);
        let ran = token(&world, "work");
        assert_eq!(ran.code, 0, "{ran:?}");
        let (main, work) = (login(&world, MAIN), login(&world, WORK));
        assert_eq!(ran.out.trim_end(), main["access"]);
        for field in ["access", "refresh", "expires"] {
            assert_eq!(work[field], main[field], "{field}");
        }
        assert_eq!(work["own"], "keepme");
        assert_eq!(issuer.token_requests().len(), times);
    }
}

#[test]
fn a_copy_moves_before_its_successor_is_refreshed() {
    let (world, issuer, backup) = refreshed(-10, 1);
    world.write(WORK, &backup);
    let mut main: Value = serde_json::from_str(&world.read(MAIN)).unwrap();
    main["profiles"]["openai-codex:default"]["expires"] = json!(1_795_230_000_000_i64);
    world.write(MAIN, &main.to_string());
    let ran = token(&world, "work");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(login(&world, MAIN)["access"], ran.out.trim_end());
    assert_eq!(login(&world, WORK)["access"], ran.out.trim_end());
    let requests = issuer.token_requests();
    assert_eq!(requests.len(), 2, "one of main, one for both");
    assert_ne!(requests[0], requests[1], "the spent grant was sent");
}

/// The profile need not have the name it had.
#[test]
fn the_profile_that_holds_the_successor_is_named() {
    let (world, issuer, backup) = refreshed(-10, 1);
    world.write(WORK, &renamed(&backup, "openai-codex:old"));
    let args = [
        "models",
        "auth",
        "token",
        "--profile",
        "openai-codex:old",
        "--agent",
        "work",
    ];
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out.trim_end(), login(&world, MAIN)["access"]);
    assert!(
        ran.err.contains("openai-codex:default of agent main"),
        "{ran:?}"
    );
    assert_eq!(issuer.token_requests().len(), 1, "a spent grant was sent");
    let work: Value = serde_json::from_str(&world.read(WORK)).unwrap();
    let healed = &work["profiles"]["openai-codex:old"];
    assert_eq!(healed["refresh"], login(&world, MAIN)["refresh"]);
    let again = world.run(&args);
    assert_eq!((again.code, again.err.as_str()), (0, ""), "{again:?}");
}

#[test]
fn force_sends_no_spent_grant_either() {
    let (world, issuer, backup) = refreshed(-10, 1);
    world.write(MAIN, &backup);
    forget_history(&world);
    let ran = world.run(&REFRESH);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1, "a spent grant was sent");
}

/// A provider that does not rotate gives the same refresh token back: it is its own successor.
#[test]
fn a_grant_that_follows_itself_is_not_spent() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", -10);
    let answer = json!({ "access_token": access, "expires_in": 1 });
    for _ in 0..2 {
        issuer.answer_next(crate::support::issuer::Scripted {
            status: 200,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: answer.to_string(),
            ..crate::support::issuer::Scripted::default()
        });
        let ran = world.run(&REFRESH);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(login(&world, MAIN)["refresh"], refresh);
    }
    assert_eq!(issuer.token_requests().len(), 2);
}
