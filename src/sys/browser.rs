//! The user's browser.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use std::os::unix::process::CommandExt as _;

use super::child::{self, Inherited};
use super::clock::SystemClock;
use super::env::{SystemEnv, names};
use super::one_time_page::OneTimePage;
use super::redirect_file::RedirectFile;
use crate::ports::browser::{Browser, BrowserError, OpenedPage};
use crate::ports::host::{Clock as _, Env as _};

/// The commands that open a URL, as the user wants it, with colons between them.
const BROWSER: &str = "BROWSER";
/// What opens a URL on Linux inside Windows.
const WSL_OPENER: &str = "wslview";
/// The two kinds of programs, where one fails.
const NAMED: &str = "$BROWSER";
const SYSTEM: &str = "the program that opens web pages";
/// A browser that fails does so within this time.
const SOON: Duration = Duration::from_millis(500);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(20);

/// Files that lead to a page, where no port can be had.
const PAGES: &str = "pages";

/// The browser that the system opens URLs with.
pub struct SystemBrowser {
    pages: PathBuf,
}

impl SystemBrowser {
    /// With the state directory, for a file where no port can be had.
    pub fn new(state: &Path) -> Self {
        let pages = state.join(PAGES);
        Self { pages }
    }

    /// What is handed out in the place of `url`, and its address.
    fn handed(&self, url: &str) -> Option<(Box<dyn OpenedPage>, String)> {
        if let Ok(page) = OneTimePage::open(url) {
            let address = page.address().to_owned();
            return Some((Box::new(page), address));
        }
        let file = RedirectFile::write(&self.pages, url)?;
        let address = file.address().to_owned();
        Some((Box::new(file), address))
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> Result<Box<dyn OpenedPage>, BrowserError> {
        let because = |why: &str| BrowserError::NotOpened(why.to_owned());
        // A manifest names the URL; nothing but a web page is ever handed to the system's opener.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(because("not a web address"));
        }
        let (page, address) = self
            .handed(url)
            .ok_or_else(|| because("neither a port nor a file can be had for its address"))?;
        let has_come = || page.visits() > 0;
        let named = SystemEnv.plain(BROWSER).unwrap_or_default();
        let named = named.split(':').filter_map(|one| words(one, &address));
        let mut ended = first_that_opens(named, NAMED, &has_come);
        // What the system would open is not seen by the user.
        if SystemEnv.is_remote() {
            ended.unwrap_or_else(|| Err(failed(NAMED)))?;
            return Ok(page);
        }
        if !matches!(ended, Some(Ok(()))) {
            ended = first_that_opens(openers(&address), SYSTEM, &has_come).or(ended);
        }
        ended.unwrap_or_else(|| Err(because("no program for web pages was found")))?;
        Ok(page)
    }

    fn is_named(&self) -> bool {
        SystemEnv.plain(BROWSER).is_some()
    }
}

/// A command line: program and arguments.
type Words = Vec<String>;

/// One command of `$BROWSER`, with the URL in the place of each `%s` or behind it.
fn words(command: &str, url: &str) -> Option<Words> {
    let words = shlex::split(command).filter(|words| !words.is_empty())?;
    let mut words: Words = words.iter().map(|word| word.replace("%s", url)).collect();
    if !command.contains("%s") {
        words.push(url.to_owned());
    }
    Some(words)
}

/// The commands by which desktops open a URL, in the order to try them.
fn openers(url: &str) -> impl Iterator<Item = Words> {
    let is_wsl = names::WSL.iter().any(|name| SystemEnv.var(name).is_some());
    let of_wsl = is_wsl.then(|| vec![WSL_OPENER.to_owned(), url.to_owned()]);
    let known = open::commands(url).into_iter().map(|command| {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    });
    of_wsl.into_iter().chain(known)
}

/// Runs one after the other until one opens the page, as far as is known soon. `None` if none of
/// these programs is there, else why the first that is did not.
fn first_that_opens(
    commands: impl Iterator<Item = Words>,
    what: &str,
    has_come: &dyn Fn() -> bool,
) -> Option<Result<(), BrowserError>> {
    let mut first = None;
    for words in commands {
        // By a program that failed: a second one would come too late.
        if has_come() {
            return Some(Ok(()));
        }
        match child::find(&words[0]) {
            Ok(path) if run(&path, &words[1..]) || has_come() => return Some(Ok(())),
            Ok(_) => first = first.or(Some(failed(what))),
            Err(Some(error)) => first = first.or(Some(BrowserError::Refused(error))),
            Err(None) => {}
        }
    }
    first.map(Err)
}

fn failed(what: &str) -> BrowserError {
    BrowserError::NotOpened(format!("{what} failed"))
}

/// Runs a program; whether it opened the page, as far as is known soon.
fn run(path: &Path, args: &[String]) -> bool {
    let Ok(mut command) = child::command(path, Inherited::Session(&[])) else {
        return false;
    };
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C at our terminal is not for the browser.
        .process_group(0);
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
