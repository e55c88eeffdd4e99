//! A client for revocations that nobody wants to wait for.

use std::time::Duration;

use crate::ports::http::{Http, HttpError, Patience, Request, Response};

/// How long a server may take to answer.
const REVOCATION_LIMIT: Duration = Duration::from_secs(10);

/// A client that waits less.
pub(in crate::app) struct HastyHttp<'a>(pub(in crate::app) &'a dyn Http);

impl Http for HastyHttp<'_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let patience = Patience {
            limit: REVOCATION_LIMIT,
            stop: &|| false,
        };
        self.send_within(request, &patience)
    }

    fn send_within(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        self.0.send_within(request, patience)
    }
}
