//! Several accounts of one provider: a failure that is reported makes the next one the right one,
//! and a cooldown that is over brings the first one back.

mod script;

use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use openclaw::app::credential::selector::Selector;
use openclaw::app::usecase::report::{self, RequestOutcome};
use openclaw::app::usecase::token;
use openclaw::model::cooldown::Reason;
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use serde_json::{Value, json};

use crate::security::random_inputs::targets::fake_ports::FakePorts;
use crate::support::{Ran, World, ran};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const STATE: &str = "agents/main/agent/auth-state.json";
const WORK: &str = "agents/work/agent/auth-profiles.json";
const A: &str = "anthropic:a";
const B: &str = "anthropic:b";

/// Two accounts, whose tokens are their names.
fn accounts() -> Value {
    let token = |name: &str| json!({ "type": "token", "provider": "anthropic", "token": name });
    json!({ "version": 1, "profiles": { A: token(A), B: token(B) } })
}

fn world() -> World {
    let world = World::new();
    world.write(MAIN, &accounts().to_string());
    world
}

fn run(world: &World, words: &str) -> Ran {
    let args: Vec<&str> = words.split(' ').collect();
    world.run(&[&["models", "auth"], &args[..]].concat())
}

fn done(world: &World, words: &str) -> String {
    let ran = run(world, words);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words}: {ran:?}");
    ran.out
}

/// The account that is next, for an agent.
fn token(world: &World, agent: &str) -> String {
    let out = done(
        world,
        &format!("token --provider anthropic --agent {agent}"),
    );
    out.trim_end().to_owned()
}

fn read(world: &World, path: &str) -> Value {
    serde_json::from_str(&world.read(path)).unwrap()
}

/// Makes everything that was learnt so much older, as if time had passed.
fn pass(world: &World, path: &str, millis: i64) {
    let mut document = read(world, path);
    let usage = document["usageStats"].as_object_mut().unwrap();
    for (name, value) in usage
        .values_mut()
        .flat_map(|entry| entry.as_object_mut().unwrap())
    {
        if [
            "lastUsed",
            "lastFailureAt",
            "cooldownUntil",
            "disabledUntil",
        ]
        .contains(&name.as_str())
        {
            *value = (value.as_i64().unwrap() - millis).into();
        }
    }
    world.write(path, &document.to_string());
}

#[test]
fn a_reported_429_moves_on_to_the_next_account_and_the_first_comes_back() {
    let world = world();
    assert_eq!(token(&world, "main"), A);
    assert_eq!(token(&world, "main"), A, "handing out counts for nothing");
    let told = done(&world, &format!("report {A} --failed rate_limit"));
    assert!(
        told.contains("anthropic:a is cooling down for 1m"),
        "{told}"
    );
    assert!(
        told.ends_with("(rate_limit); next is anthropic:b\n"),
        "{told}"
    );
    assert_eq!(token(&world, "main"), B);
    let told = done(&world, &format!("report {B} --ok"));
    assert_eq!(told, "anthropic:b works; next is anthropic:b\n");
    pass(&world, MAIN, 61_000);
    assert_eq!(token(&world, "main"), A);
    done(&world, &format!("report {A} --ok"));
    assert_eq!(token(&world, "main"), B, "the least recently used");
    let store = world.store();
    assert_eq!(store["lastGood"], json!({ "anthropic": A }));
    let a = &store["usageStats"][A];
    assert_eq!(a["errorCount"], 0);
    assert!(a["lastFailureAt"].is_i64() && a["lastUsed"].is_i64(), "{a}");
    assert!(a.get("cooldownUntil").is_none() && a.get("failureCounts").is_none());
}

/// With a clock that is moved: to the millisecond.
#[test]
fn an_account_comes_back_at_the_end_of_its_cooldown_and_not_before() {
    let fakes = FakePorts::new();
    let path = format!("/state/{MAIN}");
    fakes.files.put(path.as_ref(), &accounts().to_string());
    let next = || {
        let want = Selector::Provider(ProviderId::parse("anthropic").unwrap());
        let request = token::Request {
            agent: AgentId::main(),
            want,
            min_valid: None,
        };
        token::run(fakes.ports(), &request)
            .unwrap()
            .profile
            .unwrap()
    };
    let failed = |retry_after| report::Request {
        agent: AgentId::main(),
        profile: ProfileId::parse(A).unwrap(),
        model: None,
        ending: RequestOutcome::Failed {
            reason: Reason::RateLimit,
            retry_after,
        },
    };
    for (retry_after, seconds) in [
        (None, 60),
        (None, 300),
        (Some(400), 1_500),
        (Some(7_200), 7_200),
    ] {
        assert_eq!(next().as_str(), A);
        let request = failed(retry_after.map(Duration::from_secs));
        report::run(fakes.ports(), &request).unwrap();
        fakes.advance(Duration::from_millis(seconds * 1_000 - 1));
        assert_eq!(next().as_str(), B);
        fakes.advance(Duration::from_millis(1));
    }
    assert_eq!(next().as_str(), A);
}

