//! What makes a command fail: a world with one thing wrong in it.

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::stand_in_gateway::StandInGateway;
use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use serde_json::json;

use super::cell::{Cell, How};
use crate::support::{World, millis_from_now, setup_token};

pub(super) const STORE: &str = "agents/main/agent/auth-profiles.json";
/// Where the refresh token of the world is written down once more.
const REFRESH: &str = "the-refresh-token";
pub(super) const CONFIG: &str = "openclaw.json";

/// A file that holds what nobody can read.
pub(super) fn broken(path: &'static str) -> Cell {
    Cell::changed(move |world, _| world.write(path, "{"))
}

/// A file in the place of a directory.
pub(super) fn blocked(path: &'static str) -> Cell {
    Cell::changed(move |world, _| world.block(path))
}

pub(super) fn full_output() -> Cell {
    Cell::how(How::FullOutput)
}

/// Nothing is stored.
pub(super) fn empty() -> Cell {
    Cell::changed(|world, _| world.write(STORE, r#"{"version":1,"profiles":{}}"#))
}

/// The provider answers with 503.
pub(super) fn trouble() -> Cell {
    Cell::changed(|_, issuer| {
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
    })
}

/// The provider receives the request, and never answers it.
pub(super) fn no_answer() -> Cell {
    Cell::changed(|_, issuer| {
        issuer.answer_next(Scripted {
            hang_up: true,
            ..Scripted::default()
        });
    })
}

/// The provider refuses the grant.
pub(super) fn refused() -> Cell {
    Cell::changed(|_, issuer| {
        issuer.answer_next(Scripted {
            status: 400,
            body: r#"{"error":"invalid_grant"}"#.to_owned(),
            ..Scripted::default()
        });
    })
}

/// Another process refreshes the login of the world.
pub(super) fn refreshing() -> Cell {
    let lock = |world: &World| {
        let provider = ProviderId::parse("openai-codex").unwrap();
        let refresh = std::fs::read_to_string(world.state().join(REFRESH)).unwrap();
        let grant = GrantDigest::of(&provider, &Secret::new(refresh));
        let path = format!("locks/oauth-refresh/openclaw-rs/{}.lock", grant.as_str());
        world.write(&path, "");
        let lock = File::options().write(true).open(world.state().join(path));
        let lock = lock.unwrap();
        lock.lock().unwrap();
        lock
    };
    Cell::plain().while_held(lock)
}

/// OpenClaw holds the main agent's document, and its heart beats.
pub(super) fn locked() -> Cell {
    let lock = |world: &World, _: &Issuer| {
        let lock = world.state().join(STORE).with_extension("json.lock");
        std::fs::create_dir_all(&lock).unwrap();
        let directory = File::open(&lock).unwrap();
        std::thread::spawn(move || {
            while lock.exists() {
                directory.set_modified(SystemTime::now()).unwrap();
                std::thread::sleep(Duration::from_secs(1));
            }
        });
    };
    Cell::changed(lock).slow()
}

/// It reads a file that is very long, and then there is Ctrl-C.
pub(super) fn waiting(path: &'static str) -> Cell {
    Cell::how(How::Reading(path))
}

/// The gateway answers so.
pub(super) fn gateway(status: u16, body: &'static str) -> Cell {
    Cell::changed(move |world, _| {
        let gateway = StandInGateway::json(status, body);
        world.write(".env", &format!("GOCLAW_GATEWAY_URL={}\n", gateway.url()));
    })
}

pub(super) fn asking() -> Cell {
    Cell::how(How::Asking)
}

/// A person leaves it to itself at the browser.
pub(super) fn left_alone() -> Cell {
    Cell::how(How::InABrowser { comes: false })
}

pub(super) fn unread() -> Cell {
    Cell::how(How::Unread)
}

/// Two agents; a login that has ended and can be refreshed, a token, and a key.
pub(super) fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let store = json!({ "version": 1, "profiles": {
        "openai-codex:default": { "type": "oauth", "provider": "openai-codex", "access": access,
            "refresh": refresh, "expires": millis_from_now(-10), "accountId": "acct_1" },
        "anthropic:x": { "type": "token", "provider": "anthropic", "token": setup_token() },
        "openai:key": { "type": "api_key", "provider": "openai", "key": "sk-MARKER-0123456789" },
    } });
    world.write(STORE, &store.to_string());
    world.write(REFRESH, &refresh);
    world.add_agent("work");
    (world, issuer)
}
