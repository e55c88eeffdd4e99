//! The page of the gateway: the real binary in a real browser, in every state, and what can be read of
//! it without one.
//!
//! The browser needs more than Rust, so those tests are ignored by default; `.ci/run` installs what they
//! need and runs them by name.

mod accounts;
mod device_code;
mod failures;
mod guide;
mod keyboard;
mod login;
mod more_accounts;
mod shown;
mod sign_in;

use crate::support::World;
use crate::support::issuer::{Account, Issuer};
use crate::support::running_gateway::Gateway;

/// The account of the test issuer.
const WHO: &str = "me@example.com";

/// What the provider is called in truth.
const NAME: &str = "OpenAI Codex (ChatGPT)";

fn world() -> (World, Issuer, Gateway) {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest().replace("Test issuer", NAME);
    world.write("providers/openai-codex.toml", &manifest);
    let gateway = Gateway::start(&world);
    (world, issuer, gateway)
}

#[test]
fn the_page_is_three_files_and_a_policy() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = gateway.ask("GET", path, "", "");
        assert_eq!(answer.status, 200, "{path}");
        let expected = [
            ("content-type", kind),
            ("content-security-policy", policy),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
    }
}
