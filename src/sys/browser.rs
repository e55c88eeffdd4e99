//! The user's browser.

use crate::ports::host::{Browser, BrowserError};

/// The browser that the system opens URLs with.
pub struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> Result<(), BrowserError> {
        // A manifest names the URL; nothing but a web page is ever handed to the system's opener.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(BrowserError("not a web address".to_owned()));
        }
        // Detached, so that the browser's own chatter does not reach our stdout.
        open::that_detached(url).map_err(|error| BrowserError(error.to_string()))
    }
}
