//! What a bundle holds, and its text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::context::Context;
use crate::model::bundle::{BundleHead, BundleId, ForDatabase};
use crate::model::grant::GrantRecord;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::secret_buffer::SecretBuffer;
use crate::model::time::Timestamp;
use crate::model::vault::SecretName;
use crate::ports::bundle::BundleFault;

const VERSION: u64 = 1;

/// The content of a bundle.
pub(super) struct Content {
    /// Which bundle it is.
    pub(super) head: BundleHead,
    /// The secrets that have names.
    pub(super) secrets: Vec<(SecretName, Secret<String>)>,
    /// What the agents hold.
    pub(super) agents: Vec<AgentContent>,
}

/// What one agent holds.
pub(super) struct AgentContent {
    /// The agent.
    pub(super) agent: AgentId,
    /// Its profiles, and in which order they are used.
    pub(super) document: AuthProfiles,
    /// Where the grants came from whose refresh tokens went along, so that the other machine sends
    /// them nowhere else.
    pub(super) grants: Vec<GrantRecord>,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(rename = "openclawBundle")]
    version: u64,
    id: BundleId,
    created: Timestamp,
    #[serde(rename = "move")]
    is_move: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<ForDatabase>,
    #[serde(borrow)]
    secrets: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow)]
    agents: Vec<WireAgent<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireAgent<'a> {
    agent: String,
    #[serde(borrow)]
    document: &'a RawValue,
    grants: Vec<GrantRecord>,
}

/// What every version says.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "openclawBundle")]
    version: u64,
}

impl Content {
    /// The text that is sealed.
    pub(super) fn write(&self, cx: Context<'_>) -> Result<Secret<Vec<u8>>, serde_json::Error> {
        let texts = self.agents.iter();
        let texts: Vec<_> = texts
            .map(|one| cx.store_files.to_text(&one.document))
            .collect();
        let agents = self.agents.iter().zip(&texts).map(|(one, text)| {
            Ok(WireAgent {
                agent: one.agent.to_string(),
                document: serde_json::from_slice(text.expose())?,
                grants: one.grants.clone(),
            })
        });
        let secrets = self.secrets.iter();
        let wire = Wire {
            version: VERSION,
            id: self.head.id.clone(),
            created: self.head.created,
            is_move: self.head.is_move,
            database: self.head.database.clone(),
            secrets: secrets
                .map(|(name, value)| (name.as_str().into(), value.expose().as_str().into()))
                .collect(),
            agents: agents.collect::<Result<_, serde_json::Error>>()?,
        };
        let mut buffer = SecretBuffer::default();
        serde_json::to_writer(&mut buffer, &wire)?;
        Ok(buffer.into_secret())
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// If it is none, or of a later release.
    pub(super) fn read(cx: Context<'_>, text: &Secret<Vec<u8>>) -> Result<Self, BundleFault> {
        let damaged =
            |what: &str| BundleFault::Damaged(format!("its content cannot be read: {what}"));
        let text = text.expose().as_slice();
        match serde_json::from_slice::<Version>(text) {
            Ok(Version { version: VERSION }) => {}
            Ok(Version { version }) if version > VERSION => return Err(BundleFault::Newer),
            _ => return Err(damaged("it does not say its version")),
        }
        // Nothing of it is quoted.
        let wire: Wire<'_> = serde_json::from_slice(text)
            .map_err(|_| damaged("id, created, move, secrets or agents are missing or no such"))?;
        let secrets = wire.secrets.into_iter().map(|(name, value)| {
            let name =
                SecretName::parse(&name).map_err(|_| damaged("a secret has no valid name"))?;
            Ok((name, Secret::new(value.into_owned())))
        });
        let agents = wire.agents.into_iter().map(|one| {
            let document = cx.store_files.parse_text(one.document.get());
            Ok(AgentContent {
                agent: AgentId::normalise(&one.agent),
                document: document.map_err(|_| damaged("the profiles of an agent"))?,
                grants: one.grants,
            })
        });
        Ok(Self {
            head: BundleHead {
                id: wire.id,
                created: wire.created,
                is_move: wire.is_move,
                database: wire.database,
            },
            secrets: secrets.collect::<Result<_, BundleFault>>()?,
            agents: agents.collect::<Result<_, BundleFault>>()?,
        })
    }
}
