//! What is known of a login whose refresh token went to another machine.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bundle::BundleId;
use super::grant_digest::GrantDigest;
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
}

impl Moved {
    /// The name of the member.
    pub const MEMBER: &str = "moved";

    /// The name of the bundle in which logins move into a database, where they are taken out at once.
    pub const TO_DATABASE: &str = "logins-of-files.openclaw";

    /// Whether it moved into a database.
    pub fn is_in_database(&self) -> bool {
        Path::new(&self.to).file_name() == Some(OsStr::new(Self::TO_DATABASE))
    }

    /// Reads the member.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
