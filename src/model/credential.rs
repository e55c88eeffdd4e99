//! What a profile holds.

use super::clean;
use super::env_reference;
use super::expiry::End;
use super::grant::GrantDigest;
use super::id::ProviderId;
use super::json::Extra;
use super::moved::Moved;
use super::secret::Secret;
use super::time::Timestamp;

pub use super::kind::Kind;
pub use super::secret_fault::SecretFault;

/// One stored credential. `type` is its tag on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `api_key`: a long-lived key, never refreshed.
    ApiKey(ApiKey),
    /// `token`: a bearer token without a refresh token; Anthropic's setup-token is one, and so is
    /// what a client got for itself.
    Token(Token),
    /// `oauth`: an access token and the grant it can be refreshed with.
    OAuth(OAuth),
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The provider as written on disk; see [`Credential::provider`].
    pub provider: String,
    /// The key; absent or blank makes the profile ineligible.
    pub key: Option<Secret<String>>,
    /// For display and for telling identities apart.
    pub email: Option<String>,
    /// Members we do not know, `metadata` and `keyRef` among them.
    pub extra: Extra,
}

/// A bearer token without a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The provider as written on disk; see [`Credential::provider`].
    pub provider: String,
    /// The token; absent or blank makes the profile ineligible.
    pub token: Option<Secret<String>>,
    /// When it ends. The wire format takes absent, zero, negative and non-numbers as "never";
    /// those are `None` here and stay on disk as they are.
    pub expires: Option<Timestamp>,
    /// For display and for telling identities apart.
    pub email: Option<String>,
    /// Members we do not know, `tokenRef` among them.
    pub extra: Extra,
}

/// An access token and its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// The provider as written on disk; see [`Credential::provider`].
    pub provider: String,
    /// The access token.
    pub access: Option<Secret<String>>,
    /// The refresh token; single-use at most providers.
    pub refresh: Option<Secret<String>>,
    /// When the access token ends; `None` counts as ended where there is a refresh token, else as a
    /// token without a known end (RFC 6749 section 5.1).
    pub expires: Option<Timestamp>,
    /// Whose login it is.
    pub identity: Identity,
    /// Members we do not know.
    pub extra: Extra,
}

/// Who a grant belongs to, as far as the provider said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `accountId`: at OpenAI the ChatGPT account (workspace), the stable key of a login.
    pub account_id: Option<String>,
    /// `email`.
    pub email: Option<String>,
}

impl Identity {
    /// Whether two logins are of one account: equal account ids where both have one, and no
    /// contradiction in e-mail; else equal e-mails regardless of case. One e-mail may own several
    /// workspaces, and a workspace several people, so either difference makes two identities.
    pub fn is_same(&self, other: &Identity) -> bool {
        let emails = match (&self.email, &other.email) {
            (Some(a), Some(b)) => Some(a.eq_ignore_ascii_case(b)),
            _ => None,
        };
        match (&self.account_id, &other.account_id) {
            (Some(a), Some(b)) => a == b && emails != Some(false),
            _ => emails == Some(true),
        }
    }
}

