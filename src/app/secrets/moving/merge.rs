//! What becomes of a profile of a bundle where there may be one already.

use crate::model::credential::{Credential, Identity, OAuth};
use crate::model::json::Verbatim;
use crate::model::moved::Moved;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is there.
    Add,
    /// It takes the place of what is there, which goes to the history.
    Replace,
    /// The same is there.
    Same,
    /// What is there stays, for this reason.
    Keep(&'static str),
}

/// Compares a credential of a bundle with what is there. `force` replaces what is another one.
pub(super) fn judge(there: Option<&Credential>, new: &Credential, force: bool) -> Verdict {
    let Some(there) = there else {
        return Verdict::Add;
    };
    if is_same(there, new) {
        return Verdict::Same;
    }
    match reason_to_keep(there, new) {
        Some(reason) if !force => Verdict::Keep(reason),
        _ => Verdict::Replace,
    }
}

fn is_same(there: &Credential, new: &Credential) -> bool {
    if let (Some(there), Some(new)) = (there.as_oauth(), new.as_oauth())
        && new.refresh_token().is_some()
    {
        return there.refresh_token() == new.refresh_token();
    }
    let is_other_kind = there.kind() != new.kind() || there.raw_provider() != new.raw_provider();
    !is_other_kind && there.bearer().is_some() && there.bearer() == new.bearer()
}

fn reason_to_keep(there: &Credential, new: &Credential) -> Option<&'static str> {
    if there.is_sealed() {
        return Some("the one here is sealed and does not open");
    }
    if there.kind() != new.kind() || there.provider() != new.provider() {
        return Some("the one here is of another kind");
    }
    if let (Some(there), Some(new)) = (there.as_oauth(), new.as_oauth()) {
        if is_other_account(&there.identity, &new.identity) {
            return Some("the one here is of another account");
        }
        match (has_refresh(there), has_refresh(new)) {
            (false, true) => return None,
            (true, false) => {
                return Some("the one here can be refreshed, the one in the bundle cannot");
            }
            _ => {}
        }
    }
    match (there.expires(), new.expires()) {
        (Some(there), Some(new)) if there < new => None,
        (Some(_), Some(_)) => Some("the one here expires later"),
        _ => Some("the one here is another one"),
    }
}

/// What is stored of a credential of a bundle in the place of what is there. A copy of a login whose
/// refresh token is elsewhere is still that login: it says so, and can be taken back.
pub(super) fn brought(there: Option<&Credential>, new: &Credential) -> Credential {
    let Some(login) = new.as_oauth() else {
        return new.clone();
    };
    let mut login = login.clone();
    login.extra.0.retain(|(name, _)| name != Moved::MEMBER);
    let there = there.and_then(Credential::as_oauth);
    if let Some(there) = there.filter(|there| there.moved().is_some())
        && !has_refresh(&login)
        && there.provider == login.provider
        && !is_other_account(&there.identity, &login.identity)
        && let Some(moved) = there.extra.get(Moved::MEMBER)
    {
        let moved = Verbatim::new(moved.to_owned());
        login.extra.set(Moved::MEMBER, moved);
    }
    Credential::OAuth(login)
}

fn has_refresh(login: &OAuth) -> bool {
    login.refresh_token().is_some()
}

/// Of one of which nothing is known it cannot be said.
fn is_other_account(there: &Identity, new: &Identity) -> bool {
    let unknown = Identity::default();
    *there != unknown && *new != unknown && !there.is_same(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::credential::ApiKey;
    use crate::model::json::Extra;
    use crate::model::secret::Secret;
    use crate::model::time::Timestamp;

    fn login(access: &str, refresh: &str, expires: i64, account: &str) -> Credential {
        Credential::OAuth(OAuth {
            provider: "openai-codex".to_owned(),
            access: Some(Secret::from(access)),
            refresh: Some(Secret::from(refresh)),
            expires: Some(Timestamp(expires)),
            identity: Identity {
                account_id: Some(account.to_owned()),
                email: None,
            },
            extra: Extra::default(),
        })
    }

    fn key(text: &str) -> Credential {
        Credential::ApiKey(ApiKey {
            provider: "openai".to_owned(),
            key: Some(Secret::from(text)),
            email: None,
            extra: Extra::default(),
        })
    }

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn what_can_be_refreshed_is_never_replaced_by_what_cannot() {
        let whole = login("access-1", "refresh-1", NOW, "a");
        let copy = login("access-2", "", NOW + 1, "a");
        let keep = judge(Some(&whole), &copy, false);
        assert!(matches!(keep, Verdict::Keep(_)), "{keep:?}");
        assert_eq!(judge(Some(&whole), &copy, true), Verdict::Replace);
        // And what was moved away comes back, however old it is.
        assert_eq!(judge(Some(&copy), &whole, false), Verdict::Replace);
    }

    #[test]
    fn the_later_of_two_counts_unless_it_is_of_another_account() {
        let one = login("access-1", "refresh-1", NOW, "a");
        let later = login("access-2", "refresh-2", NOW + 1, "a");
        assert_eq!(judge(Some(&one), &later, false), Verdict::Replace);
        assert!(matches!(judge(Some(&later), &one, false), Verdict::Keep(_)));
        let other = login("access-2", "refresh-2", NOW + 1, "b");
        assert!(matches!(judge(Some(&one), &other, false), Verdict::Keep(_)));
        assert_eq!(judge(Some(&one), &one, false), Verdict::Same);
        assert_eq!(judge(None, &one, false), Verdict::Add);
    }

    #[test]
    fn another_key_stays_unless_that_is_asked_for() {
        let (one, other) = (key("sk-one-0123456789"), key("sk-two-0123456789"));
        assert_eq!(judge(Some(&one), &one, false), Verdict::Same);
        assert!(matches!(judge(Some(&one), &other, false), Verdict::Keep(_)));
        assert_eq!(judge(Some(&one), &other, true), Verdict::Replace);
    }
}
