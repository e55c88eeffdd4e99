//! Who may ask the gateway, and for what: roles, actions, and the scope of a key.

use std::net::IpAddr;

pub use ipnet::IpNet as Network;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::id::{AgentId, ProfileId, ProviderId};

/// What the holder of a key may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr, EnumString, VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// See, log in and log out; never a token.
    Operator,
    /// See, and change nothing.
    Viewer,
    /// Get access tokens, and nothing else.
    Lease,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reads whether a provider is logged in, and hears of changes.
    ReadStatus,
    /// Reads which credentials are there, without their secrets.
    ReadCredentials,
    /// Reads the metrics.
    ReadMetrics,
    /// Starts, completes or cancels a login.
    LogIn,
    /// Removes a login.
    LogOut,
    /// Gets an access token.
    TakeToken,
    /// Lists, makes and revokes keys.
    ManageKeys,
}

impl Role {
    /// Whether this role is enough for an action; the scope of the key may still exclude its object.
    pub fn may(self, action: Action) -> bool {
        use Role::{Admin, Lease, Operator, Viewer};
        let roles: &[Role] = match action {
            Action::ReadStatus | Action::ReadCredentials | Action::ReadMetrics => {
                &[Admin, Operator, Viewer]
            }
            Action::LogIn | Action::LogOut => &[Admin, Operator],
            Action::TakeToken => &[Admin, Lease],
            Action::ManageKeys => &[Admin],
        };
        roles.contains(&self)
    }
}

/// What a key is limited to. An empty list is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Providers.
    pub providers: Vec<ProviderId>,
    /// Agents whose credentials are used.
    pub agents: Vec<AgentId>,
    /// Profiles.
    pub profiles: Vec<ProfileId>,
    /// Networks that the holder asks from.
    pub networks: Vec<Network>,
}

impl Scope {
    /// Whether a caller at `address` may use the key at all. An IPv4 address within IPv6 is one of
    /// IPv4.
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut networks = self.networks.iter();
        self.networks.is_empty() || networks.any(|network| network.contains(&address))
    }

    /// Whether the key is for a provider.
    pub fn covers_provider(&self, provider: &ProviderId) -> bool {
        allows(&self.providers, provider)
    }

    /// Whether it is for a provider, as this agent sees it.
    pub fn covers(&self, provider: &ProviderId, agent: &AgentId) -> bool {
        self.covers_provider(provider) && allows(&self.agents, agent)
    }

    /// Whether it is for one profile of it.
    pub fn covers_profile(
        &self,
        provider: &ProviderId,
        agent: &AgentId,
        profile: &ProfileId,
    ) -> bool {
        self.covers(provider, agent) && allows(&self.profiles, profile)
    }

    /// Whether a key of this role can have it. Only where tokens are handed out is it always clear
    /// which profile is meant, and who can make keys can do without a limit.
    pub fn suits(&self, role: Role) -> bool {
        let by_profile = !self.agents.is_empty() || !self.profiles.is_empty();
        match role {
            Role::Admin => !by_profile && self.providers.is_empty(),
            Role::Operator | Role::Viewer => !by_profile,
            Role::Lease => true,
        }
    }
}

fn allows<T: PartialEq>(list: &[T], one: &T) -> bool {
    list.is_empty() || list.contains(one)
}

/// Reads a network, `192.0.2.0/24` or `2001:db8::/32`, or one address. Bits behind the prefix do not
/// count.
///
/// # Errors
/// What a network looks like, if the text is none.
pub fn parse_network(text: &str) -> Result<Network, String> {
    let text = text.trim();
    let network = text.parse::<Network>().ok();
    let address = || text.parse::<IpAddr>().ok().map(Network::from);
    let network = network.or_else(address).map(|network| network.trunc());
    network.ok_or_else(|| {
        "expected an address or a network such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_it_is_for() {
        use Action::{
            LogIn, LogOut, ManageKeys, ReadCredentials, ReadMetrics, ReadStatus, TakeToken,
        };
        let actions = [
            ReadStatus,
            ReadCredentials,
            ReadMetrics,
            LogIn,
            LogOut,
            TakeToken,
            ManageKeys,
        ];
        for (role, may) in [
            (Role::Admin, "yyyyyyy"),
            (Role::Operator, "yyyyynn"),
            (Role::Viewer, "yyynnnn"),
            (Role::Lease, "nnnnnyn"),
        ] {
            let answers = actions.map(|action| if role.may(action) { 'y' } else { 'n' });
            assert_eq!(String::from_iter(answers), may, "{role:?}");
        }
    }

    #[test]
    fn a_scope_limits_only_what_it_names() {
        let provider = |id| ProviderId::parse(id).unwrap();
        let profile = |id| ProfileId::parse(id).unwrap();
        let (codex, work) = (provider("openai-codex"), AgentId::normalise("work"));
        let scope = Scope {
            providers: vec![codex.clone()],
            profiles: vec![profile("openai-codex:a")],
            ..Scope::default()
        };
        let (a, b) = (profile("openai-codex:a"), profile("openai-codex:b"));
        assert!(scope.covers_provider(&codex) && !scope.covers_provider(&provider("anthropic")));
        assert!(
            scope.covers_profile(&codex, &work, &a) && !scope.covers_profile(&codex, &work, &b)
        );
        assert!(!scope.covers_profile(&provider("anthropic"), &work, &a));
        let scope = Scope {
            agents: vec![work.clone()],
            ..Scope::default()
        };
        assert!(scope.covers_profile(&codex, &work, &b) && !scope.covers(&codex, &AgentId::main()));
        assert!(Scope::default().covers_profile(&codex, &work, &a));
    }

    #[test]
    fn a_role_has_only_limits_that_hold() {
        let scope = |providers: &[&str], agents: &[&str]| Scope {
            providers: providers
                .iter()
                .map(|id| ProviderId::parse(id).unwrap())
                .collect(),
            agents: agents.iter().map(|id| AgentId::normalise(id)).collect(),
            networks: vec![parse_network("10.0.0.0/8").unwrap()],
            ..Scope::default()
        };
        for (scope, fits) in [
            (scope(&[], &[]), [true, true, true, true]),
            (scope(&["anthropic"], &[]), [false, true, true, true]),
            (scope(&[], &["work"]), [false, false, false, true]),
        ] {
            let roles = [Role::Admin, Role::Operator, Role::Viewer, Role::Lease];
            assert_eq!(roles.map(|role| scope.suits(role)), fits, "{scope:?}");
        }
    }

    #[test]
    fn a_network_admits_the_addresses_within() {
        let at = |networks: &[&str], address: &str| {
            let networks = networks.iter().map(|text| parse_network(text).unwrap());
            let scope = Scope {
                networks: networks.collect(),
                ..Scope::default()
            };
            scope.admits(address.parse().unwrap())
        };
        assert!(at(&[], "192.0.2.1"));
        assert!(at(&["10.1.2.3/8"], "10.200.0.1"));
        assert!(!at(&["10.0.0.0/8"], "11.0.0.1"));
        assert!(at(&["10.0.0.0/8"], "::ffff:10.0.0.1"));
        assert!(at(&["192.0.2.7"], "192.0.2.7") && !at(&["192.0.2.7"], "192.0.2.8"));
        assert!(at(&["2001:db8::/32", "192.0.2.7"], "2001:db8:1::1"));
        assert!(parse_network("10.0.0.0/33").is_err() && parse_network("home").is_err());
    }
}
