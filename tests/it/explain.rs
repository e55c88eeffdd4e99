//! `models auth explain` as a process: each reason by its name, what hides what, and nothing
//! touched.

mod agreement;
mod quiet;

use openclaw::testing::issuer::{Account, Scripted};
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now, ran};

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

/// What each candidate is called, what becomes of it, and the name of the reason.
fn told(explained: &Value) -> Vec<String> {
    let candidates = explained["candidates"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    candidates
        .map(|row| {
            let names = ["profile", "variable", "source", "member"].map(|name| text(&row[name]));
            let name = names.into_iter().flatten().next().unwrap();
            let [standing, reason] = [&row["standing"], &row["reason"]["code"]];
            format!(
                "{name} {} {}",
                text(standing).unwrap(),
                text(reason).unwrap()
            )
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
        hang_up: false,
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
    let guide = crate::declared::guide("authorization_code");
    let guide = guide.replace("token_auto_refresh: true", "token_auto_refresh: false");
    world.write("config.yaml", &guide);
    for (left, expected, renewal) in [
        (
            -60,
            "codex:default passed-over renewed-by-command",
            "command",
        ),
        (60, "codex:default used first", "command"),
    ] {
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
fn a_wish_is_told_with_who_had_it() {
    let world = World::new();
    let base = world.directory.path().canonicalize().unwrap();
    let profiles = json!({ "anthropic:a": key("anthropic"), "anthropic:b": key("anthropic") });
    world.write(MAIN, &store(&profiles, &json!({})));
    let sessions = json!({ "agent:main:s": {
        "authProfileOverride": "anthropic:b", "authProfileOverrideSource": "user",
        "providerOverride": "anthropic",
    } });
    world.write("agents/main/sessions/sessions.json", &sessions.to_string());
    let named = [
        "anthropic:b used named",
        "anthropic:a passed-over not-asked",
    ];
    let by = |code: &str| named.map(|line| line.replace("named", code));
    for (args, code, because) in [
        (&["--profile", "anthropic:b"][..], "named", "profile"),
        (&["--model", "anthropic/x@anthropic:b"], "model", "model"),
        (&["--session", "s"], "session", "session"),
    ] {
        let explained = of(&world, args);
        assert_eq!(told(&explained), by(code), "{args:?}");
        assert_eq!(explained["preferred"]["because"], because, "{args:?}");
        assert_eq!(explained["preferred"]["locked"], true, "{args:?}");
    }
    let directories = json!({ "version": 1, "directories": {
        base.to_str().unwrap(): { "anthropic": "anthropic:b" } } });
    world.write("directories.json", &directories.to_string());
    for args in [&["--provider", "anthropic"][..], &[]] {
        let explained = of(&world, args);
        assert_eq!(told(&explained), by("directory"), "{args:?}");
        assert_eq!(explained["preferred"]["by"], base.to_str().unwrap());
    }
    let gone = directories
        .to_string()
        .replace("anthropic:b", "anthropic:gone");
    world.write("directories.json", &gone);
    let explained = of(&world, &["--provider", "anthropic"]);
    assert_eq!(explained["failure"]["kind"], "needs_login", "{explained}");
    assert_eq!(explained["used"], Value::Null);
}

#[test]
fn what_an_agent_has_itself_hides_what_main_has() {
    let world = World::new();
    world.add_agent("work");
    let order = json!({ "order": { "anthropic": ["anthropic:b", "anthropic:a"] } });
    let both = json!({ "anthropic:a": key("anthropic"), "anthropic:b": key("anthropic") });
    world.write(MAIN, &store(&both, &order));
    let own = json!({ "order": { "anthropic": ["anthropic:a"] } });
    world.write(
        WORK,
        &store(&json!({ "anthropic:a": key("anthropic") }), &own),
    );
    world.write("agents/work/agent/auth.json", "{}");
    let ran = run(&world, &["--provider", "anthropic", "--agent", "work"]);
    let report = report(&ran);
    let explained = &report["providers"][0];
    let expected = [
        "anthropic:a used first",
        "anthropic:b passed-over not-named",
    ];
    assert_eq!(told(explained), expected);
    assert_eq!(
        explained["order"],
        json!({ "source": "agent", "agent": "work" })
    );
    let hidden = json!([{ "source": "agent", "agent": "main" }]);
    assert_eq!(explained["orderShadows"], hidden);
    let shadow =
        json!([{ "what": "anthropic:a of agent main", "by": "anthropic:a of agent work" }]);
    assert_eq!(explained["shadows"], shadow);
    let owners = explained["candidates"].as_array().unwrap().iter();
    let owners: Vec<&Value> = owners.map(|row| &row["owner"]).collect();
    assert_eq!(owners, ["work", "main"]);
    let files = report["shadows"].to_string();
    assert!(files.contains("/agents/work/agent/auth.json"), "{files}");
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
        "anthropic:me is a subscription",
        "cooling down",
        "anthropic:api",
        "metered",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    let ran = world.run(&["models", "auth", "explain"]);
    assert!(
        ran.out.contains("! anthropic:me is a subscription"),
        "{ran:?}"
    );
}

#[test]
fn the_plan_is_read_from_the_claims() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let stored = world.read(MAIN);
    // As later releases keep it: a JWT of {"email":"me@example.com"} beside the tokens.
    let id_token = "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIn0.c2ln";
    let more = format!(r#""idToken":"{id_token}","chatgptPlanType":"plus","custom":"#);
    world.write(MAIN, &stored.replace("\"custom\":", &more));
    let explained = of(&world, &["--provider", "openai-codex"]);
    let account = &explained["candidates"][0]["account"];
    assert_eq!(account["id"], "acct_1", "{account}");
    assert!(
        account["email"].is_string() || account["plan"].is_string(),
        "{account}"
    );
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