impl Credential {
    /// Which of the three it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ApiKey(_) => Kind::ApiKey,
            Self::Token(_) => Kind::Token,
            Self::OAuth(_) => Kind::OAuth,
        }
    }

    /// The provider as written on disk, which OpenClaw may have left unnormalised (`Z.AI`).
    pub fn raw_provider(&self) -> &str {
        match self {
            Self::ApiKey(c) => &c.provider,
            Self::Token(c) => &c.provider,
            Self::OAuth(c) => &c.provider,
        }
    }

    /// The provider, normalised; `None` if what is written could never be one.
    pub fn provider(&self) -> Option<ProviderId> {
        ProviderId::parse(self.raw_provider()).ok()
    }

    /// Whether it is for a provider.
    pub fn is_for(&self, provider: &ProviderId) -> bool {
        provider.is_named(self.raw_provider())
    }

    /// The members that we do not know.
    pub fn extra(&self) -> &Extra {
        match self {
            Self::ApiKey(key) => &key.extra,
            Self::Token(token) => &token.extra,
            Self::OAuth(oauth) => &oauth.extra,
        }
    }

    /// The e-mail, if one is known.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::ApiKey(c) => c.email.as_deref(),
            Self::Token(c) => c.email.as_deref(),
            Self::OAuth(c) => c.identity.email.as_deref(),
        }
    }

    /// Its key, its token or its access token, unless that is blank.
    pub fn secret(&self) -> Option<&Secret<String>> {
        let secret = match self {
            Self::ApiKey(c) => c.key.as_ref(),
            Self::Token(c) => c.token.as_ref(),
            Self::OAuth(c) => c.access.as_ref(),
        };
        secret.filter(|secret| !secret.is_blank())
    }

    /// What would be handed out: the key, the token, or the access token. `None` when blank, with a
    /// [`secret_fault`](Self::secret_fault), or where it is only looked at.
    pub fn bearer(&self) -> Option<&Secret<String>> {
        self.shown_secret().filter(|secret| secret.is_held())
    }

    /// The same for showing it, whether it is held or only looked at.
    pub fn shown_secret(&self) -> Option<&Secret<String>> {
        self.judged_secret().ok().flatten()
    }

    /// The reference that stands in the place of its secret, as JSON.
    pub fn reference(&self) -> Option<&str> {
        self.secret()?.as_reference()
    }

    /// Whether all of its secret is held, and not a glimpse of one that is only looked at.
    pub fn is_held(&self) -> bool {
        self.secret().is_none_or(Secret::is_held)
    }

    /// Whether a secret of it is sealed and was not opened.
    pub fn is_sealed(&self) -> bool {
        let refresh = self.as_oauth().and_then(|oauth| oauth.refresh.as_ref());
        let mut secrets = self.secret().into_iter().chain(refresh);
        secrets.any(|secret| secret.as_sealed().is_some())
    }

    /// Why what stands in the place of the secret cannot be handed out.
    pub fn secret_fault(&self) -> Option<SecretFault> {
        self.judged_secret().err()
    }

    /// Both in one: what would be handed out if there is anything, else why it cannot be. A secret is
    /// long, so it is looked through once.
    ///
    /// # Errors
    /// As [`secret_fault`](Self::secret_fault).
    pub fn judged_secret(&self) -> Result<Option<&Secret<String>>, SecretFault> {
        let secret = self.secret();
        match secret.and_then(SecretFault::of) {
            Some(fault) => Err(fault),
            None => Ok(secret),
        }
    }

    /// Puts the value of a variable in the place of a reference to it, and takes away what stands
    /// around a secret. What cannot be resolved stays as it is. Where there is no secret and a
    /// `keyRef` or `tokenRef` says where it lies, that stands in its place. For looking at, and never
    /// to be written.
    pub fn resolve(&mut self, value: &dyn Fn(&str) -> Option<Secret<String>>) {
        let (secret, reference) = match self {
            Self::ApiKey(c) => (&mut c.key, c.extra.get("keyRef")),
            Self::Token(c) => (&mut c.token, c.extra.get("tokenRef")),
            // OpenClaw keeps no login elsewhere by these.
            Self::OAuth(c) => (&mut c.access, None),
        };
        // What is sealed or written here counts before it.
        if let Some(reference) = reference.filter(|text| text.starts_with('{'))
            && secret.as_ref().is_none_or(Secret::is_blank)
        {
            *secret = Some(Secret::referred(reference));
        }
        // One of which only a glimpse is held stands by itself.
        if secret.as_ref().is_some_and(|secret| !secret.is_held()) {
            return;
        }
        if let Some(inner) = secret.as_ref().and_then(|it| clean::stored(it.expose())) {
            *secret = Some(Secret::from(inner));
        }
        let name = secret.as_ref().map(Secret::expose);
        if let Some(value) = name.and_then(|text| value(env_reference::variable(text)?)) {
            *secret = Some(value);
        }
    }

    /// When what would be handed out ends, if anything is said of that, and what is odd about it.
    pub fn end(&self) -> Option<End> {
        let stored = match self {
            Self::ApiKey(_) => None,
            Self::Token(c) => c.expires,
            Self::OAuth(c) => c.expires,
        };
        stored.map(End::read)
    }

    /// Whether an end is stored that nobody can read. A null, like a number that is none, means that
    /// it never ends.
    pub fn has_unread_end(&self) -> bool {
        let unread = self.extra().get("expires");
        unread.is_some_and(|value| value.starts_with(['"', '{', '[', 't', 'f']))
    }

    /// The same moment alone, if it is known.
    pub fn expires(&self) -> Option<Timestamp> {
        self.end()?.known()
    }

    /// Whether a client got it for itself, see [`Token::is_of_client`].
    pub fn is_of_client(&self) -> bool {
        matches!(self, Self::Token(token) if token.is_of_client())
    }

    /// Whether its secret lies elsewhere: in a variable that is not set, or by a reference that
    /// another program follows.
    pub fn is_reference(&self) -> bool {
        match self {
            _ if matches!(self.secret_fault(), Some(SecretFault::Unset(_))) => true,
            Self::ApiKey(c) => c.extra.get("keyRef").is_some(),
            Self::Token(c) => c.extra.get("tokenRef").is_some(),
            Self::OAuth(c) => c.extra.get("oauthRef").is_some(),
        }
    }

    /// The OAuth credential, if it is one.
    pub fn as_oauth(&self) -> Option<&OAuth> {
        match self {
            Self::OAuth(oauth) => Some(oauth),
            _ => None,
        }
    }
}

