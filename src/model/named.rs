//! Names as a person types them: an id, or something shorter that stands for one.

use super::id::{IdError, ProfileId, ProviderId};

/// What a person typed where an id is meant. What it stands for is for the use case to find: an id
/// that exists stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<Id>(Id);

/// A provider by its id or an everyday name.
pub type ProviderName = Named<ProviderId>;

/// A profile by its id, an e-mail address, the part behind the colon, or the beginning of one.
pub type ProfileName = Named<ProfileId>;

impl<Id> Named<Id> {
    /// The text as an id.
    pub fn typed(&self) -> &Id {
        &self.0
    }
}

impl ProviderName {
    /// Takes a text as the name of a provider.
    ///
    /// # Errors
    /// As [`ProviderId::parse`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        ProviderId::parse(text).map(Self)
    }
}

impl ProfileName {
    /// Takes a text as the name of a profile.
    ///
    /// # Errors
    /// As [`ProfileId::parse`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        ProfileId::parse(text).map(Self)
    }
}

impl<Id> From<Id> for Named<Id> {
    fn from(id: Id) -> Self {
        Self(id)
    }
}
