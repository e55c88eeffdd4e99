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

/// What may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// Nothing but what is left of the same login.
    Nothing,
    /// What ends earlier, or cannot be refreshed, too.
    Older,
    /// Whatever is there.
    Everything,
}

/// Compares a credential of a bundle with what is there.
pub(super) fn judge(there: Option<&Credential>, new: &Credential, replacing: Replacing) -> Verdict {
    let Some(there) = there else {
        return Verdict::Add;
    };
    if is_same(there, new) {
        return Verdict::Same;
    }
    let reason = match replacing {
        Replacing::Everything => None,
        Replacing::Nothing if is_rest_of(there, new) => None,
        Replacing::Nothing => Some(reason_to_keep(there, new).unwrap_or(ANOTHER)),
        Replacing::Older => reason_to_keep(there, new),
    };
    reason.map_or(Verdict::Replace, Verdict::Keep)
}

const ANOTHER: &str = "the one here is another one";

/// Whether a login is what stayed of another when its refresh token went away.
fn is_rest_of(there: &Credential, new: &Credential) -> bool {
    let moved = there.as_oauth().and_then(OAuth::moved);
    let grant = new.as_oauth().and_then(OAuth::grant);
    moved.is_some_and(|moved| Some(moved.grant) == grant)
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
        _ => Some(ANOTHER),
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
pub(super) fn is_other_account(there: &Identity, new: &Identity) -> bool {
    let unknown = Identity::default();
    *there != unknown && *new != unknown && !there.is_same(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bundle::BundleId;
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
        let keep = judge(Some(&whole), &copy, Replacing::Older);
        assert!(matches!(keep, Verdict::Keep(_)), "{keep:?}");
        assert_eq!(
            judge(Some(&whole), &copy, Replacing::Everything),
            Verdict::Replace
        );
        // And what was moved away comes back, however old it is.
        assert_eq!(
            judge(Some(&copy), &whole, Replacing::Older),
            Verdict::Replace
        );
    }

    #[test]
    fn the_later_of_two_counts_unless_it_is_of_another_account() {
        let one = login("access-1", "refresh-1", NOW, "a");
        let later = login("access-2", "refresh-2", NOW + 1, "a");
        assert_eq!(
            judge(Some(&one), &later, Replacing::Older),
            Verdict::Replace
        );
        assert!(matches!(
            judge(Some(&later), &one, Replacing::Older),
            Verdict::Keep(_)
        ));
        let other = login("access-2", "refresh-2", NOW + 1, "b");
        assert!(matches!(
            judge(Some(&one), &other, Replacing::Older),
            Verdict::Keep(_)
        ));
        assert_eq!(judge(Some(&one), &one, Replacing::Older), Verdict::Same);
        assert_eq!(judge(None, &one, Replacing::Older), Verdict::Add);
    }

    #[test]
    fn another_key_stays_unless_that_is_asked_for() {
        let (one, other) = (key("sk-one-0123456789"), key("sk-two-0123456789"));
        assert_eq!(judge(Some(&one), &one, Replacing::Older), Verdict::Same);
        assert!(matches!(
            judge(Some(&one), &other, Replacing::Older),
            Verdict::Keep(_)
        ));
        assert_eq!(
            judge(Some(&one), &other, Replacing::Everything),
            Verdict::Replace
        );
    }

    #[test]
    fn where_nothing_may_be_replaced_only_the_rest_of_the_same_login_is() {
        let one = login("access-1", "refresh-1", NOW, "a");
        let later = login("access-2", "refresh-2", NOW + 1, "a");
        for (there, new) in [(&one, &later), (&key("sk-one-0123456789"), &one)] {
            let keep = judge(Some(there), new, Replacing::Nothing);
            assert!(matches!(keep, Verdict::Keep(_)), "{keep:?}");
        }
        assert_eq!(judge(Some(&one), &one, Replacing::Nothing), Verdict::Same);
        let Credential::OAuth(mut rest) = login("access-1", "", NOW, "a") else {
            unreachable!()
        };
        let moved = Moved {
            bundle: BundleId::new(&[0; BundleId::RANDOM]),
            at: Timestamp(NOW),
            to: "bundle".to_owned(),
            grant: one.as_oauth().and_then(OAuth::grant).unwrap(),
            database: None,
        };
        let text = serde_json::to_string(&moved).unwrap();
        rest.extra.set(Moved::MEMBER, Verbatim::new(text));
        let rest = Credential::OAuth(rest);
        let nothing = Replacing::Nothing;
        assert_eq!(judge(Some(&rest), &one, nothing), Verdict::Replace);
        let keep = judge(Some(&rest), &later, nothing);
        assert!(matches!(keep, Verdict::Keep(_)), "{keep:?}");
    }
}
