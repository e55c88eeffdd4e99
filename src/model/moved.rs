//! What is known of a login whose refresh token went to another machine.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bundle::BundleId;
use super::grant_digest::GrantDigest;
use super::id::printable;
use super::time::Timestamp;

/// Which bundle a refresh token went into. Lies in the profile, as its member `moved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The bundle.
    pub bundle: BundleId,
    /// When.
    pub at: Timestamp,
    /// The file that it was written to.
    pub to: String,
    /// The grant, which nobody can tell any more without its refresh token.
    pub grant: GrantDigest,
    /// The database that it went into, without what is secret; `None` if it went into none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

impl Moved {
    /// The name of the member.
    pub const MEMBER: &str = "moved";

    /// The name of the bundle in which logins move into a database, where they are taken out at once.
    pub const TO_DATABASE: &str = "logins-of-files.openclaw";

    /// Whether it moved into a database.
    pub fn is_in_database(&self) -> bool {
        self.database.is_some() || Self::is_for_database(&self.to)
    }

    /// Whether a bundle of that path is one in which logins move into a database.
    pub fn is_for_database(path: impl AsRef<Path>) -> bool {
        path.as_ref().file_name() == Some(OsStr::new(Self::TO_DATABASE))
    }

    /// Where it is, in words.
    pub fn destination(&self) -> Cow<'static, str> {
        match &self.database {
            Some(at) => format!("the database at {}", printable(at, 200)).into(),
            None if self.is_in_database() => "a database".into(),
            None => "another machine".into(),
        }
    }

    /// Reads the member.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
