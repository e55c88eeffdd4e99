//! Files and directories that another user of the machine put where ours are looked for: nothing
//! that they say is followed, and each is named with what mends it.

use std::os::unix::fs::{MetadataExt as _, lchown, symlink};

use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use serde_json::json;

use crate::support::issuer::{Account, Fate};
use crate::support::users::{ATTACKER, TwoUsers, VICTIM, give, set_mode};
use crate::support::{Ran, World, setup_token};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "anthropic"];
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

fn store(token: &str) -> String {
    let profile = json!({ "type": "token", "provider": "anthropic", "token": token });
    json!({ "version": 1, "profiles": { "anthropic:manual": profile } }).to_string()
}

/// A state directory of the victim with one token in it.
fn usual() -> TwoUsers {
    let world = World::new();
    world.write(DOCUMENT, &store(&setup_token()));
    TwoUsers::of(world)
}

/// Refused with the path, whose it is, and the code; nothing goes to standard output.
fn refused(ran: &Ran, users: &TwoUsers, path: &str, code: i32) {
    let at = users.path(path).display().to_string();
    let words = format!("{at} belongs to another user (uid {ATTACKER})");
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{path}: {ran:?}");
    assert!(ran.err.contains(&words), "{path}: {ran:?}");
    assert!(
        ran.err.contains("sudo chown \"$(id -u)\" "),
        "{path}: {ran:?}"
    );
}

#[test]
#[ignore = "needs root"]
fn settings_of_somebody_else_are_refused() {
    let hook = "hooks:\n  refreshed: [/bin/sh, -c, \"id > $HOME/ran\"]\n";
    let manifest = include_str!("../../fixtures/security/foreign-manifest.toml");
    let acme = ["models", "auth", "token", "--provider", "acme"];
    let key = "ANTHROPIC_API_KEY=sk-ant-api03-of-the-attacker\n";
    for (path, text, command) in [
        ("config.yaml", hook, &["models", "auth", "providers"][..]),
        ("openclaw.json", "{}", &TOKEN),
        ("providers/acme.toml", manifest, &acme),
        (".env", key, &TOKEN),
    ] {
        let users = TwoUsers::of(World::new());
        users.plant(path, text);
        refused(&users.run(command), &users, path, 1);
        // The advice works.
        give(&users.path(path), VICTIM);
        let ran = users.run(command);
        assert!(!ran.err.contains("another user"), "{path}: {ran:?}");
    }
}

#[test]
#[ignore = "needs root"]
fn settings_that_others_may_write_to_are_refused() {
    for path in ["config.yaml", "openclaw.json"] {
        let users = usual();
        users.world.write(path, "{}");
        users.settle();
        for mode in [0o666, 0o646] {
            set_mode(&users.path(path), mode);
            let ran = users.run(&["models", "auth", "providers"]);
            let words = format!("is writable by other users (mode {mode:04o})");
            assert_eq!(ran.code, 1, "{path}: {ran:?}");
            assert!(ran.err.contains(&words), "{path}: {ran:?}");
            let advice = format!("chmod go-w {}", users.path(path).display());
            assert!(ran.err.contains(&advice), "{path}: {ran:?}");
        }
        let ran = users.run(&["doctor", "--timeout", "10m"]);
        assert!(ran.out.contains("is writable by other users"), "{ran:?}");
        set_mode(&users.path(path), 0o644);
        set_mode(&users.world.state(), 0o777);
        let ran = users.run(&["models", "auth", "providers"]);
        assert_eq!(ran.code, 1, "{path}: {ran:?}");
        set_mode(&users.world.state(), 0o755);
        let ran = users.run(&["models", "auth", "providers"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{path}");
    }
}

#[test]
#[ignore = "needs root"]
fn a_store_of_somebody_else_is_neither_read_nor_written() {
    let users = usual();
    users.plant(DOCUMENT, &store("sk-ant-oat01-of-the-attacker"));
    refused(&users.run(&TOKEN), &users, DOCUMENT, 1);
    let before = users.world.read(DOCUMENT);
    refused(&users.pipe(&PASTE, &setup_token()), &users, DOCUMENT, 5);
    assert_eq!(users.world.read(DOCUMENT), before);
    // A link of theirs leads to a file of ours.
    let users = usual();
    let other = users.world.directory.path().join("home/other.json");
    std::fs::rename(users.path(DOCUMENT), &other).unwrap();
    symlink(&other, users.path(DOCUMENT)).unwrap();
    lchown(users.path(DOCUMENT), Some(ATTACKER), None).unwrap();
    let ran = users.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.err.contains("is a link that another user made"),
        "{ran:?}"
    );
}

#[test]
#[ignore = "needs root"]
fn no_secret_goes_into_a_directory_of_somebody_else() {
    for (path, mode) in [("", 0o777), ("", 0o1777), ("agents/main/agent", 0o777)] {
        let users = usual();
        std::fs::remove_file(users.path(DOCUMENT)).unwrap();
        lchown(users.path(path), Some(ATTACKER), None).unwrap();
        set_mode(&users.path(path), mode);
        let at = users.path(path).display().to_string();
        let ran = users.pipe(&PASTE, &setup_token());
        assert_eq!(ran.code, 5, "{path}: {ran:?}");
        let words = format!("{} belongs to another user", at.trim_end_matches('/'));
        assert!(ran.err.contains(&words), "{path}: {ran:?}");
        assert!(!users.path(DOCUMENT).exists());
    }
    let users = usual();
    lchown(users.world.state(), Some(ATTACKER), None).unwrap();
    set_mode(&users.world.state(), 0o777);
    let ran = users.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
}

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
fn root_runs_no_hooks_of_a_user() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let ran_file = world.directory.path().join("ran");
    let hook = format!(
        "hooks:\n  refreshed: [/bin/sh, -c, \"id > {}\"]\n",
        ran_file.display()
    );
    world.write("config.yaml", &hook);
    give(world.directory.path(), VICTIM);
    let ran = world.run(&["models", "auth", "token", "--provider", "openai-codex"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran_file.exists());
    assert!(
        ran.err.contains("root runs no hooks of another user"),
        "{ran:?}"
    );
}

#[test]
fn a_lock_with_a_second_name_is_not_written() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let refresh = ["models", "auth", "refresh", "--force"];
    assert_eq!(world.run(&refresh).code, 0);
    let precious = world.directory.path().join("home/precious");
    let text = "precious ".repeat(100);
    std::fs::write(&precious, &text).unwrap();
    let mut replaced = 0;
    let mut directories = vec![world.state().join("locks")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == "lock") {
                std::fs::remove_file(&path).unwrap();
                std::fs::hard_link(&precious, &path).unwrap();
                replaced += 1;
            }
        }
    }
    assert!(replaced > 0);
    let ran = world.run(&refresh);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("is one of several names of a file"),
        "{ran:?}"
    );
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), text);
}
