//! What shells offer at the cursor: the script asks the program, which knows what is there.

use std::path::Path;
use std::process::Command;

use rexpect::session::spawn_command;

use crate::support::{Ran, World, ran};

/// Two providers, an agent, and names that a shell would take apart.
fn world() -> World {
    let world = World::new();
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{ "version": 1, "profiles": {
            "openai:work": { "type": "api_key", "provider": "openai", "key": "k1" },
            "openai:home": { "type": "api_key", "provider": "openai", "key": "k2" },
            "x:with space": { "type": "api_key", "provider": "x", "key": "k3" }
        } }"#,
    );
    world.add_agent("research");
    world
}

/// What the program answers when the script of `shell` asks.
fn asked(world: &World, shell: &str, words: &[&str]) -> Ran {
    let mut command = world.command(&["--"]);
    command.args(words).env("OPENCLAW_COMPLETE", shell);
    // As zsh and elvish ask.
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    ran(command.output().unwrap())
}

/// What fish would offer, without the descriptions.
fn offered(world: &World, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let answer = asked(world, "fish", &words);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let values = answer.out.lines();
    let values = values.map(|line| line.split('\t').next().unwrap_or_default());
    values.map(str::to_owned).collect()
}

#[test]
fn every_option_of_a_command_is_offered_and_none_of_its_neighbours() {
    let world = world();
    let token = offered(&world, "openclaw models auth token --");
    for option in [
        "--provider",
        "--profile",
        "--header",
        "--min-valid",
        "--agent",
    ] {
        assert!(token.iter().any(|it| it == option), "{option}: {token:?}");
    }
    assert!(!token.iter().any(|it| it == "--device-code"), "{token:?}");
    let login = offered(&world, "openclaw models auth login --");
    assert!(login.iter().any(|it| it == "--device-code"), "{login:?}");
}

#[test]
fn values_are_those_that_are_there() {
    let world = world();
    let all = ["openai:home", "openai:work", "x:with space"];
    let mut profiles = offered(&world, "openclaw models auth token --profile ");
    profiles.sort();
    assert_eq!(profiles, all);
    let mut profiles = offered(&world, "openclaw models auth logout ");
    profiles.retain(|it| !it.starts_with('-'));
    profiles.sort();
    assert_eq!(profiles, all);
    let agents = offered(&world, "openclaw models status --agent ");
    assert_eq!(agents, ["main", "research"]);
    let providers = offered(&world, "openclaw models auth token --provider ");
    assert_eq!(providers[..2], ["openai", "x"], "those with a login first");
    assert!(providers.iter().any(|it| it == "openai-codex"));
    let methods = "openclaw models auth login --provider openai-codex --method ";
    assert_eq!(offered(&world, methods), ["device-code", "oauth"]);
    let equal = offered(&world, "openclaw models status --agent=res");
    assert_eq!(equal, ["--agent=research"]);
}

#[test]
fn the_state_directory_on_the_line_counts() {
    let world = world();
    let line = "openclaw --state-dir elsewhere models auth token --profile ";
    assert_eq!(offered(&world, line), [""; 0]);
}

#[test]
fn an_instance_on_the_line_counts() {
    let world = world();
    let document = "agents/main/agent/auth-profiles.json";
    let text = world.read(document).replace("openai:work", "openai:dev");
    let home = world.directory.path().join("home");
    for name in [".openclaw-dev", ".openclaw-x"] {
        let path = home.join(name).join(document);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &text).unwrap();
    }
    let state = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = world.command(&["--"]);
        command.args(words).env("OPENCLAW_COMPLETE", "fish");
        command.env_remove("OPENCLAW_STATE_DIR");
        ran(command.output().unwrap()).out
    };
    let rest = "models auth token --profile openai:";
    for front in [
        "--dev",
        "--profile dev",
        "--profile=x",
        "--state-dir ~/.openclaw-x",
    ] {
        let offered = state(&format!("openclaw {front} {rest}"));
        assert_eq!(offered, "openai:dev\nopenai:home\n", "{front}");
    }
    assert_eq!(state(&format!("openclaw {rest}")), "");
}

#[test]
fn everyday_names_of_providers_are_understood_and_offered() {
    let world = world();
    let profiles = "openclaw models auth token --provider chatgpt --profile openai";
    assert_eq!(offered(&world, profiles), [""; 0], "of openai-codex");
    let methods = "openclaw models auth login --provider codex --method ";
    assert_eq!(offered(&world, methods), ["device-code", "oauth"]);
    let begun = |typed: &str| {
        let line = format!("openclaw models auth token --provider {typed}");
        offered(&world, &line)
    };
    assert_eq!(begun("cla"), ["claude"]);
    assert_eq!(begun("codex"), ["codex"]);
    assert!(!begun("").contains(&"claude".to_owned()), "an id is enough");
}

