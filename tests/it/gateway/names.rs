//! Which provider a path names.

use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;

#[test]
fn a_name_that_is_no_text_is_no_provider() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let gateway = Gateway::start(&world);
    for path in [
        "/v1/auth/%FF/logout",
        "/v1/auth/chatgpt/%FF/logout",
        "/v1/auth/chatgpt/%C3/logout",
    ] {
        let answer = gateway.post_nothing(path);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert_eq!(answer.json()["code"], "invalid_provider");
    }
    assert_eq!(world.only_profile()["provider"], "openai-codex");
    // The provider of that name, and not the login that its path stands for.
    let other = gateway.get("/v1/auth/chatgpt/openai/status").json();
    assert_eq!(other["authenticated"], false);
    assert_eq!(
        gateway.get("/v1/auth/openai/status").json()["authenticated"],
        true
    );
}
