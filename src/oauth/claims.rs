//! Whose grant it is, from the claims that came with it.
//!
//! Claims are read without checking a signature. That is enough here and only here: the tokens come
//! straight from the token endpoint over TLS (OpenID Connect Core section 3.1.3.7), and what is
//! read only names a profile and shows an expiry; nobody is let in because of it. Whether an ID
//! token belongs to the login at all is for `id_token.rs` to say, before this.

use std::borrow::Cow;

use serde_json::Value;

use super::answer_body;
use super::grant::Grant;
use super::jwt::payload;
use crate::model::credential::{Identity, OAuth};
use crate::model::provider::{Account, ClaimPath, ClaimSource};
use crate::model::secret::Secret;
use crate::model::text::is_unprintable;

/// The longest claim that is taken; a longer one is no name.
const MAX_CLAIM: usize = 256;

/// The claims about the owner of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountClaims {
    /// Account id and e-mail.
    pub identity: Identity,
    /// The subject, where neither account id nor e-mail is known.
    pub subject: Option<String>,
    /// The plan, for display.
    pub plan: Option<String>,
    /// More members that the stored credential gets.
    pub keep: Vec<(String, String)>,
}

/// Looks for account id, e-mail and plan where the manifest says they stand; `userinfo` is the
/// answer of the userinfo endpoint, where one was asked.
///
/// Never fails: between a token endpoint's answer and its storing nothing may. Whether a login
/// without an account id is acceptable ([`Account::required`]) is for the caller to decide.
pub fn of_grant(account: &Account, grant: &Grant, userinfo: Option<Value>) -> AccountClaims {
    Documents::of(grant, userinfo).claims(account)
}

/// The same of tokens that are stored: what the token response said is not kept.
pub fn of_stored(
    account: &Account,
    access: Option<&Secret<String>>,
    id_token: Option<&Secret<String>>,
) -> AccountClaims {
    let documents = Documents {
        access: payload(access),
        id: payload(id_token),
        response: Value::Null,
        userinfo: Value::Null,
    };
    documents.claims(account)
}

/// Returns the account that a refreshed grant is about if that is another one than its login is of.
///
/// Ids are compared that the same path finds in the old tokens and in the new ones, for a server may
/// name one account in several ways; where the old tokens hold none, the stored one counts. Where an
/// id is known on one side only, or on none, the e-mails are compared that one kind of token holds
/// on both. Without these nothing is known, and the grant counts as before.
pub fn other_account(account: &Account, old: &OAuth, new: &Grant) -> Option<String> {
    let before = Documents {
        access: payload(old.access.as_ref()),
        id: Value::Null,
        response: Value::Null,
        userinfo: Value::Null,
    };
    let now = Documents::of(new, None);
    let stored = old.identity.account_id.as_ref();
    let Some(first) = now.first(&account.id) else {
        return other_email(account, &before, &now);
    };
    if now.all(&account.id).iter().any(|id| Some(id) == stored) {
        return None;
    }
    let both = |path| Some((before.at(path)?, now.at(path)?));
    let mut pairs = account.id.iter().filter_map(both).peekable();
    let is_other = match pairs.peek() {
        Some(_) => pairs.all(|(before, now)| before != now),
        None if stored.is_some() => true,
        None => return other_email(account, &before, &now),
    };
    is_other.then_some(first)
}

/// Returns the e-mail of the new tokens if the old ones have another one in the same place. The
/// stored one may be from a token of another kind, which names it in its own way.
fn other_email(account: &Account, before: &Documents, now: &Documents) -> Option<String> {
    let both = |path| Some((before.at(path)?, now.at(path)?));
    let pairs: Vec<_> = account.email.iter().filter_map(both).collect();
    let is_same = |(before, now): &(String, String)| before.eq_ignore_ascii_case(now);
    let is_other = !pairs.iter().any(is_same);
    pairs
        .into_iter()
        .map(|(_, now)| now)
        .next()
        .filter(|_| is_other)
}

/// Reports whether a claim is wanted from the userinfo endpoint that stands in no place before it.
pub fn needs_userinfo(account: &Account, grant: &Grant) -> bool {
    let documents = Documents::of(grant, None);
    let kept = account.keep.iter();
    let kept = kept.map(|(_, path)| std::slice::from_ref(path));
    let lists = [&account.id, &account.email, &account.plan].map(Vec::as_slice);
    lists.into_iter().chain(kept).any(|paths| {
        let mut places = paths.iter();
        let place = places.position(|path| path.source == ClaimSource::UserInfo);
        place.is_some_and(|place| documents.first(&paths[..place]).is_none())
    })
}

