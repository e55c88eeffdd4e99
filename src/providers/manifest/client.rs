//! The `[client]` table.

use serde::Deserialize;

use super::super::checked::{Address, HostPattern, Line, SecretName, Variable, texts};
use crate::model::provider::{ClientAuth, Given, Registration};
use crate::model::secret::Secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientTable {
    id: Option<Line>,
    #[serde(default)]
    id_env: Vec<Variable>,
    secret: Option<SecretName>,
    #[serde(default)]
    secret_env: Vec<Variable>,
    #[serde(default)]
    secret_required: bool,
    #[serde(default)]
    auth: AuthName,
    issuer: Option<Address>,
    authorize: Option<Address>,
    token: Option<Address>,
    device: Option<Address>,
    revoke: Option<Address>,
    #[serde(default)]
    hosts: Vec<HostPattern>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AuthName {
    #[default]
    Post,
    Basic,
}

impl ClientTable {
    pub(super) fn registration(self) -> Result<Registration, &'static str> {
        if self.id.is_none() && self.id_env.is_empty() {
            return Err(
                "[client] needs a client id: write id = \"...\", or id_env = [\"NAME\"] for one \
                 that the user brings",
            );
        }
        if self.token.is_none() && self.issuer.is_none() {
            return Err(
                "[client] needs a token endpoint: write token = \"https://...\", or \
                 issuer = \"https://...\" for a server that tells it",
            );
        }
        if self.secret_required && self.secret.is_none() && self.secret_env.is_empty() {
            return Err(
                "secret_required says that nothing goes without a secret, and none is named: \
                 write secret = \"${secret:NAME}\" or secret_env = [\"NAME\"]",
            );
        }
        let address = |address: Option<Address>| address.map(|address| address.0);
        Ok(Registration {
            id: Given {
                env: texts(self.id_env),
                secret: None,
                value: self.id.map(|id| Secret::new(id.0)),
            },
            secret: Given {
                env: texts(self.secret_env),
                secret: self.secret.map(|name| name.0),
                value: None,
            },
            secret_required: self.secret_required,
            auth: match self.auth {
                AuthName::Post => ClientAuth::Post,
                AuthName::Basic => ClientAuth::Basic,
            },
            issuer: address(self.issuer),
            authorize: address(self.authorize),
            token: address(self.token),
            device: address(self.device),
            revoke: address(self.revoke),
            hosts: self.hosts.into_iter().map(|host| host.0).collect(),
        })
    }
}
