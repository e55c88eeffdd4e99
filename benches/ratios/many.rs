//! What many logins cost one another: grants of one document that are due at once, `tick` over a
//! hundred, and either of them beside a provider that never answers. `cargo bench --bench ratios -- many`
//! prints ratios; no figure decides anything, but each grant must be refreshed exactly once.

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use openclaw::ports::host::Clock as _;
use openclaw::sys::clock::SystemClock;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::issuer::{Account, Issuer};
use crate::report::{self, median, row};

const NETWORK: Duration = Duration::from_millis(100);
/// Grants that forty processes refresh at once.
const CROWD: usize = 40;
/// Logins of the provider that hangs.
const HANGING: usize = 3;
/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// Longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(super) fn run() -> Result<()> {
    compare(
        "40 processes, 40 grants at 100 ms / 40 fresh tokens",
        15,
        || Bench::new(NETWORK, CROWD, 0, true)?.processes(CROWD),
        || Bench::new(NETWORK, CROWD, 0, false)?.processes(CROWD),
    )?;
    // Where a sync costs nothing: what is left is ours.
    let memory = Path::new(MEMORY);
    if memory.is_dir() {
        compare(
            "the same with the state directory in memory",
            15,
            || Bench::new_in(memory, NETWORK, (CROWD, 0), true)?.processes(CROWD),
            || Bench::new_in(memory, NETWORK, (CROWD, 0), false)?.processes(CROWD),
        )?;
    }
    compare(
        "a refresh beside one that hangs / alone",
        25,
        || Bench::new(Duration::ZERO, 1, 0, false)?.processes(1),
        || {
            let bench = Bench::new(Duration::ZERO, 1, 1, false)?;
            let mut hanging = bench.hanging.start(bench.token("acme", 0))?;
            let time = bench.processes(1);
            hanging.kill()?;
            hanging.wait()?;
            time
        },
    )?;
    let hundred = Bench::new(NETWORK, 100, 0, false)?.whole_tick()?;
    println!(
        "{:<52} {hundred:6.0} ms",
        "tick of 100 due grants at 100 ms"
    );
    compare(
        "tick to its 40th answer, 3 logins hang / alone",
        3,
        || Bench::new(NETWORK, CROWD, 0, false)?.tick_to_last_answer(),
        || Bench::new(NETWORK, CROWD, HANGING, false)?.tick_to_last_answer(),
    )
}

/// Prints the ratio of two medians, measured in turns.
fn compare(
    title: &str,
    rounds: usize,
    base: impl Fn() -> Result<f64>,
    other: impl Fn() -> Result<f64>,
) -> Result<()> {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for _ in 0..report::rounds(rounds) {
        low.push(base()?);
        high.push(other()?);
    }
    row(title, median(low), median(high));
    Ok(())
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1_000.0
}

/// A state directory of its own, and the providers of its logins: `bench`, which answers,
/// and `acme`, which does not.
struct Bench {
    state: TempDir,
    issuer: Issuer,
    hanging: Hanging,
    /// How many requests the issuer is to get.
    due: usize,
}

impl Bench {
    fn new(delay: Duration, logins: usize, hanging_logins: usize, is_fresh: bool) -> Result<Self> {
        let place = std::env::temp_dir();
        Self::new_in(&place, delay, (logins, hanging_logins), is_fresh)
    }

    fn new_in(
        place: &Path,
        delay: Duration,
        (logins, hanging_logins): (usize, usize),
        is_fresh: bool,
    ) -> Result<Self> {
        let bench = Self {
            state: tempfile::tempdir_in(place)?,
            issuer: Issuer::start(Account::default(), Arc::new(SystemClock::new()))?,
            hanging: Hanging::start_server()?,
            due: if is_fresh { 0 } else { logins },
        };
        bench.issuer.set_delay(delay);
        let providers = bench.state.path().join("providers");
        std::fs::create_dir_all(&providers)?;
        // An id of its own: of a built-in one, a login that was not made here is not sent to it.
        let manifest = bench.issuer.manifest().replace("openai-codex", "bench");
        let manifest = manifest.replace("replaces = true\n", "");
        std::fs::write(providers.join("bench.toml"), manifest)?;
        std::fs::write(providers.join("acme.toml"), bench.hanging.manifest())?;
        let mut profiles = Map::new();
        for n in 0..hanging_logins {
            bench.add_profile(&mut profiles, "acme", n, false);
        }
        for n in 0..logins {
            bench.add_profile(&mut profiles, "bench", n, is_fresh);
        }
        let agent = bench.state.path().join("agents/main/agent");
        std::fs::create_dir_all(&agent)?;
        let document = json!({ "version": 1, "profiles": profiles });
        std::fs::write(agent.join("auth-profiles.json"), document.to_string())?;
        Ok(bench)
    }

