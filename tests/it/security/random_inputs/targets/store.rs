//! Any bytes in the place of any file of the store.

use openclaw::app::credential::selector::Selector;
use openclaw::app::refresh::recover;
use openclaw::app::usecase::{history, list, logout, refresh, token, undo};
use openclaw::app::{paste, status};
use openclaw::cli::hint::Renderer;
use openclaw::cli::view::{status_json, status_text};
use openclaw::model::grant::GrantDigest;
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::store::{Documents as _, Scope, StoreError};

use super::fake_ports::{FakePorts, NOW, STATE, assert_printable};
use super::raw;

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const STATE_FILE: &str = "agents/main/agent/auth-state.json";

/// A login whose token has ended, so that everything that keeps it alive is looked at.
const GOOD: &str = r#"{"version":1,"profiles":{"openai-codex:default":{"type":"oauth",
    "provider":"openai-codex","access":"at","refresh":"rt-good","expires":1795230000000}}}"#;

/// Where the generations of `groq:manual` are kept.
const HISTORY: &str = "agents/main/agent/auth-history/37b264e92b85952c44c95176f63db37d.json";

/// A pasted token, to be replaced.
const PASTED: &str = r#"{"version":1,"profiles":{"groq:manual":{"type":"token",
    "provider":"groq","token":"before"}}}"#;

/// A file that belongs to the grant of the good login.
fn of_grant(directory: &str, suffix: &str) -> String {
    let provider = ProviderId::parse("openai-codex").unwrap();
    let digest = GrantDigest::of(&provider, &Secret::from("rt-good"));
    format!("{directory}/{digest}{suffix}")
}

/// Whatever the bytes and wherever they lie: every command ends, nothing is printed that steers a
/// terminal, and what was not understood is still there afterwards.
pub(crate) fn check(bytes: &[u8]) {
    document(bytes);
    state_file(bytes);
    legacy("agents/main/agent/auth.json", bytes);
    legacy("credentials/oauth.json", bytes);
    journal(bytes);
    answer(bytes);
    generations(bytes);
    database(bytes);
}

fn document(bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(DOCUMENT, bytes);
    let loaded = fakes.store.load(&AgentId::main(), Scope::All);
    if let Err(error) = &loaded {
        assert_printable(&error.to_string());
    }
    look(&fakes);
    assert_eq!(
        fakes.bytes(DOCUMENT).as_deref(),
        Some(bytes),
        "looking wrote"
    );
    store_one(&fakes);
    match (loaded, std::str::from_utf8(bytes)) {
        (Ok(_), Ok(text)) => {
            let before = raw::members(text).expect("a document that was read is an object");
            let written = fakes.bytes(DOCUMENT).unwrap_or_default();
            let after = raw::members(&String::from_utf8_lossy(&written)).expect("an object");
            raw::assert_kept(&before, &after, &|key| key.trim() == "groq:manual");
        }
        // Read with another letter in its place, and copied as it was.
        (Ok(_), Err(_)) | (Err(_), _) => assert_somewhere(&fakes, bytes),
    }
    use_all(&fakes);
}

fn state_file(bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(DOCUMENT, GOOD.as_bytes());
    fakes.put(STATE_FILE, bytes);
    look(&fakes);
    store_one(&fakes);
    let before = std::str::from_utf8(bytes).ok().and_then(raw::members);
    match before {
        None => assert_somewhere(&fakes, bytes),
        Some(before) => {
            let written = fakes.bytes(STATE_FILE).unwrap_or_default();
            let after = raw::members(&String::from_utf8_lossy(&written)).unwrap_or_default();
            raw::assert_kept(&before, &after, &|key| key.trim() == "groq:manual");
        }
    }
    use_all(&fakes);
}

fn legacy(path: &str, bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(path, bytes);
    look(&fakes);
    store_one(&fakes);
    assert_somewhere(&fakes, bytes);
    use_all(&fakes);
}

/// The journal is advice: whatever it says, nothing is locked out by it but a refresh.
fn journal(bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(DOCUMENT, GOOD.as_bytes());
    fakes.put(&of_grant("locks/oauth-refresh/journal", ".json"), bytes);
    look(&fakes);
    store_one(&fakes);
    use_all(&fakes);
}

/// An answer that was saved is taken in, or stays.
fn answer(bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(DOCUMENT, GOOD.as_bytes());
    fakes.put(&of_grant("rescue", ".1795230000000.answer"), bytes);
    recover::recover_pending(fakes.ports());
    look(&fakes);
    store_one(&fakes);
    let document = fakes.bytes(DOCUMENT).unwrap_or_default();
    let renewed = !String::from_utf8_lossy(&document).contains("\"at\"");
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let unanswered = lines
        .nth(1)
        .is_none_or(|rest| rest.iter().all(|byte| *byte == 0));
    if !renewed && !unanswered {
        assert_somewhere(&fakes, bytes);
    }
    use_all(&fakes);
}

