//! Problems that `tick` knows of without a request: in a dry run, in the configuration, of a provider
//! that is not known.

use serde_json::json;

use super::tick::{report, write};
use crate::support::issuer::Account;
use crate::support::{World, millis_from_now};

#[test]
fn a_dry_run_tells_of_every_problem_that_is_known_without_a_request() {
    for left in [-10, 60, 7_200] {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed_with("main", left, "living", "rt-nobody");
        let force = ["models", "auth", "refresh", "--force"];
        assert_eq!(world.run(&force).code, 3);
        let dry = world.run(&["tick", "--dry-run", "--json"]);
        let real = world.run(&["tick", "--no-spread", "--json"]);
        assert_eq!((dry.code, real.code), (3, 3), "{dry:?} {real:?}");
        let kind = |ran: &crate::support::Ran| report(&ran.out)["problems"][0]["kind"].clone();
        assert_eq!(
            (kind(&dry), kind(&real)),
            (kind(&real), "needs_login".into())
        );
        assert_eq!(issuer.token_requests().len(), 1);
    }
}

#[test]
fn a_configuration_to_correct_is_told_as_such_while_the_token_lives() {
    let world = World::new();
    let guide = crate::providers::declared_in_config::guide("authorization_code");
    world.write("config.yaml", &guide);
    for (left, code) in [(60, 1), (-60, 1)] {
        let login = json!({ "type": "oauth", "provider": "codex", "access": "a", "refresh": "r",
            "expires": millis_from_now(left) });
        write(&world, "main", &json!({ "codex:default": login }));
        for args in [
            ["tick", "--no-spread", "--json"],
            ["tick", "--dry-run", "--json"],
        ] {
            let ran = world.run(&args);
            assert_eq!(ran.code, code, "{ran:?}");
            assert_eq!(report(&ran.out)["problems"][0]["kind"], "config", "{ran:?}");
        }
    }
}

#[test]
fn a_login_whose_provider_is_not_known_is_warned_of_before_it_ends() {
    let world = World::new();
    let login = json!({ "type": "oauth", "provider": "nobody", "access": "a", "refresh": "r",
        "expires": millis_from_now(200) });
    write(&world, "main", &json!({ "nobody:default": login }));
    let token = world.run(&["models", "auth", "token", "--provider", "nobody"]);
    assert_eq!(token.code, 0, "{token:?}");
    assert!(token.err.contains("unknown provider nobody"), "{token:?}");
    let status = world.run(&["models", "status"]);
    assert!(
        !status.out.contains("refreshes automatically"),
        "{status:?}"
    );
    let tick = world.run(&["tick", "--no-spread", "--json"]);
    assert_eq!(
        report(&tick.out)["expiring"][0]["profile"],
        "nobody:default",
        "{tick:?}"
    );
}
