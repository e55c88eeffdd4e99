//! Files and directories that another user of the machine put where ours are looked for: nothing
//! that they say is followed, and each is named with what mends it.

use std::os::unix::fs::{MetadataExt as _, lchown, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::issuer::Account;
use crate::support::users::{ATTACKER, TwoUsers, VICTIM, give, set_mode};
use crate::support::{Ran, World, ran, setup_token};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "anthropic"];
const DOCTOR: [&str; 3] = ["doctor", "--timeout", "10m"];
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
        let ran = users.run(&DOCTOR);
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
fn doctor_looks_wherever_the_settings_lie() {
    let users = usual();
    let home = users.world.directory.path().join("home");
    let (agent, part) = (home.join("work"), home.join("part.json"));
    std::fs::create_dir_all(&agent).unwrap();
    std::fs::write(&part, "{}").unwrap();
    let list = json!([{ "id": "work", "agentDir": agent }]);
    let config = json!({ "agents": { "list": list }, "cron": { "$include": "part.json" } });
    std::fs::write(home.join("own.json"), config.to_string()).unwrap();
    users.settle();
    let looked = |opened: &Path| {
        let usual = std::fs::metadata(opened).unwrap().mode() & 0o777;
        set_mode(opened, 0o777);
        let mut command = users.command(&DOCTOR);
        command.env("OPENCLAW_CONFIG_PATH", home.join("own.json"));
        let ran = ran(command.output().unwrap());
        set_mode(opened, usual);
        let told = format!("{} is writable by other users", opened.display());
        assert!(ran.out.contains(&told), "{ran:?}");
    };
    looked(&agent);
    looked(&part);
    looked(&home.join("own.json"));
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
#[ignore = "needs root"]
fn root_in_the_directory_of_a_user_is_not_led_to_what_is_roots() {
    let linked = |name: &str, make: &dyn Fn(&World, &Path)| {
        let world = World::new();
        world.write("agents/main/agent/other", "");
        give(world.directory.path(), VICTIM);
        let own = world.directory.path().join("of-root");
        std::fs::create_dir(&own).unwrap();
        set_mode(&own, 0o755);
        std::fs::write(own.join("auth-profiles.json"), store(&setup_token())).unwrap();
        make(&world, &own);
        let before = std::fs::read_dir(&own).unwrap().count();
        let ran = world.run(&TOKEN);
        assert_ne!(ran.code, 0, "{name}: {ran:?}");
        assert_eq!(ran.out, "", "{name}");
        let ran = world.pipe(&PASTE, &(setup_token() + "b"));
        assert_ne!(ran.code, 0, "{name}: {ran:?}");
        assert!(
            ran.err.contains("leads out of the directory"),
            "{name}: {ran:?}"
        );
        assert_eq!(std::fs::read_dir(&own).unwrap().count(), before, "{name}");
        assert_eq!(
            std::fs::metadata(&own).unwrap().mode() & 0o777,
            0o755,
            "{name}"
        );
        let kept = std::fs::read_to_string(own.join("auth-profiles.json")).unwrap();
        assert_eq!(kept, store(&setup_token()), "{name}");
    };
    linked("a link in the place of a directory", &|world, own| {
        let agent = world.state().join("agents/main/agent");
        std::fs::remove_dir_all(&agent).unwrap();
        symlink(own, &agent).unwrap();
        lchown(&agent, Some(VICTIM), None).unwrap();
    });
    linked("a link in the place of the store", &|world, own| {
        let document = world.state().join(DOCUMENT);
        symlink(own.join("auth-profiles.json"), &document).unwrap();
        lchown(&document, Some(VICTIM), None).unwrap();
    });
    linked("an agentDir", &|world, own| {
        let list = json!([{ "id": "main", "default": true, "agentDir": own }]);
        let config = json!({ "agents": { "list": list } });
        world.write("openclaw.json", &config.to_string());
        lchown(world.state().join("openclaw.json"), Some(VICTIM), None).unwrap();
    });
}

#[test]
#[ignore = "needs root"]
fn root_trusts_nobody_in_a_directory_of_its_own() {
    let world = World::new();
    world.write(DOCUMENT, &store(&setup_token()));
    set_mode(&world.state(), 0o777);
    let manifest = include_str!("../../fixtures/security/foreign-manifest.toml");
    world.write("providers/acme.toml", manifest);
    give(&world.state().join("providers"), ATTACKER);
    world.write(
        "agents/work/agent/auth-profiles.json",
        &store("sk-ant-oat01-theirs"),
    );
    give(&world.state().join("agents/work"), ATTACKER);
    let ran = world.run(&["models", "auth", "token", "--provider", "acme"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    let ran = world.run(&[&["--agent", "work"], &TOKEN[..]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
#[ignore = "needs root"]
fn a_directory_that_somebody_elses_link_leads_to_is_not_used() {
    let users = usual();
    // A volume of a container: root's, and open to all.
    lchown(users.world.state(), Some(0), Some(0)).unwrap();
    set_mode(&users.world.state(), 0o777);
    let checkout = users.world.directory.path().join("home/checkout");
    std::fs::create_dir_all(checkout.join("agent")).unwrap();
    let manifest = include_str!("../../fixtures/security/foreign-manifest.toml");
    std::fs::write(checkout.join("acme.toml"), manifest).unwrap();
    std::fs::write(
        checkout.join("agent/auth-profiles.json"),
        store("sk-ant-oat01-x"),
    )
    .unwrap();
    give(&checkout, VICTIM);
    for (link, command) in [
        (
            "providers",
            &["models", "auth", "token", "--provider", "acme"][..],
        ),
        ("agents/main", &TOKEN),
    ] {
        let link = users.path(link);
        if link.is_dir() {
            std::fs::remove_dir_all(&link).unwrap();
        }
        symlink(&checkout, &link).unwrap();
        lchown(&link, Some(ATTACKER), None).unwrap();
        let ran = users.run(command);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(
            ran.err.contains("is a link that another user made"),
            "{ran:?}"
        );
        std::fs::remove_file(&link).unwrap();
    }
    let ran = users.pipe(&PASTE, &setup_token());
    assert_eq!(ran.code, 0, "without the links all is well: {ran:?}");
    // `doctor` judges the volume as the commands do.
    let ran = users.run(&DOCTOR);
    assert_eq!(ran.code, 0, "{ran:?}");
    let warned = "warning  everyone can move or remove what is here (mode 777)";
    assert!(ran.out.contains(warned), "{ran:?}");
    assert!(!ran.out.contains("other_users"), "{ran:?}");
}

/// Volumes of Kubernetes belong to a group that no file of the container names.
#[test]
#[ignore = "needs root"]
fn a_group_that_nobody_else_is_in_may_write() {
    let users = usual();
    users.world.write("openclaw.json", "{}");
    users.settle();
    for path in ["", "openclaw.json", "agents", DOCUMENT] {
        let path = users.path(path);
        lchown(&path, Some(VICTIM), Some(45_678)).unwrap();
        set_mode(&path, if path.is_dir() { 0o2770 } else { 0o660 });
    }
    let ran = users.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = users.run(&DOCTOR);
    assert!(
        ran.out.contains("owned by this user, not writable"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("other_users"), "{ran:?}");
    // And for root, which sees the files of a user with the umask 002.
    let ran = users.world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
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

#[test]
#[ignore = "needs root"]
fn undo_names_a_history_of_somebody_else() {
    let users = usual();
    let logout = ["models", "auth", "logout", "anthropic:manual", "--yes"];
    assert_eq!(users.run(&logout).code, 0);
    let history = users.path("agents/main/agent/auth-history");
    let names = std::fs::read_dir(history).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = names.filter(|name| name.ends_with(".json"));
    let path = format!("agents/main/agent/auth-history/{}", names.next().unwrap());
    let text = users.world.read(&path);
    users.plant(&path, &text);
    let undo = ["models", "auth", "undo", "anthropic:manual"];
    refused(&users.run(&undo), &users, &path, 1);
    // The advice works.
    give(&users.path(&path), VICTIM);
    assert_eq!(users.run(&undo).code, 0);
}
