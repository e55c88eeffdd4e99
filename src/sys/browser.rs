//! The user's browser.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::clock::SystemClock;
use super::env::SystemEnv;
use crate::ports::host::{Browser, BrowserError, Clock as _, Env as _};

/// The commands that open a URL, as the user wants it, with colons between them.
const BROWSER: &str = "BROWSER";
/// A browser that fails does so within this time.
const SOON: Duration = Duration::from_millis(500);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(20);

/// The browser that the system opens URLs with.
pub struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> Result<(), BrowserError> {
        // A manifest names the URL; nothing but a web page is ever handed to the system's opener.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(BrowserError("not a web address".to_owned()));
        }
        if let Some(commands) = SystemEnv.plain(BROWSER) {
            let opened = commands.split(':').any(|command| run(command, url));
            if opened {
                return Ok(());
            }
        }
        // What the system would open is not seen by the user.
        if SystemEnv.is_remote() {
            return Err(BrowserError(format!("${BROWSER} failed")));
        }
        // Detached, so that the browser's own chatter does not reach our stdout. What went wrong is
        // told in our words: those of the library repeat the URL.
        open::that_detached(url).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "no program for web pages was found",
                _ => "the program that opens web pages failed",
            };
            BrowserError(why.to_owned())
        })
    }

    fn is_named(&self) -> bool {
        SystemEnv.plain(BROWSER).is_some()
    }
}

/// Runs one command of `$BROWSER`, with the URL in the place of each `%s` or behind it; whether it
/// opened the page, as far as is known soon.
fn run(command: &str, url: &str) -> bool {
    let Some(words) = shlex::split(command).filter(|words| !words.is_empty()) else {
        return false;
    };
    let mut words: Vec<String> = words.iter().map(|word| word.replace("%s", url)).collect();
    if !command.contains("%s") {
        words.push(url.to_owned());
    }
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C at our terminal is not for the browser.
    command.process_group(0);
    let Ok(mut browser) = command.spawn() else {
        return false;
    };
    let clock = SystemClock::new();
    while clock.monotonic() < SOON {
        match browser.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => clock.sleep(LOOK),
            Err(_) => return false,
        }
    }
    true
}
