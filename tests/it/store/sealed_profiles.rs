//! Profiles whose secrets are sealed: what lies in the files, what can be told without the key, and
//! that neither a closed vault nor another program loses anything.

mod refresh;

use std::path::Path;
use std::sync::Arc;

use openclaw::model::credential::{ApiKey, Credential, SecretFault, Token};
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::json::Extra;
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::{SealFault, Secret};
use openclaw::model::vault::{SealedPart, TokenStore, VaultFault};
use openclaw::ports::store::{Detail, Documents as _, History as _, Scope, StoreError};
use openclaw::ports::vault::Vault as _;
use openclaw::store::file::FileStore;
use openclaw::testing::files::MemoryFiles;
use openclaw::testing::fixed_vault::FixedVault;

use crate::support::memory_store::{MAIN, oauth, profile, store};

const LOCKED: Option<VaultFault> = Some(VaultFault::NeedsPassphrase);

/// What a secret begins with that may lie nowhere in the clear.
const MARKER: &str = "MARKER";

fn vault() -> Arc<FixedVault> {
    FixedVault::new(7, TokenStore::EncryptedFile, SealedPart::All)
}

fn sealed(files: &MemoryFiles, vault: &Arc<FixedVault>) -> FileStore {
    store(files).sealing_by(Arc::clone(vault) as _)
}

fn key(text: &str) -> Credential {
    Credential::ApiKey(ApiKey {
        provider: "openai".into(),
        key: Some(Secret::from(text)),
        email: None,
        extra: Extra::default(),
    })
}

fn named(name: &str) -> ProfileId {
    ProfileId::parse(name).unwrap()
}

fn change(store: &FileStore, change: impl Fn(&mut AuthProfiles)) -> Result<(), StoreError> {
    let mut all = |doc: &mut AuthProfiles| {
        change(doc);
        true
    };
    store.update(&AgentId::main(), &mut all).map(drop)
}

fn put(store: &FileStore, name: &str, credential: &Credential) -> Result<(), StoreError> {
    change(store, |doc| {
        assert!(doc.put(named(name), credential.clone()));
    })
}

fn load(store: &FileStore) -> Result<AuthProfiles, StoreError> {
    store.load(&AgentId::main(), Scope::All)
}

fn look(store: &FileStore) -> AuthProfiles {
    let main = AgentId::main();
    store.look(&main, Scope::All, Detail::Fingerprint).unwrap()
}

fn bearer(doc: &AuthProfiles, name: &str) -> Option<String> {
    let bearer = doc.get(&named(name))?.bearer()?;
    Some(bearer.expose().clone())
}

/// Every file that holds a text.
fn with(files: &MemoryFiles, text: &str) -> Vec<String> {
    let all = files.all().into_iter();
    let holds = all.filter(|(_, content)| content.contains(text));
    holds.map(|(path, _)| path.display().to_string()).collect()
}

/// A store with a login, a key and what they held before.
fn filled(files: &MemoryFiles, vault: &Arc<FixedVault>) -> FileStore {
    let store = sealed(files, vault);
    let login = oauth("MARKER-refresh");
    put(&store, "openai-codex:default", &Credential::OAuth(login)).unwrap();
    put(&store, "openai:a", &key("MARKER-old")).unwrap();
    put(&store, "openai:a", &key("MARKER-key")).unwrap();
    store
}

#[test]
fn no_secret_lies_in_any_file_and_every_one_comes_back() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = filled(&files, &vault);
    assert_eq!(with(&files, MARKER), Vec::<String>::new());
    let main = files.text(Path::new(MAIN)).unwrap();
    assert!(main.contains("\"access\": \"\"") && main.contains("\"refresh\": \"\""));
    assert!(main.contains("\"key\": \"\""), "{main}");
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-key"));
    let Some(Credential::OAuth(login)) = doc.get(&profile()) else {
        panic!("no login");
    };
    assert_eq!(login.grant(), oauth("MARKER-refresh").grant());
    let history = store
        .history(&AgentId::main(), Some(&named("openai:a")))
        .unwrap();
    let before = &history.histories[0].generations[0].credential;
    assert_eq!(before.bearer().unwrap().expose(), "MARKER-old");
    // Nothing is written anew that nobody changed.
    put(&store, "openai:b", &key("MARKER-b")).unwrap();
    let entry = |text: &str| {
        let start = text.find("\"openai:a\"").unwrap();
        text[start..start + 200].to_owned()
    };
    let after = files.text(Path::new(MAIN)).unwrap();
    assert_eq!(entry(&main), entry(&after));
}

