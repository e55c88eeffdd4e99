//! Where the key may lie, and what is said when it lies nowhere.

use std::path::Path;
use std::time::Duration;

use super::{FILE, KEY_FILE, NewSlot, WAIT, World, passphrase};
use crate::model::vault::VaultFault;
use crate::ports::key_cache::KeyCacheFault;
use crate::ports::keyring::KeyringFault;
use crate::ports::secrets::NamedSecrets as _;
use crate::ports::vault::Vault as _;
use crate::ports::vault_keys::{KeySource, VaultKeys as _};

fn fault(world: &World) -> VaultFault {
    world.process().list().unwrap_err()
}

/// The key files that are there.
fn key_files(world: &World) -> Vec<String> {
    let files = world.files.all().into_iter();
    let names = files.map(|(path, _)| path.display().to_string());
    names.filter(|name| name.ends_with(".key")).collect()
}

#[test]
fn the_usual_key_lies_in_a_file_outside_the_state_directory() {
    let world = World::default();
    assert!(!world.set("A", "MARKER", &KEY_FILE).unwrap());
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    let found = key_files(&world);
    assert!(found[0].starts_with("/home/me/.config/openclaw/keys/"));
    assert!(world.text(FILE).contains("\"~/.config/openclaw/keys/"));
    for (path, text) in world.files.all() {
        assert!(!text.contains("MARKER"), "{}", path.display());
    }
    assert_eq!(world.person.asked(), 0);
    // It is gone: each slot is named, and what is sealed stays.
    let before = world.text(FILE);
    world.files.put(Path::new(&found[0]), "");
    let VaultFault::NoKey(slots) = fault(&world) else {
        panic!("{}", fault(&world));
    };
    assert!(slots[0].slot.contains(".config/openclaw/keys"), "{slots:?}");
    assert!(slots[0].why.contains("no key of 32 bytes"), "{slots:?}");
    assert!(world.set("A", "new", &KEY_FILE).is_err());
    assert_eq!(world.text(FILE), before);
}

#[test]
fn a_key_file_that_was_moved_can_be_named() {
    let mut world = World::default();
    world.set("A", "MARKER", &KEY_FILE).unwrap();
    let lies = key_files(&world).remove(0);
    let text = world.text(&lies);
    world.files.put(Path::new(&lies), "");
    world.files.put(Path::new("/home/me/work/k"), &text);
    let process = world.process();
    process.take_key_from(KeySource {
        key_file: Some("k".into()),
        ..KeySource::default()
    });
    assert!(process.unlock().is_ok());
    world.variables = vec![("OPENCLAW_SECRETS_KEY_FILE", "/home/me/work/k")];
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    world.variables = vec![("OPENCLAW_SECRETS_KEY_FILE", "/nowhere")];
    let said = fault(&world).to_string();
    assert!(said.contains("/nowhere: it is not there"), "{said}");
}

#[test]
fn no_key_is_made_beside_what_it_opens() {
    for path in ["/home/me/.openclaw/k", "/home/me/.openclaw/keys/k"] {
        let world = World::default();
        world.files.put(Path::new("/home/me/.openclaw/x"), "");
        let slot = NewSlot::KeyFile(Some(path.into()));
        let error = world.set("A", "MARKER", &slot).unwrap_err().to_string();
        assert!(error.contains("protects nothing"), "{error}");
        assert!(world.files.text(Path::new(FILE)).is_none());
    }
}

#[test]
fn a_passphrase_is_asked_for_once_and_then_the_kernel_has_the_key() {
    let world = World::default();
    world.set("A", "MARKER", &passphrase()).unwrap();
    world.person.will_say(&["wrong", "correct horse"]);
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    assert_eq!(world.person.asked(), 2);
    assert_eq!(world.cache.kept()[0].1, Duration::from_secs(8 * 3_600));
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    assert_eq!(world.person.asked(), 0);
    assert!(world.process().lock().unwrap());
    assert_eq!(fault(&world), VaultFault::NeedsPassphrase);
    world.person.will_say(&["1", "2", "3", "correct horse"]);
    assert_eq!(fault(&world), VaultFault::WrongPassphrase);
    assert_eq!(world.person.asked(), 3);
    world.person.will_say(&["1", "^C"]);
    assert_eq!(fault(&world), VaultFault::Cancelled);
    assert!(world.cache.kept().is_empty());
}

#[test]
fn a_given_passphrase_has_one_try() {
    let world = World::default();
    world.set("A", "MARKER", &passphrase()).unwrap();
    world.person.will_say(&["correct horse"]);
    for (given, opens) in [("wrong", false), ("correct horse", true)] {
        let process = world.process();
        process.take_key_from(KeySource {
            passphrases: vec![given.into()],
            ..KeySource::default()
        });
        assert_eq!(process.unlock().is_ok(), opens);
        assert_eq!(world.person.asked(), 0);
    }
}

#[test]
fn a_kernel_that_keeps_nothing_is_told_of_once() {
    let world = World::default();
    world.set("A", "MARKER", &passphrase()).unwrap();
    let refused = KeyCacheFault::Refused("Operation not permitted".to_owned());
    world.cache.set_fault(Some(refused));
    world.person.will_say(&["correct horse"]);
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    let told = world.person.told.lock().clone();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("asked for each time"), "{told:?}");
}

