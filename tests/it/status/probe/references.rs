//! Credentials whose secret lies elsewhere.

use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{PROBE, of, probes, store, world};

#[test]
fn references_are_followed_and_one_that_fails_is_the_result_of_its_profile() {
    let server = Server::start();
    let world = world(&server);
    server.answer("sk-by-program", Answer::of(200, ""));
    server.answer("sk-of-config", Answer::of(200, ""));
    let script = r#"#!/bin/sh
cat > /dev/null
echo asked >> "${0%/*}/../calls"
printf '{"protocolVersion":1,"values":{"there":"sk-by-program","config":"sk-of-config"}}'
"#;
    let program = world.install("bin/secrets", script);
    let by_program = |id: &str| json!({ "source": "exec", "provider": "p", "id": id });
    let unset = json!({ "source": "env", "provider": "default", "id": "UNSET_X" });
    let by = |reference: Value| json!({ "type": "api_key", "keyRef": reference });
    let profiles = [
        ("acme:there", by(by_program("there"))),
        ("acme:again", by(by_program("there"))),
        ("acme:none", by(by_program("none"))),
        ("acme:unset", by(unset)),
    ];
    store(&world, "acme", &profiles);
    let mut config = json!({ "secrets": { "providers": { "p": {
        "source": "exec", "command": program,
    } } } });
    world.write("openclaw.json", &config.to_string());
    let told = probes(&world, &[]);
    for label in ["acme:there", "acme:again"] {
        assert_eq!(of(&told, label)["status"], "ok", "{told}");
    }
    for (label, words) in [
        ("acme:none", "could not resolve SecretRef \"exec:p:none\": "),
        (
            "acme:unset",
            "could not resolve SecretRef \"env:default:UNSET_X\": ",
        ),
    ] {
        let result = of(&told, label);
        assert_eq!(result["reasonCode"], "unresolved_ref", "{result}");
        assert_eq!(result["status"], "unknown", "{result}");
        let start = format!(
            "Auth profile credentials are missing or expired.\n↳ Auth reason [unresolved_ref]: {words}"
        );
        let error = result["error"].as_str().unwrap();
        assert!(error.starts_with(&start), "{error}");
    }
    assert_eq!(told["totalTargets"], 2);
    assert!(!told.to_string().contains("sk-by-program"), "{told}");
    // For each of two ids once, and not for each profile.
    let calls = world.directory.path().join("calls");
    assert_eq!(std::fs::read_to_string(&calls).unwrap(), "asked\nasked\n");
    let text = world.run(&PROBE).out;
    assert!(text.contains("could not resolve SecretRef"), "{text}");
    assert!(!text.contains("credentials are missing"), "{text}");
    store(&world, "acme", &[]);
    config["models"] = json!({ "providers": { "acme": {
        "baseUrl": server.url("/v1"), "apiKey": by_program("config"), "models": [],
    } } });
    world.write("openclaw.json", &config.to_string());
    let told = probes(&world, &[]);
    assert_eq!(of(&told, "models.json")["status"], "ok", "{told}");
}
