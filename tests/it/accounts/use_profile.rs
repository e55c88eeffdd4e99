//! `models auth use`: one profile for an agent, or for a directory.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Ran, World, ran};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const WORK: &str = "agents/work/agent/auth-profiles.json";
const FILE: &str = "directories.json";
const A: &str = "anthropic:a";
const B: &str = "anthropic:b";

/// Three accounts of one provider, of which one has ended, and one of another.
fn world() -> World {
    let world = World::new();
    let token = |token: &str| json!({ "type": "token", "provider": "anthropic", "token": token });
    let mut ended = token("token-c");
    ended["expires"] = 1_600_000_000_000_i64.into();
    let store = json!({
        "version": 1,
        "profiles": {
            A: token("token-a"),
            B: token("token-b"),
            "anthropic:c": ended,
            "openai:x": { "type": "api_key", "provider": "openai", "key": "key-x" },
        },
    });
    world.write(MAIN, &store.to_string());
    world.add_agent("work");
    for name in ["p", "p/q", "other"] {
        std::fs::create_dir(world.directory.path().join(name)).unwrap();
    }
    world
}

fn run_in(world: &World, directory: &str, args: &[&str]) -> Ran {
    let mut command = world.command(args);
    command.current_dir(world.directory.path().join(directory));
    ran(command.output().unwrap())
}

fn use_in(world: &World, directory: &str, args: &[&str]) -> Ran {
    run_in(
        world,
        directory,
        &[&["models", "auth", "use"][..], args].concat(),
    )
}

fn token_in(world: &World, directory: &str, args: &[&str]) -> Ran {
    run_in(
        world,
        directory,
        &[&["models", "auth", "token"][..], args].concat(),
    )
}

