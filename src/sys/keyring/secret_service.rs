//! The Secret Service of the session (freedesktop.org, version 0.2): GNOME Keyring, KWallet, KeePassXC.
//!
//! Each step has the limit, the connection to the bus included. The service never asks the person: an
//! operation that wants a prompt is one on a locked keyring, and the prompt is not started. The secret
//! passes the bus in clear (the algorithm `plain`): whoever may read that socket may ask for the item,
//! too.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;
use zbus::wire::{DynamicDeserialize, DynamicType, Type};
use zbus::{Connection, DBusError as _, OwnedObjectPath, OwnedVariant, Variant, connection};

use super::bus_address::{BusSocket, sockets};
use super::{LIMIT, check_given_back};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::secret_shape::hide_secrets;
use crate::ports::host::Env;
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};
use crate::sys::env::names::{RUNTIME_DIR, SESSION_BUS};

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
/// What stands for no object.
const NONE: &str = "/";
/// As much is shown of what others say.
const WORDS: usize = 200;

/// A method, by its interface and its name.
type Method = (&'static str, &'static str);

const OPEN_SESSION: Method = ("org.freedesktop.Secret.Service", "OpenSession");
const SEARCH_ITEMS: Method = ("org.freedesktop.Secret.Service", "SearchItems");
const READ_ALIAS: Method = ("org.freedesktop.Secret.Service", "ReadAlias");
const CREATE_ITEM: Method = ("org.freedesktop.Secret.Collection", "CreateItem");
const GET_SECRET: Method = ("org.freedesktop.Secret.Item", "GetSecret");
const SET_SECRET: Method = ("org.freedesktop.Secret.Item", "SetSecret");
const DELETE: Method = ("org.freedesktop.Secret.Item", "Delete");
const GET_PROPERTY: Method = ("org.freedesktop.DBus.Properties", "Get");

/// The Secret Service that the bus of this session leads to.
#[derive(Debug)]
pub struct SecretService {
    sockets: Vec<BusSocket>,
    /// The variable's value, if there is one.
    address: Option<String>,
    limit: Duration,
}

impl SecretService {
    /// The one of the session that the environment tells of. Nothing is opened yet.
    pub fn new(env: &dyn Env) -> Self {
        Self::with_limit(env, LIMIT)
    }

    /// The same with another limit for each step.
    pub fn with_limit(env: &dyn Env, limit: Duration) -> Self {
        let runtime_dir = env.plain(RUNTIME_DIR).map_or_else(
            || format!("/run/user/{}", rustix::process::geteuid().as_raw()).into(),
            PathBuf::from,
        );
        let address = env.plain(SESSION_BUS);
        let sockets = match &address {
            Some(address) => sockets(address, &runtime_dir),
            None => vec![BusSocket::within(&runtime_dir)],
        };
        Self {
            sockets,
            address,
            limit,
        }
    }

    /// Has a conversation with the service, on a connection of its own.
    fn converse<T>(
        &self,
        talk: impl AsyncFnOnce(&Conversation) -> Result<T, KeyringFault>,
    ) -> Result<T, KeyringFault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| KeyringFault::Refused(error.to_string()))?;
        runtime.block_on(async {
            let bus = self.connect().await?;
            let limit = self.limit;
            talk(&Conversation { bus, limit }).await
        })
    }

    /// Connects to the first socket that somebody listens on.
    async fn connect(&self) -> Result<Connection, KeyringFault> {
        let mut fault = self.unusable_address();
        for socket in &self.sockets {
            match within(self.limit, UnixStream::connect(socket.path())).await? {
                Ok(stream) => return greet(self.limit, stream, socket).await,
                Err(error) => {
                    let place = socket.shown();
                    let words = format!("could not connect to the session bus at {place}: {error}");
                    fault = KeyringFault::Missing(words);
                }
            }
        }
        Err(fault)
    }

    /// The fault of an address without any socket.
    fn unusable_address(&self) -> KeyringFault {
        let address = printable(self.address.as_deref().unwrap_or_default(), WORDS);
        let words = format!("{SESSION_BUS} names no Unix socket: \"{address}\"");
        KeyringFault::Missing(words)
    }
}

impl Keyring for SecretService {
    fn get(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        self.converse(async |service| service.read(item).await)
    }

    fn put(
        &self,
        item: &KeyringItem,
        label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault> {
        self.converse(async |service| {
            service.write(item, label, secret).await?;
            check_given_back(service.read(item).await?.as_ref(), secret)
        })
    }

    fn remove(&self, item: &KeyringItem) -> Result<bool, KeyringFault> {
        self.converse(async |service| {
            let found = service.find(item).await?;
            for path in &found {
                let prompt: OwnedObjectPath = service.call(path, DELETE, &()).await?;
                unprompted(&prompt)?;
            }
            Ok(!found.is_empty())
        })
    }
}

/// Waits for a step no longer than the limit.
async fn within<T>(limit: Duration, step: impl Future<Output = T>) -> Result<T, KeyringFault> {
    let waited = timeout(limit, step).await;
    waited.map_err(|_| KeyringFault::Silent { limit })
}

/// Authenticates on a bus that is this user's or root's. A name of the abstract namespace belongs to
/// whoever takes it first.
async fn greet(
    limit: Duration,
    stream: UnixStream,
    socket: &BusSocket,
) -> Result<Connection, KeyringFault> {
    let owner = stream.peer_cred().map_err(io_fault)?.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        let place = socket.shown();
        let words = format!("the session bus at {place} is run by another user ({owner})");
        return Err(KeyringFault::Missing(words));
    }
    let stream = stream.into_std().map_err(io_fault)?;
    let connected = connection::Builder::unix_stream(stream).build();
    within(limit, connected).await?.map_err(fault)
}

