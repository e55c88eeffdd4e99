//! What is made of the answers of a Secret Service, also of one that is silent, broken or hostile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openclaw::model::secret::Secret;
use openclaw::ports::keyring::{Keyring as _, KeyringFault};

use super::vault;
use crate::support::session_bus::{FakeBus, Reply, Values, keyring_at, usual};

const SECRET: &[u8] = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=";
/// So long that no busy machine reaches it.
const PATIENT: Duration = Duration::from_secs(60);
/// What a test waits for.
const SHORT: Duration = Duration::from_millis(700);

/// What a command does with the keyring.
type Act = fn(&FakeBus, Duration) -> Result<(), KeyringFault>;

fn get(bus: &FakeBus, limit: Duration) -> Result<(), KeyringFault> {
    keyring_at(&bus.address(), limit).get(&vault()).map(drop)
}

fn put(bus: &FakeBus, limit: Duration) -> Result<(), KeyringFault> {
    let secret = Secret::new(SECRET.to_vec());
    keyring_at(&bus.address(), limit).put(&vault(), "a label", &secret)
}

fn remove(bus: &FakeBus, limit: Duration) -> Result<(), KeyringFault> {
    keyring_at(&bus.address(), limit).remove(&vault()).map(drop)
}

/// Every step of every conversation, and whether no item is found there.
const STEPS: [(&str, Act, bool); 12] = [
    ("accept", get, false),
    ("AUTH", get, false),
    ("Hello", get, false),
    ("SearchItems", get, false),
    ("ReadAlias", get, true),
    ("Get", get, true),
    ("OpenSession", get, false),
    ("GetSecret", get, false),
    ("CreateItem", put, true),
    ("SetSecret", put, false),
    ("GetSecret", put, false),
    ("Delete", remove, false),
];

/// A bus on which one step is answered so.
fn bus_with(
    step: &'static str,
    is_empty: bool,
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> FakeBus {
    FakeBus::start(SECRET, move |asked| match asked {
        _ if asked == step => Some(answer()),
        "SearchItems" if is_empty => Some(Reply::Values(Values::new().paths(&[]).paths(&[]))),
        _ => None,
    })
}

#[test]
fn every_step_that_is_not_answered_ends_by_its_limit() {
    std::thread::scope(|scope| {
        for (step, act, is_empty) in STEPS {
            scope.spawn(move || {
                let bus = bus_with(step, is_empty, || Reply::Silence);
                let silent = KeyringFault::Silent { limit: SHORT };
                assert_eq!(act(&bus, SHORT), Err(silent), "{step}");
            });
        }
    });
}

#[test]
fn a_bus_that_goes_away_in_the_middle_is_a_fault() {
    for (step, act, is_empty) in STEPS {
        let bus = bus_with(step, is_empty, || Reply::HangUp);
        let fault = act(&bus, PATIENT).unwrap_err();
        assert!(matches!(fault, KeyringFault::Refused(_)), "{step}: {fault}");
        assert!(bus.calls().contains(&step.to_owned()), "{step}");
    }
}

fn kind(fault: &KeyringFault) -> &'static str {
    match fault {
        KeyringFault::Locked => "locked",
        KeyringFault::Missing(_) => "missing",
        KeyringFault::Refused(_) => "refused",
        _ => "another",
    }
}

#[test]
fn errors_are_told_apart_by_their_names() {
    let freedesktop = "org.freedesktop.DBus.Error";
    let cases = [
        ("org.freedesktop.Secret.Error.IsLocked", "locked"),
        (&format!("{freedesktop}.ServiceUnknown"), "missing"),
        (&format!("{freedesktop}.NameHasNoOwner"), "missing"),
        (&format!("{freedesktop}.Spawn.ServiceNotFound"), "missing"),
        (&format!("{freedesktop}.NoReply"), "refused"),
        (&format!("{freedesktop}.AccessDenied"), "refused"),
        ("com.example.Odd", "refused"),
    ];
    for (name, expected) in cases {
        for (step, act, is_empty) in &STEPS[3..] {
            let name: &'static str = name.to_owned().leak();
            let bus = bus_with(step, *is_empty, move || Reply::Error(name, "some words"));
            let fault = act(&bus, PATIENT).unwrap_err();
            assert_eq!(kind(&fault), expected, "{name} to {step}: {fault}");
        }
    }
}

#[test]
fn the_words_of_an_error_are_printable_and_hold_no_secret() {
    let words = "no\u{1b}[2J\u{200b}\n: QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=";
    for (step, act, is_empty) in &STEPS[3..] {
        for name in ["com.example.Odd", "org.freedesktop.DBus.Error.Failed"] {
            let bus = bus_with(step, *is_empty, move || Reply::Error(name, words));
            let fault = act(&bus, PATIENT).unwrap_err().to_string();
            let expected = "the system keyring failed: no [2J : (hidden)";
            assert!(fault.starts_with(expected), "{step}: {fault:?}");
        }
    }
}

