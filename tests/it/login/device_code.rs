//! Logging in with a device code: the real binary, the built-in manifests with only the server
//! replaced, and a server that checks what it is sent.

mod hostile_server;
mod polling;
mod qr_code_screen;

use crate::support::issuer::{Codes, Issuer, Reply};
use serde_json::Value;

use crate::support::{Ran, World, millis_from_now};

/// Logs in with `--json`: what the program did, and the events that it told.
fn login(world: &World, provider: &str, more: &[&str]) -> (Ran, Vec<Value>) {
    let mut args = vec!["models", "auth", "login", "--provider", provider, "--json"];
    args.extend(["--method", "device-code"]);
    args.extend(more);
    let ran = world.run(&args);
    let events = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let events = events.collect();
    (ran, events)
}

fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["event"].as_str().unwrap());
    names.collect()
}

fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap()
}

/// `name=value` of every parameter, sorted; what differs from run to run by its length.
fn sorted(parameters: &[(String, String)]) -> Vec<String> {
    let random = ["code_challenge", "code_verifier", "state", "code"];
    let mut pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| match random.contains(&name.as_str()) {
            true => format!("{name}: {}", value.len()),
            false => format!("{name}={value}"),
        })
        .collect();
    pairs.sort_unstable();
    pairs
}

fn pending() -> Codes {
    Codes {
        replies: vec![Reply::Pending],
        ..Codes::default()
    }
}

