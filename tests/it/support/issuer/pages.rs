//! Documents that the test issuer publishes: metadata, keys, userinfo. None is there until a test
//! says so.

use std::collections::HashMap;

use tiny_http::Request;

use super::message::{Scripted, header};

/// One request for a document, published or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The path.
    pub(crate) path: String,
    /// The value of its `Authorization` header.
    pub(crate) authorization: Option<String>,
}

/// What is published, and who came.
#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) published: HashMap<String, Scripted>,
    /// Path, header and what is answered once instead.
    pub(crate) once: Vec<(String, String, Scripted)>,
    pub(crate) visits: Vec<Visit>,
}

impl Pages {
    /// Answers a request for a document.
    pub(crate) fn serve(&mut self, path: &str, request: &Request) -> Scripted {
        let authorization = header(request, "Authorization");
        self.visits.push(Visit {
            path: path.to_owned(),
            authorization: authorization.clone(),
        });
        let mut once = self.once.iter();
        let is_it = |(other, whose, _): &(String, String, Scripted)| {
            other == path && Some(whose) == authorization.as_ref()
        };
        if let Some(place) = once.position(is_it) {
            return self.once.remove(place).2;
        }
        let found = self.published.get(path).cloned();
        found.unwrap_or_else(|| Scripted::text(404, ""))
    }
}