#[test]
fn views_need_no_key_and_never_ask_for_one() {
    let (files, vault) = (MemoryFiles::new(), vault());
    filled(&files, &vault);
    vault.close(LOCKED);
    *vault.asked.lock() = 0;
    let store = sealed(&files, &vault);
    let doc = look(&store);
    let seen = doc.get(&named("openai:a")).unwrap();
    let shown = seen.shown_secret().unwrap();
    assert_eq!(shown.masked(), "sealed");
    assert_eq!(
        shown.fingerprint(),
        Secret::from("MARKER-key").fingerprint()
    );
    assert!(seen.is_sealed() && seen.bearer().is_none() && seen.secret_fault().is_none());
    let Some(Credential::OAuth(login)) = doc.get(&profile()) else {
        panic!("no login");
    };
    assert_eq!(login.grant(), oauth("MARKER-refresh").grant());
    assert_eq!(*vault.asked.lock(), 0);
    let refused = load(&store).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Sealed(VaultFault::NeedsPassphrase)
    ));
    // One that is not sealed needs no key, whatever lies beside it.
    let codex = files.text(Path::new(MAIN)).unwrap();
    let plain = r#""profiles": {"openai:p": {"type":"api_key","provider":"openai","key":"plain"},"#;
    files.put(Path::new(MAIN), &codex.replace("\"profiles\": {", plain));
    let doc = store
        .load(&AgentId::main(), Scope::Profile(&named("openai:p")))
        .unwrap();
    assert_eq!(bearer(&doc, "openai:p").as_deref(), Some("plain"));
}

#[test]
fn a_closed_vault_stops_what_would_be_stored_and_nothing_else() {
    let (files, vault) = (MemoryFiles::new(), vault());
    filled(&files, &vault);
    vault.close(LOCKED);
    let store = sealed(&files, &vault);
    let before = files.text(Path::new(MAIN)).unwrap();
    let refused = put(&store, "openai:new", &key("MARKER-new")).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Sealed(VaultFault::NeedsPassphrase)
    ));
    assert!(store.check_writable(&AgentId::main()).is_err());
    assert_eq!(files.text(Path::new(MAIN)).unwrap(), before);
    // An order holds no secret, and a logout needs none.
    change(&store, |doc| {
        doc.order.push(("openai".into(), vec!["openai:a".into()]));
    })
    .unwrap();
    change(&store, |doc| drop(doc.remove(&named("openai:a")))).unwrap();
    assert_eq!(with(&files, MARKER), Vec::<String>::new());
    vault.close(None);
    let doc = load(&store).unwrap();
    assert!(doc.get(&named("openai:a")).is_none() && doc.get(&profile()).is_some());
    let history = store
        .history(&AgentId::main(), Some(&named("openai:a")))
        .unwrap();
    let last = &history.histories[0].generations[0].credential;
    assert_eq!(last.bearer().unwrap().expose(), "MARKER-key");
    change(&store, |doc| {
        assert!(doc.put(named("openai:a"), last.clone()));
    })
    .unwrap();
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-key"));
    assert_eq!(with(&files, MARKER), Vec::<String>::new());
}

#[test]
fn what_another_program_writes_in_the_clear_counts_until_our_next_write_seals_it() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = filled(&files, &vault);
    let main = files.text(Path::new(MAIN)).unwrap();
    files.put(
        Path::new(MAIN),
        &main.replace("\"key\": \"\"", "\"key\": \"MARKER-theirs\""),
    );
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-theirs"));
    put(&store, "openai:b", &key("MARKER-b")).unwrap();
    assert_eq!(with(&files, MARKER), Vec::<String>::new());
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-theirs"));
}

#[test]
fn a_reference_to_a_variable_is_no_secret() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = sealed(&files, &vault);
    put(&store, "openai:a", &key("${OPENAI_API_KEY}")).unwrap();
    let main = files.text(Path::new(MAIN)).unwrap();
    assert!(main.contains("${OPENAI_API_KEY}") && !main.contains("sealed"));
}

#[test]
fn of_a_login_the_refresh_token_alone_may_be_sealed() {
    let files = MemoryFiles::new();
    let vault = FixedVault::new(7, TokenStore::Keychain, SealedPart::Refresh);
    let store = sealed(&files, &vault);
    let login = Credential::OAuth(oauth("MARKER-refresh"));
    put(&store, "openai-codex:default", &login).unwrap();
    let main = files.text(Path::new(MAIN)).unwrap();
    assert!(main.contains("\"access\": \"at\"") && main.contains("\"refresh\": \"\""));
    assert_eq!(with(&files, MARKER), Vec::<String>::new());
    vault.close(LOCKED);
    assert_eq!(
        bearer(&look(&store), "openai-codex:default").as_deref(),
        Some("at")
    );
}