impl Token {
    /// The member that says how the token came about, and so how another one can be had.
    pub const GRANT_TYPE: &str = "grantType";
    /// Its value for a token that a client got for itself (RFC 6749 section 4.4), as JSON.
    pub const OF_CLIENT: &str = "\"client_credentials\"";

    /// Whether a client got it for itself: then it can get another one, without a person.
    pub fn is_of_client(&self) -> bool {
        is_of_client(&self.extra)
    }

    /// The same as a grant without a refresh token, for what keeps grants alive.
    pub fn as_grant(&self) -> OAuth {
        OAuth {
            provider: self.provider.clone(),
            access: self.token.clone(),
            refresh: None,
            expires: self.expires,
            identity: Identity {
                account_id: None,
                email: self.email.clone(),
            },
            extra: self.extra.clone(),
        }
    }
}

fn is_of_client(extra: &Extra) -> bool {
    extra.get(Token::GRANT_TYPE) == Some(Token::OF_CLIENT)
}

impl OAuth {
    /// Whether it is the token of a client, as [`Token::as_grant`] gives it.
    pub fn is_of_client(&self) -> bool {
        self.refresh_token().is_none() && is_of_client(&self.extra)
    }

    /// Where its refresh token went, if it is no longer here.
    pub fn moved(&self) -> Option<Moved> {
        let text = self.extra.get(Moved::MEMBER)?;
        Moved::read(text).filter(|_| self.refresh_token().is_none())
    }

    /// The refresh token, unless it is absent or blank.
    pub fn refresh_token(&self) -> Option<&Secret<String>> {
        let is_one = |secret: &&Secret<String>| {
            !secret.is_blank() && env_reference::variable(secret.expose()).is_none()
        };
        self.refresh.as_ref().filter(is_one)
    }

    /// What is stored after a refresh: the new grant laid over this one, as OpenClaw does it.
    ///
    /// A server that issues no new refresh token lets the old one live on (RFC 6749, section 6).
    /// The end is the new one even if it is unknown, for the old one belonged to another access
    /// token.
    #[must_use]
    pub fn renewed(&self, new: &OAuth) -> OAuth {
        let fresh = |new: &Option<Secret<String>>, old: &Option<Secret<String>>| {
            let given = new.as_ref().filter(|secret| !secret.is_blank());
            given.or(old.as_ref()).cloned()
        };
        let mut extra = self.extra.clone();
        for (name, value) in &new.extra.0 {
            extra.set(name, value.clone());
        }
        let (known, told) = (&self.identity, &new.identity);
        OAuth {
            provider: self.provider.clone(),
            access: fresh(&new.access, &self.access),
            refresh: fresh(&new.refresh, &self.refresh),
            expires: new.expires,
            identity: Identity {
                account_id: told.account_id.clone().or_else(|| known.account_id.clone()),
                email: told.email.clone().or_else(|| known.email.clone()),
            },
            extra,
        }
    }

    /// The name of its grant; `None` without a refresh token, or if the provider cannot be one.
    pub fn grant(&self) -> Option<GrantDigest> {
        let provider = ProviderId::parse(&self.provider).ok()?;
        let token = self.refresh_token()?;
        match token.as_sealed() {
            Some(sealed) => GrantDigest::parse(sealed.grant.as_ref()?),
            None => Some(GrantDigest::of(&provider, token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(account: Option<&str>, email: Option<&str>) -> Identity {
        Identity {
            account_id: account.map(str::to_owned),
            email: email.map(str::to_owned),
        }
    }

    #[test]
    fn two_workspaces_of_one_person_are_two_identities() {
        let work = identity(Some("acct_1"), Some("me@example.com"));
        let home = identity(Some("acct_2"), Some("me@example.com"));
        assert!(!work.is_same(&home));
        assert!(work.is_same(&identity(Some("acct_1"), None)));
        assert!(work.is_same(&identity(None, Some("ME@example.com"))));
        assert!(!work.is_same(&identity(Some("acct_1"), Some("other@example.com"))));
        assert!(!work.is_same(&Identity::default()));
        assert!(!Identity::default().is_same(&Identity::default()));
    }
}
