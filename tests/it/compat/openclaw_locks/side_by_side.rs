//! Different grants are refreshed side by side: what keeps OpenClaw out is shared by all of ours.

use serde_json::json;

use super::*;

/// The store with a login of this name besides, expired; its refresh token.
fn add_login(beside: &Beside, agent: &str, profile: &str) -> String {
    let path = format!("agents/{agent}/agent/auth-profiles.json");
    let mut store: Value = match std::fs::read(beside.world.state().join(&path)) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Err(_) => json!({ "version": 1, "profiles": {} }),
    };
    let (access, refresh) = beside.issuer.issue();
    store["profiles"][profile] = json!({
        "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh, "expires": 1,
    });
    beside.world.write(&path, &store.to_string());
    refresh
}

fn refresh_of<'a>(agent: &'a str, profile: &'a str) -> [&'a str; 7] {
    [
        "models",
        "auth",
        "token",
        "--agent",
        agent,
        "--profile",
        profile,
    ]
}

/// Until so many requests are at the server, none of them answered.
fn until_in_flight(beside: &Beside, count: usize) {
    let limit = SystemTime::now() + Duration::from_secs(20);
    while beside.issuer.token_requests().len() < count {
        assert!(SystemTime::now() < limit, "they wait for each other");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn grants_of_one_document_are_in_flight_together_and_the_last_lets_openclaw_in() {
    for (release, version) in ALL {
        let beside = Beside::of(release, version);
        let names = ["openai-codex:a", "openai-codex:b", "openai-codex:c"];
        for name in names {
            add_login(&beside, "main", name);
        }
        beside.issuer.hold();
        let mut ours: Vec<_> = (names.iter())
            .map(|name| beside.ours(&refresh_of("main", name)))
            .collect();
        until_in_flight(&beside, names.len());
        // Whoever was first, its death is nobody else's.
        ours[0].kill().unwrap();
        ours[0].wait().unwrap();
        let is_held = version != WITH_REFRESH_LOCKS;
        assert_eq!(beside.lock().exists(), is_held, "{version}");
        let theirs = beside.openclaw(vec![Act::Count(1)]);
        if !is_held {
            done(theirs);
            assert_eq!(beside.world.store()["standIn"], 1);
            beside.issuer.let_go();
        } else {
            std::thread::sleep(Duration::from_millis(700));
            assert!(beside.world.store()["standIn"].is_null(), "{version}");
            beside.issuer.let_go();
            done(theirs);
        }
        for child in ours.drain(1..) {
            done(child);
        }
        assert!(!beside.lock().exists(), "{version}");
        assert_eq!(
            beside.issuer.token_requests().len(),
            names.len(),
            "{version}"
        );
    }
}

#[test]
fn logins_of_one_name_in_two_agents_share_the_lock_of_their_refresh() {
    let beside = Beside::of(Release::Late, WITH_REFRESH_LOCKS);
    let config = format!(
        r#"{{ meta: {{ lastTouchedVersion: "{WITH_REFRESH_LOCKS}" }},
            agents: {{ list: [{{ id: "main" }}, {{ id: "work" }}] }} }}"#
    );
    beside.world.write("openclaw.json", &config);
    let profile = "openai-codex:default";
    let spent = beside.login()["refresh"].clone();
    add_login(&beside, "work", profile);
    beside.issuer.hold();
    let mut first = beside.ours(&refresh_of("work", profile));
    until_in_flight(&beside, 1);
    let locks = beside.world.state().join("locks/oauth-refresh");
    let lock = || {
        let names = std::fs::read_dir(&locks)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut names = names.filter(|path| path.extension().is_some_and(|end| end == "lock"));
        std::fs::read_to_string(names.next().unwrap()).unwrap()
    };
    assert!(
        lock().contains(&format!("\"pid\": {}", first.id())),
        "{}",
        lock()
    );
    let second = beside.ours(&refresh_of("main", profile));
    until_in_flight(&beside, 2);
    // A file that names one of them would be free for OpenClaw once that one is gone.
    assert!(!lock().contains("pid"), "{}", lock());
    first.kill().unwrap();
    first.wait().unwrap();
    let theirs = beside.openclaw(vec![Act::Refresh(beside.token_url()), Act::Look]);
    std::thread::sleep(Duration::from_millis(700));
    beside.issuer.let_go();
    done(second);
    let seen = done(theirs).out;
    assert!(!seen.contains(spent.as_str().unwrap()), "{seen}");
    assert_eq!(beside.issuer.token_requests().len(), 2);
    assert!(!beside.lock().exists());
    let left = std::fs::read_dir(beside.world.state().join("locks/openclaw-rs")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("refresh-")),
        "{left:?}"
    );
}

#[test]
fn a_copy_whose_document_was_busy_gets_the_newest_token() {
    let beside = Beside::of(Release::Early, "");
    let profile = "openai-codex:default";
    let main = "agents/main/agent/auth-profiles.json";
    let work = "agents/work/agent/auth-profiles.json";
    let copied = beside.world.store();
    beside.world.write(work, &copied.to_string());
    let refresh = |path: &str| {
        let store: Value = serde_json::from_str(&beside.world.read(path)).unwrap();
        store["profiles"][profile]["refresh"].clone()
    };
    let spent = refresh(main);
    // OpenClaw is at work on the copy.
    let lock = beside.world.state().join(work).with_extension("json.lock");
    std::fs::create_dir(&lock).unwrap();
    let first = beside.ours(&refresh_of("main", profile));
    let limit = SystemTime::now() + Duration::from_secs(20);
    while refresh(main) == spent {
        assert!(SystemTime::now() < limit, "main waits for work");
        std::thread::sleep(Duration::from_millis(2));
    }
    let force = ["models", "auth", "refresh", "--force", "--profile", profile];
    let second = beside.ours(&force);
    // Long enough for it to send what must not be sent yet.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(beside.issuer.token_requests().len(), 1);
    std::fs::remove_dir(&lock).unwrap();
    done(first);
    done(second);
    assert_eq!(refresh(main), refresh(work));
    done(beside.ours(&[&force[..], &["--agent", "work"]].concat()));
    assert_eq!(beside.issuer.token_requests().len(), 3);
    assert_eq!(refresh(main), refresh(work));
}
