//! `GET /v1/token` of a gateway: a token for a machine that keeps no credentials. Nothing of it is
//! written down here.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::form_urlencoded::Serializer;

use super::client::Client;
use super::lease::{Lease, URL};
use crate::app::context::Context;
use crate::app::credential::model_ref::provider_named;
use crate::app::credential::provider_name::Purpose;
use crate::app::credential::selector::Selector;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::named::{ProfileName, ProviderName};
use crate::model::reference;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::redaction;
use crate::ports::http::Method;

/// The longest text of a gateway about a token that is shown, in characters.
const LONGEST: usize = 200;

/// Which token is asked for. What is not named the gateway chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The provider.
    pub provider: Option<ProviderId>,
    /// The profile.
    pub profile: Option<ProfileId>,
}

/// A token that the gateway handed out.
#[derive(Clone, Debug)]
pub struct LeasedToken {
    /// The URL of the gateway.
    pub gateway: String,
    /// Its profile there, if the gateway says it.
    pub profile: Option<ProfileId>,
    /// Its provider.
    pub provider: ProviderId,
    /// The e-mail address of the account, or what else the gateway calls it by.
    pub account: Option<String>,
    /// The kind of credential; a token if the gateway does not say it.
    pub kind: CredentialKind,
    /// The token.
    pub bearer: Secret<String>,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// A warning for the user.
    pub warning: Option<Hint>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(deserialize_with = "bearer")]
    access_token: Secret<String>,
    #[serde(default, deserialize_with = "moment")]
    expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "provider")]
    provider: ProviderId,
    // Not every gateway has these.
    profile: Option<String>,
    account: Option<String>,
    credential_type: Option<String>,
    warning: Option<String>,
}

impl Wanted {
    /// Understands a selector without the credentials, which are elsewhere.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what only they can tell.
    pub fn by(cx: Context<'_>, agent: &AgentId, selector: &Selector) -> Result<Self, Failure> {
        match selector {
            Selector::Default => Ok(Self::default()),
            Selector::Provider(provider) => Ok(Self {
                provider: Some(provider.clone()),
                profile: None,
            }),
            Selector::Profile(name) => Ok(Self {
                provider: None,
                profile: Some(as_shown(name)),
            }),
            Selector::Model(text) => Self::by_model(cx, agent, text),
            Selector::Session { .. } => {
                let message = "sessions are known only where the credentials are";
                let hint = "choose with --provider, --profile or --model";
                Err(Failure::new(Kind::Usage, message).hint(hint))
            }
        }
    }

    fn by_model(cx: Context<'_>, agent: &AgentId, text: &str) -> Result<Self, Failure> {
        let (model, profile) = reference::split_profile(text);
        let provider = ProviderName::from(provider_named(cx, agent, model)?);
        let provider = cx.provider_id(agent, &provider, Purpose::Any)?;
        let profile = profile.map(ProfileName::parse).transpose()?;
        let profile = profile.map(|name| match as_shown(&name) {
            whole if whole.as_str().contains(':') => Ok(whole),
            local => ProfileId::of(&provider, local.as_str()),
        });
        Ok(Self {
            provider: Some(provider),
            profile: profile.transpose()?,
        })
    }

    fn path(&self, lease: &Lease, least: Option<Duration>) -> String {
        let seconds = least.map(|least| least.as_millis().div_ceil(1_000).to_string());
        let parameters = [
            ("provider", self.provider.as_ref().map(ProviderId::as_str)),
            ("agent", lease.agent.as_ref().map(AgentId::as_str)),
            ("profile", self.profile.as_ref().map(ProfileId::as_str)),
            ("min_valid", seconds.as_deref()),
        ];
        let set = parameters
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        let mut query = Serializer::new(String::new());
        format!("/v1/token?{}", query.extend_pairs(set).finish())
    }
}

/// Asks the gateway, once, for a token that is valid for `least`, or for as long as it thinks right.
///
/// # Errors
/// [`Kind::NeedsLogin`] if it has no usable login, [`Kind::Config`] if the key is missing or not good
/// for this, and if there is no answer of a gateway.
pub fn ask(
    cx: Context<'_>,
    lease: &Lease,
    wanted: &Wanted,
    least: Option<Duration>,
) -> Result<LeasedToken, Failure> {
    let client = Client::of_lease(cx, lease)?;
    let answer: Answer = client.ask(Method::Get, &wanted.path(lease, least))?;
    let is_meant = |meant: &ProviderId| *meant == answer.provider;
    if !wanted.provider.as_ref().is_none_or(is_meant) {
        let message = format!(
            "the gateway at {} gave a token of another provider",
            client.address
        );
        return Err(Failure::new(Kind::Temporary, message).hint(format!("check {URL}")));
    }
    let clean = |text: &String| {
        let bearer = std::iter::once(&answer.access_token);
        redaction::clean(&client.clean(text), LONGEST, bearer)
    };
    let told = answer.warning.as_ref().map(clean);
    let told = told.map(|text| format!("the gateway at {} says: {text}", client.address));
    let profile = answer.profile.as_deref();
    let kind = answer.credential_type.as_deref();
    let kind = kind.and_then(CredentialKind::parse);
    Ok(LeasedToken {
        warning: told
            .or_else(|| ended(cx, answer.expires_at))
            .map(Hint::from),
        account: answer.account.as_ref().map(clean),
        profile: profile.and_then(|profile| ProfileId::parse(profile).ok()),
        kind: kind.unwrap_or(CredentialKind::Token),
        gateway: client.address.to_string(),
        expires: answer.expires_at,
        provider: answer.provider,
        bearer: answer.access_token,
    })
}

/// The id that a name is: as it is shown, in which no two are alike, or as it is stored.
fn as_shown(name: &ProfileName) -> ProfileId {
    let typed = name.typed();
    ProfileId::parse_shown(typed.as_str()).unwrap_or_else(|| typed.clone())
}

/// A gateway gives no token that has ended; so one of the two clocks is wrong.
fn ended(cx: Context<'_>, expires: Option<Timestamp>) -> Option<String> {
    let has_ended = expires.is_some_and(|end| end <= cx.clock.now());
    has_ended.then(|| {
        "by the clock of this machine the token has already expired; check its clock, and that of \
         the gateway"
            .to_owned()
    })
}

fn bearer<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
    let token = Secret::new(String::deserialize(from)?);
    match token.bearer_fault() {
        None if !token.is_blank() => Ok(token),
        _ => Err(D::Error::custom("no header can hold the token")),
    }
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let read = |text: String| Timestamp::read(&text);
    text.map(|text| read(text).ok_or_else(|| D::Error::custom("no moment")))
        .transpose()
}

fn provider<'de, D: Deserializer<'de>>(from: D) -> Result<ProviderId, D::Error> {
    ProviderId::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}
