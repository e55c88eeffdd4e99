//! The user's browser.
//!
//! Opening one may fail, and success proves nothing: the caller always shows the URL, too.

use super::program::ProgramError;

/// The user's browser.
pub trait Browser: Send + Sync {
    /// Asks the system to open `url`. Does not wait for the browser. The program that opens pages is
    /// handed an address of ours, which leads there once, while the returned page is kept.
    ///
    /// # Errors
    /// Why no browser could be started; a notice for the user, never the end of a login.
    fn open(&self, url: &str) -> Result<Box<dyn OpenedPage>, BrowserError>;

    /// Whether the user named the program that opens URLs: it does so also where a browser of this
    /// machine would not be theirs ([`Env::is_remote`](super::host::Env::is_remote)), and is set for that by remote editors.
    fn is_named(&self) -> bool {
        false
    }
}

/// A page that a browser was asked to open.
pub trait OpenedPage: Send + Sync {
    /// Counts the visits at the address that leads there. Only the first was led on.
    fn visits(&self) -> usize;

    /// Whether it was visited more than once, and not by this user alone, as far as is known: then
    /// somebody else may have been the first.
    fn is_visited_by_others(&self) -> bool;

    /// Whether another user was turned away there since this was asked last.
    fn was_refused_to_others(&self) -> bool;
}

/// No browser could be started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BrowserError {
    /// The program that would have opened it is not fit to be run.
    #[error(transparent)]
    Refused(ProgramError),
    /// Anything else, a clause.
    #[error("{0}")]
    NotOpened(String),
}
