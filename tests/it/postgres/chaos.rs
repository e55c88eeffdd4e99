//! Two machines refresh the logins of an issuer that rotates and detects reuse, while their processes
//! are killed and stopped, connections are cut, and the server crashes.
//!
//! A process that is to die is stopped first, so that what it has can be told from what it waits for:
//! an answer that is saved must be in the store in the end. A request without one is *cut*: nobody can
//! save its answer, and only its grant may be sent a second time.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};

use super::under_way::is_stopped;
use crate::support::issuer::Fate;
use crate::support::postgres_server::PostgresServer;
use crate::support::team::{Team, is_answer, is_answered};

const LOGINS: [&str; 4] = [
    "openai-codex:a",
    "openai-codex:b",
    "openai-codex:c",
    "openai-codex:d",
];
const REFRESHES: usize = 500;
/// Of each machine, at once.
const WORKERS: usize = 3;
/// A busy machine needs a multiple of what an idle one does.
const LIMIT: Duration = Duration::from_secs(900);

/// What happened so far.
#[derive(Default)]
struct Chaos {
    is_over: AtomicBool,
    /// The grants whose answer was seen in a file.
    answered: Mutex<BTreeSet<String>>,
    /// The grants whose request was under way as its process died.
    cut: Mutex<BTreeSet<String>>,
    killed: AtomicUsize,
    crashes: AtomicUsize,
    /// Held while the database is disturbed, and by whoever needs it undisturbed.
    calm: Mutex<()>,
}

/// Ends the other threads also if one fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
#[ignore = "needs PostgreSQL, and minutes"]
fn no_answered_grant_is_lost_and_none_is_sent_twice() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    for login in LOGINS {
        team.seed(login, 3_600);
    }
    team.issuer.set_delay(Duration::from_millis(50));
    let chaos = Chaos::default();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let workers = (0..2 * WORKERS).map(|number| {
            let (team, chaos) = (&team, &chaos);
            scope.spawn(move || {
                let _over = Over(&chaos.is_over);
                work(team, chaos, number % 2);
            })
        });
        let workers: Vec<_> = workers.collect();
        let _over = Over(&chaos.is_over);
        while !chaos.is_over.load(Ordering::SeqCst) {
            disturb(&team, &chaos);
            let is_enough = stored(&team) >= REFRESHES || begun.elapsed() > LIMIT;
            chaos.is_over.fetch_or(is_enough, Ordering::SeqCst);
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let count = stored(&team);
    judge(&team, &chaos);
    let _ = writeln!(
        std::io::stderr(),
        "{count} refreshes in {:?}; {} processes killed, {} of them on the wire; {} crashes and cuts",
        begun.elapsed(),
        chaos.killed.load(Ordering::SeqCst),
        chaos.cut.lock().unwrap().len(),
        chaos.crashes.load(Ordering::SeqCst),
    );
    assert!(count >= REFRESHES, "only {count} refreshes");
}

/// How many refreshes are in the journal.
fn stored(team: &Team) -> usize {
    let count = "SELECT count(*) FROM openclaw.grant_journal WHERE outcome = 'stored'";
    team.database.value(count).parse().unwrap()
}

/// Cuts connections, ends leases before their time, and crashes the server now and then.
fn disturb(team: &Team, chaos: &Chaos) {
    std::thread::sleep(Duration::from_millis(fastrand::u64(1_000..5_000)));
    let _calm = chaos.calm.lock().unwrap();
    match fastrand::u8(0..6) {
        0 => {
            team.database.server.stop();
            std::thread::sleep(Duration::from_millis(fastrand::u64(0..1_000)));
            team.database.server.start();
        }
        1 => {
            let ended =
                "UPDATE openclaw.grant_lease SET until = clock_timestamp() - interval '1 s'";
            team.database.sql(ended);
        }
        _ => {
            team.database.kill_backends();
        }
    }
    chaos.crashes.fetch_add(1, Ordering::SeqCst);
}

