//! A sample of the matrix as real processes with real exit codes, against a server.

use std::path::Path;
use std::sync::Arc;

use crate::support::issuer::{Account, Issuer};
use openclaw::model::provider::ClientAuth;
use openclaw::model::time::Timestamp;
use openclaw::sys::clock::SystemClock;
use serde_json::Value;

use super::cell::{self, Cell, Journal, Kind, PROFILE, PROVIDER, Site};
use super::of_check;
use super::views::{Answer, OfLogin, OfProvider};
use crate::security::random_inputs::targets::fake_ports::STATE;
use crate::support::{Ran, World, millis_from_now, ran};

/// How many cells are tried.
const SAMPLE: usize = 40;
const SECRET: &str = "s3cret-of-the-client";

/// A cell written down in a state directory of its own.
struct Place<'a> {
    cell: &'a Cell,
    site: Site,
    world: World,
}

impl<'a> Place<'a> {
    fn new(cell: &'a Cell, issuer: &Issuer) -> Self {
        let world = World::new();
        let url = issuer.url();
        let site = Site {
            now: Timestamp(millis_from_now(0)),
            cwd: world.directory.path().display().to_string(),
            token_endpoint: format!("{url}/oauth/token"),
            client_id: match cell.kind {
                Kind::Client => "client-1".to_owned(),
                _ => "test-client".to_owned(),
            },
            secret: SECRET,
            tokens: issuer.issue(),
        };
        for (path, bytes) in cell.build(&site).everything() {
            let path = path.strip_prefix(Path::new(STATE)).unwrap();
            world.write(path.to_str().unwrap(), std::str::from_utf8(&bytes).unwrap());
        }
        Self { cell, site, world }
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.world.command(args);
        command.envs(self.cell.env(&self.site));
        ran(command.output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// A token or not, by the exit code.
    fn answer(&self, args: &[&str]) -> Answer {
        let ran = self.run(args);
        if ran.code == 0 {
            return Ok(());
        }
        let mut lines = ran.err.lines();
        let message = lines.find_map(|line| line.strip_prefix("Error: "));
        let message = message.unwrap_or_else(|| panic!("{ran:?}"));
        Err((u8::try_from(ran.code).unwrap(), untimed(message)))
    }

    fn of_provider(&self) -> (OfProvider, u8) {
        let status = self.json(&["models", "status", "--json"]);
        let mut providers = status["openclaw"]["providers"].as_array().unwrap().iter();
        let outlook = providers.find(|it| it["provider"] == PROVIDER).unwrap();
        let explained = self.json(&[
            "models",
            "auth",
            "explain",
            "--provider",
            PROVIDER,
            "--json",
        ]);
        let explained = &explained["providers"][0];
        let check = self.run(&["models", "status", "--check"]).code;
        let prompt = self.run(&["models", "status", "--prompt", "--provider", PROVIDER]);
        let mut words = prompt.out.trim().split(", ");
        let views = OfProvider {
            token_status: self.answer(&["provider", PROVIDER, "token-status"]),
            explain: foreseen(explained["used"].is_u64(), &explained["failure"]),
            json: foreseen(outlook["usable"] == true, &outlook["failure"]),
            is_marked: words.any(|word| word.starts_with(PROVIDER) && word.ends_with('!')),
            token: self.answer(&["models", "auth", "token", "--provider", PROVIDER]),
        };
        (views, u8::try_from(check).unwrap())
    }

    fn of_login(&self, twin: &Self) -> OfLogin {
        let metrics = self.run(&["models", "status", "--prometheus", "-"]).out;
        let number = |name: &str| {
            let mut lines = metrics.lines().filter(|line| line.starts_with(name));
            let line = lines.find(|line| line.contains(PROFILE));
            line.is_some_and(|line| !line.ends_with(" 0"))
        };
        let (usable, needs_login) = (
            number("openclaw_profile_usable{"),
            number("openclaw_profile_needs_login{"),
        );
        let cools_down = number("openclaw_profile_cooldown_until_timestamp_seconds{");
        let token = self.answer(&["models", "auth", "token", "--profile", PROFILE]);
        let ticked = twin.run(&["tick", "--no-spread", "--agent", "main"]);
        let words = token.clone().err().map(|(_, words)| words);
        OfLogin {
            tick: match ticked.code {
                0 => Ok(()),
                code => Err((u8::try_from(code).unwrap(), words.unwrap_or_default())),
            },
            token,
            usable,
            needs_login,
            cools_down,
        }
    }
}

fn foreseen(gives: bool, failure: &Value) -> Answer {
    if gives {
        return Ok(());
    }
    let code = match failure["kind"].as_str().unwrap() {
        "needs_login" => 3,
        "temporary" => 4,
        _ => 1,
    };
    Err((code, untimed(failure["message"].as_str().unwrap())))
}

/// A sentence without its times, which are local for people and ISO in JSON.
fn untimed(message: &str) -> String {
    let words: Vec<&str> = message.split(' ').collect();
    let is_clock = |word: &str| word.get(2..3) == Some(":") && word.len() < 8;
    let mut kept = Vec::new();
    let mut next = 0;
    while next < words.len() {
        let rest = &words[next..];
        let end = match rest {
            ["at", iso, ..] if iso.len() > 20 && iso.contains("T") => Some(1),
            ["just", "now,", ..] | [_, _, "ago,", ..] => rest.iter().position(|w| is_clock(w)),
            _ => None,
        };
        let last = rest[end.unwrap_or(0)];
        kept.push(match end {
            Some(_) if last.ends_with(',') => "then,",
            Some(_) => "then",
            None => last,
        });
        next += end.unwrap_or(0) + 1;
    }
    kept.join(" ")
}

#[test]
fn processes_say_the_same_of_a_sample_of_the_matrix() {
    let issuer = || Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
    let (of_people, of_clients) = (issuer(), issuer());
    of_clients.expect_client("client-1", SECRET, ClientAuth::Post);
    let mut cells = cell::all();
    // Too short for processes.
    cells.retain(|cell| cell.journal != Journal::PausedBriefly);
    let step = cells.len() / SAMPLE;
    let cells: Vec<Cell> = cells.into_iter().step_by(step).collect();
    let (mut given, mut refused) = (0, 0);
    for cell in &cells {
        let issuer = match cell.kind {
            Kind::Client => &of_clients,
            _ => &of_people,
        };
        let places = [(); 3].map(|()| Place::new(cell, issuer));
        let (of_provider, check) = places[0].of_provider();
        let mut wrong = of_provider.contradictions();
        wrong.extend(of_check(cell, &of_provider, check));
        wrong.extend(places[1].of_login(&places[2]).contradictions());
        assert!(wrong.is_empty(), "{cell:?}\n{}", wrong.join("\n"));
        match of_provider.token {
            Ok(()) => given += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(given > 5 && refused > 5, "{given} {refused}");
}
