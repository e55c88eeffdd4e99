//! A tab of Chromium, driven by WebDriver. The driver is closed with the test, and by `timeout` if the
//! test is killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use url::Url;

use super::http::send;

/// The key of an element's id (WebDriver section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Looks again until there is something, for three minutes: Chromium may have to start beside all that runs.
pub(crate) fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..3_600 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited three minutes until {what}");
}

/// So often a driver is started: the port that it was given for one kind of address may be somebody
/// else's for the other, and then it ends.
const TRIES: usize = 5;

/// The tab of an open Chromium.
pub(crate) struct Tab {
    driver: Child,
    session: String,
    /// Whether Chromium is closed with it.
    is_own: bool,
}

impl Tab {
    /// Takes hold of the tab of a Chromium that can be driven on that port.
    pub(crate) fn attach(browser: u16) -> Self {
        let options = json!({ "debuggerAddress": format!("127.0.0.1:{browser}") });
        Self::start(&options, false)
    }

    /// Opens a Chromium without a screen, and with a profile of its own.
    pub(crate) fn open() -> Self {
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--lang=en-US",
        ];
        Self::start(&json!({ "args": args }), true)
    }

    fn start(options: &Value, is_own: bool) -> Self {
        let started = (0..TRIES).find_map(|_| driver());
        let (driver, port) = started.expect("chromedriver is installed and listens");
        let service = format!("http://127.0.0.1:{port}");
        let mut tab = Self {
            driver,
            session: format!("{service}/session"),
            is_own,
        };
        let wanted = json!({ "alwaysMatch": {
            "goog:chromeOptions": options,
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

    /// Opens an address.
    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Loads the page again.
    pub(crate) fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Types into the element that a CSS selector names.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.find("css selector", selector);
        self.post(&format!("{element}/value"), &json!({ "text": text }));
    }

    /// Clicks the element that a CSS selector names.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.find("css selector", selector);
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let key = |key: char| {
            let key = key.to_string();
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }))
        };
        let actions: Vec<Value> = keys.chars().flat_map(key).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// The visible text of the element that an XPath names.
    pub(crate) fn text(&self, xpath: &str) -> String {
        let element = self.find("xpath", xpath);
        self.get(&format!("{element}/text"))
    }

    /// What stands in the address bar.
    pub(crate) fn url(&self) -> String {
        self.get("/url")
    }

    /// How many tabs the browser has.
    pub(crate) fn tabs(&self) -> usize {
        self.call("GET", "/window/handles", "")
            .as_array()
            .unwrap()
            .len()
    }

    /// What the body of a function returns that runs in the page; a promise is waited for.
    pub(crate) fn run(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// Runs a command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, params: &Value) -> Value {
        let call = json!({ "cmd": command, "params": params });
        self.post("/goog/cdp/execute", &call)
    }

    /// Every address that the tab can go back to, and the one that it is at.
    pub(crate) fn history(&self) -> Vec<String> {
        let history = self.devtools("Page.getNavigationHistory", &json!({}));
        let entries = history["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What the console has to say: violations of a policy, things that could not be loaded.
    pub(crate) fn console(&self) -> Value {
        self.post("/se/log", &json!({ "type": "browser" }))
    }

    /// What is on the screen, as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.get("/screenshot")).unwrap()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if self.is_own && !std::thread::panicking() {
            self.call("DELETE", "", "");
        }
        let pid = Pid::from_child(&self.driver);
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.driver.wait();
    }
}

/// Starts a driver, and waits until it listens; `None` if it does not.
fn driver() -> Option<(Child, u16)> {
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
    if port.is_none() {
        let _ = driver.wait();
    }
    port.map(|port| (driver, port))
}