/// The generations of a profile: what cannot be read is set aside, and costs no other command.
fn generations(bytes: &[u8]) {
    let fakes = FakePorts::with_paste("sk-pasted-token");
    fakes.put(DOCUMENT, PASTED.as_bytes());
    fakes.put(HISTORY, bytes);
    look(&fakes);
    store_one(&fakes);
    let kept = fakes
        .bytes(HISTORY)
        .expect("the token before is a generation");
    assert!(String::from_utf8_lossy(&kept).contains("before"));
    if std::str::from_utf8(bytes)
        .ok()
        .and_then(raw::members)
        .is_none()
    {
        assert_somewhere(&fakes, bytes);
    }
    use_all(&fakes);
}

/// The database of a later release is named, whatever is in it, and nothing is put beside it.
fn database(bytes: &[u8]) {
    let fakes = FakePorts::new();
    fakes.put("state/openclaw.sqlite", bytes);
    look(&fakes);
    let written = fakes.store.update(&AgentId::main(), &mut |_| true);
    match written {
        Err(error @ StoreError::LaterGeneration { .. }) => assert_printable(&error.to_string()),
        other => panic!("{other:?}"),
    }
    assert_eq!(fakes.everything().len(), 1);
}

fn assert_somewhere(fakes: &FakePorts, bytes: &[u8]) {
    let all = fakes.everything();
    let kept = all.iter().any(|(_, content)| content == bytes);
    let names: Vec<_> = all.iter().map(|(path, _)| path).collect();
    assert!(kept, "the bytes are lost; there are {names:?}");
}

/// The commands that only look.
fn look(fakes: &FakePorts) {
    let (ports, agent) = (fakes.ports(), AgentId::main());
    match list::run(ports, &agent, None) {
        Ok(outcome) => outcome
            .faults
            .iter()
            .for_each(|fault| assert_printable(fault)),
        Err(failure) => assert_printable(&failure.message),
    }
    match history::run(ports, &agent, None) {
        Ok(outcome) => outcome
            .faults
            .iter()
            .for_each(|fault| assert_printable(fault)),
        Err(failure) => assert_printable(&failure.message),
    }
    let asked = status::Request {
        agent,
        agent_named: false,
    };
    match status::run(ports, &asked) {
        Ok(report) => {
            let hints = Renderer::default();
            for fault in &report.faults {
                assert_printable(&hints.text(fault));
            }
            for width in [None, Some(80), Some(7)] {
                assert_printable(&without_colors(&status_text::render(
                    &report, width, &hints,
                )));
            }
            let mut json = Vec::new();
            status_json::write(&mut json, &report, &hints).unwrap();
            let json = String::from_utf8(json).unwrap();
            assert!(
                serde_json::from_str::<serde_json::Value>(&json).is_ok(),
                "{json}"
            );
        }
        Err(failure) => assert_printable(&failure.message),
    }
}

/// The sequences that a view itself adds, taken out: `ESC [ digits m`.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain.push_str(rest.strip_prefix('m').unwrap_or("\u{1b}"));
    }
    plain
}

/// A command that writes.
fn store_one(fakes: &FakePorts) {
    let provider = ProviderId::parse("groq").unwrap();
    let asked = paste::Request {
        agent: AgentId::main(),
        is_new_provider: true,
        profile: None,
        provider,
        form: paste::Form::Token { expires_in: None },
        given: None,
        metadata: Vec::new(),
    };
    if let Err(failure) = paste::run(fakes.ports(), &asked) {
        panic!("nothing could be stored: {failure:?}");
    }
    let written = fakes.bytes(DOCUMENT).unwrap_or_default();
    assert!(String::from_utf8_lossy(&written).contains("sk-pasted-token"));
    fakes.told().iter().for_each(|line| assert_printable(line));
}

/// Everything else, on each profile there is.
fn use_all(fakes: &FakePorts) {
    let (ports, agent) = (fakes.ports(), AgentId::main());
    let document = fakes
        .store
        .load(&agent, Scope::All)
        .expect("it was just written");
    let profiles: Vec<ProfileId> = document.profiles().map(|(id, _)| id.clone()).collect();
    for profile in profiles.iter().take(8) {
        let asked = token::Request {
            agent: agent.clone(),
            want: Selector::Profile(profile.clone().into()),
            min_valid: None,
        };
        if let Err(failure) = token::run(ports, &asked) {
            assert_printable(&failure.message);
        }
    }
    if let Err(failure) = refresh::run(ports, &agent, None, true) {
        assert_printable(&failure.message);
    }
    for profile in profiles.iter().take(8) {
        let asked = logout::Request {
            agent: agent.clone(),
            profile: profile.clone(),
            yes: true,
            dry_run: false,
            revoke: false,
            force: false,
            forget: false,
        };
        if let Err(failure) = logout::run(ports, &asked) {
            panic!("{profile} could not be removed: {failure:?}");
        }
        if let Err(failure) = undo::run(ports, &agent, profile, None, false) {
            assert_printable(&failure.message);
        }
    }
    let locks = fakes.everything().into_iter().map(|(path, _)| path);
    let left = locks.filter(|path| path.ends_with("auth-profiles.json.lock"));
    assert_eq!(left.count(), 0, "a lock was left in {STATE}");
    assert!(fakes.now() >= NOW);
}