#[test]
fn a_profile_begun_by_another_name_is_completed() {
    let world = World::new();
    let text = r#"{ "version": 1, "profiles": {
        "anthropic:work": { "type": "token", "provider": "anthropic", "token": "t" },
        "openai:work": { "type": "api_key", "provider": "openai", "key": "k" },
        "openai-codex:default": { "type": "oauth", "provider": "openai-codex", "access": "a",
            "refresh": "r", "expires": 1, "email": "me@example.com" }
    } }"#;
    world.write("agents/main/agent/auth-profiles.json", text);
    let begun = |typed: &str| {
        offered(
            &world,
            &format!("openclaw models auth token --profile {typed}"),
        )
    };
    assert_eq!(begun("me"), ["me@example.com"]);
    assert_eq!(begun("de"), ["default"]);
    assert_eq!(begun("claude:"), ["claude:work"]);
    assert_eq!(begun("wo"), [""; 0], "it stands for two");
    assert_eq!(begun("anth"), ["anthropic:work"]);
}

#[test]
fn reasons_sessions_and_aliases_are_offered() {
    let world = world();
    world.write(
        "agents/main/sessions/sessions.json",
        r#"{ "agent:main:main": {}, "agent:main:telegram:1": {} }"#,
    );
    world.write(
        "openclaw.json",
        r#"{ "agents": { "defaults": { "models": { "openai/gpt-5.2": { "alias": "fast" } } } } }"#,
    );
    let failed = "openclaw models auth report openai:work --failed ra";
    assert_eq!(offered(&world, failed), ["rate_limit"]);
    let session = |typed: &str| {
        offered(
            &world,
            &format!("openclaw models auth token --session {typed}"),
        )
    };
    assert_eq!(session(""), ["agent:main:main", "agent:main:telegram:1"]);
    assert_eq!(session("te"), ["telegram:1"]);
    assert_eq!(
        offered(&world, "openclaw models aliases remove fa"),
        ["fast"]
    );
    assert_eq!(
        offered(&world, "openclaw models auth token --model fa"),
        ["fast"]
    );
}

#[test]
fn options_are_offered_whatever_is_wrong_with_the_files() {
    let world = world();
    world.write("openclaw.json", "{ broken");
    world.write("agents/main/agent/auth-profiles.json", "no json");
    world.write("providers/own.toml", "= broken");
    assert!(offered(&world, "openclaw models auth token --he").contains(&"--header".to_owned()));
    assert_eq!(
        offered(&world, "openclaw models auth token --profile "),
        [""; 0]
    );
    assert!(!offered(&world, "openclaw models auth token --provider ").is_empty());
}

#[test]
fn bash_gets_the_piece_that_it_replaces() {
    let world = world();
    for (line, piece, expected) in [
        (
            "openclaw models auth token --profile openai:",
            "",
            "home\nwork\n",
        ),
        (
            "openclaw models auth token --profile op",
            "op",
            "openai:home\nopenai:work\n",
        ),
        (
            "openclaw models auth token --profile=openai:w",
            "w",
            "work\n",
        ),
        ("openclaw models auth logout x:w", "w", "with\\ space\n"),
        (
            r"openclaw models auth logout x:with\ sp",
            r"with\ sp",
            "with\\ space\n",
        ),
        ("openclaw models auth logout \"x:w", "x:w", "x:with space\n"),
        ("openclaw models auth tok", "tok", "token\n"),
    ] {
        let answer = asked(&world, "bash", &[line, piece]);
        assert_eq!(
            (answer.out.as_str(), answer.err.as_str()),
            (expected, ""),
            "{line}"
        );
    }
}

