//! The commands that are killed and made to fail, and the worlds that they find.

use crate::support::issuer::{Account, Issuer};
use serde_json::{Value, json};

use crate::support::{World, millis_from_now, setup_token};

pub(super) const MAIN: &str = "agents/main/agent/auth-profiles.json";
pub(super) const STATE: &str = "agents/main/agent/auth-state.json";
pub(super) const WORK: &str = "agents/work/agent/auth-profiles.json";
pub(super) const CONFIG: &str = "openclaw.json";
pub(super) const BINDINGS: &str = "directories.json";
/// Every file that must be old or new, whole.
pub(super) const FILES: [&str; 8] = [
    MAIN,
    STATE,
    WORK,
    CONFIG,
    "agents/main/agent/auth.json",
    "agents/main/agent/auth.json.imported",
    "credentials/oauth.json",
    BINDINGS,
];
pub(super) const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
pub(super) const PROFILE: &str = "openai-codex:default";

/// A command that writes.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    /// What is on its standard input.
    pub(super) input: fn() -> String,
    /// Whether it tells a URL that a browser is to open.
    pub(super) browser: bool,
    /// Whether it spends a refresh token.
    pub(super) spends: bool,
    fill: fn(&World, &Issuer),
}

impl Command {
    /// A world as the command finds it.
    pub(super) fn world(&self) -> (World, Issuer) {
        let (world, issuer) = World::with_issuer(Account::default());
        (self.fill)(&world, &issuer);
        (world, issuer)
    }
}

pub(super) fn profiles(issuer: &Issuer, left: i64) -> Value {
    let (access, refresh) = issuer.issue();
    json!({
        PROFILE: {
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": millis_from_now(left), "accountId": "acct_1", "custom": "keepme",
        },
        "anthropic:x": { "type": "token", "provider": "anthropic", "token": "tttt" },
        "strange": { "type": "of a later release" },
    })
}

fn learnt() -> Value {
    json!({
        "order": { "anthropic": ["anthropic:x"] },
        "usageStats": { "anthropic:x": { "lastUsed": 5 } },
        "more": [1.50],
    })
}

fn single(world: &World, profiles: &Value) {
    let mut store = learnt();
    store["version"] = 1.into();
    store["profiles"] = profiles.clone();
    store["future"] = json!({ "kept": 2.50 });
    world.write(MAIN, &store.to_string());
}

fn split(world: &World, profiles: &Value) {
    let store = json!({ "version": 1, "profiles": profiles, "future": { "kept": 2.50 } });
    // As OpenClaw writes it: what does not change is not written.
    let text = serde_json::to_string_pretty(&store).unwrap() + "\n";
    world.write(MAIN, &text);
    let mut state = learnt();
    state["version"] = 1.into();
    world.write(STATE, &state.to_string());
}

fn expired(world: &World, issuer: &Issuer) {
    single(world, &profiles(issuer, -10));
}

/// Two agents with copies of one grant.
fn copied(world: &World, issuer: &Issuer) {
    let profiles = profiles(issuer, -10);
    split(world, &profiles);
    let copy = json!({ "version": 1, "profiles": { PROFILE: profiles[PROFILE] } });
    world.write(WORK, &copy.to_string());
    world.add_agent("work");
}

/// A new token must be named in the configuration, too.
fn named(world: &World, issuer: &Issuer) {
    single(world, &profiles(issuer, 3_000));
    let config = r#"// mine
{ auth: { profiles: { "anthropic:x": { provider: "anthropic", mode: "token" } } } }
"#;
    world.write(CONFIG, config);
}

fn with_state(world: &World, issuer: &Issuer) {
    split(world, &profiles(issuer, 3_000));
}

fn with_config(world: &World, issuer: &Issuer) {
    expired(world, issuer);
    world.write(CONFIG, "// mine\n{ other: [1,], }\n");
}

fn legacy(world: &World, issuer: &Issuer) {
    let mut entry = profiles(issuer, -10)[PROFILE].clone();
    world.note_issuer(PROFILE, &entry);
    world.write(
        "agents/main/agent/auth.json",
        &json!({ "openai-codex": entry }).to_string(),
    );
    entry["provider"] = "chutes".into();
    let oauth = json!({ "chutes": entry });
    world.write("credentials/oauth.json", &oauth.to_string());
}

fn nothing() -> String {
    String::new()
}

/// A command that refreshes [`PROFILE`] in such a world.
pub(super) fn refreshing(name: &'static str, fill: fn(&World, &Issuer)) -> Command {
    Command {
        name,
        args: &["models", "auth", "token", "--profile", PROFILE],
        input: nothing,
        browser: false,
        spends: true,
        fill,
    }
}

const PASTE: &[&str] = &["models", "auth", "paste-token", "--provider", "anthropic"];

/// All of them.
pub(super) fn commands() -> Vec<Command> {
    let command = |name, args, input, fill| Command {
        name,
        args,
        input,
        browser: false,
        spends: false,
        fill,
    };
    let mut token = command("token", &TOKEN, nothing, expired as fn(&World, &Issuer));
    token.spends = true;
    let force = &["models", "auth", "refresh", "--profile", PROFILE, "--force"];
    let mut force = command("refresh --force", force, nothing, copied);
    force.spends = true;
    let login = &[
        "models",
        "auth",
        "login",
        "--json",
        "--no-browser",
        "--timeout",
        "5s",
    ];
    let mut login = command("login", login, nothing, with_state);
    login.browser = true;
    let order = &[
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "openai-codex",
        PROFILE,
    ];
    let bind = &["models", "auth", "use", PROFILE, "--here"];
    let logout = &["models", "auth", "logout", "anthropic:x", "--yes"];
    let report = &["models", "auth", "report", "anthropic:x", "--ok"];
    let add = &[
        "agents",
        "add",
        "work",
        "--workspace",
        "w",
        "--non-interactive",
    ];
    vec![
        token,
        force,
        login,
        command("paste-token", PASTE, setup_token, named),
        command("first paste-token", PASTE, setup_token, |_, _| {}),
        command("order set", order, nothing, named),
        command("use --here", bind, nothing, with_state),
        command("logout", logout, nothing, with_state),
        command("report", report, nothing, with_state),
        command("agents add", add, nothing, with_config),
        command("import", PASTE, setup_token, legacy),
    ]
}