#[test]
fn whoever_fails_last_is_not_marked_good() {
    let world = world();
    done(&world, &format!("report {A} --failed rate_limit"));
    let told = done(&world, &format!("report {B} --failed auth"));
    assert!(
        told.contains("none is available; anthropic:a is next, in 1m"),
        "{told}"
    );
    let store = world.store();
    assert!(store.get("lastGood").is_none(), "{store}");
    for id in [A, B] {
        assert_eq!(store["usageStats"][id]["errorCount"], 1);
    }
    assert_eq!(token(&world, "main"), A, "the soonest to recover");
}

#[test]
fn what_one_agent_learns_stays_with_it() {
    let world = world();
    world.add_agent("work");
    let before = world.read(MAIN);
    done(
        &world,
        &format!("report {A} --failed rate_limit --agent work"),
    );
    assert_eq!(world.read(MAIN), before);
    let own = read(&world, WORK);
    assert_eq!(own["profiles"], json!({}), "nothing inherited is copied");
    assert_eq!(
        own["usageStats"][A]["failureCounts"],
        json!({ "rate_limit": 1 })
    );
    assert_eq!(token(&world, "work"), B);
    assert_eq!(token(&world, "main"), A);

    // What main learnt counts for others as long as they have not learnt more, and goes on there.
    done(&world, &format!("report {B} --failed timeout"));
    assert_eq!(token(&world, "work"), A, "it recovers first");
    done(&world, &format!("report {B} --failed timeout --agent work"));
    assert_eq!(read(&world, WORK)["usageStats"][B]["errorCount"], 2);
    assert_eq!(world.store()["usageStats"][B]["errorCount"], 1);
    let before = world.read(MAIN);
    let told = done(&world, "cooldown clear --all --agent work");
    assert_eq!(
        told,
        "Agent: work\nCleared: anthropic:a\nCleared: anthropic:b\n"
    );
    assert_eq!(world.read(MAIN), before);
    assert_eq!(token(&world, "work"), A);
    let main: Value = serde_json::from_str(&done(&world, "cooldown list --json")).unwrap();
    assert_eq!(main["profiles"][0]["profileId"], B);
}

#[test]
fn a_split_document_is_kept_by_the_rules_of_late_releases() {
    let world = world();
    let learnt = format!(
        r#"{{"version":1,"usageStats":{{"{A}":{{"lastUsed":5,"blockedUntil":1.50,"errorCount":2,"cooldownUntil":7}}}},"more":[1.50]}}"#
    );
    world.write(STATE, &learnt);
    // As OpenClaw writes it: then the credentials are not even written.
    let text = serde_json::to_string_pretty(&accounts()).unwrap() + "\n";
    world.write(MAIN, &text);
    let inode = || std::fs::metadata(world.state().join(MAIN)).unwrap().ino();
    let before = inode();
    let model = "--model anthropic/claude-opus-4-5";
    let told = done(&world, &format!("report {A} --failed rate_limit {model}"));
    assert!(
        told.contains("cooling down for claude-opus-4-5 for 1m"),
        "{told}"
    );
    let state = world.read(STATE);
    assert!(
        state.contains("\"blockedUntil\": 1.50") && state.contains("\"more\": [1.50]"),
        "{state}"
    );
    let usage = read(&world, STATE)["usageStats"][A].clone();
    let (until, failed) = (
        usage["cooldownUntil"].as_i64(),
        usage["lastFailureAt"].as_i64(),
    );
    assert_eq!(until.unwrap() - failed.unwrap(), 30_000);
    let names: Vec<&String> = usage.as_object().unwrap().keys().collect();
    let expected = [
        "lastUsed",
        "blockedUntil",
        "errorCount",
        "cooldownUntil",
        "failureCounts",
        "lastFailureAt",
        "cooldownReason",
        "cooldownModel",
    ];
    assert_eq!(names, expected, "each in its place, the new ones behind");
    assert_eq!(usage["errorCount"], 1, "the one before was over");
    assert_eq!(usage["cooldownModel"], "claude-opus-4-5");
    // Another model of the same account is as good as before.
    let told = done(
        &world,
        &format!("report {B} --failed rate_limit --model claude-haiku"),
    );
    assert!(told.ends_with("next is anthropic:a\n"), "{told}");
    for (model, expected) in [("claude-opus-4-5", B), ("claude-haiku", A)] {
        let out = done(&world, &format!("token --model anthropic/{model}"));
        assert_eq!(out.trim_end(), expected, "{model}");
    }
    assert_eq!((inode(), world.read(MAIN)), (before, text));
    let told = done(&world, &format!("report {A} --failed auth_permanent"));
    assert!(told.contains("is disabled for 10m"), "{told}");
    let usage = read(&world, STATE)["usageStats"][A].clone();
    assert_eq!(usage["disabledReason"], "auth_permanent");
    done(&world, &format!("report {A} --ok"));
    let usage = read(&world, STATE)["usageStats"][A].clone();
    let names: Vec<&String> = usage.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["lastUsed", "blockedUntil", "errorCount", "lastFailureAt"]
    );
}

