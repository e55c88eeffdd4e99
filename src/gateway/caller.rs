//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::problem::Problem;
use super::state::Gateway;
use crate::model::access::Scope;
use crate::model::secret::Secret;

/// A caller who showed a bearer that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// Tells callers apart, in logs, too: the id of the key, or `gateway` for the gateway's own token.
    pub(super) id: String,
    pub(super) scope: Scope,
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        let bearer = bearer(&parts.headers).ok_or_else(Problem::unauthorized)?;
        // Compared in constant time.
        match bearer == gateway.options.token {
            true => Ok(Self {
                id: "gateway".to_owned(),
                scope: Scope::default(),
            }),
            false => Err(Problem::unauthorized()),
        }
    }
}

/// The bearer of a request (RFC 6750 section 2.1); none if there are two.
fn bearer(headers: &HeaderMap) -> Option<Secret<String>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = HeaderValue::to_str(value).ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty();
    is_bearer.then(|| Secret::from(token.trim()))
}

pub(super) fn out_of_scope(error: &str) -> Problem {
    Problem::new(axum::http::StatusCode::FORBIDDEN, "scope", error)
}
