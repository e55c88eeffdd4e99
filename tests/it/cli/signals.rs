//! SIGINT, SIGTERM and SIGHUP: a refresh is finished first, everything else ends at once, and the
//! exit code tells which of them it was.

mod work_under_way;

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Fate, Issuer};
use openclaw::model::grant::GrantDigest;
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::store::{Documents as _, GrantLocks as _};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use rexpect::process::Signal as PtySignal;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

use crate::accounts::environment_keys::shell;
use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::support::login::Waiting;
use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
/// Each with the exit code that tells of it.
const SIGNALS: [(Signal, i32); 3] = [(Signal::HUP, 129), (Signal::INT, 130), (Signal::TERM, 143)];

fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

/// Looks again and again; a test that waits for what never comes is stopped from outside.
fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the kernel still has to deliver to the process is delivered.
fn delivered(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    until(|| {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let pending = text.lines().filter(|line| line.contains("Pnd:"));
        pending
            .map(|line| &line[7..])
            .all(|mask| mask.trim_matches(&['0', '\t', ' '][..]).is_empty())
    });
}

fn requests(issuer: &Issuer, count: usize) {
    until(|| issuer.token_requests().len() >= count);
}

fn profile(world: &World) -> serde_json::Value {
    world.store()["profiles"]["openai-codex:default"].clone()
}

fn stores_nothing(world: &World) -> bool {
    !world.has_store()
}

#[test]
fn a_refresh_is_stored_before_a_signal_is_obeyed() {
    for (signal, code) in SIGNALS {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, spent) = world.seed(&issuer, "main", -10);
        issuer.hold();
        let child = start(&world, &TOKEN);
        requests(&issuer, 1);
        // A second one, of an impatient person, changes nothing.
        for _ in 0..2 {
            send(&child, signal);
            delivered(&child);
        }
        assert_eq!(profile(&world)["refresh"], spent);
        issuer.let_go();
        let ran = end(child);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:?}");
        assert!(
            ran.err.contains("The credential store was changed."),
            "{ran:?}"
        );
        assert_ne!(profile(&world)["refresh"], spent);
        // What is stored is the successor, and not used up.
        let forced = world.run(&["models", "auth", "refresh", "--force"]);
        assert_eq!(forced.code, 0, "{forced:?}");
    }
}

/// Of one server two logins are refreshed at once, the third after them.
#[test]
fn after_a_signal_no_other_grant_is_sent() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let mut store = world.store();
    for name in ["second", "third"] {
        let mut login = store["profiles"]["openai-codex:default"].clone();
        login["refresh"] = issuer.issue().1.into();
        store["profiles"][format!("openai-codex:{name}")] = login;
    }
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    issuer.hold();
    let child = start(&world, &["models", "auth", "refresh"]);
    requests(&issuer, 1);
    send(&child, Signal::TERM);
    delivered(&child);
    issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 143, "{ran:?}");
    let after = world.store();
    let names = ["default", "second", "third"].map(|name| format!("openai-codex:{name}"));
    let is_changed = |name: &&String| after["profiles"][*name] != store["profiles"][*name];
    // What was sent is stored.
    let sent = issuer.token_requests().len();
    assert_eq!(names.iter().filter(is_changed).count(), sent, "{ran:?}");
    assert!(!is_changed(&&names[2]), "{ran:?}");
}

#[test]
fn a_login_that_waits_ends_at_once() {
    for (signal, code) in SIGNALS {
        let (world, issuer) = World::with_issuer(Account::default());
        let login = Waiting::start(&world, &[]);
        send(&login.child, signal);
        let (ran, events) = login.finish();
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(events.last().unwrap()["kind"], "cancelled");
        assert!(
            ran.err.contains("Cancelled. Nothing was stored."),
            "{ran:?}"
        );
        assert!(stores_nothing(&world));
        assert!(issuer.token_requests().is_empty());
    }
}

/// The code is spent, and what came of it cannot be had again.
#[test]
fn a_login_whose_code_is_being_exchanged_is_stored_before_a_signal_is_obeyed() {
    for (signal, code) in SIGNALS {
        let (world, issuer) = World::with_issuer(Account::default());
        let login = Waiting::start(&world, &[]);
        issuer.hold();
        let url = login.url.clone();
        let browser = std::thread::spawn(move || visit(&url).unwrap());
        requests(&issuer, 1);
        send(&login.child, signal);
        delivered(&login.child);
        issuer.let_go();
        let (ran, events) = login.finish();
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(
            events.iter().any(|event| event["event"] == "saved"),
            "{ran:?}"
        );
        assert!(
            ran.err.contains("The credential store was changed."),
            "{ran:?}"
        );
        let refresh = world.only_profile()["refresh"].clone();
        assert_eq!(issuer.fate(refresh.as_str().unwrap()), Fate::Living);
        let page = browser.join().unwrap().text;
        assert!(!page.contains("Cancelled"), "{page}");
    }
}

