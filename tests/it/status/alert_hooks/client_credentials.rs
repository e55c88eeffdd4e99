//! A client that asks for its own tokens: what rings, and that its secret does not ring along.

use openclaw::model::provider::ClientAuth;

use crate::login::client_credentials::{ends_in, run, with_client, world};
use crate::support::ran;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "codex"];

#[test]
fn a_refused_client_rings_once_each_time_it_is_refused_anew() {
    let (world, issuer) = world("client_credentials", ClientAuth::Post);
    let secret = crate::login::client_credentials::SECRET;
    let login = ["models", "auth", "login", "--provider", "codex"];
    assert_eq!(run(&world, &login).code, 0);
    let told = world.directory.path().join("told");
    let hook = format!(
        "\nhooks:\n  needs-login: [sh, -c, 'cat /proc/self/environ - >> {}']\n",
        told.display()
    );
    let yaml = world.read("config.yaml");
    world.write("config.yaml", &(yaml.trim_end().to_owned() + &hook));
    let refused = |times: usize| {
        issuer.expect_client("client-1", "another", ClientAuth::Post);
        for command in [&TOKEN[..], &TOKEN, &["tick", "--no-spread"]] {
            let mut command = with_client(world.command(command));
            command
                .env("PATH", "/usr/bin:/bin")
                .env("CODEX_CLIENT_SECRET", secret);
            let ran = ran(command.output().unwrap());
            assert_eq!(ran.code, 1, "{ran:?}");
        }
        let told = String::from_utf8_lossy(&std::fs::read(&told).unwrap()).into_owned();
        assert_eq!(
            told.matches("\"event\":\"needs-login\"").count(),
            times,
            "{told}"
        );
        assert!(told.contains("invalid_client"), "{told}");
        assert!(told.contains("correct the OAuth client of codex"), "{told}");
        assert!(!told.contains(secret), "{told}");
    };
    ends_in(&world, -10);
    refused(1);
    issuer.expect_client("client-1", secret, ClientAuth::Post);
    let force = ["models", "auth", "refresh", "--force"];
    assert_eq!(run(&world, &force).code, 0);
    ends_in(&world, -20);
    refused(2);
}
