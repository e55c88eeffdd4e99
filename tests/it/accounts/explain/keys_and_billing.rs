//! What lies in no document, and whose bill it is.

use serde_json::{Value, json};

use super::{EXPLAIN, MAIN, key, of, report, store, told};
use crate::support::{World, millis_from_now, ran};

#[test]
fn the_first_of_variables_and_the_configuration_hides_the_others() {
    let world = World::new();
    world.write(
        ".env",
        "ANTHROPIC_API_KEY=MARKER-env\nANTHROPIC_OAUTH_TOKEN=MARKER-env\n",
    );
    world.write(
        "openclaw.json",
        r#"{ env: { ANTHROPIC_API_KEY: "MARKER-config" },
             models: { providers: { anthropic: { apiKey: "MARKER-models" } } } }"#,
    );
    let with = |set: &[(&str, &str)], args: &[&str]| {
        let mut command = world.command(&[&EXPLAIN, args].concat());
        command.envs(set.iter().copied());
        let mut report = report(&ran(command.output().unwrap()));
        report["providers"].as_array_mut().unwrap().remove(0)
    };
    let args = ["--provider", "anthropic"];
    let explained = with(&[("ANTHROPIC_API_KEY", "MARKER-process")], &args);
    let expected = [
        "ANTHROPIC_OAUTH_TOKEN used no-profile",
        "ANTHROPIC_API_KEY shadowed shadowed",
        "ANTHROPIC_API_KEY shadowed shadowed",
        "ANTHROPIC_API_KEY shadowed shadowed",
        "models.providers.anthropic.apiKey shadowed shadowed",
    ];
    assert_eq!(told(&explained), expected);
    let places = explained["candidates"].as_array().unwrap().iter();
    let places: Vec<&Value> = places.map(|row| &row["setIn"]).collect();
    let expected = [
        json!(".env"),
        json!("process"),
        json!(".env"),
        json!("config"),
    ];
    assert_eq!(places[..4], expected.iter().collect::<Vec<_>>());
    let bills = explained["candidates"].as_array().unwrap().iter();
    let bills: Vec<&Value> = bills.map(|row| &row["bill"]).collect();
    assert_eq!(
        (bills[0], bills[1]),
        (&json!("subscription"), &json!("metered"))
    );

    world.write(".env", "");
    world.write(
        MAIN,
        &store(&json!({ "anthropic:a": key("anthropic") }), &json!({})),
    );
    let explained = with(&[], &args);
    let expected = [
        "anthropic:a used first",
        "ANTHROPIC_API_KEY next behind",
        "models.providers.anthropic.apiKey shadowed shadowed",
    ];
    assert_eq!(told(&explained), expected);
}

#[test]
fn a_key_of_the_configuration_is_used_last_and_handed_out() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ models: { providers: { acme: { apiKey: "sk-acme-MARKER" } } } }"#,
    );
    let explained = of(&world, &["--provider", "acme"]);
    let expected = ["models.providers.acme.apiKey used no-profile"];
    assert_eq!(told(&explained), expected);
    let ran = world.run(&["models", "auth", "token", "--provider", "acme"]);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, "sk-acme-MARKER"),
        "{ran:?}"
    );
}

#[test]
fn a_variable_of_the_login_shell_is_told_apart() {
    let world = World::new();
    world.write("openclaw.json", "{ env: { shellEnv: { enabled: true } } }");
    let shell =
        crate::accounts::environment_keys::shell(&world, "printf 'OPENAI_API_KEY=MARKER\\0'");
    let mut command = world.command(&[&EXPLAIN[..], &["--provider", "openai"]].concat());
    command.env("SHELL", shell);
    let report = report(&ran(command.output().unwrap()));
    let explained = &report["providers"][0];
    assert_eq!(told(explained), ["OPENAI_API_KEY used no-profile"]);
    assert_eq!(explained["candidates"][0]["setIn"], "login-shell");
    assert_eq!(explained["candidates"][0]["file"], Value::Null);
}

#[test]
fn a_sign_in_without_a_token_ends_the_search() {
    let world = World::new();
    let mut command = world.command(&[&EXPLAIN[..], &["--provider", "amazon-bedrock"]].concat());
    command.env("AWS_PROFILE", "work");
    let report = report(&ran(command.output().unwrap()));
    let explained = &report["providers"][0];
    assert_eq!(
        told(explained),
        ["env: AWS_PROFILE passed-over holds-no-token"]
    );
    assert_eq!(explained["candidates"][0]["bill"], "metered");
    assert_eq!(explained["used"], Value::Null);
    assert_eq!(explained["failure"]["kind"], "needs_login");
}

#[test]
fn a_bill_that_crosses_over_is_warned_of() {
    let world = World::new();
    let login = json!({ "type": "oauth", "provider": "anthropic", "access": "MARKER",
        "refresh": "MARKER", "expires": millis_from_now(7_200) });
    let profiles = json!({ "anthropic:me": login, "anthropic:api": key("anthropic") });
    world.write(MAIN, &store(&profiles, &json!({})));
    let explained = of(&world, &["--provider", "anthropic"]);
    assert_eq!(explained["candidates"][0]["bill"], "subscription");
    assert_eq!(explained["warnings"], json!([]));
    let usage = json!({ "anthropic:me": { "cooldownUntil": millis_from_now(300) } });
    world.write(MAIN, &store(&profiles, &json!({ "usageStats": usage })));
    let explained = of(&world, &["--provider", "anthropic"]);
    let warning = explained["warnings"][0].as_str().unwrap();
    for part in [
        "anthropic:me (subscription)",
        "cooling down",
        "anthropic:api",
        "metered",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    let ran = world.run(&["models", "auth", "explain"]);
    assert!(ran.out.contains("! anthropic:me (subscription)"), "{ran:?}");
}