/// The places where a claim may stand; null where there is nothing to read.
struct Documents {
    access: Value,
    id: Value,
    response: Value,
    userinfo: Value,
}

impl Documents {
    fn of(grant: &Grant, userinfo: Option<Value>) -> Self {
        Self {
            access: payload(Some(&grant.access)),
            id: payload(grant.id_token.as_ref()),
            response: answer_body::read(grant.response.expose()),
            userinfo: userinfo.unwrap_or(Value::Null),
        }
    }

    fn claims(&self, account: &Account) -> AccountClaims {
        let kept = account.keep.iter();
        let kept = kept
            .filter_map(|(name, at)| Some((name.clone(), self.first(std::slice::from_ref(at))?)));
        let identity = Identity {
            account_id: self.first(&account.id),
            email: self.first(&account.email),
        };
        // A server whose manifest names no account has one name for every login.
        let has_account = !account.id.is_empty() || !account.email.is_empty();
        let is_unnamed = identity == Identity::default();
        AccountClaims {
            subject: self.subject().filter(|_| has_account && is_unnamed),
            identity,
            plan: self.first(&account.plan),
            keep: kept.collect(),
        }
    }

    fn subject(&self) -> Option<String> {
        let mut documents = [&self.id, &self.access, &self.userinfo].into_iter();
        documents.find_map(|document| usable(&text(document.get("sub")?)?))
    }

    fn first(&self, paths: &[ClaimPath]) -> Option<String> {
        paths.iter().find_map(|path| self.at(path))
    }

    fn all(&self, paths: &[ClaimPath]) -> Vec<String> {
        paths.iter().filter_map(|path| self.at(path)).collect()
    }

    fn at(&self, path: &ClaimPath) -> Option<String> {
        let document = match path.source {
            ClaimSource::AccessToken => &self.access,
            ClaimSource::IdToken => &self.id,
            ClaimSource::Response => &self.response,
            ClaimSource::UserInfo => &self.userinfo,
        };
        usable(&text(document.pointer(&path.pointer)?)?)
    }
}

/// A name: a text, or a number as servers write their own.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// A claim becomes part of a profile's name, so one that could steer a terminal is none.
fn usable(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= MAX_CLAIM && !text.contains(is_unprintable);
    fits.then(|| text.to_owned())
}