/// Refreshes one login after the other; every fourth process is killed or stopped: at any
/// moment, or about the time of its request.
fn work(team: &Team, chaos: &Chaos, machine: usize) {
    while !chaos.is_over.load(Ordering::SeqCst) {
        let number = fastrand::usize(0..LOGINS.len());
        let args = [
            "models",
            "auth",
            "refresh",
            "--force",
            "--profile",
            LOGINS[number],
        ];
        let mut command = team.command(machine, &args);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        match fastrand::u8(0..8) {
            0 => {
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..400)));
                hurt(team, chaos, machine, &mut child);
            }
            1 if is_asking(&mut child) => {
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..100)));
                hurt(team, chaos, machine, &mut child);
            }
            _ => {}
        }
        let ended = child.wait().unwrap();
        if ended.code() == Some(3) {
            renew(team, chaos, number);
        }
    }
}

/// Waits until a process has a file ready for an answer; false if it ends without one.
fn is_asking(child: &mut Child) -> bool {
    let process = Pid::from_child(child);
    while child.try_wait().unwrap().is_none() {
        if open_files(process).iter().any(|path| is_answer(path)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Stops a process, and lets it go on or kills it.
fn hurt(team: &Team, chaos: &Chaos, machine: usize, child: &mut Child) {
    let process = Pid::from_child(child);
    if child.try_wait().unwrap().is_some() || !is_stopped(process) {
        return;
    }
    if fastrand::u8(0..4) == 0 {
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..1_000)));
        kill_process(process, Signal::CONT).unwrap();
        return;
    }
    let answers = team.answers(machine);
    let saved = answers.iter().filter(|path| is_answered(path));
    chaos
        .answered
        .lock()
        .unwrap()
        .extend(saved.map(|path| grant_of(path)));
    // While it waits for an answer it has the file open that the answer is for.
    let open = open_files(process);
    let awaited = open
        .iter()
        .filter(|path| is_answer(path) && !is_answered(path));
    chaos
        .cut
        .lock()
        .unwrap()
        .extend(awaited.map(|path| grant_of(path)));
    child.kill().unwrap();
    chaos.killed.fetch_add(1, Ordering::SeqCst);
}

fn open_files(process: Pid) -> Vec<PathBuf> {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero()));
    let files = files
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| std::fs::read_link(file.path()));
    files.flatten().collect()
}

/// The grant in the name of a file.
fn grant_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split('.').next().unwrap().to_owned()
}

/// Logs in anew, as a person would, if the login is lost.
fn renew(team: &Team, chaos: &Chaos, number: usize) {
    let _calm = chaos.calm.lock().unwrap();
    if let Some((_, refresh)) = team.tokens(LOGINS[number])
        && team.issuer.fate(&refresh) == Fate::Dead
    {
        team.seed(LOGINS[number], 3_600);
    }
}

fn digest(refresh: &str) -> String {
    let provider = ProviderId::parse("openai-codex").unwrap();
    GrantDigest::of(&provider, &Secret::from(refresh))
        .as_str()
        .to_owned()
}

/// What must hold once every machine has come back.
fn judge(team: &Team, chaos: &Chaos) {
    for machine in [0, 1] {
        team.run(machine, &["models", "auth", "refresh", "--all"]);
    }
    let cut = chaos.cut.lock().unwrap();
    for grant in &*chaos.answered.lock().unwrap() {
        let successor = "SELECT coalesce(max(successor), '') FROM openclaw.grant_lease";
        let successor = team
            .database
            .value(&format!("{successor} WHERE grant_digest = '{grant}'"));
        assert_ne!(successor, "", "the answer to {grant} is lost");
    }
    let (mut sent, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for request in team.issuer.token_requests() {
        let token = request
            .into_iter()
            .find(|(name, _)| name == "refresh_token");
        let grant = digest(&token.unwrap().1);
        if !sent.insert(grant.clone()) {
            twice.insert(grant);
        }
    }
    let strange: Vec<_> = twice.difference(&cut).collect();
    assert!(
        strange.is_empty(),
        "sent twice, and its process was not killed: {strange:?}"
    );
    for login in LOGINS {
        let (_, refresh) = team.tokens(login).unwrap();
        let is_cut = cut.contains(&digest(&refresh));
        let fate = team.issuer.fate(&refresh);
        assert!(
            fate == Fate::Living || is_cut || fate == Fate::Dead,
            "{login}: {fate:?}"
        );
    }
}
