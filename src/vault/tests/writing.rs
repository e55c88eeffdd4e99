//! What becomes of the file when it is written, and by whom.

use std::path::Path;

use super::{FILE, KEY_FILE, WAIT, World, passphrase};
use crate::model::seal::Seal;
use crate::model::vault::{About, SealedPart, SecretName, TokenStore, VaultFault};
use crate::ports::secrets::{LONGEST, NamedSecrets as _};
use crate::ports::vault::{Vault as _, VaultError};
use crate::ports::vault_keys::{KeySource, NewSlot, VaultKeys as _};

const BACKUP: &str = "/home/me/.openclaw/secrets.enc.bak";

fn names(world: &World) -> Vec<String> {
    let entries = world.process().list().unwrap().into_iter();
    entries.map(|entry| entry.name.to_string()).collect()
}

fn remove(world: &World, names: &[&str]) -> Vec<SecretName> {
    let names: Vec<_> = (names.iter())
        .map(|name| SecretName::parse(name).unwrap())
        .collect();
    world.process().remove(&names, &WAIT).unwrap()
}

#[test]
fn a_secret_is_stored_replaced_and_removed() {
    let world = World::default();
    assert!(names(&world).is_empty());
    assert_eq!(world.get("A"), None);
    assert!(remove(&world, &["A"]).is_empty());
    assert!(!world.set("B", "one\n\u{0}\"ß", &KEY_FILE).unwrap());
    assert!(!world.set("A", "two", &KEY_FILE).unwrap());
    assert!(world.set("B", "three", &KEY_FILE).unwrap());
    assert_eq!(names(&world), ["A", "B"]);
    assert_eq!(world.get("B").as_deref(), Some("three"));
    assert_eq!(remove(&world, &["B", "C"]).len(), 1);
    assert_eq!(names(&world), ["A"]);
    // What was removed is in no older state either.
    assert_eq!(world.text(BACKUP), world.text(FILE));
    assert!(world.set("A", "", &KEY_FILE).is_err());
    assert!(world.set("A", &"x".repeat(LONGEST + 1), &KEY_FILE).is_err());
    assert!(world.set("A", &"x".repeat(LONGEST), &KEY_FILE).is_ok());
}

