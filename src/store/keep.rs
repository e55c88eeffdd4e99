//! What is held of the secrets of a document that is read.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::glimpse::glance;
use crate::model::secret::Secret;
use crate::ports::store::Detail;
use crate::ports::vault::Sealer;

/// What is held: everything, or of the secrets of a large document what a view shows.
pub struct Keep {
    detail: Option<Detail>,
    /// As many bytes of secrets are held even so.
    room: usize,
    /// Opens what is sealed.
    sealer: Option<Arc<Sealer>>,
    has_closed: bool,
}

/// A document of usual size is held whole, so that what is handed out of it need not be read again.
const ROOM: usize = 64 * 1024;

/// What a JWT begins with: the brace and the quote of its header, in base64.
const JWT: &str = "eyJ";

impl Keep {
    /// Every secret, if there is no detail.
    pub fn new(detail: Option<Detail>) -> Self {
        Self {
            detail,
            room: ROOM,
            sealer: None,
            has_closed: false,
        }
    }

    /// Every secret.
    pub fn all() -> Self {
        Self::new(None)
    }

    /// With another number of bytes of secrets that are held in any case.
    #[must_use]
    pub fn with_room(self, room: usize) -> Self {
        Self { room, ..self }
    }

    /// With what opens sealed secrets, if there is anything.
    #[must_use]
    pub fn opening(self, sealer: Option<Arc<Sealer>>) -> Self {
        Self { sealer, ..self }
    }

    pub(super) fn sealer(&self) -> Option<Arc<Sealer>> {
        self.sealer.clone()
    }

    /// Notes that a secret stays sealed for want of a key.
    pub(super) fn leave_closed(&mut self) {
        self.has_closed = true;
    }

    /// Whether a secret stayed sealed for want of a key.
    pub fn has_closed(&self) -> bool {
        self.has_closed
    }

    /// Takes a string of JSON, which is borrowed unless it has an escape, and may be known to be
    /// graphic.
    pub(super) fn secret(&mut self, text: Cow<'_, str>, is_graphic: bool) -> Secret<String> {
        if let (Some(detail), Cow::Borrowed(text)) = (self.detail, &text)
            && text.len() > self.room
            && !(detail == Detail::Claims && text.starts_with(JWT))
            && let Some(seen) = glance(text, is_graphic, detail == Detail::Fingerprint)
        {
            return seen;
        }
        self.room = self.room.saturating_sub(text.len());
        Secret::new(text.into_owned())
    }
}
