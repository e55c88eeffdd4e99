//! The `[probe]` table.

use std::ops::Range;

use serde::Deserialize;

use super::fault::Fault;
use crate::model::provider::checked::{
    Address, Body, Checked as _, HeaderName, Headers, Line, SchemeWord, Statuses,
};
use crate::model::provider::{Carrier, Probe, ProbeRoute};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeTable {
    method: Option<MethodName>,
    url: Option<Address>,
    header: Option<HeaderName>,
    scheme: Option<SchemeWord>,
    headers: Option<Headers>,
    credential_headers: Option<Headers>,
    body: Option<Body>,
    model: Option<Line>,
    success: Option<Statuses>,
    token: Option<RouteTable>,
}

/// The route of an access token, where it is another than that of a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteTable {
    url: Option<Address>,
    header: Option<HeaderName>,
    scheme: Option<SchemeWord>,
    headers: Option<Headers>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MethodName {
    Get,
    Post,
}

/// Reads it.
pub(super) fn probe(table: ProbeTable, span: Range<usize>) -> Result<Probe, Fault> {
    table.probe().map_err(|why| Fault::at(span, why))
}

impl ProbeTable {
    fn probe(self) -> Result<Probe, &'static str> {
        let posts = match (self.method, &self.body) {
            (Some(MethodName::Get), Some(_)) => {
                return Err("a GET has no body: set method = \"POST\", or remove the body");
            }
            (Some(method), _) => method == MethodName::Post,
            (None, body) => body.is_some(),
        };
        let url = self.url.plain();
        let carrier = carrier(self.header, self.scheme)?;
        let headers = self.headers.plain().unwrap_or_default();
        let token = match self.token {
            None => url.clone().map(|url| ProbeRoute {
                url,
                carrier: carrier.clone(),
                headers: headers.clone(),
            }),
            Some(table) => Some(table.route(url.clone(), &headers)?),
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
            credential_headers: self.credential_headers.plain().unwrap_or_default(),
            body: self.body.plain(),
            model: self.model.plain(),
            success: self.success.plain().unwrap_or_default(),
        })
    }
}

impl RouteTable {
    /// The address where it names none, and headers besides its own, are those of a key.
    fn route(
        self,
        url: Option<String>,
        headers: &[(String, String)],
    ) -> Result<ProbeRoute, &'static str> {
        let url = self.url.plain().or(url);
        let own = self.headers.plain().unwrap_or_default();
        let is_own = |name: &String| own.iter().any(|(other, _)| other == name);
        let others = headers.iter().filter(|(name, _)| !is_own(name)).cloned();
        let headers = others.chain(own.iter().cloned()).collect();
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
        (Some(header), None) => Ok(Carrier::Header(header.plain())),
        (None, Some(scheme)) => Ok(Carrier::Scheme(scheme.plain())),
        (Some(_), Some(_)) => Err(
            "a credential is sent in one header: write header for a custom one, or scheme for \
             Authorization",
        ),
    }
}
