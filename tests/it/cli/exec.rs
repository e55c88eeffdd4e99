//! `models auth exec`: the program finds the token in one place and nowhere else, is this process
//! as far as anybody can see, and does not run if there is no token.

mod exit_and_signals;
mod refresh;
mod where_the_token_is;

use std::process::{Child, Command, Stdio};

use crate::support::{Ran, World, millis_from_now, ran};

const TOKEN: &str = "sk-ant-oat01-MARKER-TOKEN";
const KEY: &str = "sk-ant-MARKER-KEY";

/// A world with a token and a key of one provider, and a key of another.
fn world() -> World {
    let world = World::new();
    let store = serde_json::json!({ "version": 1, "profiles": {
        "anthropic:sub": { "type": "token", "provider": "anthropic", "token": TOKEN,
            "expires": millis_from_now(36_000) },
        "anthropic:key": { "type": "api_key", "provider": "anthropic", "key": KEY },
        "openai:key": { "type": "api_key", "provider": "openai", "key": "sk-MARKER-OPENAI" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    world
}

/// `exec` with these options and this program.
fn exec(world: &World, options: &[&str], program: &[&str]) -> Command {
    let words = [&["models", "auth", "exec"], options, &["--"], program].concat();
    let mut command = world.command(&words);
    command.env("PATH", "/usr/bin:/bin");
    command
}

fn run(world: &World, options: &[&str], program: &[&str]) -> Ran {
    ran(exec(world, options, program).output().unwrap())
}

/// A script for `sh`.
fn sh(world: &World, options: &[&str], script: &str) -> Ran {
    run(world, options, &["sh", "-c", script])
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Every file of the state directory, with what it holds.
fn everything(world: &World) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut ahead = vec![world.state()];
    while let Some(path) = ahead.pop() {
        match path.is_dir() {
            true => ahead.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            ),
            false => found.push((path.display().to_string(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}
