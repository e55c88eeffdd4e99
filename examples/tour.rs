//! The main job, end to end, on this machine alone: `cargo run --release --example tour`.
//!
//! Starts a loopback authorization server in place of OpenAI's, makes a throw-away state
//! directory, and takes the reader through login, status, expiry, eight processes asking at once,
//! and one refresh. Every command shown is run by the real binary.
#![expect(
    clippy::disallowed_methods,
    reason = "a tour makes its own files and processes"
)]
#![expect(clippy::print_stdout, reason = "a tour is there to be read")]

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/support/browser.rs"]
mod browser;
#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
#[path = "../tests/it/support/issuer/mod.rs"]
mod issuer;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use openclaw::sys::clock::SystemClock;
use serde_json::Value;

use issuer::{Account, Issuer};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

struct Tour {
    binary: PathBuf,
    state: PathBuf,
    issuer: Issuer,
}

fn main() -> Done {
    let directory = tempfile::tempdir()?;
    let tour = Tour {
        binary: binary()?,
        state: directory.path().join("state"),
        issuer: Issuer::start(Account::default(), Arc::new(SystemClock::new()))?,
    };
    let providers = tour.state.join("providers");
    std::fs::create_dir_all(&providers)?;
    std::fs::write(providers.join("openai-codex.toml"), tour.issuer.manifest())?;
    say(
        "A temporary state directory, with a manifest that points openai-codex at an authorization server on this machine.",
    );

    say("1. Log in. A small client plays the browser that would open the URL.");
    tour.log_in()?;

    say("2. Show the status.");
    tour.show(&["models", "status"])?;

    say("3. A script asks for a token. It is fresh: no lock, no network.");
    let fresh = tour.token()?;
    println!(
        "   {} characters; requests for a refresh so far: {}",
        fresh.len(),
        tour.refreshes()
    );

    say("4. Two hours pass: the token has expired.");
    tour.expire()?;
    tour.show(&["models", "status"])?;

    say("5. Eight processes ask at once. One of them refreshes, all get the same token.");
    let tokens = tour.eight_at_once()?;
    let same = tokens.iter().all(|token| *token == tokens[0]);
    println!(
        "   8 answers, all equal: {same}; requests for a refresh: {}",
        tour.refreshes()
    );
    if !same || tokens[0] == fresh || tour.refreshes() != 1 {
        return Err("the tour did not go as it should".into());
    }

    say("6. A second agent sees the same login; nothing is copied.");
    let workspace = directory.path().join("work");
    let workspace = workspace.to_string_lossy();
    tour.show(&["agents", "add", "work", "--workspace", &workspace])?;
    tour.show(&["models", "auth", "list", "--agent", "work"])?;

    say("7. Forget it.");
    tour.show(&[
        "models",
        "auth",
        "logout",
        "openai-codex:me@example.com",
        "--yes",
    ])?;
    let gone = tour.run(&TOKEN)?;
    println!(
        "   $ openclaw {}\n{}   exit code {}",
        TOKEN.join(" "),
        indented(&gone.stderr),
        gone.status.code().unwrap_or(-1)
    );
    Ok(())
}

fn say(text: &str) {
    println!("\n{text}");
}

fn indented(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().map(|line| format!("   {line}\n")).collect()
}

/// The binary that was built beside this example.
fn binary() -> Done<PathBuf> {
    let here = std::env::current_exe()?;
    let profile = here
        .parent()
        .and_then(Path::parent)
        .ok_or("no target directory")?;
    let binary = profile.join("openclaw");
    if !binary.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--bin", "openclaw"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err("the binary could not be built".into());
        }
    }
    Ok(binary)
}

impl Tour {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).stdin(Stdio::null());
        command
            .env("OPENCLAW_STATE_DIR", &self.state)
            .env("HOME", &self.state);
        for inherited in [
            "OPENCLAW_AGENT_DIR",
            "PI_CODING_AGENT_DIR",
            "OPENCLAW_CONFIG_PATH",
        ] {
            command.env_remove(inherited);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Done<Output> {
        Ok(self.command(args).output()?)
    }

    /// Runs a command and prints it with its output.
    fn show(&self, args: &[&str]) -> Done {
        let output = self.run(args)?;
        println!("   $ openclaw {}", args.join(" "));
        print!("{}{}", indented(&output.stdout), indented(&output.stderr));
        Ok(())
    }

    fn log_in(&self) -> Done {
        let args = [
            "models",
            "auth",
            "login",
            "--provider",
            "openai-codex",
            "--no-browser",
            "--json",
        ];
        println!("   $ openclaw {}", args.join(" "));
        let mut login = self.command(&args).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(login.stdout.take().ok_or("no output")?).lines();
        for line in lines {
            let line = line?;
            println!("   {line}");
            let event: Value = serde_json::from_str(&line)?;
            if let Some(url) = event["url"].as_str() {
                let page = browser::visit(url)?;
                println!(
                    "   (the browser ends at a page with status {})",
                    page.status
                );
            }
        }
        if login.wait()?.success() {
            Ok(())
        } else {
            Err("the login failed".into())
        }
    }

    fn token(&self) -> Done<String> {
        println!("   $ openclaw {}", TOKEN.join(" "));
        let output = self.run(&TOKEN)?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn eight_at_once(&self) -> Done<Vec<String>> {
        println!(
            "   $ for i in 1 2 3 4 5 6 7 8; do openclaw {} & done",
            TOKEN.join(" ")
        );
        let start = |_| self.command(&TOKEN).stdout(Stdio::piped()).spawn();
        let children: Vec<_> = (0..8).map(start).collect::<Result<_, _>>()?;
        let mut tokens = Vec::new();
        for child in children {
            tokens.push(String::from_utf8(child.wait_with_output()?.stdout)?);
        }
        Ok(tokens)
    }

    fn refreshes(&self) -> usize {
        let is_refresh = |request: &&Vec<(String, String)>| {
            request
                .iter()
                .any(|(name, value)| name == "grant_type" && value == "refresh_token")
        };
        self.issuer
            .token_requests()
            .iter()
            .filter(is_refresh)
            .count()
    }

    /// Turns the stored expiry back.
    fn expire(&self) -> Done {
        let path = self.state.join("agents/main/agent/auth-profiles.json");
        let mut store: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let expires = &mut store["profiles"]["openai-codex:me@example.com"]["expires"];
        *expires = (expires.as_i64().unwrap_or_default() - 2 * 3_600_000).into();
        std::fs::write(&path, serde_json::to_string_pretty(&store)?)?;
        Ok(())
    }
}
