//! `models auth explain` as a process: each reason by its name, what hides what, and nothing
//! touched.

mod agreement;
mod keys_and_billing;
mod read_only;
mod who_wants_whose;

use crate::support::issuer::{Account, Scripted};
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now};

pub(crate) const MAIN: &str = "agents/main/agent/auth-profiles.json";
const WORK: &str = "agents/work/agent/auth-profiles.json";
const EXPLAIN: [&str; 4] = ["models", "auth", "explain", "--json"];

fn run(world: &World, args: &[&str]) -> Ran {
    world.run(&[&EXPLAIN, args].concat())
}

fn report(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The one provider that is asked for.
fn of(world: &World, args: &[&str]) -> Value {
    let mut report = report(&run(world, args));
    report["providers"].as_array_mut().unwrap().remove(0)
}

/// What each candidate is called, what becomes of it, and the name of the reason, which the manual
/// knows.
fn told(explained: &Value) -> Vec<String> {
    let candidates = explained["candidates"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let manual = include_str!("../../../docs/selection.md");
    candidates
        .map(|row| {
            let names = ["profile", "variable", "source", "member"].map(|name| text(&row[name]));
            let name = names.into_iter().flatten().next().unwrap();
            let [standing, reason] = [&row["standing"], &row["reason"]["code"]];
            let words = [standing, reason].map(|value| text(value).unwrap());
            for word in words.iter().chain(&text(&row["then"]["code"])) {
                assert!(manual.contains(&format!("`{word}`")), "{word}");
            }
            format!("{name} {} {}", words[0], words[1])
        })
        .collect()
}

fn store(profiles: &Value, more: &Value) -> String {
    let mut store = json!({ "version": 1, "profiles": profiles });
    let members = store.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    store.to_string()
}

fn key(provider: &str) -> Value {
    json!({ "type": "api_key", "provider": provider, "key": "sk-MARKER-key" })
}

#[test]
fn each_verdict_of_selection_has_its_name() {
    let world = World::new();
    let soon = millis_from_now(600);
    let token = |expires| json!({ "type": "token", "provider": "anthropic", "token": "MARKER", "expires": expires });
    let profiles = json!({
        "anthropic:a": key("anthropic"),
        "anthropic:b": key("anthropic"),
        "anthropic:blank": { "type": "api_key", "provider": "anthropic", "key": " " },
        "anthropic:broke": key("anthropic"),
        "anthropic:cool": key("anthropic"),
        "anthropic:mode": key("anthropic"),
        "anthropic:old": token(millis_from_now(-60)),
        "anthropic:out": token(millis_from_now(600)),
        "openai:x": key("openai"),
    });
    let usage = json!({ "usageStats": {
        "anthropic:cool": { "cooldownUntil": soon },
        "anthropic:broke": { "disabledUntil": soon + 1, "disabledReason": "billing" },
    } });
    world.write(MAIN, &store(&profiles, &usage));
    world.write(
        "openclaw.json",
        r#"{ auth: {
            profiles: { "anthropic:mode": { provider: "anthropic", mode: "oauth" } },
            order: { anthropic: ["anthropic:mode", "anthropic:old", "anthropic:blank", "openai:x",
                "anthropic:broke", "anthropic:gone", "anthropic:a", "anthropic:cool",
                "anthropic:b"] },
        } }"#,
    );
    let explained = of(&world, &["--provider", "anthropic"]);
    let expected = [
        "anthropic:a used first",
        "anthropic:b next behind",
        "anthropic:cool last cooling-down",
        "anthropic:broke last disabled",
        "anthropic:mode passed-over config-disagrees",
        "anthropic:old passed-over expired",
        "anthropic:blank passed-over no-secret",
        "openai:x passed-over other-provider",
        "anthropic:gone passed-over not-stored",
        "anthropic:out passed-over not-named",
    ];
    assert_eq!(told(&explained), expected);
    assert_eq!(explained["order"], json!({ "source": "auth.order" }));
    assert_eq!(
        explained["orderShadows"],
        json!([{ "source": "auth.profiles" }])
    );
    let used = &explained["candidates"][0];
    assert_eq!(
        (&used["bill"], &used["owner"]),
        (&json!("metered"), &json!("main"))
    );
    assert!(used["file"].as_str().unwrap().ends_with(MAIN), "{used}");
    let disabled = explained["candidates"][3]["reason"]["words"].as_str();
    assert!(
        disabled.unwrap().contains("(billing) for another 10m"),
        "{explained}"
    );
}