/// A prompt at a terminal, what it was like before and is afterwards.
fn at_a_prompt(world: &World, args: &[&str], prompt: &str, signal: PtySignal, code: i32) {
    let mut session = at_terminal(world, args);
    let terminal = session.process().get_file_handle().unwrap();
    let modes = || tcgetattr(&terminal).unwrap();
    session.exp_string(prompt).unwrap();
    until(|| !modes().local_modes.contains(LocalModes::ICANON));
    session.process_mut().signal(signal).unwrap();
    session
        .exp_string("Cancelled. Nothing was stored.")
        .unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, code);
    let after = modes();
    assert!(
        after
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ISIG)
    );
    assert!(stores_nothing(world));
}

#[test]
fn a_prompt_ends_at_once_and_gives_the_terminal_back() {
    for (signal, code) in [
        (PtySignal::SIGHUP, 129),
        (PtySignal::SIGINT, 130),
        (PtySignal::SIGTERM, 143),
    ] {
        let (world, _issuer) = World::with_issuer(Account::default());
        let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
        at_a_prompt(&world, &paste, "input is hidden", signal, code);
        let login = ["models", "auth", "login", "--no-browser"];
        at_a_prompt(&world, &login, "Or paste", signal, code);
    }
}

/// The exit code, or 128 and the signal that killed it, as a shell has it.
fn ended(child: Child) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let status = child.wait_with_output().unwrap().status;
    status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .unwrap()
}

/// It has a file of that name open; where only root may see that of a process of ours, at least it
/// sleeps.
fn opened(child: &Child, name: &str) {
    let directory = format!("/proc/{}/fd", child.id());
    let has_open = |open: std::fs::ReadDir| {
        let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let mut names = targets.map(|path| path.to_string_lossy().into_owned());
        names.any(|path| path.contains(name))
    };
    until(|| std::fs::read_dir(&directory).map_or_else(|_| is_asleep(child), has_open));
}

fn is_asleep(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    status.is_ok_and(|status| status.contains("State:\tS"))
}

/// OpenClaw holds its lock of the main agent's document, and its heart beats.
fn lock_of_openclaw(world: &World) {
    let lock = world
        .state()
        .join("agents/main/agent/auth-profiles.json.lock");
    std::fs::create_dir_all(&lock).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(3_600);
    std::fs::File::open(&lock)
        .unwrap()
        .set_modified(later)
        .unwrap();
}

#[test]
fn a_wait_for_the_refresh_of_another_process_ends_at_once() {
    for (signal, code) in SIGNALS {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, refresh) = world.seed(&issuer, "main", -10);
        let places = StorePaths::below(world.state());
        let store = FileStore::new(Arc::new(SystemFiles), Arc::new(SystemClock::new()), places);
        let provider = ProviderId::parse("openai-codex").unwrap();
        let grant = GrantDigest::of(&provider, &Secret::new(refresh));
        let held =
            crate::support::memory_store::held(store.try_lock_grant(&grant).unwrap()).unwrap();
        let child = start(&world, &TOKEN);
        opened(&child, grant.as_str());
        send(&child, signal);
        assert_eq!(ended(child), code);
        drop(held);
        assert!(issuer.token_requests().is_empty());
        assert_eq!(store.agents().unwrap(), [AgentId::main()]);
    }
}

#[test]
fn a_write_that_waits_for_openclaw_ends_at_once() {
    for (signal, code) in SIGNALS {
        let world = World::new();
        lock_of_openclaw(&world);
        let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
        let mut command = world.command(&paste);
        command.stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, crate::support::setup_token().as_bytes()).unwrap();
        drop(stdin);
        opened(&child, "locks/openclaw-rs/store-");
        send(&child, signal);
        assert_eq!(ended(child), code);
        assert!(stores_nothing(&world));
    }
}

#[test]
fn a_refresh_that_waits_for_openclaw_ends_at_once() {
    for (signal, code) in SIGNALS {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed(&issuer, "main", -10);
        lock_of_openclaw(&world);
        let child = start(&world, &TOKEN);
        opened(&child, "locks/oauth-refresh/openclaw-rs/");
        let began = std::time::Instant::now();
        send(&child, signal);
        assert_eq!(ended(child), code);
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it waited for the lock"
        );
        assert!(issuer.token_requests().is_empty());
    }
}

#[test]
fn a_signal_ends_the_login_shell_and_what_it_started() {
    let world = World::new();
    let left = world.directory.path().join("pid");
    let body = format!("sleep 100000 & echo $! > '{}'; wait", left.display());
    let mut command = world.command(&["models", "auth", "token", "--provider", "google"]);
    command
        .env("SHELL", shell(&world, &body))
        .env("OPENCLAW_LOAD_SHELL_ENV", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = || std::fs::read_to_string(&left).unwrap_or_default();
    until(|| pid().ends_with('\n'));
    send(&child, Signal::INT);
    let ran = end(child);
    assert_eq!(ran.code, 130, "{ran:?}");
    // An orphan that was killed stays until somebody has waited for it.
    let stat = format!("/proc/{}/stat", pid().trim());
    until(|| !std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")));
}