/// A login that succeeds after one "not yet": the events, and the stored profile.
fn logged_in(provider: &str, profile: &str) -> (World, Issuer, Vec<Value>, Value) {
    let (world, issuer) = World::with_builtin(provider);
    issuer.set_device_codes(pending());
    let (ran, events) = login(&world, provider, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(issuer.polled_too_fast(), 0);
    let stored = world.store()["profiles"][profile].clone();
    assert!(stored.is_object(), "{}", world.store());
    let code = event(&events, "device_code");
    assert_eq!(code["userCode"], "WDJB-MJHT");
    assert!(code["expiresAt"].as_i64().unwrap() > millis_from_now(800));
    assert_eq!(event(&events, "saved")["profileId"], profile);
    (world, issuer, events, stored)
}

#[test]
fn openai_gives_a_code_and_the_verifier_to_it() {
    let (_world, issuer, events, stored) = logged_in("openai-codex", "openai-codex:me@example.com");
    let expected = ["policy", "device_code", "waiting", "identity", "saved"];
    assert_eq!(names(&events), expected);
    let uri = format!("{}/codex/device", issuer.url());
    assert_eq!(event(&events, "device_code")["verificationUri"], uri);
    let seen = issuer.device_requests();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    let poll = "/api/accounts/deviceauth/token";
    assert_eq!(paths, ["/api/accounts/deviceauth/usercode", poll, poll]);
    let client = "client_id=app_EMoamEEZ73f0CkXaXp7hrann";
    assert_eq!(sorted(&seen[0].parameters), [client]);
    assert_eq!(
        sorted(&seen[1].parameters),
        ["device_auth_id=dc-MARKER-0001", "user_code=WDJB-MJHT"]
    );
    let redirect = format!("redirect_uri={}/deviceauth/callback", issuer.url());
    let exchanges = issuer.token_requests();
    assert_eq!(exchanges.len(), 1);
    assert_eq!(
        sorted(&exchanges[0]),
        [
            client,
            "code: 14",
            "code_verifier: 58",
            "grant_type=authorization_code",
            &redirect
        ]
    );
    assert_eq!(stored["type"], "oauth");
    assert_eq!(stored["accountId"], "acct_1");
}

#[test]
fn github_gives_a_token_that_is_never_refreshed() {
    let (world, issuer, events, stored) = logged_in("github-copilot", "github-copilot:github");
    assert_eq!(
        names(&events),
        ["policy", "device_code", "waiting", "saved"]
    );
    let client = "client_id=Iv1.b507a08c87ecfe98";
    let seen = issuer.device_requests();
    assert_eq!(seen[0].path, "/login/device/code");
    assert_eq!(sorted(&seen[0].parameters), [client, "scope=read:user"]);
    let polls = issuer.token_requests();
    assert_eq!(polls.len(), 2);
    let grant_type = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(
        sorted(&polls[1]),
        [client, "device_code=dc-MARKER-0001", grant_type]
    );
    assert_eq!(stored["type"], "token");
    assert_eq!(stored["provider"], "github-copilot");
    assert_eq!(stored["expires"], Value::Null);
    let token = world.run(&["models", "auth", "token", "--provider", "github-copilot"]);
    assert_eq!(token.out.trim_end(), stored["token"].as_str().unwrap());
    assert!(token.out.starts_with("ghu-MARKER"), "{token:?}");
}

#[test]
fn qwen_proves_itself_by_pkce_and_can_be_refreshed() {
    let (world, issuer, events, stored) = logged_in("qwen-portal", "qwen-portal:default");
    let code = event(&events, "device_code");
    let complete = code["verificationUriComplete"].as_str().unwrap();
    assert!(complete.contains("user_code=WDJB-MJHT"), "{complete}");
    let client = "client_id=f0304373b74a44d2b584a3fb70ca9e56";
    let seen = issuer.device_requests();
    assert_eq!(seen[0].path, "/api/v1/oauth2/device/code");
    assert_eq!(
        sorted(&seen[0].parameters),
        [
            client,
            "code_challenge: 43",
            "code_challenge_method=S256",
            "scope=openid profile email model.completion"
        ]
    );
    let id = seen[0]
        .headers
        .iter()
        .find(|(name, _)| name == "x-request-id");
    assert_eq!(id.unwrap().1.len(), 36);
    let grant_type = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(
        sorted(&issuer.token_requests()[1]),
        [
            client,
            "code_verifier: 43",
            "device_code=dc-MARKER-0001",
            grant_type
        ]
    );
    assert_eq!(stored["resourceUrl"], "portal.qwen.ai");
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(world.store()["profiles"]["qwen-portal:default"], stored);
}

#[test]
fn minimax_counts_in_milliseconds_and_repeats_the_state() {
    let (_world, issuer, _, stored) = logged_in("minimax-portal", "minimax-portal:default");
    let client = "client_id=78257093-7e40-4613-99e0-527b14b39113";
    let seen = issuer.device_requests();
    assert_eq!(seen[0].path, "/oauth2/device/code");
    assert_eq!(
        sorted(&seen[0].parameters),
        [
            client,
            "code_challenge: 43",
            "code_challenge_method=S256",
            "response_type=code",
            "scope=group_id profile model.completion",
            "state: 43"
        ]
    );
    let grant_type = "grant_type=urn:ietf:params:oauth:grant-type:user_code";
    assert_eq!(
        sorted(&issuer.token_requests()[1]),
        [
            client,
            "code_verifier: 43",
            grant_type,
            "user_code=WDJB-MJHT"
        ]
    );
    assert_eq!(stored["resourceUrl"], "https://api.minimax.io/anthropic");
    let expires = stored["expires"].as_i64().unwrap();
    assert!((millis_from_now(3_500)..millis_from_now(3_601)).contains(&expires));
}

/// xAI as its metadata would describe it.
#[test]
fn a_manifest_of_thirty_lines_logs_in_by_the_rfc() {
    let world = World::new();
    let clock = std::sync::Arc::new(openclaw::sys::clock::SystemClock::new());
    let issuer = Issuer::start(crate::support::issuer::Account::default(), clock).unwrap();
    let url = issuer.url();
    let manifest = format!(
        "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n[client]\nid = \"me\"\n\
         token = \"{url}/oauth/token\"\ndevice = \"{url}/oauth/device/code\"\n\n\
         [[flow]]\nkind = \"device\"\nscopes = [\"openid\", \"offline_access\"]\n"
    );
    world.write("providers/acme.toml", &manifest);
    // `device` is what OpenClaw calls it for some providers.
    for way in [&["--method", "device"][..], &["--device-code"], &[]] {
        let mut args = vec!["models", "auth", "login", "--provider", "acme"];
        args.extend(way);
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    assert!(world.store()["profiles"]["acme:default"].is_object());
}

#[test]
fn login_github_copilot_is_the_same_flow_and_tells_what_it_replaces() {
    let (world, _issuer) = World::with_builtin("github-copilot");
    let login = |more: &[&str]| {
        let mut args = vec!["models", "auth", "login-github-copilot"];
        args.extend(more);
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{ran:?}");
        (ran.err, world.store()["profiles"].clone())
    };
    let (told, first) = login(&[]);
    assert!(!told.contains("exists"), "{told}");
    let (told, second) = login(&[]);
    assert!(
        told.contains("github-copilot:github already exists"),
        "{told}"
    );
    assert_ne!(
        first["github-copilot:github"]["token"],
        second["github-copilot:github"]["token"]
    );
    let (told, all) = login(&["--yes", "--profile-id", "github-copilot:github"]);
    assert!(!told.contains("exists"), "{told}");
    assert_eq!(all.as_object().unwrap().len(), 1);
}

#[test]
fn rfc8628_3_5_a_refusal_and_an_end_are_final() {
    // MiniMax has a number for each, and no word for the end.
    for (provider, reply, code) in [
        ("github-copilot", Reply::Denied, 3),
        ("openai-codex", Reply::Expired, 4),
        ("minimax-portal", Reply::Expired, 3),
    ] {
        let (world, issuer) = World::with_builtin(provider);
        issuer.set_device_codes(Codes {
            replies: vec![reply],
            ..Codes::default()
        });
        let (ran, events) = login(&world, provider, &[]);
        assert_eq!(ran.code, code, "{ran:?}");
        let hint = event(&events, "error")["hint"].as_str().unwrap();
        assert!(hint.ends_with(" --method device-code"), "{ran:?}");
        assert!(!stored_anything(&world));
    }
}

fn stored_anything(world: &World) -> bool {
    let path = "agents/main/agent/auth-profiles.json";
    world.state().join(path).exists()
}

#[test]
fn device_codes_that_are_switched_off_name_the_setting_and_the_other_way() {
    let (world, issuer) = World::with_builtin("openai-codex");
    issuer.set_device_codes(Codes {
        switched_off: true,
        ..Codes::default()
    });
    let (ran, events) = login(&world, "openai-codex", &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(names(&events), ["policy", "error"]);
    let error = event(&events, "error");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("ChatGPT security settings"), "{hint}");
    assert!(
        hint.ends_with("openclaw models auth login --provider openai-codex --method oauth"),
        "{hint}"
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("disabled"), "{message}");
}

#[test]
fn the_time_that_is_given_ends_the_wait() {
    let (world, issuer) = World::with_builtin("github-copilot");
    issuer.set_device_codes(Codes {
        interval: 60,
        ..Codes::default()
    });
    let (ran, events) = login(&world, "github-copilot", &["--timeout", "300ms"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let until = event(&events, "waiting")["until"].as_i64().unwrap();
    assert!(until < millis_from_now(60), "{until}");
    assert_eq!(event(&events, "error")["kind"], "temporary");
}
