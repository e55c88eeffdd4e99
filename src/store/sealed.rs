//! The member `sealed` of a profile: its secrets, encrypted, in the document itself, so that one
//! replace still covers an access token and its refresh token.
//!
//! Beside it the members that it stands for are blank strings: without them early releases of OpenClaw
//! fail. What another program writes there counts before what is sealed, and the next write of ours
//! seals it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::credential::{Credential, OAuth};
use crate::model::env_reference;
use crate::model::exec_id::ExecId;
use crate::model::grant::GrantDigest;
use crate::model::id::ProfileId;
use crate::model::json::Verbatim;
use crate::model::seal::Seal;
use crate::model::secret::{SealFault, SealedSecret, Secret};
use crate::model::vault::{About, SealedPart, VaultFault};
use crate::ports::vault::Sealer;

use super::json_writer::Writer;
use super::keep::Keep;
use super::raw_json::{self, Members};

/// The name of the member.
pub(super) const SEALED: &str = "sealed";

const VERSION: u32 = 1;

/// The members that hold a secret, whatever the kind of the profile.
const FIELDS: [&str; 4] = [KEY, TOKEN, ACCESS, REFRESH];
pub(super) const KEY: &str = "key";
pub(super) const TOKEN: &str = "token";
pub(super) const ACCESS: &str = "access";
pub(super) const REFRESH: &str = "refresh";
/// Members that say where the key or the token lies instead.
const KEY_REF: &str = "keyRef";
const TOKEN_REF: &str = "tokenRef";

/// The member as JSON.
#[derive(Serialize, Deserialize)]
struct Member {
    v: u32,
    vault: String,
    /// The members that it stands for.
    fields: Vec<String>,
    #[serde(flatten)]
    seal: Seal,
    /// The fingerprint of what would be handed out.
    #[serde(rename = "fp", default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// The digest of the grant, so that a view finds it in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
}

/// A secret that was sealed, from the moment on at which it is read: what follows may be no JSON.
struct Opened(Secret<String>);

impl<'de> Deserialize<'de> for Opened {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Secret::new(text)))
    }
}

/// What every version of the member says.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Whether what is written is sealed.
pub(super) enum Sealing {
    /// It is not.
    Off,
    /// It is: this part of every profile.
    On(Arc<Sealer>, SealedPart),
    /// It would have to be, and the vault does not open.
    Closed(VaultFault),
}

/// The secrets of a sealed entry, by the members that they belong to.
#[derive(Default)]
pub(super) struct Secrets(Vec<(String, Secret<String>)>);

impl Secrets {
    /// Takes that of a member, unless the member itself has one.
    pub(super) fn fill(&mut self, name: &str, plain: &mut Option<Secret<String>>) {
        let is_blank = plain.as_ref().is_none_or(Secret::is_blank);
        if let Some(place) = self.0.iter().position(|(other, _)| other == name)
            && is_blank
        {
            *plain = Some(self.0.swap_remove(place).1);
        }
    }
}

/// Reads what is sealed of an entry whose provider was taken. Opened, it leaves no trace among the
/// members; else it stays there as it is.
pub(super) fn read(
    id: &ProfileId,
    provider: &str,
    members: &mut Members<'_>,
    keep: &mut Keep,
) -> Secrets {
    let Some(raw) = members.get(SEALED) else {
        return Secrets::default();
    };
    let member: Option<Member> = raw_json::read(raw);
    let version = raw_json::read(raw).map(|Version { v }| v);
    let opened = match &member {
        _ if version.is_some_and(|version| version > VERSION) => Err(Some(SealFault::Newer)),
        Some(member) if member.v == VERSION => open(id, provider, member, keep),
        _ => Err(Some(SealFault::Damaged)),
    };
    match opened {
        Ok(secrets) => {
            members.take(SEALED);
            secrets
        }
        Err(fault) => closed(member.as_ref(), members, fault.as_ref()),
    }
}

/// Opens what is sealed; no fault if there is no key.
fn open(
    id: &ProfileId,
    provider: &str,
    member: &Member,
    keep: &mut Keep,
) -> Result<Secrets, Option<SealFault>> {
    let Some(sealer) = keep.sealer() else {
        keep.leave_closed();
        return Err(None);
    };
    if member.vault != sealer.vault.as_str() {
        return Err(Some(SealFault::OtherVault(shown(&member.vault))));
    }
    let about = About::Profile(id.as_str(), provider);
    let opened = sealer.open(about, &member.seal);
    let bytes = opened.map_err(|_| SealFault::Damaged)?;
    let secrets: Option<BTreeMap<String, Opened>> = serde_json::from_slice(bytes.expose()).ok();
    let secrets = secrets.ok_or(SealFault::Damaged)?.into_iter();
    let secrets: Vec<_> = secrets
        .map(|(name, Opened(secret))| (name, secret))
        .collect();
    match secrets.iter().all(|(name, _)| FIELDS.contains(&&**name)) {
        true => Ok(Secrets(secrets)),
        false => Err(Some(SealFault::Newer)),
    }
}

