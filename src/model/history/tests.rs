use super::super::credential::{Identity, Token};
use super::super::json::Verbatim;
use super::super::secret::Secret;
use super::*;

fn token(text: &str) -> Credential {
    Credential::Token(Token {
        provider: "anthropic".into(),
        token: Some(Secret::from(text)),
        expires: None,
        email: None,
        extra: Extra::default(),
    })
}

fn kept(history: &History) -> Vec<(u64, String)> {
    let all = history.generations.iter();
    all.map(|one| {
        let secret = one.credential.bearer().map(|token| token.expose().clone());
        (one.number, secret.unwrap_or_default())
    })
    .collect()
}

fn pasted(count: usize, limit: usize) -> History {
    let mut history = History::new(ProfileId::parse("anthropic:manual").unwrap());
    for n in 0..count {
        let new = token(&(n + 1).to_string());
        let old = token(&n.to_string());
        history.add(old, Some(&new), Cause::Paste, Timestamp(n as i64), limit);
    }
    history
}

#[test]
fn the_last_ones_are_kept_and_keep_their_numbers() {
    let history = pasted(4, 2);
    assert_eq!(kept(&history), [(4, "3".into()), (3, "2".into())]);
}

#[test]
fn what_is_put_back_stays_until_it_is_there() {
    let mut history = pasted(2, 2);
    let (present, oldest) = (token("2"), token("0"));
    history.add(present, Some(&oldest), Cause::Undo, Timestamp(9), 2);
    let expected = [(3, "2".into()), (2, "1".into()), (1, "0".to_owned())];
    assert_eq!(kept(&history), expected);
    assert!(history.leave_out(&oldest));
    assert_eq!(kept(&history), expected[..2]);
    assert!(!history.leave_out(&oldest));
}

#[test]
fn a_change_that_never_came_about_is_not_kept_twice() {
    let mut history = pasted(2, 5);
    let wanted = token("3");
    for _ in 0..2 {
        history.add(token("2"), Some(&wanted), Cause::Paste, Timestamp(9), 5);
    }
    let expected = [(4, "2".into()), (2, "1".into()), (1, "0".to_owned())];
    assert_eq!(kept(&history), expected);
}

#[test]
fn a_bare_generation_holds_no_secret_and_still_names_its_grant() {
    let oauth = OAuth {
        provider: "openai-codex".into(),
        access: Some(Secret::from("MARKER")),
        refresh: Some(Secret::from("MARKER")),
        expires: Some(Timestamp(5)),
        identity: Identity::default(),
        extra: Extra(vec![("idToken".into(), Verbatim::new("\"MARKER\""))]),
    };
    let grant = oauth.grant();
    let mut history = pasted(0, 5);
    let old = Credential::OAuth(oauth);
    history.add(old, None, Cause::Refresh, Timestamp(1), 5);
    assert!(history.ends_with_refresh());
    let generation = &mut history.generations[0];
    generation.strip();
    assert_eq!(generation.grant, grant);
    let stripped = generation.credential.as_oauth().unwrap();
    assert_eq!(
        (&stripped.access, &stripped.refresh, &stripped.extra),
        (&None, &None, &Extra::default())
    );
    assert_eq!(stripped.expires, Some(Timestamp(5)));
}

fn saved(text: &str, before: usize) -> History {
    let mut history = pasted(before, 5);
    history.saved = Some(Saved {
        at: Timestamp(7),
        credential: token(text),
    });
    history
}

#[test]
fn what_is_gone_or_older_was_taken_away_and_what_is_new_takes_nothing() {
    let history = saved("9", 1);
    let gone = |present: Option<&Credential>| history.taken_away(present, |_| false).is_some();
    assert!(gone(None));
    assert!(gone(Some(&token("0"))), "it held that before");
    assert!(!gone(Some(&token("9"))));
    assert!(!gone(Some(&token("of another program"))));
    assert!(pasted(1, 5).taken_away(None, |_| false).is_none(), "ours");
}

#[test]
fn a_token_that_another_program_replaced_becomes_a_generation() {
    let mut history = saved("9", 1);
    history.keep_displaced(Some(&token("9")), |_| false, 5);
    assert_eq!(kept(&history), [(1, "0".into())]);
    history.keep_displaced(Some(&token("other")), |_| false, 5);
    assert_eq!(kept(&history), [(2, "9".into()), (1, "0".into())]);
    assert_eq!(history.saved, None);
}

#[test]
fn a_login_that_another_program_replaced_becomes_a_generation_unless_it_was_renewed() {
    let of = |refresh: &str, account: Option<&str>| {
        Credential::OAuth(OAuth {
            provider: "acme".into(),
            access: None,
            refresh: Some(refresh.into()),
            expires: None,
            identity: Identity {
                account_id: account.map(str::to_owned),
                email: None,
            },
            extra: Extra::default(),
        })
    };
    for (present, is_kept) in [
        (token("of another kind"), true),
        (of("2", Some("other")), true),
        (of("2", Some("me")), false),
        (of("2", None), false),
    ] {
        let mut history = History::new(ProfileId::parse("acme:default").unwrap());
        history.save(&of("1", Some("me")), Timestamp(7), 5);
        history.keep_displaced(Some(&present), |_| false, 5);
        assert_eq!(history.generations.len() == 1, is_kept, "{present:?}");
    }
}

#[test]
fn causes_have_names() {
    let read = |name: &str| serde_json::from_str(&format!("{name:?}")).ok();
    for cause in [Cause::Login, Cause::Undo, Cause::OtherProgram] {
        assert_eq!(read(cause.as_ref()), Some(cause));
    }
    assert_eq!(read("x"), None);
}