#[test]
fn the_last_good_file_stays_and_a_torn_one_is_left_alone() {
    let world = World::default();
    world.set("A", "one", &KEY_FILE).unwrap();
    let first = world.text(FILE);
    world.set("A", "two", &KEY_FILE).unwrap();
    assert_eq!(world.text(BACKUP), first);
    let whole = world.text(FILE);
    let later = whole.replace(r#""openclawSecrets": 1"#, r#""openclawSecrets": 2"#);
    for torn in ["", "{", "[]", "{}", &whole[..whole.len() / 2], &later] {
        world.files.put(Path::new(FILE), torn);
        let fault = world.process().policy().unwrap_err();
        match torn == later {
            true => assert!(matches!(fault, VaultFault::Newer(_))),
            false => assert!(matches!(fault, VaultFault::Damaged { .. }), "{fault}"),
        }
        assert!(world.set("A", "three", &KEY_FILE).is_err());
        assert_eq!(world.text(FILE), torn);
        assert_eq!(world.text(BACKUP), first);
    }
}

#[test]
fn a_file_that_is_gone_does_not_mean_that_nothing_is_sealed() {
    let world = World::default();
    world.set("A", "one", &KEY_FILE).unwrap();
    world.set("A", "two", &KEY_FILE).unwrap();
    let gone = World {
        files: crate::testing::files::MemoryFiles::new(),
        ..World::default()
    };
    gone.files.put(Path::new(BACKUP), &world.text(FILE));
    assert!(gone.process().policy().is_err());
    assert!(gone.set("A", "three", &KEY_FILE).is_err());
}

#[test]
fn what_a_later_release_added_is_kept() {
    let world = World::default();
    world.set("A", "one", &KEY_FILE).unwrap();
    // Where it can be added: in the slots, whose key then opens nothing without the body sealed anew.
    let process = world.process();
    let sealer = process.unlock().unwrap();
    let text = world.text(FILE).replacen(
        r#""slots": ["#,
        r#""x": {"b": 1.50, "a": 2}, "slots": [{"type": "tpm", "z": 1},"#,
        1,
    );
    world.files.put(Path::new(FILE), &text);
    let mut document = process.load().unwrap().unwrap();
    let body = super::super::body::Body::default().write();
    let bound = document.head.bound();
    let seal: Seal = (sealer.key().seal(&bound, body.expose(), &[7; 28])).unwrap();
    document.body = seal;
    let previous = super::super::file::Previous::Gone;
    let (files, state) = (&world.files, Path::new("/home/me/.openclaw"));
    super::super::file::save(files, state, &document, previous).unwrap();
    world.set("B", "two", &KEY_FILE).unwrap();
    let text = world.text(FILE);
    assert!(text.contains(r#""tpm""#) && text.contains("1.5"), "{text}");
    let status = world.process().status().unwrap().unwrap();
    assert_eq!(status.slots[0].kind, "tpm");
    assert!(status.slots[0].fault.is_some());
    // What nobody here can open is no second slot.
    assert!(world.process().remove_slot(2, false, &WAIT).is_err());
    assert!(world.process().remove_slot(1, false, &WAIT).is_ok());
}

#[test]
fn any_slot_opens_and_the_last_one_stays() {
    let world = World::default();
    world.set("A", "one", &KEY_FILE).unwrap();
    assert!(world.process().remove_slot(1, false, &WAIT).is_err());
    world.process().add_slot(&passphrase(), &WAIT).unwrap();
    assert!(world.process().remove_slot(3, false, &WAIT).is_err());
    world.process().remove_slot(1, false, &WAIT).unwrap();
    assert!(!world.text(BACKUP).contains("key_file"));
    world.person.will_say(&["correct horse"]);
    assert_eq!(world.get("A").as_deref(), Some("one"));
}

#[test]
fn a_new_key_opens_what_the_old_one_sealed_until_that_is_forgotten() {
    let world = World::default();
    let store = (TokenStore::EncryptedFile, SealedPart::Refresh);
    let old = (world.process()).create(store, &[KEY_FILE], &WAIT).unwrap();
    assert!(world.process().create(store, &[KEY_FILE], &WAIT).is_err());
    world.set("A", "one", &KEY_FILE).unwrap();
    let about = About::Profile("openai:a", "openai");
    let sealed = old.seal(about, b"MARKER").unwrap();
    world.process().renew_key(&WAIT).unwrap();
    world.process().renew_key(&WAIT).unwrap();
    let process = world.process();
    let sealer = process.unlock().unwrap();
    assert_eq!(sealer.open(about, &sealed).unwrap().expose(), b"MARKER");
    assert!(sealer.is_outdated(about, &sealed));
    assert!(!sealer.is_outdated(about, &sealer.seal(about, b"x").unwrap()));
    assert_eq!(world.get("A").as_deref(), Some("one"));
    let sealer = world.process().unlock().unwrap();
    assert_eq!(sealer.open(about, &sealed).unwrap().expose(), b"MARKER");
    let policy = world.process().policy().unwrap().unwrap();
    assert_eq!((policy.store, policy.part), store);
    assert_eq!(world.get("A").as_deref(), Some("one"));
}

/// Two people have a passphrase each.
#[test]
fn each_slot_with_a_passphrase_is_asked_for_its_own() {
    let world = World::default();
    world.set("A", "one", &passphrase()).unwrap();
    let other = NewSlot::Passphrase("battery staple".into());
    world.person.will_say(&["correct horse"]);
    world.process().add_slot(&other, &WAIT).unwrap();
    world.person.asked();
    world.process().lock().unwrap();
    let before = world.text(FILE);
    let given = |passphrases: &[&str]| {
        let process = world.process();
        let passphrases = passphrases.iter().map(|text| (*text).into());
        process.take_key_from(KeySource {
            passphrases: passphrases.collect(),
            ..KeySource::default()
        });
        process.renew_key(&WAIT).map(drop)
    };
    world.person.will_say(&[]);
    for (passphrases, slot) in [(&["correct horse"][..], 2), (&["battery staple"], 1)] {
        let error = given(passphrases).unwrap_err();
        let needed = VaultFault::NeedsPassphraseOf(slot);
        assert!(matches!(error, VaultError::Vault(fault) if fault == needed));
    }
    assert_eq!(world.text(FILE), before);
    given(&["battery staple", "correct horse"]).unwrap();
    world.process().lock().unwrap();
    // A typing error; and what opens one slot opens the vault, too.
    world
        .person
        .will_say(&["correct horse", "battery", "battery staple"]);
    world.process().renew_key(&WAIT).unwrap();
    assert_eq!(world.person.asked(), 3);
    for passphrase in ["correct horse", "battery staple"] {
        world.process().lock().unwrap();
        world.person.will_say(&[passphrase]);
        assert_eq!(world.get("A").as_deref(), Some("one"));
    }
}

#[test]
fn a_process_that_has_the_key_of_before_takes_the_new_one() {
    let world = World::default();
    world.set("A", "one", &KEY_FILE).unwrap();
    let late = world.process();
    late.unlock().unwrap();
    world.process().renew_key(&WAIT).unwrap();
    let name = SecretName::parse("B").unwrap();
    assert!(!late.set(&name, &"two".into(), &KEY_FILE, &WAIT).unwrap());
    let early = world.process();
    early.unlock().unwrap();
    world.process().renew_key(&WAIT).unwrap();
    assert_eq!(early.list().unwrap().len(), 2);
}

/// At each step the disk fails, or the process dies: what was stored before is there, and the file is
/// the old or the new one.
#[test]
fn whatever_step_fails_the_old_or_the_new_state_is_there() {
    use crate::testing::files::Fault;
    use rustix::io::Errno;
    for fault in [Fault::Once(Errno::NOSPC), Fault::Death] {
        for step in 1.. {
            let world = World::default();
            world.set("A", "one", &KEY_FILE).unwrap();
            world.files.fail(step, fault);
            let done = world.set("A", "two", &KEY_FILE);
            if !world.files.has_failed() {
                assert!(done.is_ok());
                break;
            }
            world.files.next_process();
            let now = world.get("A").unwrap();
            assert!(now == "one" || now == "two", "step {step}: {now}");
            if done.is_ok() {
                assert_eq!(now, "two");
            }
            world.set("A", "three", &KEY_FILE).unwrap();
            assert_eq!(world.get("A").unwrap(), "three");
        }
        for step in 1.. {
            let world = World::default();
            world.files.fail(step, fault);
            let done = world.set("A", "one", &KEY_FILE);
            if !world.files.has_failed() {
                assert!(done.is_ok());
                break;
            }
            world.files.next_process();
            world.set("B", "two", &KEY_FILE).unwrap();
            assert_eq!(world.get("B").unwrap(), "two", "step {step}");
        }
    }
}
