//! What profiles held before: kept beside the document, and put back by the real program.

mod handed_over;
mod in_memory;

use std::os::unix::fs::PermissionsExt;

use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::Value;

use crate::support::{Ran, World};

const CODEX: &str = "openai-codex:default";
const MANUAL: &str = "anthropic:manual";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

fn token(mark: char) -> String {
    format!("sk-ant-oat01-{}", mark.to_string().repeat(95))
}

fn paste(world: &World, mark: char) {
    let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let ran = world.pipe(&args, &token(mark));
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn auth(world: &World, verb: &str, more: &[&str]) -> Ran {
    let mut args = vec!["models", "auth", verb];
    args.extend(more);
    world.run(&args)
}

fn done(world: &World, verb: &str, more: &[&str]) -> Ran {
    let ran = auth(world, verb, more);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

fn held(world: &World) -> Value {
    world.store()["profiles"][MANUAL]["token"].clone()
}

/// Number, cause and state of each generation.
fn generations(world: &World, profile: &str) -> Vec<(u64, String, String)> {
    let ran = done(world, "history", &[profile, "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["profiles"][0]["generations"].as_array().unwrap();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            let number = row["number"].as_u64().unwrap();
            (number, word(row, "by"), word(row, "state"))
        })
        .collect()
}

fn all(expected: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    let rows = expected.iter();
    rows.map(|(n, by, state)| (*n, (*by).to_owned(), (*state).to_owned()))
        .collect()
}

/// A world with one login that is fresh, and was refreshed `times` times.
fn refreshed(times: usize) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    for _ in 0..times {
        done(&world, "refresh", &["--force"]);
    }
    (world, issuer)
}

#[test]
fn what_was_pasted_over_comes_back_and_the_other_way_round() {
    let world = World::new();
    paste(&world, 'a');
    paste(&world, 'b');
    assert_eq!(generations(&world, MANUAL), all(&[(1, "paste", "good")]));
    let before = world.store();
    done(&world, "undo", &[MANUAL, "--dry-run"]);
    assert_eq!(world.store(), before);
    done(&world, "undo", &[MANUAL]);
    assert_eq!(held(&world), token('a'));
    assert_eq!(generations(&world, MANUAL), all(&[(2, "undo", "good")]));
    done(&world, "undo", &[MANUAL, "--generation", "2"]);
    assert_eq!(held(&world), token('b'));
    // What is in the profile is in no generation: undoing for ever pushes nothing out.
    assert_eq!(generations(&world, MANUAL), all(&[(3, "undo", "good")]));
    assert_eq!(world.store(), before);
}

#[test]
fn a_logout_can_be_undone_and_says_so_until_the_copy_is_cleared() {
    let world = World::new();
    paste(&world, 'a');
    let ran = done(&world, "logout", &[MANUAL, "--yes"]);
    assert!(ran.out.contains("models auth undo anthropic:manual"));
    done(&world, "undo", &[MANUAL]);
    assert_eq!(held(&world), token('a'));
    done(&world, "logout", &[MANUAL, "--yes"]);
    let unsure = auth(&world, "history", &[MANUAL, "--clear"]);
    assert_eq!(unsure.code, 1, "{unsure:?}");
    assert!(everything(&world).contains(&token('a')));
    done(&world, "history", &[MANUAL, "--clear", "--yes"]);
    assert!(!everything(&world).contains(&token('a')));
    let ran = auth(&world, "undo", &[MANUAL]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_logout_that_forgets_leaves_no_copy() {
    let world = World::new();
    paste(&world, 'a');
    paste(&world, 'b');
    let ran = done(&world, "logout", &[MANUAL, "--yes", "--forget"]);
    assert!(ran.out.contains("Deleted 2 kept copies"), "{ran:?}");
    assert!(!ran.out.contains("undo"), "{ran:?}");
    for secret in ['a', 'b'] {
        assert!(!everything(&world).contains(&token(secret)));
    }
}

#[test]
fn an_undone_logout_brings_back_the_place_in_the_order_and_what_was_learnt() {
    let world = World::new();
    let secret = |fill| {
        serde_json::json!({
            "type": "token", "provider": "anthropic", "token": token(fill),
        })
    };
    let store = serde_json::json!({
        "version": 1,
        "profiles": {
            "anthropic:a": secret('a'), "anthropic:b": secret('b'), "anthropic:c": secret('c'),
        },
        "order": { "anthropic": ["anthropic:c", "anthropic:b", "anthropic:a"] },
        "lastGood": { "anthropic": "anthropic:b" },
        "usageStats": { "anthropic:b": { "lastUsed": 1_795_230_521_000_i64, "errorCount": 0 } },
    });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    done(&world, "logout", &["anthropic:b", "--yes"]);
    let without = world.store();
    assert_eq!(without["order"]["anthropic"].as_array().unwrap().len(), 2);
    assert_eq!(without["lastGood"], Value::Null);
    let ran = done(&world, "undo", &["anthropic:b"]);
    assert!(!ran.err.contains("not in the configured order"), "{ran:?}");
    let after = world.store();
    for member in ["profiles", "order", "lastGood", "usageStats"] {
        assert_eq!(after[member], store[member], "{member}");
    }
    // All of an order, the last that was removed first, and in the other direction.
    for back in [["b", "c", "a"], ["a", "c", "b"]] {
        for name in ["a", "c", "b"] {
            done(&world, "logout", &[&format!("anthropic:{name}"), "--yes"]);
        }
        assert_eq!(world.store()["order"], Value::Null);
        for name in back {
            done(&world, "undo", &[&format!("anthropic:{name}")]);
        }
        let order = world.store()["order"]["anthropic"].clone();
        assert_eq!(order.as_array().map(Vec::len), Some(3), "{order}");
    }
}

#[test]
fn an_order_that_was_cleared_meanwhile_stays_cleared() {
    let world = World::new();
    paste(&world, 'a');
    let other = [
        "paste-token",
        "--provider",
        "anthropic",
        "--profile-id",
        "anthropic:b",
    ];
    let ran = world.pipe(&[&["models", "auth"], &other[..]].concat(), &token('b'));
    assert_eq!(ran.code, 0, "{ran:?}");
    done(
        &world,
        "order",
        &["set", "--provider", "anthropic", MANUAL, "anthropic:b"],
    );
    done(&world, "logout", &[MANUAL, "--yes"]);
    done(&world, "order", &["clear", "--provider", "anthropic"]);
    done(&world, "undo", &[MANUAL]);
    assert_eq!(world.store()["order"], Value::Null);
}

/// All that the main agent's directory holds.
fn everything(world: &World) -> String {
    let mut text = String::new();
    let mut paths = vec![world.state().join("agents/main/agent")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap().flatten();
            paths.extend(entries.map(|entry| entry.path()));
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn a_spent_grant_is_refused_and_its_successor_named() {
    let (world, _issuer) = refreshed(3);
    // A run of refreshes is one generation, and it holds no token.
    assert_eq!(generations(&world, CODEX), all(&[(1, "refresh", "spent")]));
    let before = world.store();
    let ran = auth(&world, "undo", &[CODEX]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err
            .contains("its successor is in profile openai-codex:default of agent main"),
        "{ran:?}"
    );
    assert!(ran.err.contains("models auth login"), "{ran:?}");
    assert_eq!(world.store(), before);
}

#[test]
fn a_refresh_leaves_no_old_token_behind() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    done(&world, "refresh", &["--force"]);
    let text = everything(&world);
    assert!(text.contains("\"by\": \"refresh\""), "{text}");
    assert!(!text.contains(&access) && !text.contains(&refresh));
    // What we do not know may be a secret, too: it is where the present login is, in the document
    // and what is kept of it in case another program takes it away.
    assert_eq!(text.matches("keepme").count(), 2, "{text}");
}

#[test]
fn a_generation_that_was_spent_elsewhere_is_refused_and_loses_its_tokens() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    world.seed_with("work", -10, &access, &refresh);
    world.add_agent("work");
    done(&world, "logout", &[CODEX, "--yes"]);
    assert_eq!(generations(&world, CODEX), all(&[(1, "logout", "good")]));
    done(&world, "refresh", &["--agent", "work"]);
    assert_eq!(generations(&world, CODEX), all(&[(1, "logout", "spent")]));
    let ran = auth(&world, "undo", &[CODEX]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("of agent work"), "{ran:?}");
    // The next change of the profile takes its tokens out.
    assert!(everything(&world).contains(&refresh));
    world.seed(&issuer, "main", 3_600);
    done(&world, "logout", &[CODEX, "--yes"]);
    assert!(!everything(&world).contains(&refresh));
}

#[test]
fn the_successor_may_be_another_generation() {
    let (world, issuer) = refreshed(2);
    let living = world.store()["profiles"][CODEX].clone();
    done(&world, "logout", &[CODEX, "--yes"]);
    let ran = auth(&world, "undo", &[CODEX, "--generation", "1"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("--generation 2"), "{ran:?}");
    done(&world, "undo", &[CODEX]);
    assert_eq!(world.store()["profiles"][CODEX], living);
    assert_eq!(issuer.token_requests().len(), 2);
    // It is as good as it was.
    done(&world, "refresh", &["--force"]);
}

#[test]
fn a_grant_in_doubt_or_refused_comes_back_with_a_warning() {
    let undone = |answer: Scripted| {
        let (world, issuer) = refreshed(0);
        issuer.answer_next(answer);
        let ran = auth(&world, "refresh", &["--force"]);
        assert_ne!(ran.code, 0, "{ran:?}");
        done(&world, "logout", &[CODEX, "--yes"]);
        auth(&world, "undo", &[CODEX])
    };
    let in_doubt = undone(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    assert_eq!(in_doubt.code, 0, "{in_doubt:?}");
    assert!(in_doubt.err.contains("may already be used"), "{in_doubt:?}");
    let refused = undone(Scripted {
        status: 400,
        body: r#"{"error":"invalid_grant"}"#.into(),
        ..Scripted::default()
    });
    assert_eq!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("invalid_grant"), "{refused:?}");
}

#[test]
fn an_inherited_profile_has_the_history_of_its_owner() {
    let world = World::new();
    world.add_agent("work");
    paste(&world, 'a');
    done(&world, "logout", &[MANUAL, "--yes", "--agent", "work"]);
    let ran = done(&world, "undo", &[MANUAL, "--agent", "work"]);
    assert!(ran.out.starts_with("Agent: main\n"), "{ran:?}");
    assert_eq!(held(&world), token('a'));
    assert!(
        !world
            .state()
            .join("agents/work/agent/auth-profiles.json")
            .exists()
    );
}

#[test]
fn history_has_the_permissions_of_the_store_and_goes_with_its_agent() {
    let world = World::new();
    world.add_agent("work");
    let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
    for mark in ['a', 'b'] {
        let mut args = args.to_vec();
        args.extend(["--agent", "work"]);
        let ran = world.pipe(&args, &token(mark));
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let directory = world.state().join("agents/work/agent/auth-history");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let mut files = std::fs::read_dir(&directory).unwrap().flatten();
    assert_eq!(mode(&files.next().unwrap().path()), 0o600);
    assert!(files.next().is_none());
    // Opened to others by hand, it is closed by the next write.
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
    done(&world, "undo", &[MANUAL, "--agent", "work"]);
    assert_eq!(mode(&directory), 0o700);
    let ran = world.run(&["agents", "delete", "work", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!directory.exists());
}

#[test]
fn how_many_are_kept_is_set_by_a_variable_or_the_env_file() {
    let world = World::new();
    world.write(".env", "OPENCLAW_AUTH_HISTORY=2\n");
    for mark in ['a', 'b', 'c', 'd'] {
        paste(&world, mark);
    }
    let expected = all(&[(3, "paste", "good"), (2, "paste", "good")]);
    assert_eq!(generations(&world, MANUAL), expected);
    world.write(".env", "OPENCLAW_AUTH_HISTORY=0\n");
    paste(&world, 'e');
    assert!(!everything(&world).contains(&token('d')));
    let ran = done(&world, "logout", &[MANUAL, "--yes"]);
    assert!(!ran.out.contains("undo"), "{ran:?}");
    assert!(!everything(&world).contains(&token('e')));
}

#[test]
fn a_token_that_is_fresh_reads_one_file() {
    let (world, _issuer) = refreshed(0);
    let before = everything(&world);
    done(&world, "token", &["--provider", "openai-codex"]);
    assert_eq!(everything(&world), before);
    assert!(
        !world
            .state()
            .join("agents/main/agent/auth-history")
            .exists()
    );
    assert!(world.state().join(DOCUMENT).exists());
}