#[test]
fn each_thing_that_keeps_a_login_from_living_has_its_name() {
    let login = |world: &World| {
        let explained = of(world, &["--provider", "openai-codex"]);
        let row = &explained["candidates"][0];
        let [reason, then] = ["reason", "then"].map(|name| row[name]["code"].clone());
        let failure = explained["failure"]["message"].clone();
        (reason, then, row.clone(), failure)
    };
    let names = |found: &(Value, Value, Value, Value)| (found.0.clone(), found.1.clone());

    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    assert_eq!(names(&login(&world)), (json!("first"), json!("as-it-is")));
    world.seed(&issuer, "main", 60);
    assert_eq!(
        names(&login(&world)),
        (json!("first"), json!("renewed-first"))
    );
    world.seed(&issuer, "main", -60);
    let found = login(&world);
    assert_eq!(names(&found), (json!("first"), json!("renewed-first")));
    assert_eq!(found.2["account"]["id"], "acct_1");

    // The provider is in trouble, and then says no for good.
    let answer = |status, body: &str| Scripted {
        status,
        headers: vec![("Retry-After", "120".to_owned())],
        body: body.to_owned(),
        ..Scripted::default()
    };
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    issuer.answer_next(answer(503, ""));
    assert_eq!(world.run(&token).code, 4);
    let found = login(&world);
    assert_eq!(names(&found), (json!("in-trouble"), Value::Null));
    world.seed(&issuer, "main", -60);
    issuer.answer_next(answer(400, r#"{"error":"invalid_grant"}"#));
    let ran = world.run(&token);
    assert_eq!(ran.code, 3);
    let found = login(&world);
    assert_eq!(names(&found), (json!("refused"), Value::Null));
    assert_eq!(found.2["refusal"]["code"], "invalid_grant");
    assert!(found.2["refusal"]["at"].is_string(), "{found:?}");
    assert!(
        ran.err.contains(found.3.as_str().unwrap()),
        "{ran:?} {found:?}"
    );

    // A manifest that names another server than the one the login came from.
    world.seed(&issuer, "main", -60);
    assert_eq!(world.run(&token).code, 0);
    let stored = world.store();
    let stored = &stored["profiles"]["openai-codex:default"];
    let [access, refresh] = ["access", "refresh"].map(|name| stored[name].as_str().unwrap());
    world.seed_with("main", -60, access, refresh);
    let manifest = issuer.manifest();
    world.write(
        "providers/openai-codex.toml",
        &manifest.replace("/oauth/token", "/other/token"),
    );
    assert_eq!(names(&login(&world)), (json!("misconfigured"), Value::Null));
    world.write("providers/openai-codex.toml", &manifest);

    // An old copy: its successor lies elsewhere, then nowhere.
    let backup = world.read(MAIN);
    assert_eq!(world.run(&token).code, 0);
    world.add_agent("work");
    let own = backup.replace("openai-codex:default", "openai-codex:copy");
    world.write(WORK, &own);
    let args = ["--provider", "openai-codex", "--agent", "work"];
    let explained = of(&world, &args);
    let rows = explained["candidates"].as_array().unwrap().iter();
    let mut copy = rows.filter(|row| row["profile"] == "openai-codex:copy");
    let copy = copy.next().unwrap();
    assert_eq!(copy["then"]["code"], "moved", "{explained}");
    assert!(copy["file"].as_str().unwrap().ends_with(WORK), "{copy}");
    world.write(MAIN, &backup);
    world.write(WORK, r#"{ "version": 1, "profiles": {} }"#);
    // The history has it still.
    assert_eq!(names(&login(&world)), (json!("first"), json!("moved")));
    for agent in ["main", "work"] {
        let history = world
            .state()
            .join(format!("agents/{agent}/agent/auth-history"));
        let _ = std::fs::remove_dir_all(history);
    }
    assert_eq!(names(&login(&world)), (json!("spent"), Value::Null));
}

#[test]
fn a_login_that_was_revoked_is_told_of() {
    let (world, issuer) = World::with_issuer(Account::default());
    let revoke = format!("revoke = \"{}/oauth/revoke\"\n", issuer.url());
    let manifest = issuer.manifest();
    let manifest = match manifest.contains("revoke = ") {
        true => manifest,
        false => manifest.replacen("[client]\n", &format!("[client]\n{revoke}"), 1),
    };
    world.write("providers/openai-codex.toml", &manifest);
    world.seed(&issuer, "main", -60);
    let backup = world.read(MAIN);
    let logout = ["models", "auth", "logout", "openai-codex:default"];
    let ran = world.run(&[&logout[..], &["--revoke", "--yes"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    world.write(MAIN, &backup);
    let explained = of(&world, &["--provider", "openai-codex"]);
    let expected = ["openai-codex:default passed-over revoked"];
    assert_eq!(told(&explained), expected, "{explained}");
    assert!(explained["candidates"][0]["revokedAt"].is_string());
    assert_eq!(explained["failure"]["kind"], "needs_login");
}

#[test]
fn what_is_renewed_by_command_only_is_told_apart() {
    let world = World::new();
    let guide = crate::providers::declared_in_config::guide("authorization_code");
    let guide = guide.replace("token_auto_refresh: true", "token_auto_refresh: false");
    world.write("config.yaml", &guide);
    let client = "CODEX_CLIENT_ID=id\nCODEX_CLIENT_SECRET=secret\n";
    for (left, client, expected, renewal) in [
        (
            -60,
            client,
            "codex:default passed-over renewed-by-command",
            "command",
        ),
        // The command would fail for want of a client.
        (
            -60,
            "",
            "codex:default passed-over misconfigured",
            "command",
        ),
        (60, client, "codex:default used first", "command"),
    ] {
        world.write(".env", client);
        let profiles = json!({ "codex:default": {
            "type": "oauth", "provider": "codex", "access": "MARKER", "refresh": "MARKER",
            "expires": millis_from_now(left),
        } });
        world.write(MAIN, &store(&profiles, &json!({})));
        let explained = of(&world, &["--provider", "codex"]);
        assert_eq!(told(&explained), [expected], "{explained}");
        assert_eq!(explained["candidates"][0]["renewal"], renewal);
        assert_eq!(explained["candidates"][0]["bill"], "unknown");
    }
}

#[test]
fn what_is_not_there_fails_with_a_code() {
    let world = World::new();
    for (args, code) in [
        (&["--provider", "nobody"][..], 1),
        (&["--provider", "anthropc"], 1),
        (&["--provider", "../x"], 1),
        (&["--profile", "anthropic:gone"], 1),
        (&["--model", "anthropic/x@anthropic:gone"], 1),
        (&["--session", "gone"], 1),
        (&["--agent", "nobody"], 1),
        (&["--provider", "anthropic"], 0),
        (&[], 0),
    ] {
        let ran = run(&world, args);
        assert_eq!(ran.code, code, "{args:?} {ran:?}");
        assert_eq!(ran.out.is_empty(), code != 0, "{args:?} {ran:?}");
    }
    world.write(MAIN, "no json");
    assert_eq!(run(&world, &[]).code, 5);
}
