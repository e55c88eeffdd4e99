//! A declared provider: another one's manifest with the user's declaration laid over it.

use crate::model::declared::{Declared, DeclaredFlow};
use crate::model::provider::{
    Billing, ClientCredentialsFlow, ClientValue, Flow, Provider, Registration,
};

/// Lays it over.
///
/// # Errors
/// Returns what the manifest lacks for it, a sentence.
pub(super) fn overlay(base: Provider, declared: &Declared) -> Result<Provider, String> {
    let Some(registration) = &base.registration else {
        return Err(format!("{} has no OAuth client to log in with", base.id));
    };
    let has_own_client = declared.client_id.is_some();
    let mut provider = Provider {
        id: declared.id.clone(),
        // They stay with the other provider.
        aliases: Vec::new(),
        registration: Some(client(registration, declared)),
        flows: vec![flow(&base, declared)?],
        // A key of the other provider is no login of this client; its programs take the token all
        // the same.
        env: Vec::new(),
        tool_env: [base.env.as_slice(), &base.tool_env].concat(),
        ambient: Vec::new(),
        default_model: None,
        ..base
    };
    provider.refresh.automatic = declared.automatic;
    provider.refresh.margin = declared.margin.unwrap_or(provider.refresh.margin);
    if has_own_client {
        provider.policy = None;
        // What the vendor's own client is told of an account, another one may not be.
        provider.account.required = false;
        // Nor does the vendor's plan pay for it, as far as anybody knows.
        provider.billing = Billing::default();
    }
    Ok(provider)
}

/// A client of one's own keeps nothing of the vendor's: its secret, or that it has none, is what
/// the declaration says.
fn client(base: &Registration, declared: &Declared) -> Registration {
    let mut client = base.clone();
    if let Some(id) = &declared.client_id {
        client.id = id.clone();
        client.secret = ClientValue::default();
        client.secret_required = false;
    }
    if let Some(secret) = &declared.client_secret {
        client.secret = secret.clone();
        client.secret_required = true;
    }
    client.auth = declared.client_auth.unwrap_or(client.auth);
    client
}

fn flow(base: &Provider, declared: &Declared) -> Result<Flow, String> {
    match &declared.flow {
        DeclaredFlow::AuthorizationCode { redirect } => {
            let browser = base.browser().filter(|flow| flow.key_exchange.is_none());
            let Some(browser) = browser else {
                return Err(format!("{} does not support browser login", base.id));
            };
            let mut flow = browser.clone();
            if let Some(redirect) = redirect {
                flow.redirect = redirect.clone();
                flow.redirect_env = None;
            }
            if let Some(scopes) = &declared.scopes {
                flow.scopes.clone_from(scopes);
                flow.scopes_env = None;
            }
            Ok(Flow::Browser(flow))
        }
        DeclaredFlow::ClientCredentials => {
            let base = base.client_credentials().cloned().unwrap_or_default();
            Ok(Flow::ClientCredentials(ClientCredentialsFlow {
                scopes: declared.scopes.clone().unwrap_or(base.scopes),
                ..base
            }))
        }
    }
}