#[test]
fn a_script_is_installed_where_no_directory_is_yet() {
    for (shell, path) in [
        ("bash", ".local/share/bash-completion/completions/openclaw"),
        ("fish", ".config/fish/completions/openclaw.fish"),
        ("zsh", ".zfunc/_openclaw"),
    ] {
        let world = World::new();
        let installed = world.run(&["completions", shell, "--install"]);
        assert_eq!(installed.code, 0, "{installed:?}");
        assert!(installed.out.contains(path), "{installed:?}");
        let script = std::fs::read_to_string(world.directory.path().join("home").join(path));
        let printed = world.run(&["completions", shell]);
        assert_eq!(script.unwrap(), printed.out);
        assert!(printed.out.contains("OPENCLAW_COMPLETE"), "{printed:?}");
        assert!(!world.state().exists(), "no state is needed");
    }
    let refused = World::new().run(&["completions", "elvish", "--install"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("openclaw completions elvish"));
}

/// A shell that finds the program by its name.
fn shell(world: &World, program: &str, args: &[&str]) -> Command {
    let directory = Path::new(crate::support::program()).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", directory.display());
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("HOME", world.directory.path().join("home"))
        .env("OPENCLAW_STATE_DIR", world.state())
        .env("TERM", "xterm")
        .current_dir(world.directory.path());
    command
}

#[test]
#[ignore = "needs fish"]
fn in_a_real_fish() {
    let world = world();
    assert_eq!(world.run(&["completions", "fish", "--install"]).code, 0);
    let ask = |line: &str| {
        let script = format!("complete -C '{line}'");
        ran(shell(&world, "fish", &["-c", &script]).output().unwrap()).out
    };
    let options = ask("openclaw models auth token --");
    assert!(options.contains("--header\t"), "{options}");
    assert!(!options.contains("--device-code"), "{options}");
    let profiles = ask("openclaw models auth token --profile openai:w");
    assert_eq!(profiles.trim_end(), "openai:work");
    let agents = ask("openclaw --agent ");
    assert!(agents.contains("research"), "{agents}");
    let quoted = ask("openclaw models auth token --profile \"openai:w");
    assert_eq!(quoted.trim_end(), "openai:work");
    // The line of another program is not ours.
    for (typed, file) in [("/bin/tru", "/bin/true"), ("ls /bin/tru", "/bin/true")] {
        let offered = ask(&format!(
            "openclaw models auth exec --provider openai -- {typed}"
        ));
        assert!(offered.contains(file), "{offered}");
    }
}

/// Types a line with tabs in it at the prompt of an interactive shell, and returns what it printed.
fn typed(command: Command, setup: &str, line: &str) -> String {
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session
        .send_line(&format!("{setup}; echo rea''dy"))
        .unwrap();
    session.exp_string("ready").unwrap();
    session.send(line).unwrap();
    session.flush().unwrap();
    session.send_line(" | cat; echo do''ne").unwrap();
    let before = session.exp_string("\ndone").unwrap();
    let _ = session.send_line("exit");
    before
}

#[test]
#[ignore = "needs bash with a terminal"]
fn in_a_real_bash() {
    let world = world();
    let bash = shell(&world, "bash", &["--norc", "--noprofile", "-i"]);
    let setup = "eval \"$(openclaw completions bash)\"";
    let seen = typed(
        bash,
        setup,
        "openclaw models auth token --pro\tfile openai:w\t",
    );
    assert!(seen.contains("\nk1\r"), "{seen}");
    let bash = shell(&world, "bash", &["--norc", "--noprofile", "-i"]);
    let seen = typed(bash, setup, "openclaw models auth token --profile x:w\t");
    assert!(seen.contains("\nk3\r"), "{seen}");
    for (line, key) in [
        ("openclaw models auth token --profile \"x:w\t", "k3"),
        (
            "openclaw models auth exec --profile openai:w\t -- printen\tOPENAI_API_KEY",
            "k1",
        ),
    ] {
        let bash = shell(&world, "bash", &["--norc", "--noprofile", "-i"]);
        let seen = typed(bash, setup, line);
        assert!(seen.contains(&format!("\n{key}\r")), "{seen}");
    }
}

#[test]
#[ignore = "needs zsh"]
fn in_a_real_zsh() {
    let world = world();
    assert_eq!(world.run(&["completions", "zsh", "--install"]).code, 0);
    let setup = "PS1='> '; fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit -u";
    for (line, key) in [
        ("openclaw models auth token --profile openai:w\t", "k1"),
        ("openclaw models auth token --profile x:w\t", "k3"),
        ("openclaw models auth token --profile \"x:w\t", "k3"),
        (
            "openclaw models auth exec --profile openai:w\t -- printen\tOPENAI_API_KEY",
            "k1",
        ),
    ] {
        let zsh = shell(&world, "zsh", &["-f", "-i"]);
        let seen = typed(zsh, setup, line);
        assert!(seen.contains(&format!("\n{key}\r")), "{seen}");
    }
}
