//! `models auth token`: a token, or why there is none.

use crate::support::issuer::{Account, Issuer, Scripted};

use super::Transcript;
use crate::support::{World, recorded};

const TOKEN: [&str; 3] = ["models", "auth", "token"];
const CODEX: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// The next token request is received and never answered.
pub(super) fn hang_up(issuer: &Issuer) {
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
}

fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Scripted {
    let retry_after = retry_after.map(|value| ("Retry-After", value.to_owned()));
    Scripted {
        status,
        headers: retry_after.into_iter().collect(),
        body: body.to_owned(),
        ..Scripted::default()
    }
}

/// The provider answers so to the refresh of an expired token, and of one that still lives.
fn answered(name: &str, answer: &Scripted) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(answer.clone());
    let (alive, issuer) = World::with_issuer(Account::default());
    alive.seed(&issuer, "main", 120);
    issuer.answer_next(answer.clone());
    let dead = Transcript::of(&world)
        .note("the stored token has ended")
        .run(&CODEX)
        .note("and once more")
        .run(&CODEX)
        .text;
    let mut living = Transcript::of(&alive).note("the stored token lives for another 2 minutes");
    living.text.insert_str(0, &dead);
    living.run(&CODEX).matches(name);
}

#[test]
fn a_fresh_token_is_printed() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    Transcript::of(&world)
        .run(&TOKEN)
        .run(&CODEX)
        .run(&["models", "auth", "token", "--header"])
        .run(&["models", "auth", "token", "--json"])
        .matches("token_fresh");
}

#[test]
fn an_expired_token_is_refreshed_and_printed() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    Transcript::of(&world)
        .run(&["models", "auth", "token", "--json"])
        .matches("token_refreshed");
}

#[test]
fn a_refused_login_asks_for_a_new_one() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "old-access", "rt-that-nobody-issued");
    Transcript::of(&world)
        .run(&CODEX)
        .note("and once more, without asking the provider again")
        .run(&CODEX)
        .matches("token_refused");
}

#[test]
fn a_grant_that_was_used_twice_asks_for_a_new_login() {
    let body = r#"{"error":{"message":"Your refresh token has already been used to generate a new access token. Please try signing in again.","type":"invalid_request_error","param":null,"code":"refresh_token_reused"}}"#;
    answered("token_reused", &answer(401, None, body));
}

#[test]
fn a_provider_in_trouble_is_told() {
    answered("token_http_503", &answer(503, None, ""));
    answered("token_http_429", &answer(429, Some("120"), ""));
    answered("token_http_403", &answer(403, None, "<html>blocked</html>"));
    let region = r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported"}}"#;
    answered("token_region", &answer(403, None, region));
    answered("token_web_page", &answer(200, None, "<html>hello</html>"));
    answered("token_redirect", &answer(302, None, ""));
}

#[test]
fn a_refresh_without_an_answer_has_an_unknown_outcome() {
    let hang_up = Scripted {
        hang_up: true,
        ..Scripted::default()
    };
    answered("token_unknown_outcome", &hang_up);
}

#[test]
fn no_network_is_told() {
    let (world, issuer) = World::with_issuer(Account::default());
    // A port that was let go may be another test's the next moment; this one is nobody's.
    let manifest = issuer
        .manifest()
        .replace(issuer.url(), "http://127.0.0.1:1");
    world.write("providers/openai-codex.toml", &manifest);
    world.seed(&issuer, "main", -10);
    Transcript::of(&world)
        .run(&CODEX)
        .matches("token_no_network");
}

#[test]
fn a_grant_of_another_server_is_not_sent() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    world.run(&CODEX);
    let other = issuer.manifest().replace("/oauth/token", "/other/token");
    world.write("providers/openai-codex.toml", &other);
    world.age_grants(86_400);
    Transcript::of(&world)
        .run(&["models", "auth", "token", "--min-valid", "2h"])
        .matches("token_other_server");
}

#[test]
fn an_imported_login_is_not_sent_before_its_endpoint_is_accepted() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -7_200);
    std::fs::remove_dir_all(world.state().join("locks")).unwrap();
    let endpoint = format!("{}/oauth/token", issuer.url());
    let accept = [
        "models",
        "auth",
        "refresh",
        "--profile",
        "openai-codex:default",
    ];
    let accept = [&accept[..], &["--accept-endpoint"]].concat();
    Transcript::of(&world)
        .run(&CODEX)
        .run(&["models", "status"])
        .run(&[&accept[..], &["https://auth.openai.com/oauth/token"]].concat())
        .run(&[&accept[..], &[&endpoint]].concat())
        .matches("token_imported_login");
}