    fn add_profile(&self, to: &mut Map<String, Value>, provider: &str, n: usize, is_fresh: bool) {
        let (access, refresh) = self.issuer.issue();
        let left = if is_fresh { 3_600_000 } else { -10_000 };
        let profile = json!({
            "type": "oauth", "provider": provider, "access": access, "refresh": refresh,
            "expires": SystemClock::new().now().0 + left, "accountId": "acct_1",
        });
        to.insert(format!("{provider}:{n}"), profile);
    }

    /// Milliseconds from the first start to the last end of processes that each want a token.
    fn processes(&self, number: usize) -> Result<f64> {
        let start = Instant::now();
        let children = (0..number).map(|n| self.token("bench", n).spawn());
        let children: Vec<Child> = children.collect::<std::io::Result<_>>()?;
        for mut child in children {
            if !child.wait()?.success() {
                return Err("a process got no token".into());
            }
        }
        let time = milliseconds_since(start);
        self.check_requests(time)
    }

    /// Milliseconds until `tick` has its last answer, beside logins that hang; at most `PATIENCE`.
    fn tick_to_last_answer(&self) -> Result<f64> {
        let start = Instant::now();
        let mut tick = self.tick().spawn()?;
        while self.issuer.dealt_with() < self.due && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let time = milliseconds_since(start);
        tick.kill()?;
        tick.wait()?;
        Ok(time)
    }

    /// Milliseconds that `tick` takes.
    fn whole_tick(&self) -> Result<f64> {
        let start = Instant::now();
        let is_well = self.tick().status()?.success();
        let time = milliseconds_since(start);
        match is_well {
            true => self.check_requests(time),
            false => Err("tick found a problem".into()),
        }
    }

    fn tick(&self) -> Command {
        self.command(&["tick", "--no-spread"])
    }

    /// `time`, unless a refresh token was not sent, or sent twice.
    fn check_requests(&self, time: f64) -> Result<f64> {
        let sent = self.issuer.token_requests().len();
        match sent == self.due {
            true => Ok(time),
            false => Err(format!("{sent} requests for {} grants", self.due).into()),
        }
    }

    fn token(&self, provider: &str, n: usize) -> Command {
        let profile = format!("{provider}:{n}");
        self.command(&["models", "auth", "token", "--profile", &profile])
    }

    fn command(&self, words: &[&str]) -> Command {
        let state = self.state.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command
            .args(words)
            .env_clear()
            .env("HOME", state)
            .env("OPENCLAW_STATE_DIR", state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// A server that takes requests and never answers.
struct Hanging {
    url: String,
    asked: Receiver<()>,
}

impl Hanging {
    fn start_server() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            // Each connection stays open until the bench is gone, and nobody reads from it.
            let connections = listener.incoming().map_while(std::result::Result::ok);
            let _open: Vec<_> = connections
                .take_while(|_| sender.send(()).is_ok())
                .collect();
        });
        Ok(Self { url, asked })
    }

    fn manifest(&self) -> String {
        let url = &self.url;
        format!(
            "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n\
             [client]\nid = \"test-client\"\nauthorize = \"{url}/authorize\"\ntoken = \"{url}/token\"\n\n\
             [[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/callback\"\n\
             scopes = [\"offline_access\"]\n"
        )
    }

    /// Starts a process and waits until it has asked.
    fn start(&self, mut process: Command) -> Result<Child> {
        let process = process.spawn()?;
        self.asked.recv_timeout(PATIENCE)?;
        Ok(process)
    }
}
