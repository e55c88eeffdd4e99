//! The OAuth client: what a manifest says of it, and what is used once all of it is known.

use serde::Deserialize;

use crate::model::grant::Binding;
use crate::model::secret::Secret;

/// The client and the server's endpoints as a manifest names them. What it leaves open the user
/// brings (client id and secret) or the server's metadata tells (RFC 8414).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// `client_id`.
    pub id: ClientValue,
    /// `client_secret`. No secret of another vendor is ever shipped, so the user brings it.
    pub secret: ClientValue,
    /// Whether the secret is required; else a client without one is a public client.
    pub secret_required: bool,
    /// The authentication method of a client that has a secret.
    pub auth: ClientAuth,
    /// The issuer: where metadata is fetched from, and what `iss` is compared with (RFC 9207).
    pub issuer: Option<String>,
    /// The authorization endpoint.
    pub authorize: Option<String>,
    /// The token endpoint.
    pub token: Option<String>,
    /// The device authorization endpoint (RFC 8628 section 3.1).
    pub device: Option<String>,
    /// The revocation endpoint (RFC 7009).
    pub revoke: Option<String>,
    /// Hosts on which the endpoints that metadata names may lie, on any port, `*.` in front for
    /// every host below; empty for the issuer's own origin.
    pub hosts: Vec<String>,
}

impl Registration {
    /// Reports whether the server's metadata is needed before anything can be sent.
    pub fn needs_metadata(&self) -> bool {
        self.token.is_none()
    }
}

/// A value that a manifest gives or a user brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientValue {
    /// Variables that may carry it; the first that is not blank wins, over everything else.
    pub env: Vec<String>,
    /// The name of a secret that is it: `${secret:NAME}`.
    pub secret: Option<String>,
    /// A reference to a secret that is it, as JSON, in the grammar of profiles.
    pub reference: Option<String>,
    /// The value itself.
    pub value: Option<Secret<String>>,
}

impl ClientValue {
    /// A fixed value.
    pub fn fixed(value: &str) -> Self {
        Self {
            value: Some(Secret::from(value)),
            ..Self::default()
        }
    }

    /// Reports whether it is kept as a secret, under a name or where a reference leads.
    pub fn is_secret(&self) -> bool {
        self.secret.is_some() || self.reference.is_some()
    }

    /// Reports whether neither the manifest nor the user can give it.
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.value.is_none() && !self.is_secret()
    }
}

/// Client authentication at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// `client_secret_post`: in the body.
    #[default]
    Post,
    /// `client_secret_basic`: in the `Authorization` header.
    Basic,
}

/// The resolved client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Whether the id is a stored secret, which is written to no other file.
    pub is_id_secret: bool,
    /// `client_secret`, if the client has one; else it is a public client.
    pub secret: Option<Secret<String>>,
    /// The client authentication method.
    pub auth: ClientAuth,
    /// The issuer, compared with `iss` of a callback and of an ID token.
    pub issuer: Option<String>,
    /// Whether the server announces `iss` on every callback, so that one without it is not its own
    /// (RFC 9207 section 2.4).
    pub sends_iss: bool,
    /// The authorization endpoint.
    pub authorize: Option<String>,
    /// The token endpoint.
    pub token: String,
    /// The device authorization endpoint.
    pub device: Option<String>,
    /// The revocation endpoint.
    pub revoke: Option<String>,
    /// The issuer's keys (RFC 7517).
    pub jwks: Option<String>,
    /// The userinfo endpoint that metadata names.
    pub userinfo: Option<String>,
}

impl Client {
    /// A public client at a token endpoint, with nothing else known.
    pub fn public(id: &str, token: &str) -> Self {
        Self {
            id: id.to_owned(),
            token: token.to_owned(),
            ..Self::default()
        }
    }

    /// Binds a grant to the token endpoint and the client that it is issued to.
    pub fn binding(&self) -> Binding {
        if self.is_id_secret {
            return Binding::to_secret_client(&self.token, &self.id);
        }
        Binding {
            token_endpoint: self.token.clone(),
            client_id: self.id.clone(),
        }
    }
}
