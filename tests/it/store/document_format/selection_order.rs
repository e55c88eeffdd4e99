//! The order of profiles, from the text of a store to the answer of the reference release.

use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::profile_index::ProfileIndex;
use openclaw::model::profiles::Effective;
use openclaw::model::selection::decide;
use openclaw::model::settings::{ProfileSettings, Settings};
use openclaw::model::time::Timestamp;
use serde_json::{Value, json};

use super::{all, fixtures, id, read_json};

fn settings(config: &Value) -> Settings {
    let auth = &config["auth"];
    let members = |name: &str| auth[name].as_object().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let profiles = members("profiles");
    let profiles = profiles.iter().map(|(key, profile)| ProfileSettings {
        id: id(key),
        provider: text(&profile["provider"]),
        mode: text(&profile["mode"]),
        email: None,
    });
    let order = members("order").into_iter().map(|(key, ids)| {
        let ids = ids.as_array().unwrap().iter().map(text).collect();
        (key, ids)
    });
    Settings {
        profiles: profiles.collect(),
        order: order.collect(),
        ..Settings::default()
    }
}

#[test]
fn selection_gives_the_order_of_the_reference_release() {
    let fixture = read_json(&fixtures().join("orders.json"));
    let now = Timestamp(fixture["clock_ms"].as_i64().unwrap());
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 300);
    for case in cases {
        let document = all(&case["store"].to_string());
        let seen = Effective::new(AgentId::main(), document, None);
        let provider = ProviderId::parse(case["provider"].as_str().unwrap()).unwrap();
        let pinned = case["preferredProfile"].as_str().map(id);
        let settings = settings(&case["config"]);
        let decision = decide(
            &ProfileIndex::new(&seen),
            &settings,
            &provider,
            (pinned.as_ref(), None),
            now,
        );
        let order: Vec<&str> = decision.order().map(|c| c.id.as_str()).collect();
        assert_eq!(json!(order), case["order"], "{case}");
    }
}
