//! `tick`: silence, or a line for each problem.

use crate::support::issuer::Account;
use serde_json::json;

use super::Transcript;
use crate::support::{World, millis_from_now};

const TICK: [&str; 2] = ["tick", "--no-spread"];

fn world() -> (World, crate::support::issuer::Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let login = |access: &str, refresh: &str, left: i64| {
        json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": millis_from_now(left),
        })
    };
    let token = |left: i64| {
        json!({
            "type": "token", "provider": "anthropic", "token": "x",
            "expires": millis_from_now(left),
        })
    };
    let main = json!({ "version": 1, "profiles": {
        "openai-codex:good": login(&access, &refresh, -7_200),
        "openai-codex:refused": login("old-access", "rt-nobody", 120),
        "anthropic:ended": token(-7_200),
        "anthropic:ends": token(7_200),
    } });
    world.write("agents/main/agent/auth-profiles.json", &main.to_string());
    let work = json!({ "version": 1, "profiles": { "anthropic:b": token(-7_200) } });
    world.write("agents/work/agent/auth-profiles.json", &work.to_string());
    (world, issuer)
}

#[test]
fn tick_tells_the_problems_of_every_agent() {
    let (world, _issuer) = world();
    let dry = ["tick", "--no-spread", "--dry-run"];
    let work = ["tick", "--no-spread", "--agent", "work"];
    Transcript::of(&world)
        .run(&dry)
        .run(&TICK)
        .note("and once more: what is wrong is said again, and what was renewed is fresh")
        .run(&TICK)
        .run(&work)
        .matches("tick");
}

#[test]
fn tick_as_json() {
    let (world, _issuer) = world();
    Transcript::of(&world)
        .run(&["tick", "--no-spread", "--json"])
        .matches("tick_json");
}

#[test]
fn tick_tells_of_hooks_that_fail() {
    let (world, _issuer) = world();
    world.write(
        "config.yaml",
        "hooks:\n  need-login: [sh, -c, 'exit 3']\n  expiring: [/bin/sh, -c, 'exit 3']\n  \
         refreshed: /nowhere/ring\n",
    );
    Transcript::of(&world)
        .file("config.yaml")
        .run(&TICK)
        .matches("tick_hooks");
}

#[test]
fn the_timer_of_tick_is_installed_and_removed() {
    let world = World::new();
    let units = world.directory.path().join("home/.config/systemd/user");
    let install = ["tick", "--install"];
    let first = Transcript::of(&world).run(&install).run(&install);
    let remove = ["tick", "--uninstall"];
    let second = first.run(&remove).run(&remove);
    std::fs::write(units.join("openclaw-tick.service"), "").unwrap();
    second
        .note("a unit of that name was written by somebody else")
        .run(&install)
        .run(&["tick", "--print", "cron", "--every", "7m"])
        .run(&["tick", "--install", "--every", "10s"])
        .run(&["tick", "--every", "1h"])
        .matches("tick_timer");
}

#[test]
fn metrics_where_no_file_can_be() {
    let world = World::new();
    Transcript::of(&world)
        .run(&["models", "status", "--prometheus", "/dev/null"])
        .run(&["models", "status", "--prometheus", "none/x.prom"])
        .run(&["models", "status", "--prometheus", "-"])
        .matches("metrics");
}
