//! `provider <id> token-status` and `refresh-token`, which a guide describes.

use crate::support::issuer::Account;
use openclaw::model::provider::ClientAuth;

use super::Transcript;
use crate::login::client_credentials::{ends_in, run, world};
use crate::support::World;

const STATUS: [&str; 3] = ["provider", "codex", "token-status"];
const REFRESH: [&str; 4] = ["provider", "codex", "refresh-token", "--verbose"];

/// With the client of the guide.
fn with_client(world: &World) -> Transcript<'_> {
    Transcript::of(world)
        .env("CODEX_CLIENT_ID", "client-1")
        .env("CODEX_CLIENT_SECRET", "s3cret+MARKER/client")
}

#[test]
fn a_client_has_its_token_status_and_is_renewed() {
    let (world, issuer) = world("client_credentials", ClientAuth::Post);
    let told =
        with_client(&world)
            .run(&STATUS)
            .run(&["models", "auth", "login", "--provider", "codex"]);
    ends_in(&world, 3_542);
    let told = told.run(&STATUS).run(&REFRESH).run(&REFRESH[..3]);
    ends_in(&world, -20);
    let told = told.run(&STATUS).run(&["models", "status"]);
    issuer.expect_client("client-1", "another", ClientAuth::Post);
    told.run(&REFRESH)
        .run(&STATUS)
        .run(&["models", "status"])
        .matches("provider_client");
}

#[test]
fn a_client_that_is_not_renewed_by_itself_names_the_command() {
    let (world, _issuer) = world("client_credentials", ClientAuth::Post);
    let ran = run(&world, &["models", "auth", "login", "--provider", "codex"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let yaml = world.read("config.yaml");
    let yaml = yaml.replace("token_auto_refresh: true", "token_auto_refresh: false");
    world.write("config.yaml", &yaml);
    ends_in(&world, 200);
    let told = with_client(&world)
        .run(&STATUS)
        .run(&["models", "auth", "token", "--json"]);
    ends_in(&world, -20);
    told.run(&STATUS)
        .run(&["models", "auth", "token", "--provider", "codex"])
        .run(&["models", "status"])
        .run(&REFRESH[..3])
        .matches("provider_by_command");
}

#[test]
fn any_other_provider_has_a_token_status() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_542);
    let of = |id: &'static str, verb: &'static str| ["provider", id, verb];
    Transcript::of(&world)
        .run(&of("openai-codex", "token-status"))
        .run(&of("openai-codex", "refresh-token"))
        .env("GROQ_API_KEY", "gsk-MARKER")
        .run(&of("groq", "token-status"))
        .run(&of("groq", "refresh-token"))
        .pipe(
            "token",
            "pasted-token-MARKER",
            &["models", "auth", "paste-token", "--provider", "xai"],
        )
        .run(&of("xai", "token-status"))
        .run(&of("xai", "refresh-token"))
        .run(&of("nobody", "token-status"))
        .matches("provider_others");
}
