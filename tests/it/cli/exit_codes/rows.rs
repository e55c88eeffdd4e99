//! The table.

use crate::support::issuer::{Codes, Issuer, Reply, Scripted};
use Column::{Busy, Config, Done, Login, NotFound, Stopped, Storage, Temporary, Unknown, Usage};

use super::cause::{
    CONFIG, STORE, asking, blocked, broken, empty, full_output, gateway, left_alone, locked,
    no_answer, refreshing, refused, trouble, unread,
};
use super::cell::Cell;
use super::table::{Column, Row};
use super::{gateway_rows, secret_rows};
use crate::support::{World, builtin, setup_token};

const KEY: &str = "gsk_0123456789-0123456789-0123456789";
/// A wizard in which a key of Groq is pasted.
const GROQ: &[(&str, &str)] = &[
    ("type to search", "groq"),
    ("> Groq", "\r"),
    ("Which agent?", "\r"),
    ("input is hidden", "gsk_0123456789-0123456789-0123456789\r"),
];
/// A wizard that leads to the browser.
const CODEX: &[(&str, &str)] = &[
    ("type to search", "openai-codex"),
    ("> ", "\r"),
    ("Which agent?", "\r"),
];
const CTRL_C: &[(&str, &str)] = &[("type to search", "\u{3}")];