#[test]
fn a_token_that_is_not_there_fails() {
    let (world, _, _) = recorded::world("two-accounts");
    let empty = World::new();
    let nothing = Transcript::of(&empty)
        .note("nothing is stored")
        .run(&TOKEN)
        .run(&CODEX)
        .run(&["models", "auth", "token", "--provider", "anthropic"])
        .run(&["models", "auth", "token", "--provider", "openai"])
        .run(&["models", "auth", "token", "--provider", "openai-codx"])
        .run(&["models", "auth", "token", "--profile", "anthropic:manual"])
        .text;
    let mut some = Transcript::of(&world).note("several accounts are stored");
    some.text.insert_str(0, &nothing);
    some.run(&TOKEN)
        .run(&["models", "auth", "token", "--profile", "anthropic:wrok"])
        .run(&["models", "auth", "token", "--profile", "../x"])
        .run(&["models", "auth", "token", "--provider", "google"])
        .matches("token_not_there");
}

#[test]
fn an_expired_token_that_nothing_renews_fails() {
    let (world, _, _) = recorded::world("token-expired");
    let (ending, _, _) = recorded::world("token-expiring");
    let ended = Transcript::of(&world)
        .note("a pasted token has ended")
        .run(&["models", "auth", "token", "--provider", "anthropic"])
        .run(&["models", "auth", "token", "--profile", "anthropic:default"])
        .text;
    let mut transcript = Transcript::of(&ending).note("another ends in 12 hours");
    transcript.text.insert_str(0, &ended);
    transcript
        .run(&["models", "auth", "token", "--min-valid", "2d"])
        .matches("token_static_expired");
}

#[test]
fn profiles_that_cannot_be_used_say_why() {
    let (world, _, _) = recorded::world("one-bad-profile");
    let token = |profile| ["models", "auth", "token", "--profile", profile];
    Transcript::of(&world)
        .run(&token("openai:default"))
        .run(&token("broken:default"))
        .run(&token("worse:default"))
        .run(&["models", "auth", "token", "--provider", "openai"])
        .run(&["models", "auth", "logout", "broken:default", "--yes"])
        .run(&["models", "auth", "refresh", "--profile", "broken:default"])
        .matches("token_unusable");
}

#[test]
fn nothing_is_refreshed_where_it_could_not_be_stored() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    world.block("locks");
    Transcript::of(&world)
        .note("the directory of the locks cannot be made")
        .run(&CODEX)
        .matches("token_storage");
}

#[test]
fn a_store_that_is_no_json_gives_no_token() {
    let (world, _, _) = recorded::world("not-json");
    Transcript::of(&world)
        .run(&CODEX)
        .run(&TOKEN)
        .matches("token_not_json");
}

#[test]
fn an_environment_key_is_printed() {
    let world = World::new();
    Transcript::of(&world)
        .env("OPENAI_API_KEY", "sk-of-the-environment")
        .run(&["models", "auth", "token", "--provider", "openai"])
        .run(&["models", "auth", "token", "--provider", "openai", "--json"])
        .matches("token_environment");
}

#[test]
fn a_second_agent_is_refused_with_the_login_of_main() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "old-access", "rt-that-nobody-issued");
    world.add_agent("work");
    let mut args = CODEX.to_vec();
    args.extend(["--agent", "work"]);
    Transcript::of(&world)
        .note("work reads through to a login of main that the provider refuses")
        .run(&args)
        .matches("token_second_agent");
}

#[test]
#[ignore = "waits as long as a refresh by another process may take: 45 s"]
fn a_refresh_of_another_process_that_takes_too_long_is_told() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(std::time::Duration::from_secs(3_600));
    world.seed(&issuer, "main", -10);
    let mut holder = world.command(&CODEX).spawn().unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Stopped, it keeps the lock for as long as it is not killed.
    let pid = rustix::process::Pid::from_child(&holder);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let transcript = Transcript::of(&world).run(&CODEX);
    holder.kill().unwrap();
    holder.wait().unwrap();
    transcript.matches("token_busy");
}