#[test]
fn routers_are_passed_over_by_early_releases_only() {
    for (late, state) in [(false, "cooldown"), (true, "exempt")] {
        let world = World::new();
        let key = json!({ "type": "api_key", "provider": "openrouter", "key": "k" });
        let store = json!({ "version": 1, "profiles": { "openrouter:default": key } });
        world.write(MAIN, &store.to_string());
        if late {
            world.write(STATE, r#"{"version":1,"more":1}"#);
        }
        let before = world.read(MAIN);
        let words = "report openrouter:default --failed rate_limit --json";
        let told: Value = serde_json::from_str(&done(&world, words)).unwrap();
        assert_eq!(told["state"], state);
        assert_eq!(world.read(MAIN) == before, late);
        assert_eq!(told["next"]["profileId"], "openrouter:default");
        assert_eq!(told["next"]["until"].is_null(), late);
    }
}

#[test]
fn reports_at_once_lose_none() {
    let world = world();
    let args = ["models", "auth", "report", A, "--failed", "timeout"];
    let spawn = |_| {
        let mut command = world.command(&args);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    };
    let children: Vec<Child> = (0..32).map(spawn).collect();
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let usage = world.store()["usageStats"][A].clone();
    assert_eq!(usage["errorCount"], 32);
    assert_eq!(usage["failureCounts"], json!({ "timeout": 32 }));
}

#[test]
fn the_configuration_of_openclaw_counts_and_is_checked() {
    let world = world();
    let config = |value: &str| {
        let text = format!("{{ auth: {{ cooldowns: {{ billingBackoffHours: {value} }} }} }}");
        world.write("openclaw.json", &text);
    };
    config("0.5");
    let told = done(&world, &format!("report {A} --failed billing"));
    assert!(told.contains("anthropic:a is disabled for 30m"), "{told}");
    config("0.5, billingBackoffHoursByProvider: { Anthropic: 2 }, billingMaxHours: 3");
    let told = done(&world, &format!("report {A} --failed billing"));
    assert!(told.contains("disabled for 3h"), "{told}");
    done(&world, &format!("cooldown clear {A}"));
    let told = done(&world, &format!("report {A} --failed billing"));
    assert!(told.contains("disabled for 2h"), "{told}");
    for wrong in ["0", "-1", "'5'", "1e300"] {
        config(wrong);
        let ran = run(&world, &format!("report {A} --ok"));
        assert_eq!(ran.code, 1, "{ran:?}");
        let told = "auth.cooldowns.billingBackoffHours is not a number greater than 0";
        assert!(ran.err.contains(told), "{ran:?}");
    }
}

#[test]
fn what_is_no_profile_is_refused_and_nothing_is_written() {
    let world = world();
    let before = world.read(MAIN);
    world.add_agent("work");
    for words in [
        "report anthropic:none --ok",
        "report anthropic:none --failed auth --agent work",
        "cooldown clear anthropic:none",
        "report anthropic:a",
        "report anthropic:a --ok --failed auth",
        "report anthropic:a --failed 429",
        "report anthropic:a --ok --retry-after 3",
        "report anthropic:a --failed auth --retry-after tomorrow",
        "cooldown clear",
        "cooldown clear anthropic:a --all",
        "cooldown",
    ] {
        let ran = run(&world, words);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{words}: {ran:?}");
    }
    assert_eq!(
        done(&world, "cooldown clear --all"),
        "Agent: main\nNothing to clear.\n"
    );
    assert_eq!(
        done(&world, "cooldown list"),
        "Agent: main\nNo profile is cooling down.\n"
    );
    assert_eq!(world.read(MAIN), before);
    assert!(!world.state().join(WORK).exists());
}

/// What failed was the old credential.
#[test]
fn a_new_token_is_used_at_once_whatever_the_old_one_was_passed_over_for() {
    let later = crate::support::millis_from_now(3_600);
    let failed = json!({ "errorCount": 4, "lastUsed": 7, "failureCounts": { "billing": 4 } });
    for (member, agent) in [("cooldownUntil", "main"), ("disabledUntil", "work")] {
        let world = world();
        world.add_agent("work");
        let mut document = read(&world, MAIN);
        document["usageStats"] = json!({ A: failed, B: { "lastUsed": 9 } });
        document["usageStats"][A][member] = later.into();
        world.write(MAIN, &document.to_string());
        assert_eq!(token(&world, agent), B);
        let new = crate::support::setup_token();
        let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
        let args = [&args[..], &["--profile-id", A, "--agent", agent]].concat();
        let ran = world.pipe(&args, &new);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(token(&world, agent), new);
        let path = if agent == "main" { MAIN } else { WORK };
        let usage = read(&world, path)["usageStats"][A].clone();
        assert_eq!(usage, json!({ "lastUsed": 7, "errorCount": 0 }));
    }
}