/// Every command, in the order of the help.
pub(super) fn rows() -> Vec<Row> {
    [
        logins(),
        credentials(),
        choices(),
        screens(),
        secret_rows::rows(),
        gateway_rows::rows(),
        defaults(),
        others(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// With these words something is named that is not there.
pub(super) fn names(words: &'static str) -> Cell {
    Cell::plain().with(words)
}

/// One that asks the token endpoint.
fn spends(command: &'static str, words: &'static str) -> Row {
    Row::new(command, words)
        .on(Login, refused())
        .on(Temporary, trouble())
        .on(Storage, broken(STORE))
        .on(Busy, locked())
        .on(Unknown, no_answer())
        .on(Stopped, asking())
}

/// One that looks at the store.
fn reads(command: &'static str, words: &'static str) -> Row {
    Row::new(command, words).on(Storage, broken(STORE))
}

/// One that writes the store.
fn writes(command: &'static str, words: &'static str) -> Row {
    Row::new(command, words)
        .on(Storage, blocked("locks"))
        .on(Busy, locked())
}

/// One that asks all there is to ask, at a terminal.
fn wizard(command: &'static str) -> Row {
    Row::new(command, "")
        .on(Done, Cell::plain().typed(GROQ))
        .on(Login, refused().typed(CODEX))
        .on(Temporary, trouble().typed(CODEX))
        .on(Storage, blocked("locks").typed(GROQ))
        .on(Busy, locked().typed(GROQ))
        .on(Unknown, no_answer().typed(CODEX).code(3))
        .on(Stopped, Cell::plain().typed(CTRL_C))
}

fn pasted(command: &'static str, words: &'static str) -> Row {
    writes(command, words).input(&setup_token())
}

fn logins() -> Vec<Row> {
    vec![
        wizard("models auth add"),
        writes("models auth login", "--json --no-browser")
            .on(Done, Cell::plain().visited())
            .on(NotFound, names("--provider nobody"))
            .on(Login, refused().visited())
            .on(Temporary, trouble().visited())
            .on(Busy, locked().visited())
            // The code may be spent, and another one costs a login.
            .on(Unknown, no_answer().visited().code(3))
            .on(Stopped, left_alone()),
        writes("models auth login-github-copilot", "")
            .prepare(|world, issuer| {
                let manifest = builtin::manifest("github-copilot", issuer.url());
                world.write("providers/github-copilot.toml", &manifest);
            })
            .on(Login, polled(Reply::Denied))
            .on(Temporary, unreachable()),
        pasted("models auth setup-token", "--yes").on(NotFound, names("--provider nobody")),
        pasted("models auth paste-token", "--provider anthropic"),
        pasted("models auth paste-api-key", "--provider groq").input(KEY),
    ]
}

/// A person who asks for a code decides so.
fn polled(reply: Reply) -> Cell {
    Cell::changed(move |_, issuer| {
        issuer.set_device_codes(Codes {
            replies: vec![reply.clone()],
            ..Codes::default()
        });
    })
}

/// Nobody listens where the provider is.
fn unreachable() -> Cell {
    Cell::changed(|world, _| {
        let manifest = builtin::manifest("github-copilot", "http://127.0.0.1:1");
        world.write("providers/github-copilot.toml", &manifest);
    })
}

fn credentials() -> Vec<Row> {
    vec![
        spends("models auth token", "--provider openai-codex")
            .on(NotFound, names("--profile openai-codex:none")),
        spends(
            "models auth exec",
            "--env X --provider openai-codex -- true",
        )
        .on(
            NotFound,
            names("--env X --profile openai-codex:none -- true"),
        ),
        reads("models auth explain", "--provider openai-codex")
            .on(NotFound, names("--profile openai-codex:none")),
        reads("models auth list", ""),
        Row::new("models auth providers", "")
            .on(NotFound, names("--provider nobody"))
            .on(Storage, full_output()),
        Row::new(
            "models auth providers check",
            "state/providers/openai-codex.toml",
        )
        .on(NotFound, names("nothing.toml"))
        .on(Storage, full_output()),
        spends("models auth refresh", "").on(NotFound, names("--profile openai-codex:none")),
        writes("models auth logout", "anthropic:x --yes")
            .prepare(|world, issuer| {
                let manifest = builtin::manifest("openai-codex", issuer.url());
                world.write("providers/openai-codex.toml", &manifest);
                // Whose client is another one.
                std::fs::remove_dir_all(world.state().join("locks")).unwrap();
                world.note_issuers();
            })
            .on(NotFound, names("anthropic:none --yes"))
            .on(Temporary, revoked(503, false))
            // To ask once more does no harm.
            .on(Unknown, revoked(503, true).code(4)),
        writes("models auth import", "--path state/flat.json")
            .prepare(|world, _| world.write("flat.json", r#"{ "groq": { "apiKey": "k" } }"#))
            .on(NotFound, names("--path nothing.json")),
        writes("models auth history", "openai-codex:default --clear --yes")
            .prepare(logged_out)
            .on(NotFound, names("anthropic:none")),
        writes("models auth undo", "openai-codex:default")
            .prepare(logged_out)
            .on(NotFound, names("anthropic:none"))
            .on(Login, spent())
            .on(Busy, refreshing()),
    ]
}

fn choices() -> Vec<Row> {
    vec![
        reads("models auth order get", "--provider anthropic"),
        writes("models auth order set", "--provider anthropic anthropic:x")
            .on(NotFound, names("--provider anthropic anthropic:none")),
        writes("models auth order clear", "--provider anthropic").prepare(ordered),
        writes("models auth report", "anthropic:x --failed rate_limit")
            .on(NotFound, names("anthropic:none --ok")),
        reads("models auth cooldown list", ""),
        writes("models auth cooldown clear", "anthropic:x")
            .prepare(cooling)
            .on(NotFound, names("anthropic:none")),
        writes("models auth use", "anthropic:x").on(NotFound, names("anthropic:none")),
    ]
}

fn ordered(world: &World, _: &Issuer) {
    done(
        world,
        "models auth order set --provider anthropic anthropic:x",
    );
}

fn cooling(world: &World, _: &Issuer) {
    done(world, "models auth report anthropic:x --failed rate_limit");
}

/// The provider answers a revocation so.
fn revoked(status: u16, hang_up: bool) -> Cell {
    let cell = Cell::changed(move |_, issuer| {
        issuer.answer_revocation(Scripted {
            status,
            hang_up,
            ..Scripted::default()
        });
    });
    cell.with("openai-codex:default --revoke --yes")
}

pub(super) fn done(world: &World, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    let done = world.run(&words);
    assert_eq!(done.code, 0, "{done:?}");
}

/// What was logged out can be brought back.
fn logged_out(world: &World, _: &Issuer) {
    done(world, "models auth logout openai-codex:default --yes");
}

/// What was brought back and refreshed cannot be brought back once more.
fn spent() -> Cell {
    let change = |world: &World, _: &Issuer| {
        done(world, "models auth undo openai-codex:default");
        done(world, "models auth refresh --force");
    };
    Cell::changed(change).with("openai-codex:default --generation 1")
}

/// One that shows how things stand; only `--check` complains.
fn status(command: &'static str) -> Row {
    Row::new(command, "")
        .on(Login, empty().with("--check").code(1))
        .on(Storage, full_output())
}

fn screens() -> Vec<Row> {
    vec![
        status("models status"),
        wizard("onboard").on(
            NotFound,
            names("--non-interactive --accept-risk --auth-choice nobody"),
        ),
        reads("provider token-status", "openai-codex")
            .between()
            .on(NotFound, names("nobody"))
            .on(Login, empty()),
        spends("provider refresh-token", "openai-codex")
            .between()
            .on(NotFound, names("nobody")),
    ]
}

/// One that reads or edits the configuration alone.
fn configures(command: &'static str, words: &'static str) -> Row {
    Row::new(command, words).on(Storage, full_output())
}

/// Something to list, and to take away.
fn defaulted(world: &World, _: &Issuer) {
    for words in [
        "models aliases add opus anthropic/claude-opus-4-6",
        "models fallbacks add openai/gpt-5.2",
        "models image-fallbacks add openai/gpt-5.2",
    ] {
        done(world, words);
    }
}

fn defaults() -> Vec<Row> {
    let rows = vec![
        configures("models list", ""),
        configures("models set", "anthropic/claude-opus-4-6"),
        configures("models set-image", "anthropic/claude-opus-4-6"),
        configures("models aliases list", ""),
        configures("models aliases add", "gpt openai/gpt-5.2"),
        configures("models aliases remove", "opus").on(NotFound, names("nothing")),
        configures("models fallbacks list", ""),
        configures("models fallbacks add", "anthropic/claude-opus-4-6"),
        configures("models fallbacks remove", "openai/gpt-5.2")
            .on(NotFound, names("openai/nothing")),
        configures("models fallbacks clear", ""),
        configures("models image-fallbacks list", ""),
        configures("models image-fallbacks add", "anthropic/claude-opus-4-6"),
        configures("models image-fallbacks remove", "openai/gpt-5.2")
            .on(NotFound, names("openai/nothing")),
        configures("models image-fallbacks clear", ""),
    ];
    let rows = rows.into_iter();
    rows.map(|row| row.prepare(defaulted)).collect()
}

/// One that asks a gateway, which answers so if all is well.
fn asks(command: &'static str, answer: &'static str) -> Row {
    asks_for_all(command, answer).on(NotFound, names("nobody"))
}

/// One that asks it, and not for a provider.
fn asks_for_all(command: &'static str, answer: &'static str) -> Row {
    let unknown = r#"{"error":"sent","code":"outcome_unknown"}"#;
    let database = r#"{"error":"no database","code":"database_unavailable"}"#;
    Row::new(command, "")
        .on(Done, gateway(200, answer))
        .on(Temporary, gateway(503, r#"{"error":"later"}"#))
        .on(Storage, gateway(503, database))
        .on(Unknown, gateway(503, unknown))
}

fn others() -> Vec<Row> {
    vec![
        asks("auth status", r#"{"authenticated":true}"#).on(
            Login,
            gateway(
                200,
                r#"{"authenticated":false,"error":"token invalid or expired"}"#,
            ),
        ),
        asks("auth logout", r#"{"status":"logged out"}"#),
        configures("channels list", ""),
        configures("agents set-identity", "--agent work --name Rusty")
            .on(NotFound, names("--agent nobody --name Rusty")),
        spends("tick", "--no-spread"),
        // It runs until it is told to stop, which is no failure.
        Row::new("gateway run", "--listen 127.0.0.1:0 --json")
            .on(Done, left_alone())
            .on(Usage, names("--listen 0.0.0.0:0"))
            .on(Storage, full_output())
            .on(Stopped, left_alone().code(0)),
        asks_for_all(
            "gateway link",
            r#"{"url":"http://127.0.0.1:1/#k=code","expires_in":60}"#,
        ),
        Row::new("agents add", "new --workspace w --non-interactive")
            .on(Storage, blocked("agents")),
        Row::new("agents list", "").on(Storage, full_output()),
        Row::new("agents delete", "work --force")
            .prepare(|world, _| world.write("agents/work/agent/auth-profiles.json", "{}"))
            .on(NotFound, names("nobody --force"))
            .on(Storage, blocked("trash")),
        Row::new("agents purge", "--yes").on(Storage, blocked("trash")),
        Row::new("agents inherit", "work --mode isolated")
            .on(NotFound, names("nobody"))
            .on(Storage, blocked("agents/work")),
        // What is wrong is what it is for to say.
        Row::new("doctor", "")
            .on(Config, broken(CONFIG).code(0))
            .on(Storage, names("--state-dir /proc")),
        Row::new("completions", "bash")
            .never(Config)
            .on(Storage, full_output())
            .on(Stopped, unread()),
    ]
}
