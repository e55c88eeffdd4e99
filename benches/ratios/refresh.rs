//! What a stampede costs: many processes ask for a token whose grant has expired, and the token
//! endpoint takes 50 ms. `cargo bench --bench ratios -- refresh` prints ratios to one process alone.
//!
//! A figure decides nothing here; a second request at the server does, for it would have spent a
//! refresh token twice.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use openclaw::ports::host::Clock as _;
use openclaw::sys::clock::SystemClock;

use crate::issuer::{Account, Issuer};
use crate::report::{median, rounds, row};

const NETWORK: Duration = Duration::from_millis(50);
const ROUNDS: usize = 15;
const CROWDS: [usize; 4] = [1, 8, 32, 128];

struct Bench {
    state: PathBuf,
    issuer: Issuer,
}

pub(super) fn run() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let bench = Bench {
        state: directory.path().to_owned(),
        issuer: Issuer::start(Account::default(), Arc::new(SystemClock::new()))?,
    };
    std::fs::create_dir_all(bench.state.join("providers"))?;
    std::fs::create_dir_all(bench.state.join("agents/main/agent"))?;
    // An id of its own: of a built-in one, a login that was not made here is not sent to it.
    let manifest = bench.issuer.manifest().replace("openai-codex", "bench");
    let manifest = manifest.replace("replaces = true\n", "");
    std::fs::write(bench.state.join("providers/bench.toml"), manifest)?;

    let mut fresh = vec![Vec::new(); CROWDS.len()];
    let mut expired = vec![Vec::new(); CROWDS.len()];
    let mut requests = [0; CROWDS.len()];
    for _ in 0..rounds(ROUNDS) {
        for (place, &processes) in CROWDS.iter().enumerate() {
            bench.issuer.set_delay(Duration::ZERO);
            bench.seed(3_600_000)?;
            fresh[place].push(bench.crowd(processes)?);
            bench.issuer.set_delay(NETWORK);
            bench.seed(-10_000)?;
            let before = bench.issuer.token_requests().len();
            expired[place].push(bench.crowd(processes)?);
            let asked = bench.issuer.token_requests().len() - before;
            if asked != 1 {
                return Err(format!("{processes} processes made {asked} requests").into());
            }
            requests[place] = asked;
        }
    }
    let fresh: Vec<f64> = fresh.into_iter().map(median).collect();
    let expired: Vec<f64> = expired.into_iter().map(median).collect();
    for (place, processes) in CROWDS.into_iter().enumerate().skip(1) {
        let title = format!("requests of {processes} processes at the server");
        println!("{title:<52} {:6}", requests[place]);
        row(
            &format!("{processes} processes, one refresh / one process"),
            expired[0],
            expired[place],
        );
        row(
            &format!("{processes} processes, one refresh / 50 ms + all fresh"),
            fresh[place] + 50.0,
            expired[place],
        );
    }
    let waits = (0..rounds(ROUNDS)).map(|_| bench.waiter());
    let waited = median(waits.collect::<Result<_, _>>()?);
    println!(
        "{:<52} {waited:6.2} ms",
        "a waiter ends after the one that refreshed"
    );
    let overhead = expired[0] - fresh[0] - 50.0;
    println!(
        "{:<52} {overhead:6.2} ms",
        "a refresh, less its network time and a fresh token"
    );
    Ok(())
}

impl Bench {
    /// A store with one grant whose access token ends `left` milliseconds from now.
    fn seed(&self, left: i64) -> Result<(), Box<dyn Error>> {
        let (access, refresh) = self.issuer.issue();
        let expires = SystemClock::new().now().0 + left;
        let store = serde_json::json!({
            "version": 1,
            "profiles": { "bench:default": {
                "type": "oauth", "provider": "bench", "access": access,
                "refresh": refresh, "expires": expires, "accountId": "acct_1",
            } },
        });
        let path = self.state.join("agents/main/agent/auth-profiles.json");
        std::fs::write(path, store.to_string())?;
        Ok(())
    }

    /// Milliseconds from the first start to the last end.
    fn crowd(&self, processes: usize) -> Result<f64, Box<dyn Error>> {
        let start = Instant::now();
        let children: Vec<Child> = (0..processes)
            .map(|_| self.token().spawn())
            .collect::<Result<_, _>>()?;
        for mut child in children {
            if !child.wait()?.success() {
                return Err("a process got no token".into());
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1_000.0)
    }

    /// Milliseconds from the end of the process that refreshed to the end of one that waited for
    /// it; negative where that one was done sooner.
    fn waiter(&self) -> Result<f64, Box<dyn Error>> {
        self.seed(-10_000)?;
        let before = self.issuer.token_requests().len();
        let mut owner = self.token().spawn()?;
        while self.issuer.token_requests().len() == before {
            std::thread::sleep(Duration::from_micros(200));
        }
        let mut waiter = self.token().spawn()?;
        let waiter = std::thread::spawn(move || waiter.wait().map(|_| Instant::now()));
        owner.wait()?;
        let end = Instant::now();
        let waited = waiter.join().map_err(|_| "the waiting thread failed")??;
        let after = waited.saturating_duration_since(end);
        let before = end.saturating_duration_since(waited);
        Ok((after.as_secs_f64() - before.as_secs_f64()) * 1_000.0)
    }

    fn token(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command
            .args(["models", "auth", "token", "--provider", "bench"])
            .env_clear()
            .env("HOME", &self.state)
            .env("OPENCLAW_STATE_DIR", &self.state)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }
}
