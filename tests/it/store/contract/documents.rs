//! What is owed about documents and what they held before.

use std::cell::Cell;

use openclaw::model::credential::Credential;
use openclaw::model::history::Cause;
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::inheritance::Inheritance;
use openclaw::model::json::Verbatim;
use openclaw::model::usage::Usage;
use openclaw::ports::store::{Documents as _, History as _, Scope};

use super::{Backend, NOW, held, main, put, take};
use crate::support::memory_store::{digest, oauth, profile};

pub(super) fn load_takes_no_lock<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    put(&store, &main(), &profile(), "rt-1");
    let lock = take(&store, "rt-1");
    store
        .update(&main(), &mut |doc| {
            // In the middle of a write everybody reads what was there before.
            assert!(doc.put(profile(), Credential::OAuth(oauth("rt-2"))));
            assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
            true
        })
        .unwrap();
    drop(lock);
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-2");
}

pub(super) fn update_reads_again_and_is_all_or_nothing<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    store.load(&main(), Scope::All).unwrap();
    put(&other, &main(), &profile(), "rt-1");
    let calls = Cell::new(0);
    let written = store.update(&main(), &mut |doc| {
        calls.set(calls.get() + 1);
        // Called again or not: it sees the document as it is, and not what it made of it.
        let id = ProfileId::parse("openai-codex:second").unwrap();
        assert!(doc.get(&profile()).is_some());
        assert!(doc.get(&id).is_none());
        assert!(doc.put(id, Credential::OAuth(oauth("rt-2"))));
        true
    });
    assert!(calls.get() >= 1);
    assert_eq!(written.unwrap().profiles().count(), 2);
    assert_eq!(
        other.load(&main(), Scope::All).unwrap().profiles().count(),
        2
    );

    let kept = store.update(&main(), &mut |doc| {
        doc.remove(&profile());
        false
    });
    kept.unwrap();
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
    store.check_writable(&main()).unwrap();
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
}

pub(super) fn two_updaters_lose_nothing<B: Backend>() {
    let backend = B::new();
    let stores = [backend.open(), backend.open()];
    std::thread::scope(|scope| {
        for (number, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..10 {
                    let id = ProfileId::parse(&format!("openai-codex:{number}-{n}")).unwrap();
                    put(store, &main(), &id, "rt");
                }
            });
        }
    });
    let doc = stores[0].load(&main(), Scope::All).unwrap();
    assert_eq!(doc.profiles().count(), 20);
}

pub(super) fn everything_of_a_document_comes_back<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let second = ProfileId::parse("openai-codex:second").unwrap();
    let provider = ProviderId::parse("openai-codex").unwrap();
    store
        .update(&main(), &mut |doc| {
            let mut login = oauth("rt-1");
            login
                .extra
                .set("custom", Verbatim::new(r#"{"keep": [1.0, "me"]}"#));
            assert!(doc.put(second.clone(), Credential::OAuth(login)));
            assert!(doc.put(profile(), Credential::OAuth(oauth("rt-2"))));
            let order = vec![profile().to_string(), second.to_string()];
            doc.order.push((provider.to_string(), order));
            doc.set_last_good(&provider, &second);
            let usage = Usage {
                changed: true,
                error_count: 3,
                last_used: Some(NOW),
                ..Usage::default()
            };
            doc.set_usage(&profile(), usage);
            doc.extra.set("later", Verbatim::new("{\"release\":2}"));
            true
        })
        .unwrap();
    let doc = backend.open().load(&main(), Scope::All).unwrap();
    let ids: Vec<_> = doc.profiles().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, [second.clone(), profile()]);
    let login = doc.get(&second).and_then(Credential::as_oauth).unwrap();
    assert_eq!(login.extra.get("custom"), Some(r#"{"keep": [1.0, "me"]}"#));
    let order = doc.order_of(&provider).unwrap();
    assert_eq!(order, [profile().to_string(), second.to_string()]);
    assert_eq!(doc.last_good, [(provider.to_string(), second.to_string())]);
    let usage = doc.usage_of(&profile()).unwrap();
    assert_eq!((usage.error_count, usage.last_used), (3, Some(NOW)));
    assert_eq!(doc.extra.get("later"), Some("{\"release\":2}"));
}

pub(super) fn a_scope_narrows_what_is_loaded<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let other = ProfileId::parse("acme:default").unwrap();
    put(&store, &main(), &profile(), "rt-1");
    store
        .update(&main(), &mut |doc| {
            let mut login = oauth("rt-2");
            login.provider = "acme".into();
            doc.put(other.clone(), Credential::OAuth(login))
        })
        .unwrap();
    let acme = ProviderId::parse("acme").unwrap();
    for scope in [Scope::Provider(&acme), Scope::Profile(&other)] {
        let doc = store.load(&main(), scope).unwrap();
        assert!(doc.get(&other).is_some(), "{scope:?}");
        assert!(doc.get(&profile()).is_none(), "{scope:?}");
    }
}

pub(super) fn what_is_removed_is_gone_and_the_rest_keeps_its_place<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    let ids = ["c", "a", "b", "d"];
    let ids = ids.map(|name| ProfileId::parse(&format!("openai-codex:{name}")).unwrap());
    for (number, id) in ids.iter().enumerate() {
        put(&store, &main(), id, &format!("rt-{number}"));
    }
    store
        .update(&main(), &mut |doc| doc.remove(&ids[1]).is_some())
        .unwrap();
    put(&other, &main(), &ids[0], "rt-9");
    let doc = other.load(&main(), Scope::All).unwrap();
    let left: Vec<_> = doc.profiles().map(|(id, _)| id).collect();
    assert_eq!(left, [&ids[0], &ids[2], &ids[3]]);
    assert_eq!(held(&store, &main(), &ids[1]), None);
    assert_eq!(held(&store, &main(), &ids[0]).unwrap(), "rt-9");
}