/// The subject that an ID token names, unchecked.
pub fn subject(id_token: &Secret<String>) -> Option<String> {
    let claims = payload(Some(id_token));
    text(claims.get("sub")?).map(Cow::into_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::id::ProviderId;
    use crate::model::json::Extra;
    use crate::oauth::encoding::base64url;
    use serde_json::json;

    /// A JWT with these claims and a signature that fits nothing.
    pub(in crate::oauth) fn jwt(claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let header = json!({"alg": "RS256", "typ": "JWT"});
        format!("{}.{}.c2ln", part(&header), part(claims))
    }

    fn path(source: ClaimSource, pointer: &str) -> ClaimPath {
        let pointer = pointer.to_owned();
        ClaimPath { source, pointer }
    }

    fn grant(access: &str, id: Option<&str>, response: &Value) -> Grant {
        Grant {
            access: access.into(),
            refresh: None,
            id_token: id.map(Secret::from),
            expires: None,
            clock_skew: None,
            extra: Extra::default(),
            nonce: None,
            response: Secret::new(response.to_string().into_bytes()),
        }
    }

    #[test]
    fn an_email_in_one_kind_of_token_tells_where_an_id_does_not() {
        let account = Account {
            id: vec![path(ClaimSource::AccessToken, "/id")],
            email: vec![
                path(ClaimSource::IdToken, "/email"),
                path(ClaimSource::AccessToken, "/email"),
            ],
            ..Account::default()
        };
        let id_token = jwt(&json!({ "email": "other@example.com" }));
        let other = |before: Value, now: Value, stored: Option<&str>| {
            let new = grant(&jwt(&now), Some(&id_token), &Value::Null);
            let old = grant(&jwt(&before), None, &Value::Null);
            let identity = Identity {
                account_id: stored.map(str::to_owned),
                email: Some("me@example.com".to_owned()),
            };
            let provider = ProviderId::parse("acme").unwrap();
            other_account(&account, &old.into_credential(&provider, identity), &new)
        };
        let me = json!({ "email": "me@example.com" });
        let same = json!({ "email": "Me@example.com" });
        let else_ = json!({ "email": "else@example.com" });
        let else_with_id = json!({ "email": "else@example.com", "id": "a" });
        let found = Some("else@example.com".to_owned());
        assert_eq!(other(me.clone(), same, None), None);
        assert_eq!(other(me.clone(), else_.clone(), None), found);
        // The id is known before, or now.
        assert_eq!(other(me.clone(), else_.clone(), Some("a")), found);
        assert_eq!(other(me.clone(), else_with_id.clone(), None), found);
        // The ids are the same, and one may have another e-mail.
        assert_eq!(other(me.clone(), else_with_id, Some("a")), None);
        // Of the ID token at the login nothing is kept.
        assert_eq!(other(json!({}), else_, None), None);
        assert_eq!(other(me, json!({}), None), None);
    }

    #[test]
    fn claims_are_found_in_order_of_preference() {
        let access = jwt(&json!({"https://api.openai.com/auth": {"chatgpt_account_id": "acct_1"}}));
        let id = jwt(&json!({"email": " me@example.com ", "plan": ""}));
        let account = Account {
            id: vec![path(
                ClaimSource::AccessToken,
                "/https:~1~1api.openai.com~1auth/chatgpt_account_id",
            )],
            email: vec![
                path(ClaimSource::IdToken, "/profile/email"),
                path(ClaimSource::IdToken, "/email"),
            ],
            plan: vec![
                path(ClaimSource::IdToken, "/plan"),
                path(ClaimSource::Response, "/plan"),
            ],
            required: true,
            keep: vec![("name".into(), path(ClaimSource::UserInfo, "/name"))],
            ..Account::default()
        };
        let found = of_grant(
            &account,
            &grant(&access, Some(&id), &json!({"plan": "plus"})),
            Some(json!({"name": "Me"})),
        );
        assert_eq!(found.identity.account_id.as_deref(), Some("acct_1"));
        assert_eq!(found.identity.email.as_deref(), Some("me@example.com"));
        assert_eq!(found.plan.as_deref(), Some("plus"));
        assert_eq!(found.keep, [("name".to_owned(), "Me".to_owned())]);
        let unnamed = grant("opaque", Some(&jwt(&json!({"sub": 4_711}))), &Value::Null);
        let unnamed = of_grant(&account, &unnamed, None);
        assert_eq!(unnamed.identity, Identity::default());
        assert_eq!(unnamed.subject.as_deref(), Some("4711"));
        let grant = grant("opaque", Some("a.b"), &Value::Null);
        let opaque = of_grant(&account, &grant, None);
        assert_eq!(opaque, AccountClaims::default());
    }

    #[test]
    fn the_userinfo_endpoint_is_needed_for_what_stands_nowhere_before() {
        let id = jwt(&json!({"email": "me@example.com"}));
        let grant = grant("opaque", Some(&id), &Value::Null);
        let needed = |email: &[ClaimPath]| {
            let account = Account {
                email: email.to_vec(),
                ..Account::default()
            };
            needs_userinfo(&account, &grant)
        };
        let told = path(ClaimSource::UserInfo, "/email");
        let claimed = path(ClaimSource::IdToken, "/email");
        let missing = path(ClaimSource::IdToken, "/mail");
        assert!(!needed(&[claimed.clone(), told.clone()]));
        assert!(needed(&[told.clone(), claimed]));
        assert!(needed(&[missing.clone(), told]));
        assert!(!needed(&[missing]));
    }

    #[test]
    fn the_url_alphabet_of_base64_is_read() {
        // pi-ai 0.73 decoded with the plain alphabet and lost every such login.
        let token = jwt(&json!({"name": "???>>>ü", "email": "a@b"}));
        let middle = token.split('.').nth(1).unwrap();
        assert!(middle.contains('-') && middle.contains('_'), "{middle}");
        assert_eq!(payload(Some(&Secret::from(token.as_str())))["email"], "a@b");
    }

    #[test]
    fn a_claim_that_could_steer_a_terminal_is_none() {
        assert_eq!(usable("a\u{1b}[2Jb"), None);
        assert_eq!(usable(&"x".repeat(257)), None);
        assert_eq!(usable(" a "), Some("a".to_owned()));
    }
}
