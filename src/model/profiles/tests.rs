//! An agent's document, and what an agent sees.

use super::*;
use crate::model::credential::Token;
use crate::model::id::AgentId;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

fn id(text: &str) -> ProfileId {
    ProfileId::parse(text).unwrap()
}

fn token(text: &str) -> Credential {
    Credential::Token(Token {
        provider: "anthropic".into(),
        token: Some(Secret::from(text)),
        expires: None,
        email: None,
        extra: Extra::default(),
    })
}

fn document(profiles: &[(&str, &str)]) -> AuthProfiles {
    let mut document = AuthProfiles::default();
    for (name, secret) in profiles {
        assert!(document.put(id(name), token(secret)));
    }
    document
}

#[test]
fn putting_keeps_the_place_and_removing_clears_every_mention() {
    let mut document = document(&[("anthropic:a", "1"), ("anthropic:b", "2")]);
    document.order = vec![("anthropic".into(), vec!["anthropic:a".into()])];
    document.last_good = vec![("anthropic".into(), "anthropic:a".into())];
    assert!(document.put(id("anthropic:a"), token("3")));
    let names: Vec<_> = document.profiles().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["anthropic:a", "anthropic:b"]);
    assert_eq!(document.remove(&id("anthropic:a")), Some(token("3")));
    assert!(document.order.is_empty() && document.last_good.is_empty());
    assert_eq!(document.remove(&id("anthropic:a")), None);
    let past = document.take_past();
    assert_eq!((past.len(), &past[0].credential), (1, &token("1")));
    assert_eq!(document.take_past(), []);
}

#[test]
fn an_agent_sees_main_beneath_its_own() {
    let main = document(&[("anthropic:a", "main-a"), ("anthropic:b", "main-b")]);
    let own = document(&[("anthropic:b", "own-b"), ("anthropic:c", "own-c")]);
    let agent = AgentId::normalise("work");
    let effective = Effective::new(agent, own, Some(main));
    let seen: Vec<_> = effective
        .profiles()
        .iter()
        .map(|p| (p.id.to_string(), p.owner.to_string()))
        .collect();
    let expected = [
        ("anthropic:a", "main"),
        ("anthropic:b", "work"),
        ("anthropic:c", "work"),
    ];
    assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let b = effective.get(&id("anthropic:b")).unwrap();
    assert_eq!(b.credential, &token("own-b"));
}

#[test]
fn what_main_learnt_counts_until_the_agent_learns_more() {
    let used = |at| Usage {
        last_used: Some(Timestamp(at)),
        ..Usage::default()
    };
    let mut main = document(&[("anthropic:a", "main-a"), ("anthropic:b", "main-b")]);
    main.usage = ["anthropic:a", "anthropic:b", "anthropic:c"]
        .map(|name| (name.to_owned(), used(1)))
        .to_vec();
    let mut own = document(&[("anthropic:b", "own-b"), ("anthropic:c", "own-c")]);
    own.usage = vec![
        ("anthropic:b".to_owned(), used(2)),
        ("anthropic:b ".to_owned(), used(3)),
    ];
    let effective = Effective::new(AgentId::normalise("work"), own, Some(main));
    for seen in effective.profiles() {
        let last_used = seen.usage.and_then(|usage| usage.last_used);
        let expected = if seen.id.as_str() == "anthropic:b" {
            2
        } else {
            1
        };
        assert_eq!(last_used, Some(Timestamp(expected)), "{}", seen.id);
        assert_eq!(effective.get(seen.id).unwrap().usage, seen.usage);
    }
}
