//! The page in a browser, and what must be true of it in every state.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::running_gateway::Gateway;
use crate::support::webdriver::Tab;

/// The rules of accessibility, as a script.
const AXE: &str = "tests/axe/node_modules/axe-core/axe.min.js";
/// Where the screenshots of the documentation are written, if a test run is told to.
const IMAGES: &str = "docs/images";

/// Before any script of the page: keeps what a policy forbade, and lets a test put answers and a
/// blocked window in the place of real ones.
const BEFORE: &str = "
    window.violations = [];
    addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
    window.canned = JSON.parse(sessionStorage.getItem('canned') ?? '{}');
    const real = window.fetch;
    window.fetch = (url, options) => {
        const answer = canned[url];
        if (!answer) return real(url, options);
        if (answer === 'never') return new Promise(() => {});
        const [status, body, headers] = answer;
        return Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
    };";

/// The page in a browser.
pub(super) struct Shown {
    pub(super) tab: Tab,
    axe: String,
}

impl Shown {
    /// Opens a path of a gateway.
    pub(super) fn open(gateway: &Gateway, path: &str) -> Self {
        let axe = std::fs::read_to_string(AXE).expect("the packages of tests/axe are installed");
        let shown = Self {
            tab: Tab::open(),
            axe,
        };
        let script = json!({ "source": BEFORE });
        shown
            .tab
            .devtools("Page.addScriptToEvaluateOnNewDocument", &script);
        shown.resize(800, 900);
        shown.tab.go(&format!("http://{}{path}", gateway.address));
        shown
    }

    /// Opens it by a one-time link.
    pub(super) fn signed_in(gateway: &Gateway) -> Self {
        let shown = Self::open(gateway, &link(gateway));
        shown.heading("Accounts");
        shown
    }

    pub(super) fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tab
            .devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    fn set_scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.tab.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
    }

    /// Waits for a heading that can be seen.
    pub(super) fn heading(&self, text: &str) {
        self.wait_for(
            &format!("the heading {text:?}"),
            &format!(
                "return [...document.querySelectorAll('h1, h2, h3')]
                .some((one) => one.checkVisibility() && one.textContent === {text:?})"
            ),
        );
    }

    /// Waits for what the only `role=status` says.
    pub(super) fn status(&self, text: &str) {
        self.wait_for(
            &format!("the status {text:?}"),
            &format!(
                "const [status, ...more] = document.querySelectorAll('[role=status]');
            return more.length === 0 && status.textContent === {text:?}"
            ),
        );
    }

    /// Waits until the focus is on the element that a selector names.
    pub(super) fn focus(&self, selector: &str) {
        self.wait_for(
            &format!("the focus on {selector}"),
            &format!("return document.activeElement.matches({selector:?})"),
        );
    }

    /// Waits for a text that can be seen.
    pub(super) fn says(&self, text: &str) {
        self.wait_for(
            &format!("the words {text:?}"),
            &format!("return document.body.innerText.includes({text:?})"),
        );
    }

    fn wait_for(&self, what: &str, test: &str) {
        for _ in 0..1_200 {
            if self.tab.run(test) == true {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let shown = self.tab.run("return document.body.innerText");
        panic!("waited a minute for {what}; the page says {shown}");
    }

    /// Has a request answered so from now on, and no longer by the gateway.
    pub(super) fn can(&self, path: &str, status: u16, body: &Value) {
        let headers = json!({ "Retry-After": "42" });
        let answer = json!([status, body, headers]);
        self.tab.run(&format!("canned['v1/{path}'] = {answer}"));
    }

    /// Has all requests answered by the gateway again.
    pub(super) fn uncan(&self) {
        self.tab.run("canned = {}");
    }

    /// Has the page read everything again, as it does when somebody comes back to its tab.
    pub(super) fn look(&self) {
        self.tab
            .run("document.dispatchEvent(new Event('visibilitychange'))");
    }

    /// What must be true in every state: no rule of accessibility is broken in either scheme, nothing
    /// is wider than a narrow screen, and the policy had nothing to forbid.
    pub(super) fn check(&self, state: &str) {
        self.tab.run(&self.axe);
        for scheme in ["light", "dark"] {
            self.set_scheme(scheme);
            let broken = self.tab.run(
                "return axe.run(document).then(({ violations }) => violations.map((rule) =>
                    [rule.id, ...rule.nodes.map((node) => node.html)].join(' ')))",
            );
            assert_eq!(broken, json!([]), "{state}, {scheme}");
        }
        self.set_scheme("light");
        self.resize(320, 640);
        let fits = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(self.tab.run(fits), true, "{state}");
        self.resize(800, 900);
        assert_eq!(self.tab.run("return violations"), json!([]), "{state}");
    }

    /// Writes a screenshot for the documentation, if `UPDATE_PAGE_IMAGES` is set.
    pub(super) fn picture(&self, name: &str, scheme: &str, (width, height): (u32, u32)) {
        if std::env::var_os("UPDATE_PAGE_IMAGES").is_none() {
            return;
        }
        self.set_scheme(scheme);
        self.resize(width, height);
        let path = Path::new(IMAGES).join(format!("gateway-{name}.png"));
        std::fs::create_dir_all(IMAGES).unwrap();
        std::fs::write(path, self.tab.screenshot()).unwrap();
        self.set_scheme("light");
        self.resize(800, 900);
    }
}

/// The path and fragment of a one-time link.
pub(super) fn link(gateway: &Gateway) -> String {
    let made = gateway.post("/v1/links", &json!({})).json();
    let url = made["url"].as_str().unwrap();
    let (origin, code) = url.split_once("/#k=").unwrap();
    assert_eq!(origin, format!("http://{}", gateway.address));
    format!("/#k={code}")
}