/// One connection to the bus.
struct Conversation {
    bus: Connection,
    limit: Duration,
}

impl Conversation {
    /// Calls a method of an object of the service.
    async fn call<B, R>(&self, object: &str, method: Method, body: &B) -> Result<R, KeyringFault>
    where
        B: Serialize + DynamicType,
        R: for<'d> DynamicDeserialize<'d>,
    {
        let (interface, member) = method;
        let call = self
            .bus
            .call_method(Some(NAME), object, Some(interface), member, body);
        let reply = within(self.limit, call).await?.map_err(fault)?;
        reply.body().deserialize().map_err(fault)
    }

    /// Finds the items with these attributes that are open.
    ///
    /// None is a fault where it may be there and cannot be seen.
    async fn find(&self, item: &KeyringItem) -> Result<Vec<OwnedObjectPath>, KeyringFault> {
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = self
            .call(SERVICE, SEARCH_ITEMS, &(attributes(item),))
            .await?;
        if open.is_empty() {
            if !locked.is_empty() {
                return Err(KeyringFault::Locked);
            }
            self.open_collection().await?;
        }
        Ok(open)
    }

    /// Returns the default collection, if that is there and open.
    async fn open_collection(&self) -> Result<OwnedObjectPath, KeyringFault> {
        let path: OwnedObjectPath = self.call(SERVICE, READ_ALIAS, &("default",)).await?;
        if path.as_str() == NONE {
            return Err(KeyringFault::NoCollection);
        }
        let asked = ("org.freedesktop.Secret.Collection", "Locked");
        let is_locked: OwnedVariant = self.call(&path, GET_PROPERTY, &asked).await?;
        match bool::try_from(is_locked) {
            Ok(false) => Ok(path),
            Ok(true) => Err(KeyringFault::Locked),
            Err(error) => Err(refused(&error.to_string())),
        }
    }

    /// Opens a session, in which secrets are handed over as they are.
    async fn open_session(&self) -> Result<OwnedObjectPath, KeyringFault> {
        let asked = ("plain", Variant::from(""));
        let (_, session): (OwnedVariant, OwnedObjectPath) =
            self.call(SERVICE, OPEN_SESSION, &asked).await?;
        Ok(session)
    }

    async fn read(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        let Some(path) = self.find(item).await?.into_iter().next() else {
            return Ok(None);
        };
        let session = self.open_session().await?;
        // Session, parameters, secret, content type.
        type Handed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
        let ((_, _, secret, _),): (Handed,) = self.call(&path, GET_SECRET, &(session,)).await?;
        Ok(Some(Secret::new(secret)))
    }

    /// Replaces the secret of the item that is found, which may be in any collection, or creates one
    /// in the default collection.
    async fn write(
        &self,
        item: &KeyringItem,
        label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault> {
        let found = self.find(item).await?.into_iter().next();
        let session = self.open_session().await?;
        let none: &[u8] = &[];
        let secret = secret.expose().as_slice();
        let handed = (session, none, secret, "application/octet-stream");
        let Some(path) = found else {
            return self.create(item, label, &handed).await;
        };
        self.call(&path, SET_SECRET, &(handed,)).await
    }

    async fn create<S>(
        &self,
        item: &KeyringItem,
        label: &str,
        handed: &S,
    ) -> Result<(), KeyringFault>
    where
        S: Serialize + Type,
    {
        let collection = self.open_collection().await?;
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant::from(label)),
            (
                "org.freedesktop.Secret.Item.Attributes",
                Variant::from(attributes(item)),
            ),
        ]);
        let asked = (properties, handed, true);
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
            self.call(&collection, CREATE_ITEM, &asked).await?;
        unprompted(&prompt)
    }
}

/// What an item is found by.
fn attributes(item: &KeyringItem) -> HashMap<&str, &str> {
    HashMap::from([
        ("service", item.service.as_str()),
        ("account", item.account.as_str()),
    ])
}

/// Whether it was done without a prompt, that is on an open keyring.
fn unprompted(prompt: &OwnedObjectPath) -> Result<(), KeyringFault> {
    match prompt.as_str() {
        NONE => Ok(()),
        _ => Err(KeyringFault::Locked),
    }
}

fn io_fault(error: std::io::Error) -> KeyringFault {
    fault(error.into())
}

fn refused(words: &str) -> KeyringFault {
    KeyringFault::Refused(printable(&hide_secrets(words), WORDS))
}

/// Translates an error, by the name that it has on the bus.
fn fault(error: zbus::Error) -> KeyringFault {
    let (name, words) = match error {
        zbus::Error::MethodError(name, words, _) => (name.to_string(), words),
        zbus::Error::FDO(error) => {
            let words = error.description().map(str::to_owned);
            (error.name().to_string(), words)
        }
        other => return refused(&other.to_string()),
    };
    let words = words.unwrap_or_else(|| "no details".to_owned());
    let other = name.strip_prefix("org.freedesktop.DBus.Error.");
    match (name.as_str(), other) {
        ("org.freedesktop.Secret.Error.IsLocked", _) => KeyringFault::Locked,
        // Nobody has the name, and the bus knows no program that would take it.
        (_, Some("ServiceUnknown" | "NameHasNoOwner" | "Spawn.ServiceNotFound")) => {
            let words = printable(&hide_secrets(&words), WORDS);
            KeyringFault::Missing(format!("no program of this session keeps secrets: {words}"))
        }
        _ => refused(&format!("{words} ({name})")),
    }
}
