//! Many of ours that start, refresh and are killed at random moments, beside OpenClaw: nobody sends
//! a refresh token that somebody else has sent.

use std::collections::HashSet;

use serde_json::json;

use super::*;

/// The logins that both programs refresh.
const SHARED: [&str; 4] = ["a", "b", "c", "d"];
/// Of ours that start in one round, so many live and so many are killed.
const LIVING: usize = 9;
const KILLED: usize = 3;
/// Everybody of a round starts within this time.
const ROUND: Duration = Duration::from_millis(250);

fn profile(name: &str) -> String {
    format!("openai-codex:{name}")
}

/// The login that is killed as the `nth` of a round, and its agent. A grant whose sender died may be
/// sent once more, so each is used once. Where each refresh has a lock, those of another agent share
/// it with the living.
fn to_kill(version: &str, round: usize, nth: usize) -> (&'static str, String) {
    match version == WITH_REFRESH_LOCKS {
        true => ("work", SHARED[nth].to_owned()),
        false => ("main", format!("killed-{round}-{nth}")),
    }
}

fn write(beside: &Beside, agent: &str, names: impl Iterator<Item = String>) {
    let profiles = names.map(|name| {
        let (access, refresh) = beside.issuer.issue();
        let login = json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh, "expires": 1,
        });
        (profile(&name), login)
    });
    let profiles: serde_json::Map<_, _> = profiles.collect();
    let store = json!({ "version": 1, "profiles": profiles });
    let path = format!("agents/{agent}/agent/auth-profiles.json");
    beside.world.write(&path, &store.to_string());
}

fn seed(beside: &Beside, version: &str, rounds: usize) {
    let killed = (0..rounds).flat_map(|round| (0..KILLED).map(move |nth| (round, nth)));
    let killed = killed.map(|(round, nth)| to_kill(version, round, nth));
    let killed = killed.filter(|(agent, _)| *agent == "main");
    let names = SHARED.map(str::to_owned).into_iter();
    write(beside, "main", names.chain(killed.map(|(_, name)| name)));
}

fn at_random(within: Duration) {
    std::thread::sleep(within.mul_f64(fastrand::f64()));
}

fn refresh(beside: &Beside, (agent, name): (&str, &str)) -> Child {
    let id = profile(name);
    let args = ["models", "auth", "refresh", "--force", "--profile", &id];
    beside.ours(&[&args[..], &["--agent", agent]].concat())
}

fn play_round(beside: &Beside, version: &str, round: usize) {
    if version == WITH_REFRESH_LOCKS {
        write(beside, "work", SHARED.map(str::to_owned).into_iter());
    }
    std::thread::scope(|scope| {
        for _ in 0..LIVING {
            scope.spawn(|| {
                at_random(ROUND);
                done(refresh(beside, ("main", fastrand::choice(SHARED).unwrap())));
            });
        }
        for nth in 0..KILLED {
            scope.spawn(move || {
                at_random(ROUND);
                let (agent, name) = to_kill(version, round, nth);
                let mut ours = refresh(beside, (agent, &name));
                at_random(Duration::from_millis(60));
                // It may be done.
                let _ = ours.kill();
                ours.wait().unwrap();
            });
        }
        for name in &SHARED[..2] {
            scope.spawn(|| {
                at_random(ROUND);
                let acts = vec![Act::KeepRefreshing(beside.token_url(), 1)];
                done(beside.openclaw_of(&profile(name), acts));
            });
        }
    });
}

fn play((release, version): (Release, &str), rounds: usize) {
    let beside = Beside::of(release, version);
    seed(&beside, version, rounds);
    beside.issuer.set_delay(Duration::from_millis(30));
    for round in 0..rounds {
        play_round(&beside, version, round);
    }
    let mut sent = HashSet::new();
    for request in beside.issuer.token_requests() {
        let token = request
            .into_iter()
            .find(|(name, _)| name == "refresh_token");
        assert!(
            sent.insert(token.unwrap()),
            "{version}: a token was sent twice"
        );
    }
    assert!(sent.len() >= rounds * 3, "{version}");
    for name in SHARED {
        done(refresh(&beside, ("main", name)));
    }
    assert!(!beside.lock().exists(), "{version}");
}

#[test]
fn nobody_sends_a_token_twice_though_some_are_killed() {
    for kind in ALL {
        play(kind, 2);
    }
}

#[test]
#[ignore = "needs minutes: a thousand starts"]
fn nobody_sends_a_token_twice_in_a_thousand_starts() {
    let rounds = 1_000_usize.div_ceil(ALL.len() * (LIVING + KILLED));
    for kind in ALL {
        play(kind, rounds);
    }
}
