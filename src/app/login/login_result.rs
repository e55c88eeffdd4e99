//! What a login brought, before it is stored.

use crate::model::provider::Client;
use crate::oauth::grant::Grant;
use crate::oauth::key_exchange::Key;

use super::login_file::SavedLogin;
use super::request::Login;
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
    /// the saved answer stays for the next command. What the person may have to know for their own,
    /// and does not, is set aside.
    ///
    /// # Errors
    /// What the store says, an ID token that is refused or cannot be checked now, a question that was
    /// not answered, and [`Kind::Usage`](crate::app::failure::Kind::Usage) if it is not theirs.
    pub(super) fn keep(
        self,
        login: Login<'_>,
        mut saved: SavedLogin,
    ) -> Result<StoredProfile, Failure> {
        let kept = match self {
            Self::Grant { client, grant } => store_login::keep(login, &client, *grant, &mut saved),
            Self::Token { name, grant } => {
                store_token::keep(login, name.as_deref(), *grant).map(Some)
            }
            Self::Key(made) => store_key::keep(login, made, &mut saved),
        };
        match kept {
            Ok(None) => Err(saved.set_aside(login.cx)),
            Ok(Some(stored)) => saved.settle(login.cx, Ok(stored)),
            Err(failure) => saved.settle(login.cx, Err(failure)),
        }
    }
}
