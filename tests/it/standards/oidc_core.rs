//! OpenID Connect Core 1.0. What is about ID tokens stands beside them.

use std::sync::Arc;

use openclaw::model::id::ProviderId;
use openclaw::model::provider::{Flow, Stored};
use openclaw::providers::catalogue::Catalogue;
use openclaw::testing::files::MemoryFiles;

use crate::providers::manifests::ACME;
use crate::support::World;

#[test]
fn oidc_core_11_whoever_asks_for_openid_asks_for_offline_access() {
    let catalogue = Catalogue::new(Arc::new(MemoryFiles::new()), "/none".into());
    let mut looked_at = 0;
    for id in catalogue.ids().unwrap() {
        // Two servers that give refresh tokens for other scopes: theirs are as registered.
        if ["chutes", "qwen-portal"]
            .map(|id| ProviderId::parse(id).unwrap())
            .contains(&id)
        {
            continue;
        }
        for flow in catalogue.get(&id).unwrap().flows {
            let scopes = match flow {
                Flow::Browser(flow) => flow.scopes,
                Flow::Device(flow) if flow.stores == Stored::OAuth => flow.scopes,
                _ => continue,
            };
            let has = |scope: &str| scopes.iter().any(|known| known == scope);
            assert!(!has("openid") || has("offline_access"), "{id}: {scopes:?}");
            looked_at += usize::from(has("openid"));
        }
    }
    assert!(looked_at >= 2);
}

#[test]
fn oidc_core_11_a_manifest_without_it_is_warned_of() {
    let world = World::new();
    let path = world.directory.path().join("acme.toml");
    let check = || world.run(&["models", "auth", "providers", "check", "acme.toml"]);
    std::fs::write(&path, ACME).unwrap();
    assert!(!check().err.contains("offline_access"));
    std::fs::write(&path, ACME.replace(", \"offline_access\"", "")).unwrap();
    assert!(check().err.contains("offline_access"));
}
