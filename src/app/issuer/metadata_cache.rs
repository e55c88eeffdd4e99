//! Metadata of issuers, fetched once and cached.
//!
//! One file per issuer in `<state>/cache/metadata`, 0600 and without any secret. What lies there is
//! looked through again each time it is read, so a manifest that narrows its hosts holds at once.
//! It is only ever a hint where to ask: a grant that was issued to us goes back to the endpoint it
//! came from or nowhere, whatever a document says.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::provider::{Flow, Provider, Registration};
use crate::model::secret::Secret;
use crate::model::state_files::METADATA;
use crate::model::time::Timestamp;
use crate::oauth::metadata::{self, Metadata, MetadataError};
use crate::ports::http::{Method, Request, Response};

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

const SCHEMA: u32 = 1;

/// The cache file of one issuer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    schema: u32,
    issuer: String,
    fetched_at: i64,
    fresh_until: i64,
    document: Map<String, Value>,
    keys: Option<Keys>,
}

/// The issuer's keys, cached as long as its metadata.
#[derive(Serialize, Deserialize)]
struct Keys {
    address: String,
    set: Value,
}

/// Whether an expired document is used if the server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    /// It is not: somebody is about to log in.
    Refused,
    /// It is: it serves to refresh a login.
    Accepted,
}

/// The server that issues a provider's grants, as the manifest describes it.
#[derive(Clone, Copy)]
pub(super) struct Issuer<'a> {
    pub(super) cx: Context<'a>,
    pub(super) provider: &'a Provider,
    pub(super) registration: &'a Registration,
}

impl<'a> Issuer<'a> {
    /// Returns the issuer of a provider that has an OAuth client.
    pub(super) fn of(cx: Context<'a>, provider: &'a Provider) -> Option<Self> {
        let registration = provider.registration.as_ref()?;
        Some(Self {
            cx,
            provider,
            registration,
        })
    }