pub(super) fn agents_have_documents_and_inheritance_of_their_own<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    assert_eq!(store.agents().unwrap(), [main()]);
    let (work, home) = (AgentId::normalise("work"), AgentId::normalise("home"));
    put(&store, &work, &profile(), "rt-1");
    put(&store, &home, &profile(), "rt-2");
    assert_eq!(
        other.agents().unwrap(),
        [home.clone(), main(), work.clone()]
    );
    assert_eq!(held(&other, &main(), &profile()), None);
    assert_eq!(held(&other, &home, &profile()).unwrap(), "rt-2");
    assert_ne!(store.location(&work), store.location(&home));

    assert_eq!(other.inheritance(&work).unwrap(), Inheritance::Inherit);
    let linked = Inheritance::Linked(vec![profile()]);
    for inheritance in [Inheritance::Isolated, linked, Inheritance::Inherit] {
        store.set_inheritance(&work, &inheritance).unwrap();
        assert_eq!(other.inheritance(&work).unwrap(), inheritance);
        assert_eq!(other.inheritance(&home).unwrap(), Inheritance::Inherit);
    }
    assert_eq!(held(&other, &work, &profile()).unwrap(), "rt-1");
}

pub(super) fn what_proves_that_it_can_write_writes_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    put(&store, &main(), &profile(), "rt-1");
    let all = |agent: &AgentId| store.load(agent, Scope::All).unwrap();
    let before = all(&main());
    store.check_writable(&main()).unwrap();
    assert_eq!(all(&main()), before);
    let new = AgentId::normalise("new");
    store.check_writable(&new).unwrap();
    assert_eq!(all(&new).profiles().count(), 0);
    assert_eq!(store.history(&new, None).unwrap().histories, []);
}

pub(super) fn history_grows_by_updates_alone<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let all = || store.history(&main(), None).unwrap().histories;
    let saved = || all().remove(0).saved.unwrap().grant();
    put(&store, &main(), &profile(), "rt-1");
    assert_eq!(
        (all()[0].generations.len(), saved()),
        (0, Some(digest("rt-1")))
    );
    let before = all();
    store.update(&main(), &mut |_| false).unwrap();
    store.check_writable(&main()).unwrap();
    assert_eq!(all(), before);
    put(&store, &main(), &profile(), "rt-2");
    assert_eq!(saved(), Some(digest("rt-2")));
    let kept = all().remove(0).generations.remove(0);
    assert_eq!(
        (kept.cause, kept.grant),
        (Cause::Login, Some(digest("rt-1")))
    );
    store.clear_history(&main(), Some(&profile())).unwrap();
    assert_eq!(all(), []);
    assert_eq!(held(&store, &main(), &profile()).unwrap(), "rt-2");
}
