//! How much of the main agent's document another agent sees.

use super::id::ProfileId;

/// What lies beneath an agent's own document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inheritance {
    /// All of main's, as in OpenClaw.
    #[default]
    Inherit,
    /// Nothing.
    Isolated,
    /// These profiles of main's, and what is known of them.
    Linked(Vec<ProfileId>),
}

impl Inheritance {
    /// Its name, as it is written and typed.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Inherit => "inherit",
            Self::Isolated => "isolated",
            Self::Linked(_) => "linked",
        }
    }

    /// The profiles that are linked; none in another mode.
    pub fn links(&self) -> &[ProfileId] {
        match self {
            Self::Linked(links) => links,
            Self::Inherit | Self::Isolated => &[],
        }
    }
}
