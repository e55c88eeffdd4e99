//! The `[probe]` table.

use serde::Deserialize;
use toml::Spanned;

use super::super::checked::{Address, Body, HeaderName, Headers, Line, SchemeWord, Statuses};
use super::fault::Fault;
use crate::model::provider::{Carrier, Probe, ProbeRoute};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeTable {
    method: Option<MethodName>,
    url: Option<Address>,
    header: Option<HeaderName>,
    scheme: Option<SchemeWord>,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    credential_headers: Headers,
    body: Option<Body>,
    model: Option<Line>,
    #[serde(default)]
    success: Statuses,
    token: Option<WayTable>,
}

/// How it goes with an access token, where that is another way than with a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WayTable {
    url: Option<Address>,
    header: Option<HeaderName>,
    scheme: Option<SchemeWord>,
    #[serde(default)]
    headers: Headers,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MethodName {
    Get,
    Post,
}

/// Reads it.
pub(super) fn probe(table: Spanned<ProbeTable>) -> Result<Probe, Fault> {
    let span = table.span();
    let probe = table.into_inner().probe();
    probe.map_err(|why| Fault::at(span, why))
}

impl ProbeTable {
    fn probe(self) -> Result<Probe, &'static str> {
        let posts = match (self.method, &self.body) {
            (Some(MethodName::Get), Some(_)) => {
                return Err("a GET has no body: write method = \"POST\", or leave the body out");
            }
            (Some(method), _) => method == MethodName::Post,
            (None, body) => body.is_some(),
        };
        let url = self.url.map(|url| url.0);
        let carrier = carrier(self.header, self.scheme)?;
        let headers: Vec<(String, String)> = self.headers.0.into_iter().collect();
        let token = match self.token {
            None => url.clone().map(|url| ProbeRoute {
                url,
                carrier: carrier.clone(),
                headers: headers.clone(),
            }),
            Some(table) => Some(table.way(url.clone(), &headers)?),
        };
        let key = url.map(|url| ProbeRoute {
            url,
            carrier,
            headers,
        });
        if token.is_none() {
            return Err("a probe needs an address: write url = \"https://...\"");
        }
        Ok(Probe {
            posts,
            key,
            token,
            credential_headers: self.credential_headers.0.into_iter().collect(),
            body: self.body.map(|body| body.0),
            model: self.model.map(|line| line.0),
            success: self.success.0,
        })
    }
}

impl WayTable {
    /// The address where it names none, and headers besides its own, are those of a key.
    fn way(
        self,
        url: Option<String>,
        headers: &[(String, String)],
    ) -> Result<ProbeRoute, &'static str> {
        let url = self.url.map(|url| url.0).or(url);
        let own = &self.headers.0;
        let others = headers.iter().filter(|(name, _)| !own.contains_key(name));
        let mut headers: Vec<(String, String)> = others.cloned().collect();
        headers.extend(own.clone());
        Ok(ProbeRoute {
            url: url.ok_or("[probe.token] needs an address: write url = \"https://...\"")?,
            carrier: carrier(self.header, self.scheme)?,
            headers,
        })
    }
}

fn carrier(
    header: Option<HeaderName>,
    scheme: Option<SchemeWord>,
) -> Result<Carrier, &'static str> {
    match (header, scheme) {
        (None, None) => Ok(Carrier::bearer()),
        (Some(header), None) => Ok(Carrier::Header(header.0)),
        (None, Some(scheme)) => Ok(Carrier::Scheme(scheme.0)),
        (Some(_), Some(_)) => Err(
            "a credential is shown in one place: write header for one of its own, or scheme for \
             a word in Authorization",
        ),
    }
}
