//! What a login brought, before it is stored.

use crate::model::provider::Client;
use crate::oauth::grant::Grant;
use crate::oauth::key_exchange::Key;

use super::request::Login;
use super::saver::SavedLogin;
use super::{store_key, store_login, store_token};
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;

/// The result of a login.
pub(super) enum LoginResult {
    /// A grant, and the client that it was issued to.
    Grant {
        client: Box<Client>,
        grant: Box<Grant>,
    },
    /// A token that is never refreshed, and the name of its profile.
    Token {
        name: Option<String>,
        grant: Box<Grant>,
    },
    /// An API key.
    Key(Key),
}

impl LoginResult {
    /// Stores it, even if a signal asked to stop: it cannot be had again. If it cannot be stored now,
    /// the saved answer stays for the next command.
    ///
    /// # Errors
    /// What the store says, and an ID token that is refused or cannot be checked now.
    pub(super) fn keep(
        self,
        login: Login<'_>,
        saved: SavedLogin,
    ) -> Result<StoredProfile, Failure> {
        self.keep_if(login, saved, false)
    }

    /// Stores what came by a redirect, which somebody else may have sent: the person is asked if
    /// nothing tells whose it is. What is not theirs is set aside.
    ///
    /// # Errors
    /// As [`LoginResult::keep`], and [`Kind::Usage`](crate::app::failure::Kind::Usage) if it is not
    /// theirs.
    pub(super) fn keep_own(
        self,
        login: Login<'_>,
        saved: SavedLogin,
    ) -> Result<StoredProfile, Failure> {
        self.keep_if(login, saved, true)
    }

    fn keep_if(
        self,
        login: Login<'_>,
        saved: SavedLogin,
        asks: bool,
    ) -> Result<StoredProfile, Failure> {
        let kept = match self {
            Self::Grant { client, grant } => store_login::keep(login, &client, *grant, asks),
            Self::Token { name, grant } => {
                store_token::keep(login, name.as_deref(), *grant).map(Some)
            }
            Self::Key(made) => store_key::keep(login, made, asks),
        };
        match kept {
            Ok(None) => Err(saved.set_aside(login.cx)),
            Ok(Some(stored)) => saved.settle(login.cx, Ok(stored)),
            Err(failure) => saved.settle(login.cx, Err(failure)),
        }
    }
}
