//! Chromium as the person's browser: opened by the program under test, then driven by WebDriver.
//!
//! Both programs are closed with the test, and by `timeout` if the test is killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use url::Url;

use super::http::send;

/// The key of an element's id (WebDriver section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A Chromium with a profile of its own, which the program under test opens. Dropping it closes it.
pub(super) struct Chromium {
    profile: PathBuf,
    pid: PathBuf,
}

impl Chromium {
    /// Puts an `xdg-open` in the way of `command` that opens a headless Chromium, and a display
    /// beside it, for without one nobody would open a browser.
    pub(super) fn opened_by(command: &mut Command, directory: &Path) -> Self {
        let (bin, profile) = (directory.join("bin"), directory.join("chromium"));
        let pid = directory.join("chromium.pid");
        fs::create_dir(&bin).unwrap();
        let opener = bin.join("xdg-open");
        let script = format!(
            "#!/bin/sh\necho $$ > '{}'\nexec timeout 300 chromium --headless --no-sandbox --disable-gpu --disable-quic \
             --no-first-run --disable-background-networking --disable-component-update \
             --disable-sync --remote-debugging-port=0 --user-data-dir='{}' \"$1\"\n",
            pid.display(),
            profile.display()
        );
        fs::write(&opener, script).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("DISPLAY", ":99");
        Self { profile, pid }
    }

    /// The port that it is driven on, once it is open.
    fn port(&self) -> Option<u16> {
        let told = fs::read_to_string(self.profile.join("DevToolsActivePort")).ok()?;
        told.split_once('\n')?.0.parse().ok()
    }

    /// Waits until it is open and takes hold of its tab.
    pub(super) fn attach(&self) -> Tab {
        Tab::attach(until("Chromium is open", || self.port()))
    }

    fn pid(&self) -> Option<Pid> {
        let told = fs::read_to_string(&self.pid).ok()?;
        Pid::from_raw(told.trim().parse().ok()?)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let Some(pid) = self.pid() else { return };
        let _ = kill_process(pid, Signal::TERM);
        // Only then may its profile be removed.
        until("Chromium is closed", || {
            let port = self.port()?;
            let open = TcpStream::connect(("127.0.0.1", port)).is_ok();
            (!open).then_some(())
        });
    }
}

/// Looks again until there is something, for a minute.
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited a minute until {what}");
}

/// The tab of an open Chromium.
pub(super) struct Tab {
    driver: Child,
    session: String,
}

impl Tab {
    fn attach(browser: u16) -> Self {
        let mut driver = Command::new("timeout")
            .args(["300", "chromedriver", "--port=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("timeout is installed");
        let stdout = BufReader::new(driver.stdout.take().unwrap());
        let port = stdout.lines().find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let service = format!(
            "http://127.0.0.1:{}",
            port.expect("chromedriver is installed and listens")
        );
        let mut tab = Self {
            driver,
            session: format!("{service}/session"),
        };
        let wanted = json!({ "alwaysMatch": {
            "goog:chromeOptions": { "debuggerAddress": format!("127.0.0.1:{browser}") },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "implicit": 60_000 },
        } });
        let opened = tab.post("", &json!({ "capabilities": wanted }));
        let id = opened["sessionId"].as_str().unwrap();
        tab.session = format!("{service}/session/{id}");
        tab
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, &body.to_string())
    }

    fn get(&self, path: &str) -> String {
        let value = self.call("GET", path, "");
        value.as_str().unwrap().to_owned()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let url = Url::parse(&format!("{}{path}", self.session)).unwrap();
        let answer = send(method, &url, "Content-Type: application/json\r\n", body);
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        let mut answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["value"].take()
    }

    /// The path of an element; waits until it is there.
    fn find(&self, using: &str, what: &str) -> String {
        let found = self.post("/element", &json!({ "using": using, "value": what }));
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// Types into the element that a CSS selector names.
    pub(super) fn fill(&self, selector: &str, text: &str) {
        let element = self.find("css selector", selector);
        self.post(&format!("{element}/value"), &json!({ "text": text }));
    }

    /// Clicks the element that a CSS selector names.
    pub(super) fn click(&self, selector: &str) {
        let element = self.find("css selector", selector);
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// The visible text of the element that an XPath names.
    pub(super) fn text(&self, xpath: &str) -> String {
        let element = self.find("xpath", xpath);
        self.get(&format!("{element}/text"))
    }

    /// What stands in the address bar.
    pub(super) fn url(&self) -> String {
        self.get("/url")
    }

    /// Every address that the tab can go back to, and the one that it is at.
    pub(super) fn history(&self) -> Vec<String> {
        let command = json!({ "cmd": "Page.getNavigationHistory", "params": {} });
        let history = self.post("/goog/cdp/execute", &command);
        let entries = history["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What the console has to say: violations of a policy, things that could not be loaded.
    pub(super) fn console(&self) -> Value {
        self.post("/se/log", &json!({ "type": "browser" }))
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.driver);
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.driver.wait();
    }
}