fn of_anthropic(world: &World, directory: &str) -> Ran {
    token_in(world, directory, &["--provider", "anthropic"])
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn an_agents_profile_is_put_first_and_the_others_stay_behind_it() {
    let world = world();
    done(&use_in(&world, "", &[B]));
    // What has ended keeps its place: it may be stored anew.
    assert_eq!(
        world.store()["order"],
        json!({ "anthropic": [B, A, "anthropic:c"] })
    );
    assert_eq!(of_anthropic(&world, "").out, "token-b\n");
    done(&use_in(&world, "", &[A]));
    assert_eq!(
        world.store()["order"],
        json!({ "anthropic": [A, B, "anthropic:c"] })
    );
    assert_eq!(of_anthropic(&world, "").out, "token-a\n");
    done(&use_in(&world, "", &["--clear"]));
    assert_eq!(world.store()["order"], Value::Null);
}

#[test]
fn another_agent_gets_an_order_and_no_credential() {
    let world = world();
    let main = world.read(MAIN);
    done(&use_in(&world, "", &[B, "--agent", "work"]));
    let work: Value = serde_json::from_str(&world.read(WORK)).unwrap();
    let expected = json!({
        "version": 1, "profiles": {}, "order": { "anthropic": [B, A, "anthropic:c"] },
    });
    assert_eq!(work, expected);
    assert_eq!(world.read(MAIN), main);
}

#[test]
fn an_order_of_the_configuration_is_kept_behind_the_profile() {
    let world = world();
    let config = r#"{ auth: { order: { anthropic: ["anthropic:c", "anthropic:a"] } } }"#;
    world.write("openclaw.json", config);
    done(&use_in(&world, "", &[B]));
    assert_eq!(
        world.store()["order"],
        json!({ "anthropic": [B, "anthropic:c", A] })
    );
    assert_eq!(world.read("openclaw.json"), config);
}

#[test]
fn the_nearest_directory_decides_for_what_lies_below() {
    let world = world();
    done(&use_in(&world, "p", &[B, "--here"]));
    let before = world.read(MAIN);
    assert_eq!(of_anthropic(&world, "p/q").out, "token-b\n");
    assert_eq!(of_anthropic(&world, "other").out, "token-a\n");
    done(&use_in(&world, "", &[A, "--dir", "p/q"]));
    assert_eq!(of_anthropic(&world, "p/q").out, "token-a\n");
    assert_eq!(of_anthropic(&world, "p").out, "token-b\n");
    // Of another provider nothing was said.
    assert_eq!(
        token_in(&world, "p", &["--provider", "openai"]).out,
        "key-x\n"
    );
    // What was named with the command counts more, and the order counts less.
    assert_eq!(token_in(&world, "p", &["--profile", A]).out, "token-a\n");
    assert_eq!(world.read(MAIN), before);
    done(&use_in(&world, "", &[A]));
    assert_eq!(of_anthropic(&world, "p").out, "token-b\n");
    done(&use_in(&world, "p/q", &["--clear", "--here"]));
    assert_eq!(of_anthropic(&world, "p/q").out, "token-b\n");
    done(&use_in(
        &world,
        "",
        &["--clear", "--dir", "p", "--provider", "anthropic"],
    ));
    assert_eq!(of_anthropic(&world, "p").out, "token-a\n");
    assert!(!world.state().join(FILE).exists());
}

#[test]
fn a_link_to_a_bound_directory_is_that_directory() {
    let world = world();
    let link = world.directory.path().join("link");
    std::os::unix::fs::symlink(world.directory.path().join("p"), &link).unwrap();
    done(&use_in(&world, "", &[B, "--dir", link.to_str().unwrap()]));
    assert_eq!(of_anthropic(&world, "p/q").out, "token-b\n");
    assert_eq!(of_anthropic(&world, "link").out, "token-b\n");
    std::fs::remove_dir_all(world.directory.path().join("p")).unwrap();
    let gone = world.directory.path().join("p");
    done(&use_in(
        &world,
        "",
        &["--clear", "--dir", gone.to_str().unwrap()],
    ));
    assert!(!world.state().join(FILE).exists());
}

#[test]
fn nothing_in_a_directory_chooses_an_account() {
    let world = world();
    let tree = json!({ "version": 1, "directories": { "/": { "anthropic": B } } }).to_string();
    for name in [
        ".openclaw-profile",
        "directories.json",
        ".openclaw/directories.json",
    ] {
        let path = world.directory.path().join("p").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(
            path,
            if name == ".openclaw-profile" {
                B
            } else {
                &tree
            },
        )
        .unwrap();
    }
    assert_eq!(of_anthropic(&world, "p").out, "token-a\n");
    // And nothing is put there.
    let names = || {
        let entries = std::fs::read_dir(world.directory.path().join("other")).unwrap();
        entries.count()
    };
    done(&use_in(&world, "other", &[B, "--here"]));
    assert_eq!(names(), 0);
}

#[test]
fn a_bound_account_that_gives_no_token_is_not_replaced_by_another() {
    let world = world();
    done(&use_in(&world, "p", &["anthropic:c", "--here"]));
    let bound = world.directory.path().join("p").display().to_string();
    let ended = of_anthropic(&world, "p");
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
    assert!(ended.err.contains(&bound), "{ended:?}");
    // Nor is a key of the environment.
    let mut command = world.command(&["models", "auth", "token", "--provider", "anthropic"]);
    command
        .current_dir(&bound)
        .env("ANTHROPIC_API_KEY", "key-env");
    let ended = ran(command.output().unwrap());
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
    let logout = ["models", "auth", "logout", "anthropic:c", "--yes"];
    done(&world.run(&logout));
    let gone = of_anthropic(&world, "p");
    assert_eq!((gone.code, gone.out.as_str()), (3, ""), "{gone:?}");
    assert!(
        gone.err.contains("--clear --provider anthropic --dir"),
        "{gone:?}"
    );
    assert_eq!(of_anthropic(&world, "other").out, "token-a\n");
}

#[test]
fn a_bound_account_is_used_whatever_the_order_says() {
    let world = world();
    done(&use_in(&world, "p", &[B, "--here"]));
    let set = [
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "anthropic",
        A,
    ];
    done(&world.run(&set));
    assert_eq!(of_anthropic(&world, "p").out, "token-b\n");
}

#[test]
fn a_file_of_bindings_that_is_broken_is_told_and_kept() {
    let world = world();
    world.write(FILE, "{ not json");
    for args in [&[B, "--here"][..], &["--clear", "--here"], &["--list"]] {
        let ran = use_in(&world, "p", args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(FILE), "{ran:?}");
    }
    let token = of_anthropic(&world, "p");
    assert_eq!((token.code, token.out.as_str()), (1, ""), "{token:?}");
    // A profile that is named needs no binding.
    assert_eq!(token_in(&world, "p", &["--profile", A]).out, "token-a\n");
    assert_eq!(world.read(FILE), "{ not json");
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let world = world();
    let before = world.read(MAIN);
    for args in [
        &["anthropic:nobody"][..],
        &["anthropic:nobody", "--here"],
        &[A, "--dir", "nowhere"],
        &[A, "--dir", "state/openclaw.json"],
        &[A, "--here", "--dir", "p"],
        &[A, "--clear"],
        &[A, "--agent", "nobody"],
        &["--here"],
        &[],
    ] {
        let ran = use_in(&world, "", args);
        assert_eq!(ran.code, 1, "{args:?} {ran:?}");
    }
    done(&use_in(&world, "", &["--clear"]));
    done(&use_in(&world, "", &["--clear", "--here"]));
    assert!(!world.state().join("locks").exists());
    assert_eq!(world.read(MAIN), before);
    assert!(!world.state().join(FILE).exists());
    assert!(!world.state().join("agents/nobody").exists());
}

#[test]
fn the_list_tells_what_holds_here() {
    let world = world();
    done(&use_in(&world, "p", &[B, "--here"]));
    done(&use_in(&world, "p/q", &[A, "--here"]));
    done(&use_in(&world, "", &["openai:x"]));
    let several = use_in(&world, "", &[A]);
    done(&several);
    let ran = use_in(&world, "p/q", &["--list", "--json", "--agent", "work"]);
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    let path = |name: &str| world.directory.path().canonicalize().unwrap().join(name);
    let bound = |directory: &Path, profile: &str, here: bool| json!({ "directory": directory, "provider": "anthropic", "profile": profile, "here": here });
    let expected = json!({
        "agentId": "work",
        "orders": [
            { "provider": "openai", "profile": "openai:x", "order": ["openai:x"], "owner": "main" },
            { "provider": "anthropic", "profile": A, "order": [A, B, "anthropic:c"], "owner": "main" },
        ],
        "directories": [bound(&path("p"), B, false), bound(&path("p/q"), A, true)],
    });
    assert_eq!(shown, expected);
    // Which of several orders shall go must be said.
    assert_eq!(use_in(&world, "", &["--clear"]).code, 1);
    done(&use_in(&world, "", &["--clear", "--provider", "openai"]));
    assert_eq!(
        world.store()["order"],
        json!({ "anthropic": [A, B, "anthropic:c"] })
    );
}

/// What the program opens, where that can be seen.
#[test]
#[cfg(target_os = "linux")]
fn without_a_binding_a_token_costs_one_open_that_fails() {
    let world = world();
    let trace = world.directory.path().join("trace");
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-qq", "-e", "trace=%file", "-o"])
        .arg(&trace);
    let ours = world.command(&["models", "auth", "token", "--provider", "anthropic"]);
    command.arg(ours.get_program()).args(ours.get_args());
    command.env_clear();
    command.envs(
        ours.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let Ok(output) = command.output() else {
        return;
    };
    assert_eq!(ran(output).out, "token-a\n");
    let trace = std::fs::read_to_string(trace).unwrap();
    let calls: Vec<&str> = trace.lines().filter(|line| line.contains(FILE)).collect();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].contains("ENOENT"), "{calls:?}");
}
