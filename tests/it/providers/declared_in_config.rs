//! `config.yaml`: the two blocks of the guide as it shows them, and what is odd about others.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openclaw::config::declared::DeclaredFile;
use openclaw::model::id::ProviderId;
use openclaw::model::provider::{
    Billing, BrowserFlow, ClientAuth, ClientCredentialsFlow, ClientValue, Flow, Provider, Redirect,
    Registration,
};
use openclaw::ports::declarations::Declarations;
use openclaw::providers::catalogue::Catalogue;
use openclaw::testing::files::MemoryFiles;

pub(crate) fn guide(flow: &str) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/guide");
    std::fs::read_to_string(format!("{fixtures}/{flow}.yaml")).unwrap()
}

fn id(text: &str) -> ProviderId {
    ProviderId::parse(text).unwrap()
}

fn catalogue(yaml: &str) -> Catalogue {
    let files = MemoryFiles::new();
    let path = PathBuf::from("/s/config.yaml");
    files.put(&path, yaml);
    let files = Arc::new(files);
    let declared = DeclaredFile::new(files.clone(), path);
    Catalogue::new(files, PathBuf::from("/s/providers")).declaring(Arc::new(declared))
}

/// What the block makes of the manifest it stands on, whichever flow it is.
fn expected(flow: Flow) -> Provider {
    let base = catalogue("").get(&id("openai-codex")).unwrap();
    let secret = |name: &str| ClientValue {
        secret: Some(name.to_owned()),
        ..ClientValue::default()
    };
    let mut provider = Provider {
        id: id("codex"),
        aliases: Vec::new(),
        policy: None,
        default_model: None,
        billing: Billing::default(),
        registration: Some(Registration {
            id: secret("CODEX_CLIENT_ID"),
            secret: secret("CODEX_CLIENT_SECRET"),
            secret_required: true,
            auth: ClientAuth::Post,
            issuer: Some("https://auth.openai.com".to_owned()),
            authorize: Some("https://auth.openai.com/oauth/authorize".to_owned()),
            token: Some("https://auth.openai.com/oauth/token".to_owned()),
            ..base.registration.clone().unwrap()
        }),
        flows: vec![flow],
        ..base
    };
    provider.account.required = false;
    provider.refresh.margin = Duration::from_secs(300);
    provider
}

#[test]
fn the_authorization_code_block_of_the_guide_is_a_provider() {
    let catalogue = catalogue(&guide("authorization_code"));
    let found = catalogue.get(&id("codex")).unwrap();
    let base = catalogue.get(&id("openai-codex")).unwrap();
    let page = "https://yourdomain.com/openclaw/oauth/callback/codex";
    let flow = Flow::Browser(BrowserFlow {
        redirect: Redirect::Elsewhere(page.to_owned()),
        scopes: ["openid", "model.request", "offline_access"]
            .map(str::to_owned)
            .into(),
        ..base.browser().unwrap().clone()
    });
    assert_eq!(found, expected(flow));
    assert!(found.refresh.automatic);
    let findings: Vec<_> = catalogue.findings().unwrap();
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "/s/config.yaml:13:21: the browser is not redirected to this machine: after the login, paste the URL of the page it ends on",
        ]
    );
}

#[test]
fn the_client_credentials_block_of_the_guide_is_a_provider() {
    let catalogue = catalogue(&guide("client_credentials"));
    let flow = Flow::ClientCredentials(ClientCredentialsFlow {
        scopes: vec!["model.request".to_owned()],
        params: Vec::new(),
    });
    assert_eq!(catalogue.get(&id("codex")).unwrap(), expected(flow));
    assert_eq!(catalogue.findings().unwrap(), []);
    assert!(catalogue.ids().unwrap().contains(&id("codex")));
}

#[test]
fn a_declaration_may_have_the_name_of_what_it_stands_on() {
    let yaml = guide("client_credentials").replace("codex:", "openai-codex:");
    let found = catalogue(&yaml).get(&id("openai-codex")).unwrap();
    assert!(found.client_credentials().is_some());
}

#[test]
fn a_fault_in_one_block_harms_no_other() {
    let yaml = format!(
        "{}  broken:\n    type: openai-codex\n    auth: no\n",
        guide("client_credentials")
    );
    let catalogue = catalogue(&yaml);
    assert!(catalogue.get(&id("codex")).is_ok());
    assert!(catalogue.get(&id("anthropic")).is_ok());
    assert!(catalogue.get(&id("broken")).is_err());
}

#[test]
fn a_file_of_somebody_else_declares_nothing() {
    let yaml = "agents:\n  - main\nproviders:\n  openai:\n    api_key: x\n    base_url: https://a.example\n";
    let catalogue = catalogue(yaml);
    assert!(catalogue.get(&id("openai")).is_ok());
    let files = Arc::new(MemoryFiles::new());
    let absent = DeclaredFile::new(files, PathBuf::from("/s/config.yaml"));
    assert_eq!(absent.ids().unwrap(), []);
    assert_eq!(absent.get(&id("codex")).unwrap(), None);
}

#[test]
fn no_finding_quotes_a_value() {
    let yaml = "providers:\n  codex:\n    type: openai-codex\n    auth:\n      method: MARKER\n      flow: MARKER\n      client_id: \"${MARKER}\"\n      client_secret: MARKER-secret\n      scopes: [\"MARKER x\", [MARKER]]\n      redirect_uri: MARKER\n      token_auto_refresh: MARKER\n      token_refresh_buffer: MARKER\n      pkce: MARKER\n      token_store: MARKER\n      access_token: MARKER\n";
    let findings = catalogue(yaml).findings().unwrap();
    assert!(findings.len() > 9, "{findings:?}");
    for finding in findings {
        assert!(
            !format!("{finding} {finding:?}").contains("MARKER"),
            "{finding}"
        );
    }
}