/// What stands for the secrets of an entry that stays closed. Where it cannot be told which they are,
/// every blank member is one.
fn closed(member: Option<&Member>, members: &Members<'_>, fault: Option<&SealFault>) -> Secrets {
    let is_blank = |name: &&str| {
        let text = members.get(name).and_then(raw_json::text);
        text.is_some_and(|text| text.trim().is_empty())
    };
    let fields = member.map(|member| member.fields.as_slice());
    let is_named = |name: &&str| fields.is_some_and(|all| all.iter().any(|field| field == name));
    // Of a seal that does not open nothing proves that it is of this profile.
    let is_told = fields.is_some() && fault.is_none();
    let names: Vec<&str> = FIELDS
        .into_iter()
        .filter(|name| is_named(name) || (!is_told && is_blank(name)))
        .collect();
    let known = |name: &str| SealedSecret {
        grant: member
            .and_then(|member| member.grant.clone())
            .filter(|grant| name == REFRESH && GrantDigest::parse(grant).is_some()),
        fingerprint: member
            .and_then(|member| member.fingerprint.clone())
            .filter(|text| name != REFRESH && is_fingerprint(text)),
        fault: fault.cloned(),
    };
    let secrets = names.into_iter();
    Secrets(
        secrets
            .map(|name| (name.to_owned(), Secret::sealed(known(name))))
            .collect(),
    )
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn shown(vault: &str) -> String {
    crate::model::id::printable(vault, 40)
}

/// What is written of the secrets of a credential.
pub(super) enum Written {
    /// Each as it is.
    Plain,
    /// Those that are sealed blank, and this member.
    Sealed(Verbatim, Vec<&'static str>),
    /// Those that are sealed blank, and the member as it is.
    AsItIs,
}

/// Seals what is to be sealed of a credential.
///
/// # Errors
/// If something is to be sealed, and cannot be.
pub(super) fn write(
    id: &ProfileId,
    credential: &Credential,
    sealing: &Sealing,
) -> Result<Written, VaultFault> {
    let secrets = secrets(credential);
    let has_closed = secrets.iter().any(|(_, secret)| is_closed(secret));
    let as_it_is = match has_closed {
        true => Written::AsItIs,
        false => Written::Plain,
    };
    let (part, sealer) = match sealing {
        Sealing::Off => return Ok(as_it_is),
        Sealing::On(sealer, part) => (*part, Ok(sealer)),
        Sealing::Closed(fault) => (SealedPart::All, Err(fault)),
    };
    let mut open: Vec<_> = secrets
        .into_iter()
        .filter(|(name, secret)| is_to_be_sealed(name, secret.expose(), part))
        .collect();
    if open.is_empty() {
        return Ok(as_it_is);
    }
    let sealer = sealer.map_err(Clone::clone)?;
    let before = match has_closed {
        true => reopen(id, credential, sealer)?,
        false => Secrets::default(),
    };
    for (name, secret) in &before.0 {
        if let Some(name) = FIELDS.into_iter().find(|field| field == name)
            && !open.iter().any(|(other, _)| *other == name)
        {
            open.push((name, secret));
        }
    }
    let member = seal(id, credential, sealer, &open)?;
    Ok(Written::Sealed(
        member,
        open.iter().map(|(name, _)| *name).collect(),
    ))
}

fn seal(
    id: &ProfileId,
    credential: &Credential,
    sealer: &Sealer,
    open: &[(&'static str, &Secret<String>)],
) -> Result<Verbatim, VaultFault> {
    // This writer wipes what it outgrows.
    let plain = Writer::object(|all| {
        for (name, secret) in open {
            all.text(name, secret.expose());
        }
    });
    let plain = plain.into_file();
    let about = About::Profile(id.as_str(), credential.raw_provider());
    let fingerprint = credential.shown_secret().and_then(Secret::fingerprint);
    let grant = credential.as_oauth().and_then(OAuth::grant);
    let member = Member {
        v: VERSION,
        vault: sealer.vault.to_string(),
        fields: open.iter().map(|(name, _)| (*name).to_owned()).collect(),
        seal: sealer.seal(about, plain.expose())?,
        fingerprint: fingerprint.and_then(|text| Some(text.strip_prefix("sha256:")?.to_owned())),
        grant: grant.map(|grant| grant.to_string()),
    };
    let text = serde_json::to_string(&member);
    text.map(Verbatim::new)
        .map_err(|error| VaultFault::Failed(error.to_string()))
}

/// Opens what is sealed of a credential that was read while it was closed.
fn reopen(
    id: &ProfileId,
    credential: &Credential,
    sealer: &Arc<Sealer>,
) -> Result<Secrets, VaultFault> {
    let member = credential.extra().get(SEALED);
    let member: Option<Member> = member.and_then(|text| serde_json::from_str(text).ok());
    let mut keep = Keep::all().opening(Some(Arc::clone(sealer)));
    let opened =
        member.and_then(|member| open(id, credential.raw_provider(), &member, &mut keep).ok());
    opened.ok_or_else(|| {
        let why = format!("{id} is sealed, and its seal does not open; nothing was changed");
        VaultFault::Failed(why)
    })
}

/// The secrets of a credential, by their members.
fn secrets(credential: &Credential) -> Vec<(&'static str, &Secret<String>)> {
    let all = match credential {
        Credential::ApiKey(one) => vec![(KEY, &one.key)],
        Credential::Token(one) => vec![(TOKEN, &one.token)],
        Credential::OAuth(one) => vec![(ACCESS, &one.access), (REFRESH, &one.refresh)],
    };
    let all = all.into_iter();
    all.filter_map(|(name, secret)| Some((name, secret.as_ref()?)))
        .collect()
}

fn is_closed(secret: &Secret<String>) -> bool {
    secret.as_sealed().is_some()
}

/// A reference to a variable is no secret.
fn is_to_be_sealed(name: &str, text: &str, part: SealedPart) -> bool {
    let is_in_part = part == SealedPart::All || name == REFRESH;
    is_in_part && !text.trim().is_empty() && env_reference::variable(text).is_none()
}

/// The vault in which a secret of a credential is sealed that was not opened.
pub(super) fn vault_of(credential: &Credential) -> Option<String> {
    let text = credential
        .is_sealed()
        .then(|| credential.extra().get(SEALED))??;
    let member: Member = serde_json::from_str(text).ok()?;
    Some(shown(&member.vault))
}

/// Whether a member refers OpenClaw to this program for the secret of the same profile. It stands
/// beside a seal and never beside a secret in the clear, which later releases take for a leftover: they
/// remove it when they write.
pub(super) fn is_own_reference(name: &str, value: &str, id: &ProfileId) -> bool {
    [KEY_REF, TOKEN_REF].contains(&name) && ExecId::is_reference_to(id, value)
}

/// Whether an entry that nobody changed is written anew all the same: it has in the clear what is to
/// be sealed, or is sealed in another way than it should be.
pub(super) fn is_outdated(
    text: &str,
    (id, credential): (&ProfileId, &Credential),
    sealing: &Sealing,
) -> bool {
    let Ok(members) = Members::read(text) else {
        return false;
    };
    let member: Option<Member> = members.get(SEALED).and_then(raw_json::read);
    let is_open = !credential.is_sealed();
    let in_clear = |part: SealedPart| {
        let own = secrets(credential).into_iter();
        let mut own = own.filter_map(|(name, _)| Some((name, raw_json::text(members.get(name)?)?)));
        own.any(|(name, text)| is_to_be_sealed(name, &text, part))
    };
    let is_beside_reference = || {
        let extra = &credential.extra().0;
        let mut references = extra.iter();
        references.any(|(name, value)| is_own_reference(name, value.as_str(), id))
            && in_clear(SealedPart::All)
    };
    match sealing {
        // It was opened to be so.
        Sealing::Off => is_open && (member.is_some() || is_beside_reference()),
        Sealing::Closed(_) => false,
        Sealing::On(sealer, part) => {
            let is_other = |member: &Member| {
                let too_much = |name: &String| *part == SealedPart::Refresh && name != REFRESH;
                let about = About::Profile(id.as_str(), credential.raw_provider());
                sealer.is_outdated(about, &member.seal) || member.fields.iter().any(too_much)
            };
            in_clear(*part)
                || is_beside_reference()
                || (is_open && member.as_ref().is_some_and(is_other))
        }
    }
}
