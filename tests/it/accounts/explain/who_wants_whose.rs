//! Who wants which account, and whose it is.

use crate::support::issuer::Account;
use serde_json::{Value, json};

use super::{MAIN, WORK, key, of, report, run, store, told};
use crate::support::World;

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