#[test]
fn an_item_that_is_there_is_handed_over_and_one_that_is_not_is_none() {
    let bus = FakeBus::start(SECRET, |_| None);
    let keyring = keyring_at(&bus.address(), PATIENT);
    let secret = Secret::new(SECRET.to_vec());
    assert_eq!(keyring.get(&vault()), Ok(Some(secret.clone())));
    assert_eq!(keyring.put(&vault(), "a label", &secret), Ok(()));
    assert_eq!(keyring.remove(&vault()), Ok(true));
    let bus = bus_with("nothing", true, || Reply::Silence);
    let keyring = keyring_at(&bus.address(), PATIENT);
    assert_eq!(keyring.get(&vault()), Ok(None));
    assert_eq!(keyring.remove(&vault()), Ok(false));
}

#[test]
fn what_is_locked_is_never_taken_for_what_is_not_there() {
    let acts: [Act; 3] = [get, put, remove];
    for act in acts {
        let found_locked = || Reply::Values(Values::new().paths(&[]).paths(&["/item"]));
        let bus = bus_with("SearchItems", false, found_locked);
        assert_eq!(act(&bus, PATIENT), Err(KeyringFault::Locked));
        let bus = bus_with("Get", true, || Reply::Values(Values::new().flag(true)));
        assert_eq!(act(&bus, PATIENT), Err(KeyringFault::Locked));
        let bus = bus_with("ReadAlias", true, || Reply::Values(Values::new().path("/")));
        assert_eq!(act(&bus, PATIENT), Err(KeyringFault::NoCollection));
    }
}

#[test]
fn a_prompt_is_never_started() {
    let create = || Reply::Values(Values::new().path("/").path("/prompt"));
    let delete = || Reply::Values(Values::new().path("/prompt"));
    let buses = [
        (put as Act, bus_with("CreateItem", true, create)),
        (remove as Act, bus_with("Delete", false, delete)),
    ];
    for (act, bus) in buses {
        assert_eq!(act(&bus, PATIENT), Err(KeyringFault::Locked));
        let calls = bus.calls();
        assert!(!calls.iter().any(|call| call == "Prompt"), "{calls:?}");
    }
}

#[test]
fn what_was_not_kept_whole_is_a_fault() {
    for kept in [&SECRET[..20], b"", b"something else"] {
        let bus = bus_with("GetSecret", false, || Reply::Values(Values::secret(kept)));
        let fault = put(&bus, PATIENT).unwrap_err();
        assert!(matches!(fault, KeyringFault::Refused(_)), "{fault}");
    }
    // The service says that it is written, and has nothing.
    let bus = bus_with("nothing", true, || Reply::Silence);
    let fault = put(&bus, PATIENT).unwrap_err();
    assert!(matches!(fault, KeyringFault::Refused(_)), "{fault}");
}

#[test]
fn answers_of_another_kind_are_faults() {
    let odd = [
        Values::new(),
        Values::new().string("text"),
        Values::new().path("/a").path("/b").path("/c"),
        Values::new().paths(&["/a"; 1000]),
        Values::new().string(&"x".repeat(1 << 20)),
        Values::session(),
    ];
    for (step, act, is_empty) in &STEPS[3..] {
        // Nothing is what it answers.
        let odd = if *step == "SetSecret" {
            &odd[1..]
        } else {
            &odd
        };
        for values in odd {
            let fits = *step == "OpenSession" && values.is_session();
            if !fits {
                let values = values.clone();
                let bus = bus_with(step, *is_empty, move || Reply::Values(values.clone()));
                let fault = act(&bus, PATIENT).unwrap_err();
                assert!(matches!(fault, KeyringFault::Refused(_)), "{step}: {fault}");
            }
        }
    }
}

/// Lengths beyond the message and the limits of the specification, broken types, cut off texts: each
/// ends, by the limit at the latest. A panic would end the program, also one in a task, which tests do
/// not notice by themselves.
#[test]
fn garbage_from_the_bus_ends_the_conversation() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or("", |place| place.file());
        // Those of other tests are none of ours.
        PANICS.fetch_add(place.contains("/zbus").into(), Ordering::Relaxed);
        usual_hook(panic);
    }));
    let limit = Duration::from_millis(100);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                for _ in 0..40 {
                    let (step, act, is_empty) = STEPS[random.usize(1..STEPS.len())];
                    let seed = random.u64(..);
                    let bus = bus_with(step, is_empty, move || {
                        let bend = move |bytes: &mut Vec<u8>| {
                            bend(bytes, seed);
                            if step == "AUTH" {
                                drop_empty_lines(bytes);
                            }
                        };
                        Reply::Bent(usual(step, SECRET), Box::new(bend))
                    });
                    // A bent letter of a name may go unnoticed.
                    let _ = act(&bus, limit);
                }
            });
        }
    });
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// Changes a few bytes, or most of them, or the end.
fn bend(bytes: &mut Vec<u8>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    match random.u8(0..5) {
        0 => bytes.iter_mut().for_each(|byte| *byte = random.u8(..)),
        1 => bytes.truncate(random.usize(..bytes.len())),
        2 => bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(70_000)),
        _ => {
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] = *random
                    .choice(&[0, 1, 0x7f, 0xff, b'(', b'a', b'v'])
                    .unwrap();
            }
        }
    }
}

/// On a line of the handshake that is a line feed alone, zbus 6.2.1 panics.
fn drop_empty_lines(bytes: &mut Vec<u8>) {
    bytes.dedup_by(|next, byte| (*byte, *next) == (b'\n', b'\n'));
    if bytes.first() == Some(&b'\n') {
        bytes.remove(0);
    }
}
