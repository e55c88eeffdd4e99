//! Profile ids of new logins, chosen so that two accounts never overwrite each other.
//!
//! The same identity is refreshed in place, whatever its profile is called. Another identity gets a
//! profile of its own: the reference release stored every Codex login as `openai-codex:default`,
//! and the second account silently replaced the first.

use crate::model::credential::{Credential, Identity, Kind};
use crate::model::id::{IdError, ProfileId, ProviderId};
use crate::model::profiles::AuthProfiles;

/// The profile that a login is stored in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) struct ProfileSlot {
    pub(in crate::app) id: ProfileId,
    /// Whether it holds a login that this one replaces.
    pub(in crate::app) replaces: bool,
    /// The name that was asked for, if another identity has it.
    pub(in crate::app) taken: Option<ProfileId>,
}

/// Whose login it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct Owner<'a> {
    pub(in crate::app) identity: &'a Identity,
    /// The subject, where the identity is empty.
    pub(in crate::app) subject: Option<&'a str>,
    /// The profile that a person named for it. If nobody knows whose login that holds, it is the one
    /// that is meant: a dead login could not be renewed otherwise.
    pub(in crate::app) named: Option<&'a ProfileId>,
}

/// Finds the profile for a login. Never fails: the code or the device code is spent by then.
pub(in crate::app) fn place(
    document: &AuthProfiles,
    provider: &ProviderId,
    owner: Owner<'_>,
    wanted: Option<&ProfileId>,
) -> ProfileSlot {
    let Owner {
        identity,
        subject,
        named,
    } = owner;
    let name = identity.email.as_deref().or(subject).unwrap_or("default");
    let name = name.to_lowercase();
    // Where only the subject is known, the name of the profile says whose it is.
    let of_subject = subject.map(|_| ProfileId::escaped(provider, &name, 1));
    find(document, provider, &name, wanted, &|id, held| match held {
        Credential::OAuth(old) if old.identity == Identity::default() => {
            of_subject.as_ref() == Some(id) || named == Some(id)
        }
        Credential::OAuth(old) => old.identity.is_same(identity),
        Credential::ApiKey(_) | Credential::Token(_) => false,
    })
}

/// Finds the profile for the token of a client: that of its last token.
pub(in crate::app) fn place_of_client(
    document: &AuthProfiles,
    provider: &ProviderId,
    wanted: Option<&ProfileId>,
) -> ProfileSlot {
    let is_same = &|_: &ProfileId, held: &Credential| held.is_of_client();
    find(document, provider, "default", wanted, is_same)
}

/// Recognises the credential to replace, by the profile that holds it and by itself.
type IsSame<'a> = dyn Fn(&ProfileId, &Credential) -> bool + 'a;

/// Finds a profile; `name` is the name of a new one, and `is_same` recognises the credential to
/// replace.
fn find(
    document: &AuthProfiles,
    provider: &ProviderId,
    name: &str,
    wanted: Option<&ProfileId>,
    is_same: &IsSame<'_>,
) -> ProfileSlot {
    let fits = |id: &ProfileId| fits(document, provider, id, is_same);
    if let Some(wanted) = wanted
        && let Some(replaces) = fits(wanted)
    {
        return ProfileSlot {
            id: wanted.clone(),
            replaces,
            taken: None,
        };
    }
    let same = document
        .profiles()
        .find(|(id, _)| fits(id) == Some(true))
        .map(|(id, _)| id.clone());
    if let (Some(id), None) = (same, wanted) {
        return ProfileSlot {
            id,
            replaces: true,
            taken: None,
        };
    }
    let mut number = 1;
    loop {
        let id = ProfileId::escaped(provider, name, number);
        if let Some(replaces) = fits(&id) {
            return ProfileSlot {
                id,
                replaces,
                taken: wanted.cloned(),
            };
        }
        number += 1;
    }
}

/// Finds the profile for a pasted secret: `<provider>:<name>`, with a number if another kind of
/// credential has that name.
pub(in crate::app) fn vacant(
    document: &AuthProfiles,
    provider: &ProviderId,
    kind: Kind,
    name: &str,
) -> Result<ProfileId, IdError> {
    let is_free = |id: &ProfileId| match document.get(id) {
        Some(old) => old.kind() == kind && old.provider().as_ref() == Some(provider),
        None => !is_occupied(document, id),
    };
    let mut id = ProfileId::of(provider, name)?;
    let mut number = 1;
    while !is_free(&id) {
        number += 1;
        id = ProfileId::of(provider, &format!("{name}-{number}"))?;
    }
    Ok(id)
}

/// Whether there is an entry of that name that is not a valid credential.
fn is_occupied(document: &AuthProfiles, id: &ProfileId) -> bool {
    let mut entries = document.entries().iter();
    entries.any(|entry| entry.key.trim() == id.as_str())
}

