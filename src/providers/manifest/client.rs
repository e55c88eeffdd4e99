//! The `[client]` table.

use serde::Deserialize;

use crate::model::provider::checked::{
    Address, Checked as _, HostPattern, Line, SecretName, Variable,
};
use crate::model::provider::referable::Referable;
use crate::model::provider::{ClientAuth, ClientValue, Registration};
use crate::model::secret::Secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientTable {
    id: Option<Referable<Line>>,
    #[serde(default)]
    id_env: Vec<Variable>,
    secret: Option<Referable<SecretName>>,
    #[serde(default)]
    secret_env: Vec<Variable>,
    #[serde(default)]
    secret_required: bool,
    #[serde(default)]
    auth: ClientAuth,
    issuer: Option<Address>,
    authorize: Option<Address>,
    token: Option<Address>,
    device: Option<Address>,
    revoke: Option<Address>,
    #[serde(default)]
    hosts: Vec<HostPattern>,
}

impl ClientTable {
    pub(super) fn registration(self) -> Result<Registration, &'static str> {
        if self.id.is_none() && self.id_env.is_empty() {
            return Err(
                "[client] needs a client id: write id = \"...\", or id_env = [\"NAME\"] if \
                 users provide their own",
            );
        }
        if self.token.is_none() && self.issuer.is_none() {
            return Err(
                "[client] needs a token endpoint: write token = \"https://...\", or \
                 issuer = \"https://...\" for a server that publishes it",
            );
        }
        if self.secret_required && self.secret.is_none() && self.secret_env.is_empty() {
            return Err("secret_required is set, but there is no secret: \
                 write secret = \"${secret:NAME}\" or secret_env = [\"NAME\"]");
        }
        let (id, id_reference) = Referable::split(self.id);
        let (secret, secret_reference) = Referable::split(self.secret);
        Ok(Registration {
            id: ClientValue {
                env: self.id_env.plain(),
                secret: None,
                reference: id_reference,
                value: id.plain().map(Secret::new),
            },
            secret: ClientValue {
                env: self.secret_env.plain(),
                secret: secret.plain(),
                reference: secret_reference,
                value: None,
            },
            secret_required: self.secret_required,
            auth: self.auth,
            issuer: self.issuer.plain(),
            authorize: self.authorize.plain(),
            token: self.token.plain(),
            device: self.device.plain(),
            revoke: self.revoke.plain(),
            hosts: self.hosts.plain(),
        })
    }
}
