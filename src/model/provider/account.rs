//! Whose login it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::checked::{Address, Claim, Line, plain};
use super::claim::ClaimPath;

/// Where to find out whose login it is. Each place is `access_token` or `id_token`, then a JSON
/// pointer (RFC 6901) into its claims; or `response` or `userinfo` and a pointer into the token
/// response or the answer of the userinfo endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// The stable id of the account, in order of preference.
    #[serde(deserialize_with = "plain::<Vec<Claim>, _>")]
    pub id: Vec<ClaimPath>,
    /// The e-mail, in order of preference.
    #[serde(deserialize_with = "plain::<Vec<Claim>, _>")]
    pub email: Vec<ClaimPath>,
    /// The plan, for display.
    #[serde(deserialize_with = "plain::<Vec<Claim>, _>")]
    pub plan: Vec<ClaimPath>,
    /// Whether a login without an account id gets a warning. It is stored all the same, for its code
    /// is spent.
    pub required: bool,
    /// The userinfo endpoint (OpenID Connect Core section 5.3), asked once at login.
    #[serde(deserialize_with = "plain::<Option<Address>, _>")]
    pub userinfo: Option<String>,
    /// More members that the stored credential gets, by name, for programs that read the store.
    #[serde(deserialize_with = "plain::<BTreeMap<String, Claim>, _>")]
    pub keep: Vec<(String, ClaimPath)>,
    /// The member of the stored credential that gets the client id, for programs that refresh it
    /// themselves: OpenClaw's `clientId` of a Chutes login.
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub client_id_as: Option<String>,
}
