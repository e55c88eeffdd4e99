//! Times that a person reads are relative first, then local; JSON stays in UTC.

use crate::support::{World, ran};

#[test]
fn text_is_in_the_time_zone_of_the_variable_and_json_is_in_utc() {
    let world = World::new();
    // 2100-01-01 00:00 UTC.
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{ "version": 1,
            "profiles": { "openai:a": { "type": "api_key", "provider": "openai", "key": "k" } },
            "usageStats": { "openai:a": { "cooldownUntil": 4102444800000 } } }"#,
    );
    let list = |zone: &str, options: &[&str]| {
        let args = [&["models", "auth", "list"], options].concat();
        let mut command = world.command(&args);
        ran(command.env("TZ", zone).output().unwrap()).out
    };
    for (zone, expected) in [
        ("UTC", " days, Fri 1 Jan 2100 00:00"),
        ("IST-5:30", " days, Fri 1 Jan 2100 05:30"),
        ("EST5", " days, Thu 31 Dec 2099 19:00"),
    ] {
        let text = list(zone, &[]);
        assert!(text.contains("cooldown ends in "), "{text}");
        assert!(text.contains(expected), "{zone}: {text}");
        let json = list(zone, &["--json"]);
        assert!(json.contains("\"2100-01-01T00:00:00.000Z\""), "{json}");
    }
}