    /// Returns its address; empty if the manifest names none.
    pub(super) fn address(&self) -> &'a str {
        self.registration.issuer.as_deref().unwrap_or_default()
    }

    /// Returns its metadata: from the cache while it is fresh, else from the issuer.
    ///
    /// # Errors
    /// [`Kind::Temporary`] if the server cannot be asked now, [`Kind::Config`] if it has no
    /// metadata, or some that must not be used.
    pub(super) fn metadata(&self, stale: Stale) -> Result<Metadata, Failure> {
        let kept = self.kept();
        let now = self.cx.clock.now();
        if let Some((page, metadata)) = &kept
            && (page.fetched_at..page.fresh_until).contains(&now.0)
        {
            return Ok(metadata.clone());
        }
        match (self.fetch(), kept) {
            (Ok((metadata, answer)), _) => {
                keep(self.cx, self.address(), &metadata, &answer, now);
                Ok(metadata)
            }
            (Err(MetadataError::Later(why)), Some((page, metadata)))
                if stale == Stale::Accepted =>
            {
                let text = format!(
                    "could not fetch the metadata of {} ({why}); using the copy fetched {}",
                    self.address(),
                    self.cx.clock.local().spoken(Timestamp(page.fetched_at))
                );
                self.cx.warn(text);
                Ok(metadata)
            }
            (Err(error), _) => Err(failure(self.provider, self.address(), &error)),
        }
    }

    /// Tries one address after the other until one has a document.
    fn fetch(&self) -> Result<(Metadata, Response), MetadataError> {
        let mut last = MetadataError::NotHere("there is no address to query".to_owned());
        for address in metadata::addresses(self.address(), wants_id_token(self.provider))? {
            let answer = get(self.cx, &address).map_err(MetadataError::Later)?;
            match metadata::read_answer(&answer, self.registration) {
                Ok(metadata) => return Ok((metadata, answer)),
                Err(error @ MetadataError::NotHere(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Returns its keys, which are at `address`, and whether they were fetched just now. `anew`
    /// ignores the cached ones.
    ///
    /// # Errors
    /// Why they cannot be had.
    pub(super) fn keys(&self, address: &str, anew: bool) -> Result<(Value, bool), String> {
        let page = self.kept().map(|(page, _)| page);
        let known = page.as_ref().and_then(|page| page.keys.as_ref());
        if let Some(keys) = known.filter(|keys| keys.address == address && !anew) {
            return Ok((keys.set.clone(), false));
        }
        let answer = get(self.cx, address)?;
        if answer.status != 200 {
            return Err(format!("the server returned HTTP {}", answer.status));
        }
        let set: Value = serde_json::from_slice(answer.body.expose())
            .map_err(|_| "the response is not JSON".to_owned())?;
        if let Some(mut page) = page {
            let address = address.to_owned();
            page.keys = Some(Keys {
                address,
                set: set.clone(),
            });
            write(self.cx, &page);
        }
        Ok((set, true))
    }

    /// Reads the cache file. One that cannot be read, or that the manifest no longer allows, counts
    /// as missing.
    fn kept(&self) -> Option<(Page, Metadata)> {
        let bytes = self
            .cx
            .files
            .read_settings(&file(self.cx, self.address()))
            .ok()??;
        let page: Page = serde_json::from_slice(&bytes).ok()?;
        if page.schema != SCHEMA || page.issuer != self.address() {
            return None;
        }
        let metadata = Metadata::read(page.document.clone(), self.registration).ok()?;
        Some((page, metadata))
    }

    /// Removes the cache file, so that the next command fetches the metadata again.
    pub(super) fn forget(&self) {
        let _ = self.cx.files.remove(&file(self.cx, self.address()));
    }
}

fn failure(provider: &Provider, issuer: &str, error: &MetadataError) -> Failure {
    match error {
        MetadataError::Later(why) => {
            let message = format!("could not fetch the metadata of {issuer}: {why}");
            Failure::new(Kind::Temporary, message).hint("run the command again later")
        }
        MetadataError::NotHere(why) => {
            let message = format!("{issuer} publishes no metadata: {why}");
            Failure::new(Kind::Config, message).hint(format!(
                "set the endpoints in [client] of the manifest of {}",
                provider.id
            ))
        }
        MetadataError::Unfit(why) => {
            let message = format!("ignoring the metadata of {issuer}: {why}");
            Failure::new(Kind::Config, message).hint(format!(
                "correct `issuer` or `hosts` in [client] of the manifest of {}",
                provider.id
            ))
        }
    }
}

/// Fetches a public document.
fn get(cx: Context<'_>, address: &str) -> Result<Response, String> {
    let request = Request {
        method: Method::Get,
        url: address.to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Secret::new(Vec::new()),
    };
    cx.http.send(&request).map_err(|error| error.to_string())
}

fn wants_id_token(provider: &Provider) -> bool {
    provider.flows.iter().any(|flow| {
        let scopes = match flow {
            Flow::Browser(flow) => &flow.scopes,
            Flow::Device(flow) => &flow.scopes,
            _ => return false,
        };
        scopes.iter().any(|scope| scope == "openid")
    })
}

fn file(cx: Context<'_>, issuer: &str) -> PathBuf {
    let name = format!("{:x}.json", Sha256::digest(issuer));
    cx.dirs.state.join(METADATA).join(name)
}

/// Writes the cache file; if that fails, the next command fetches it again.
fn keep(cx: Context<'_>, issuer: &str, metadata: &Metadata, answer: &Response, now: Timestamp) {
    let Some(life) = metadata::cache_lifetime(answer) else {
        return;
    };
    let page = Page {
        schema: SCHEMA,
        issuer: issuer.to_owned(),
        fetched_at: now.0,
        fresh_until: now.after(life).0,
        document: metadata.members().clone(),
        keys: None,
    };
    write(cx, &page);
}

fn write(cx: Context<'_>, page: &Page) {
    let path = file(cx, &page.issuer);
    let written = || -> Result<(), Box<dyn std::error::Error>> {
        let bytes = serde_json::to_vec_pretty(page)?;
        cx.files.create_dirs(path.parent().unwrap_or(&path))?;
        Ok(cx.files.replace(&path, &bytes)?)
    };
    if let Err(error) = written() {
        tracing::info!(%error, "the metadata of an issuer is not kept");
    }
}
