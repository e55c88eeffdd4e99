//! Requests to a gateway.

use serde::de::DeserializeOwned;

use super::Options;
use super::address::Address;
use super::answer::{self, Answer};
use super::lease::Lease;
use super::naming::Naming;
use super::token::Token;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::secret::Secret;
use crate::ports::http::{HttpError, HttpErrorKind, Method, Request};

/// A gateway, and what it is asked with.
pub(super) struct Client<'a> {
    cx: Context<'a>,
    pub(super) address: Address,
    token: Token,
    naming: Naming,
}

impl<'a> Client<'a> {
    /// Finds the gateway and the token. Sends nothing yet.
    ///
    /// # Errors
    /// As [`Address::find`] and [`Token::find`], and [`Kind::Usage`] if others could read the token
    /// on its way.
    pub(super) fn new(cx: Context<'a>, options: &Options) -> Result<Self, Failure> {
        let address = Address::find(options.url.as_deref(), cx.env)?;
        let token = Token::find(cx, options, &address)?;
        let client = Self {
            cx,
            address,
            token,
            naming: Naming::Gateway,
        };
        client.unless_overheard(options.insecure_http)
    }

    /// The same for the gateway that tokens are leased from.
    ///
    /// # Errors
    /// As [`Token::of_lease`], and [`Kind::Usage`] if others could read the key on its way.
    pub(super) fn of_lease(cx: Context<'a>, lease: &Lease) -> Result<Self, Failure> {
        let client = Self {
            cx,
            address: lease.address.clone(),
            token: Token::of_lease(cx, lease)?,
            naming: Naming::Lease,
        };
        client.unless_overheard(lease.insecure_http)
    }

    fn unless_overheard(self, is_permitted: bool) -> Result<Self, Failure> {
        let has_token = matches!(self.token, Token::Found(_));
        if has_token && self.address.is_in_the_clear() && !is_permitted {
            let message = format!(
                "the gateway at {} is on another machine, and everybody on the way could read the \
                 {}",
                self.address,
                self.naming.credential()
            );
            return Err(Failure::new(Kind::Usage, message).hint(self.naming.permit()));
        }
        Ok(self)
    }

    /// Asks the gateway once, and reads its answer.
    ///
    /// # Errors
    /// If it cannot be reached, refuses, fails, or is none.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, Failure> {
        let mut headers = self.headers();
        let body = match method {
            Method::Get => Vec::new(),
            // Nothing to add, and some proxies refuse a POST without a body.
            Method::Post => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                b"{}".to_vec()
            }
        };
        let request = Request {
            method,
            url: self.address.at(path),
            headers,
            body: Secret::new(body),
        };
        let response = self.cx.http.send(&request);
        let response = response.map_err(|error| self.unanswered(method, error))?;
        let answer = Answer {
            response: &response,
            method,
            address: &self.address,
            token: &self.token,
            naming: self.naming,
        };
        answer.read()
    }

    /// Makes words of the gateway fit to print.
    pub(super) fn clean(&self, text: &str) -> String {
        answer::clean(text, &self.token)
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if let Token::Found(found) = &self.token {
            let bearer = format!("Bearer {}", found.token.expose());
            headers.push(("authorization".to_owned(), bearer));
        }
        headers
    }

    fn unanswered(&self, method: Method, error: HttpError) -> Failure {
        let address = &self.address;
        let failure = match error.kind {
            HttpErrorKind::Local => Failure::new(Kind::Config, error.detail.clone()),
            kind if kind.may_have_been_sent() => {
                let message = format!("no answer from the gateway at {address}: {error}");
                Failure::new(Kind::Temporary, message).hint("run the command again")
            }
            _ => Failure::new(
                Kind::Temporary,
                format!("cannot reach gateway at {address}: {error}"),
            )
            .hint(self.naming.start(address)),
        };
        let failure = match error.kind.may_have_been_sent() && method == Method::Post {
            true => failure.touched(StoreEffect::Unclear),
            false => failure,
        };
        failure.caused_by(error)
    }
}
