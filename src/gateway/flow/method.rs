//! The way in which a person logs in to a provider through a gateway.

use crate::app::gateway::provider::CHATGPT;
use crate::app::login;
use crate::app::login::noted::{Unfinished, Waits};
use crate::model::provider::{Provider, Redirect};

/// What is asked of ChatGPT: beside who logs in, the connectors of the account.
const CHATGPT_SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    "api.connectors.read",
    "api.connectors.invoke",
];

/// One of the ways, with a browser wherever the provider has that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The browser is redirected here, or its person brings what it was redirected to.
    Browser {
        /// The ports that may be listened on, none if a person brings the answer.
        ports: Vec<u16>,
        /// Instead of those of the provider's manifest.
        scopes: Option<Vec<String>>,
    },
    /// A code is shown here and entered at the provider, which is asked for the answer (RFC 8628).
    DeviceCode,
}

impl Method {
    /// The one of this provider; `None` if it has none of them.
    pub(super) fn of(provider: &Provider) -> Option<Self> {
        let by_browser = provider.browser().map(|flow| Self::Browser {
            ports: match &flow.redirect {
                Redirect::Loopback(loopback) => loopback.ports.clone(),
                Redirect::Elsewhere(_) => Vec::new(),
            },
            scopes: scopes(provider),
        });
        by_browser.or_else(|| provider.device().map(|_| Self::DeviceCode))
    }

    /// That of a login that another gateway began. This one listens on no port for it, and asks for nothing.
    pub(super) fn begun_elsewhere(how: &Unfinished) -> Self {
        match how {
            Unfinished::Waits(Waits::ForCode(_)) | Unfinished::Taken { is_polled: true } => {
                Self::DeviceCode
            }
            Unfinished::Waits(Waits::ForRedirect(_)) | Unfinished::Taken { is_polled: false } => {
                Self::Browser {
                    ports: Vec::new(),
                    scopes: None,
                }
            }
        }
    }

    /// Its name in a request for a login. Named, so that no other is offered beside it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Browser { .. } => "oauth",
            Self::DeviceCode => "device-code",
        }
    }

    /// The ports that it may listen on.
    pub(super) fn ports(&self) -> &[u16] {
        match self {
            Self::Browser { ports, .. } => ports,
            Self::DeviceCode => &[],
        }
    }

    /// The scopes to ask for, in the place of the provider's.
    pub(super) fn scopes(&self) -> Option<&Vec<String>> {
        match self {
            Self::Browser { scopes, .. } => scopes.as_ref(),
            Self::DeviceCode => None,
        }
    }
}

/// What is asked of this provider in the place of its manifest's scopes. Whoever describes a login of
/// their own says what it asks for.
fn scopes(provider: &Provider) -> Option<Vec<String>> {
    let is_own = provider.id.as_str() == CHATGPT && login::is_built_in(provider);
    is_own.then(|| CHATGPT_SCOPES.map(str::to_owned).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::ProviderId;
    use crate::model::provider::Flow;
    use crate::providers::catalogue::built_in;

    fn provider(id: &str) -> Provider {
        built_in(&ProviderId::parse(id).unwrap()).unwrap()
    }

    #[test]
    fn only_the_built_in_login_is_asked_for_connectors() {
        let codex = provider("openai-codex");
        assert_eq!(scopes(&codex).unwrap(), CHATGPT_SCOPES);
        let mut own = codex.clone();
        for flow in &mut own.flows {
            if let Flow::Browser(flow) = flow {
                flow.scopes = vec!["openid".to_owned()];
            }
        }
        assert_ne!(own.flows, codex.flows);
        assert_eq!(scopes(&own), None);
        assert_eq!(scopes(&provider("chutes")), None);
    }

    #[test]
    fn a_device_code_is_for_providers_without_a_browser() {
        let name = |id: &str| Method::of(&provider(id)).map(|method| method.name());
        assert_eq!(name("openai-codex"), Some("oauth"));
        for id in ["github-copilot", "qwen-portal", "minimax-portal", "xai"] {
            assert_eq!(name(id), Some("device-code"), "{id}");
        }
        assert_eq!(name("deepseek"), None);
    }
}