/// Whether `id` holds the login to replace: `Some(false)` if it is free, `None` if it belongs to
/// another identity or to an unknown one.
fn fits(
    document: &AuthProfiles,
    provider: &ProviderId,
    id: &ProfileId,
    is_same: &IsSame<'_>,
) -> Option<bool> {
    match document.get(id) {
        None => (!is_occupied(document, id)).then_some(false),
        Some(held) => {
            let same_provider = held.provider().as_ref() == Some(provider);
            (same_provider && is_same(id, held)).then_some(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::credential::{ApiKey, OAuth};
    use crate::model::json::Extra;

    fn identity(account: &str, email: Option<&str>) -> Identity {
        Identity {
            account_id: Some(account.into()),
            email: email.map(str::to_owned),
        }
    }

    fn document(logins: &[(&str, Identity)]) -> AuthProfiles {
        let mut document = AuthProfiles::default();
        for (id, identity) in logins {
            let oauth = OAuth {
                provider: "openai-codex".into(),
                access: None,
                refresh: None,
                expires: None,
                identity: identity.clone(),
                extra: Extra::default(),
            };
            assert!(document.put(ProfileId::parse(id).unwrap(), Credential::OAuth(oauth)));
        }
        document
    }

    fn placed(
        document: &AuthProfiles,
        identity: &Identity,
        wanted: Option<&str>,
    ) -> (String, bool) {
        let provider = ProviderId::parse("openai-codex").unwrap();
        let wanted = wanted.map(|id| ProfileId::parse(id).unwrap());
        let owner = Owner {
            identity,
            subject: None,
            named: wanted.as_ref(),
        };
        let place = place(document, &provider, owner, wanted.as_ref());
        (place.id.to_string(), place.replaces)
    }

    #[test]
    fn the_same_identity_is_refreshed_in_place() {
        let me = identity("acct_1", None);
        let store = document(&[("openai-codex:default", me.clone())]);
        assert_eq!(
            placed(&store, &me, None),
            ("openai-codex:default".into(), true)
        );
    }

    #[test]
    fn another_identity_gets_its_own_profile() {
        let store = document(&[("openai-codex:default", identity("acct_1", None))]);
        let other = identity("acct_2", None);
        assert_eq!(
            placed(&store, &other, None),
            ("openai-codex:default-2".into(), false)
        );
        let named = identity("acct_2", Some("Me@Example.com"));
        let expected = ("openai-codex:me@example.com".to_owned(), false);
        assert_eq!(placed(&store, &named, None), expected);
    }

    #[test]
    fn two_workspaces_of_one_email_are_kept_apart() {
        let email = Some("me@example.com");
        let store = document(&[("openai-codex:me@example.com", identity("acct_1", email))]);
        let expected = ("openai-codex:me@example.com-2".to_owned(), false);
        assert_eq!(placed(&store, &identity("acct_2", email), None), expected);
    }

    #[test]
    fn a_key_takes_the_place_of_a_key_and_of_nothing_else() {
        let provider = ProviderId::parse("openai-codex").unwrap();
        let login = identity("acct_1", None);
        let mut store = document(&[("openai-codex:default", login)]);
        let key = |store: &AuthProfiles| {
            let id = vacant(store, &provider, Kind::ApiKey, "default").unwrap();
            id.to_string()
        };
        assert_eq!(key(&store), "openai-codex:default-2");
        let stored = ApiKey {
            provider: provider.to_string(),
            key: None,
            email: None,
            extra: Extra::default(),
        };
        let id = ProfileId::parse("openai-codex:default-2").unwrap();
        assert!(store.put(id, Credential::ApiKey(stored)));
        assert_eq!(key(&store), "openai-codex:default-2");
    }

    #[test]
    fn a_login_of_nobody_known_is_replaced_where_it_is_named() {
        let store = document(&[("openai-codex:default", Identity::default())]);
        let named = Some("openai-codex:default");
        let replaced = ("openai-codex:default".to_owned(), true);
        assert_eq!(placed(&store, &Identity::default(), named), replaced);
        assert_eq!(placed(&store, &identity("acct_1", None), named), replaced);
        let beside = ("openai-codex:default-2".to_owned(), false);
        assert_eq!(placed(&store, &Identity::default(), None), beside);
    }

    #[test]
    fn a_name_that_is_taken_is_never_overwritten() {
        let store = document(&[("work", identity("acct_1", None))]);
        let other = identity("acct_2", None);
        assert_eq!(
            placed(&store, &other, Some("work")),
            ("openai-codex:default".into(), false)
        );
        assert_eq!(placed(&store, &other, Some("home")), ("home".into(), false));
    }
}
