//! The built-in manifests with nothing replaced but their server, and the ports of redirects.

use std::sync::Arc;

use crate::support::issuer::{Account, Issuer};
use openclaw::sys::clock::SystemClock;

use super::World;

/// The members that hold an address of the server.
const ADDRESSES: [&str; 12] = [
    "authorize",
    "code",
    "device",
    "exchange",
    "issuer",
    "poll",
    "redirect",
    "revoke",
    "token",
    "url",
    "userinfo",
    "verification",
];

/// The built-in manifest of `id`, whose server is at `url` on 127.0.0.1.
pub(crate) fn manifest(id: &str, url: &str) -> String {
    let path = format!("src/providers/builtin/{id}.toml");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = vec!["replaces = true".to_owned()];
    for line in text.lines() {
        let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
        lines.push(match value.strip_prefix("\"https://") {
            Some(address) if ADDRESSES.contains(&name) => {
                let path = address.find('/').map_or("\"", |at| &address[at..]);
                format!("{name} = \"{url}{path}")
            }
            // A registered port may be busy with another test.
            _ if name == "ports" => "ports = [0]".to_owned(),
            _ if name == "hosts" => "hosts = [\"127.0.0.1\"]".to_owned(),
            _ => line.to_owned(),
        });
    }
    lines.join("\n")
}

impl World {
    /// A world whose `id` is the built-in provider at the test issuer.
    pub(crate) fn with_builtin(id: &str) -> (Self, Issuer) {
        let world = Self::new();
        let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
        let manifest = manifest(id, issuer.url());
        world.write(&format!("providers/{id}.toml"), &manifest);
        (world, issuer)
    }
}

#[test]
fn a_built_in_manifest_keeps_everything_but_its_server() {
    let text = manifest("openai-codex", "http://127.0.0.1:99");
    assert!(!text.contains("https://auth.openai.com"), "{text}");
    assert!(
        text.contains("token = \"http://127.0.0.1:99/oauth/token\""),
        "{text}"
    );
    assert!(
        text.contains("redirect = \"http://127.0.0.1:99/deviceauth/callback\""),
        "{text}"
    );
    assert!(text.contains("https:~1~1api.openai.com~1auth"), "{text}");
    assert!(
        text.contains("id = \"app_EMoamEEZ73f0CkXaXp7hrann\""),
        "{text}"
    );
}
