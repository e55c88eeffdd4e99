//! The authorization server: `tests/oidc-provider/server.mjs` as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use url::Url;

use crate::support::http::send;

/// The manifest that is compiled in: only the addresses are changed, so that everything else meets
/// the server as it meets the provider.
const BUILTIN: &str = include_str!("../../../../src/providers/builtin/openai-codex.toml");

/// Where a user learns to write a manifest.
const GUIDE: &str = include_str!("../../../../docs/providers.md");

/// A running server. It ends with its standard input, which is this process's to close.
pub(super) struct Server {
    child: Child,
    issuer: String,
}

impl Server {
    /// Starts a server whose access tokens of a login live so many seconds; refreshed ones live an
    /// hour.
    pub(super) fn start(login_life: u32) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc-provider");
        assert!(
            directory.join("node_modules").is_dir(),
            "first run `npm ci --ignore-scripts` in {}",
            directory.display()
        );
        let mut child = Command::new("node")
            .arg("server.mjs")
            .arg(login_life.to_string())
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let issuer = told["issuer"].as_str().unwrap().to_owned();
        Self { child, issuer }
    }

    /// A manifest that points `openai-codex` here, with a redirect on any free port.
    pub(super) fn manifest(&self) -> String {
        let issuer = &self.issuer;
        let changes = [
            ("schema = 1", "schema = 1\nreplaces = true"),
            (
                "https://auth.openai.com/oauth/authorize",
                &format!("{issuer}/auth"),
            ),
            (
                "https://auth.openai.com/oauth/token",
                &format!("{issuer}/token"),
            ),
            ("https://auth.openai.com", issuer),
            ("ports = [1455, 1457]", "ports = [0]"),
            // Without it a server gives no offline access (OpenID Connect Core section 11).
            ("[flow.params]", "[flow.params]\nprompt = \"consent\""),
        ];
        changes.iter().fold(BUILTIN.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old} is not in the built-in manifest");
            text.replace(old, new)
        })
    }

    /// A manifest for this server as the guide has a user write it, with what was registered here;
    /// a device flow and a check of the signature are added.
    pub(super) fn users_manifest(&self) -> String {
        let example = GUIDE.split("```toml").nth(1).unwrap();
        let example = example.split("```").next().unwrap();
        let changes = [
            ("https://login.acme.example", self.issuer.as_str()),
            ("my-client", "acme-cli"),
            ("ports = [8765]", "ports = [0]\nnonce = true"),
            ("schema = 1", "schema = 1\nid_token = \"signature\""),
        ];
        let example = changes.iter().fold(example.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old} is not in the guide");
            text.replace(old, new)
        });
        let device = r#"
[[flow]]
kind = "device"
scopes = ["openid", "email", "offline_access"]
params = { prompt = "consent" }
interval = "1s"
"#;
        example + device
    }

    /// A manifest for a service of this server, which logs in as itself.
    pub(super) fn service_manifest(&self, auth: &str) -> String {
        let issuer = &self.issuer;
        format!(
            r#"schema = 1
id = "acme"
name = "Acme Models"

[client]
id = "service-{auth}"
secret_env = ["ACME_CLIENT_SECRET"]
auth = "{auth}"
issuer = "{issuer}"

[[flow]]
kind = "client_credentials"
scopes = ["models"]
"#
        )
    }

    /// Whether the server would still take a refresh token.
    pub(super) fn takes(&self, refresh_token: &str) -> bool {
        let mut url = Url::parse(&format!("{}/test/active", self.issuer)).unwrap();
        url.query_pairs_mut().append_pair("token", refresh_token);
        let answer: Value = serde_json::from_str(&send("GET", &url, "", "").body).unwrap();
        answer["active"].as_bool().unwrap()
    }

    /// The same, with no endpoint in it: only the issuer, whose signature is checked.
    pub(super) fn manifest_of_issuer(&self) -> String {
        let lines = self.manifest();
        let lines = lines.lines().filter(|line| {
            let names = [
                "authorize = ",
                "token = ",
                "revoke = ",
                "revocation_body = ",
            ];
            !names.iter().any(|name| line.starts_with(name))
        });
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let text = text.replace("schema = 1\n", "schema = 1\nid_token = \"signature\"\n");
        let browser = "path = \"/auth/callback\"\n";
        assert!(text.contains(browser));
        text.replace(browser, "path = \"/auth/callback\"\nnonce = true\n")
    }

    /// Token requests by grant type: how many were granted and how many refused.
    pub(super) fn count(&self) -> Value {
        let url = Url::parse(&format!("{}/test/count", self.issuer)).unwrap();
        serde_json::from_str(&send("GET", &url, "", "").body).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