#[test]
fn a_locked_keyring_is_no_missing_key() {
    let world = World::default();
    world.set("A", "MARKER", &NewSlot::Keyring).unwrap();
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    world.keyring.set_fault(Some(KeyringFault::Locked));
    assert_eq!(fault(&world), VaultFault::KeyringLocked);
    let limit = Duration::from_secs(2);
    world
        .keyring
        .set_fault(Some(KeyringFault::Silent { limit }));
    let said = fault(&world).to_string();
    assert!(said.contains("did not answer within 2 seconds"), "{said}");
    world.keyring.set_fault(None);
    assert_eq!(world.keyring.items().len(), 1);
    assert!(world.process().add_slot(&NewSlot::Keyring, &WAIT).is_err());
}

#[test]
fn a_copy_opens_by_the_keyring_after_its_slot_was_removed() {
    let world = World::default();
    world.set("A", "MARKER", &NewSlot::Keyring).unwrap();
    world.process().add_slot(&KEY_FILE, &WAIT).unwrap();
    let copy = world.text(FILE);
    world.process().remove_slot(1, false, &WAIT).unwrap();
    assert_eq!(world.keyring.items().len(), 1);
    let opens = |text: &str| {
        let now = world.text(FILE);
        world.files.put(Path::new(FILE), text);
        let key = key_files(&world).remove(0);
        let key_text = world.text(&key);
        world.files.put(Path::new(&key), "");
        let opens = world.process().unlock().is_ok();
        world.files.put(Path::new(&key), &key_text);
        world.files.put(Path::new(FILE), &now);
        opens
    };
    assert!(opens(&copy));
    // Nor does a new slot take it away from the copy.
    world.process().add_slot(&NewSlot::Keyring, &WAIT).unwrap();
    assert!(opens(&copy) && opens(&world.text(FILE)));
    assert!(world.process().remove_slot(1, true, &WAIT).is_err());
    world.process().remove_slot(2, true, &WAIT).unwrap();
    assert!(world.keyring.items().is_empty() && !opens(&copy));
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
}

#[test]
fn systemd_hands_the_key_to_a_service() {
    let mut world = World::default();
    world.set("A", "MARKER", &KEY_FILE).unwrap();
    let vault = world.process().policy().unwrap().unwrap().vault;
    let error = world.process().add_slot(&NewSlot::Credential, &WAIT);
    assert!(error.unwrap_err().to_string().contains("systemd"));
    let path = format!("/run/credentials/x/openclaw-{}", vault.short());
    world.files.put(Path::new(&path), &"x".repeat(32));
    world.variables = vec![("CREDENTIALS_DIRECTORY", "/run/credentials/x")];
    let words = world.process().add_slot(&NewSlot::Credential, &WAIT);
    assert!(words.unwrap().starts_with("the systemd credential"));
    world.process().remove_slot(1, false, &WAIT).unwrap();
    assert_eq!(world.get("A").as_deref(), Some("MARKER"));
    world.variables.clear();
    assert!(matches!(fault(&world), VaultFault::NoKey(_)));
}

#[test]
fn what_is_bound_to_the_content_cannot_be_changed() {
    for (from, to) in [
        (r#""store": "plain""#, r#""store": "env""#),
        (r#""seal": "all""#, r#""seal": "refresh""#),
        (r#""path": "~/"#, r#""path": "/home/me/"#),
        (r#""slots": ["#, r#""new": 1, "slots": ["#),
    ] {
        let world = World::default();
        world.set("A", "MARKER", &KEY_FILE).unwrap();
        world.damage(from, to);
        let fault = fault(&world);
        assert!(
            matches!(fault, VaultFault::Damaged { .. }),
            "{from} {fault}"
        );
    }
}

#[test]
fn hostile_parameters_are_refused_without_a_byte_of_memory() {
    let world = World::default();
    world.set("A", "MARKER", &passphrase()).unwrap();
    world.damage(r#""m": 64"#, r#""m": 1073741824"#);
    world.person.will_say(&["correct horse"]);
    let said = fault(&world).to_string();
    assert!(said.contains("1048576 MiB"), "{said}");
}

#[test]
fn nobody_is_asked_who_need_not_be_and_a_person_may_be_asked_afterwards() {
    let world = World::default();
    world.set("A", "MARKER", &passphrase()).unwrap();
    world.person.will_say(&["correct horse"]);
    let process = world.process();
    let locked = process.unlock_unasked().err();
    assert_eq!(locked, Some(VaultFault::NeedsPassphrase));
    assert_eq!(world.person.asked(), 0);
    assert!(process.unlock().is_ok());
    assert_eq!(world.person.asked(), 1);
    assert!(process.unlock_unasked().is_ok());
    world.process().lock().unwrap();
    world.person.will_say(&["correct horse"]);
    let program = world.process();
    program.ask_nobody();
    assert_eq!(program.unlock().err(), Some(VaultFault::NeedsPassphrase));
    assert_eq!(world.person.asked(), 0);
}