#[test]
fn a_seal_opens_in_its_own_profile_alone_and_damage_stays_with_its_profile() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = filled(&files, &vault);
    put(&store, "openai:b", &key("MARKER-b")).unwrap();
    let main = files.text(Path::new(MAIN)).unwrap();
    let swapped = main
        .replace("openai:a", "openai:x")
        .replace("openai:b", "openai:a");
    files.put(Path::new(MAIN), &swapped.replace("openai:x", "openai:b"));
    let doc = load(&store).unwrap();
    for name in ["openai:a", "openai:b"] {
        let fault = doc.get(&named(name)).unwrap().secret_fault();
        assert_eq!(
            fault,
            Some(SecretFault::Sealed(SealFault::Damaged)),
            "{name}"
        );
    }
    assert_eq!(bearer(&doc, "openai-codex:default").as_deref(), Some("at"));
    // A write leaves their bytes as they are.
    let lines = |text: &str| {
        text.lines()
            .filter(|it| it.contains("\"sealed\""))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = lines(&files.text(Path::new(MAIN)).unwrap());
    put(&store, "openai:c", &key("MARKER-c")).unwrap();
    let after = lines(&files.text(Path::new(MAIN)).unwrap());
    assert_eq!(after[..before.len()], before[..]);
}

#[test]
fn what_is_no_seal_of_ours_is_told_and_kept() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = filled(&files, &vault);
    vault.unlock().unwrap();
    for (member, fault) in [
        ("7", SealFault::Damaged),
        ("{}", SealFault::Damaged),
        (r#"{"v":1}"#, SealFault::Damaged),
        (r#"{"v":2}"#, SealFault::Newer),
        (
            r#"{"v":2,"vault":"x","fields":["key"],"nonce":"","data":""}"#,
            SealFault::Newer,
        ),
        (
            r#"{"v":1,"vault":"other","fields":["key"],"salt":"","nonce":"","data":""}"#,
            SealFault::OtherVault("other".into()),
        ),
    ] {
        let entry = format!(
            r#"{{"version":1,"profiles":{{"openai:a":{{"type":"api_key","provider":"openai","key":"","sealed":{member}}}}}}}"#
        );
        files.put(Path::new(MAIN), &entry);
        let doc = load(&store).unwrap();
        let found = doc.get(&named("openai:a")).unwrap().secret_fault();
        assert_eq!(found, Some(SecretFault::Sealed(fault)), "{member}");
        put(&store, "openai:z", &key("MARKER-z")).unwrap();
        let written = files.text(Path::new(MAIN)).unwrap();
        assert!(
            written.contains(&format!("\"sealed\":{member}")),
            "{written}"
        );
    }
}

#[test]
fn a_new_key_seals_anew_what_the_old_one_sealed() {
    let (files, old) = (MemoryFiles::new(), vault());
    filled(&files, &old);
    let new = FixedVault::after(9, 7);
    let store = sealed(&files, &new);
    let before = files.text(Path::new(MAIN)).unwrap();
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-key"));
    change(&store, |_| {}).unwrap();
    let after = files.text(Path::new(MAIN)).unwrap();
    assert_ne!(before, after);
    let doc = load(&store).unwrap();
    assert_eq!(bearer(&doc, "openai:a").as_deref(), Some("MARKER-key"));
    // It is sealed once, and under the old key alone nothing of it opens any more.
    change(&store, |_| {}).unwrap();
    assert_eq!(files.text(Path::new(MAIN)).unwrap(), after);
    let doc = load(&sealed(&files, &old)).unwrap();
    let fault = doc.get(&named("openai:a")).unwrap().secret_fault();
    assert_eq!(fault, Some(SecretFault::Sealed(SealFault::Damaged)));
}

#[test]
fn a_store_that_is_plain_again_is_written_in_the_clear_once_the_vault_is_open() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = filled(&files, &vault);
    vault.policy.lock().as_mut().unwrap().store = TokenStore::Plain;
    vault.close(None);
    change(&store, |_| {}).unwrap();
    assert!(files.text(Path::new(MAIN)).unwrap().contains("\"sealed\""));
    vault.unlock().unwrap();
    change(&store, |_| {}).unwrap();
    let main = files.text(Path::new(MAIN)).unwrap();
    assert!(main.contains("MARKER-key") && main.contains("MARKER-refresh"));
    assert!(!main.contains("\"sealed\""), "{main}");
}

#[test]
fn a_token_that_another_program_blanked_is_not_taken_for_a_secret() {
    let (files, vault) = (MemoryFiles::new(), vault());
    let store = sealed(&files, &vault);
    let token = Credential::Token(Token {
        provider: "anthropic".into(),
        token: Some(Secret::from(" ")),
        expires: None,
        email: None,
        extra: Extra::default(),
    });
    put(&store, "anthropic:a", &token).unwrap();
    let main = files.text(Path::new(MAIN)).unwrap();
    assert!(!main.contains("sealed"), "{main}");
}
