//! Who is told what happens.

/// Who is told what happens, and asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// A person at a terminal.
    Person,
    /// A program, by events.
    Program,
    /// Whoever reads the log of a server, who is asked nothing.
    #[cfg(feature = "gateway")]
    Log,
}
