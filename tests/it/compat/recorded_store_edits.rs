//! Each command that writes, as a process, on each recorded store in both layouts: what it means
//! to change is a list of JSON pointers, and everything else is as it was. Unknown members, unknown
//! types of credential and entries that cannot be read are among that everything.
//!
//! Both releases were recorded on the same stores; the later one splits its documents.

mod cases;
mod changes;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};

use crate::support::login::Waiting;
use crate::support::{Ran, World, ran, setup_token};
use cases::{CONFIG, Case, cases};

fn paste(case: &Case, args: &[&str]) -> Ran {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = case.command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(setup_token().as_bytes()).unwrap();
    drop(stdin);
    ran(child.wait_with_output().unwrap())
}

/// What naming a new anthropic profile changes in a configuration that names others.
fn named(case: &Case, profile: &str) -> Vec<String> {
    match case.store.as_str() {
        "configured" => vec![
            format!("+{CONFIG}#/auth/profiles/{profile}"),
            format!("{CONFIG}#/auth/order/anthropic"),
        ],
        _ => Vec::new(),
    }
}

#[test]
fn pasting_a_new_token_adds_one_profile() {
    let token = ["models", "auth", "paste-token", "--provider", "anthropic"];
    for case in cases() {
        let mut expected = named(&case, "anthropic:manual");
        expected.push(case.at("+", "/profiles/anthropic:manual"));
        let before = case.listed();
        case.assert_changes(|case| paste(case, &token), &case.written(expected));
        // A document that was written whole still has what it was made from.
        let after = case.listed();
        assert!(before.iter().all(|id| after.contains(id)), "{}", case.name);
    }
    for case in cases() {
        let mut expected = named(&case, "anthropic:manual");
        expected.push(case.at("+", "/profiles/anthropic:manual"));
        let setup = ["models", "auth", "setup-token", "--yes"];
        case.assert_changes(|case| paste(case, &setup), &case.written(expected));
    }
}

#[test]
fn pasting_over_a_token_changes_that_token() {
    let mut count = 0;
    for case in cases() {
        let Some(profile) = case
            .profiles("token")
            .into_iter()
            .find(|id| id.starts_with("anthropic:"))
        else {
            continue;
        };
        count += 1;
        let entry = case.document().unwrap()["profiles"][&profile].clone();
        let at = |sign: &str, name: &str| case.at(sign, &format!("/profiles/{profile}/{name}"));
        let had = |name: &str| entry.get(name).is_some();
        let mut expected = vec![at(if had("token") { "" } else { "+" }, "token")];
        // A token without a known end has none, and a reference would win over the token.
        for name in ["expires", "tokenRef"] {
            expected.extend(had(name).then(|| at("-", name)));
        }
        expected.extend(case.forgiven(&profile));
        if case.store == "configured" {
            // Second in the configured order, it changes places with the first, as with OpenClaw.
            let place = |at: usize| format!("{CONFIG}#/auth/order/anthropic/{at}");
            expected.extend([place(0), place(1)]);
        }
        let args = [
            "models",
            "auth",
            "paste-token",
            "--provider",
            "anthropic",
            "--profile-id",
            &profile,
        ];
        case.assert_changes(|case| paste(case, &args), &expected);
    }
    assert!(count > 10, "{count}");
}

#[test]
fn logging_out_takes_one_profile_and_every_mention() {
    let mut count = 0;
    for kind in ["oauth", "token", "api_key"] {
        for case in cases() {
            let Some(profile) = case.profiles(kind).into_iter().next_back() else {
                continue;
            };
            if case
                .run(&["models", "auth", "logout", &profile, "--dry-run"])
                .code
                != 0
            {
                // `broken:default` is an entry that cannot be read.
                continue;
            }
            count += 1;
            let mut expected = case.mentions(&profile);
            expected.push(case.at("-", &format!("/profiles/{profile}")));
            let args = ["models", "auth", "logout", &profile, "--yes"];
            case.assert_changes(|case| case.run(&args), &expected);
        }
    }
    assert!(count > 30, "{count}");
}

fn issuer(world: &World) -> Issuer {
    let clock = std::sync::Arc::new(openclaw::sys::clock::SystemClock::new());
    let issuer = Issuer::start(Account::default(), clock).unwrap();
    world.write("providers/openai-codex.toml", &issuer.manifest());
    issuer
}

#[test]
fn a_refresh_changes_one_grant() {
    let mut count = 0;
    for command in [
        &["token", "--profile"][..],
        &["refresh", "--force", "--profile"],
    ] {
        for case in cases() {
            let Some(profile) = case.profiles("oauth").into_iter().next() else {
                continue;
            };
            count += 1;
            let issuer = issuer(&case.world);
            case.seed(&issuer, &profile);
            let names = ["access", "refresh", "expires"];
            let expected = names.map(|name| case.at("", &format!("/profiles/{profile}/{name}")));
            let args = [&["models", "auth"], command, &[&profile]].concat();
            case.assert_changes(|case| case.run(&args), &expected);
        }
    }
    assert!(count > 20, "{count}");
}

fn log_in(case: &Case) -> Ran {
    let login = Waiting::start(&case.world, &[]);
    assert_eq!(visit(&login.url).unwrap().status, 200, "{}", case.name);
    login.finish().0
}

#[test]
fn a_login_of_somebody_new_adds_one_profile() {
    for case in cases() {
        let issuer = issuer(&case.world);
        issuer.set_account(Account {
            id: "acct_new".to_owned(),
            email: Some("new@example.com".to_owned()),
            ..Account::default()
        });
        let mut expected = vec![case.at("+", "/profiles/openai-codex:new@example.com")];
        expected.extend(case.put_first("openai-codex"));
        let before = case.listed();
        case.assert_changes(log_in, &case.written(expected));
        let after = case.listed();
        assert!(before.iter().all(|id| after.contains(id)), "{}", case.name);
    }
}

#[test]
fn a_login_of_somebody_known_changes_one_grant() {
    let mut count = 0;
    for case in cases() {
        let Some(profile) = case.profiles("oauth").into_iter().next() else {
            continue;
        };
        count += 1;
        let entry = case.document().unwrap()["profiles"][&profile].clone();
        let issuer = issuer(&case.world);
        issuer.set_account(Account {
            id: entry["accountId"].as_str().unwrap().to_owned(),
            email: Some("a@example.com".to_owned()),
            ..Account::default()
        });
        let at = |sign: &str, name: &str| case.at(sign, &format!("/profiles/{profile}/{name}"));
        let mut expected = ["access", "refresh", "expires"]
            .map(|name| at("", name))
            .to_vec();
        expected.extend(entry.get("email").is_none().then(|| at("+", "email")));
        case.assert_changes(log_in, &expected);
    }
    assert!(count > 10, "{count}");
}

#[test]
fn agents_come_and_go_without_a_credential_being_touched() {
    for case in cases() {
        let has_config = case.world.state().join(CONFIG).exists();
        // Without a list, `main` is made explicit before the new agent.
        let (mut expected, place) = match has_config {
            true => (
                vec![
                    format!("+{CONFIG}#/agents/list/2"),
                    format!("+{CONFIG}#/meta"),
                ],
                2,
            ),
            false => (vec![format!("+{CONFIG}")], 1),
        };
        let add = ["agents", "add", "other", "--workspace", "ws"];
        case.assert_changes(|case| case.run(&add), &expected);

        case.world
            .write("agents/other/agent/auth-profiles.json", "{}");
        expected = vec![
            format!("-{CONFIG}#/agents/list/{place}"),
            format!("{CONFIG}#/meta/lastTouchedAt"),
            "-agents/other/agent/auth-profiles.json".to_owned(),
            "+trash/agent-other-<stamp>/agent/auth-profiles.json".to_owned(),
        ];
        let delete = ["agents", "delete", "other", "--force"];
        case.assert_changes(|case| case.run(&delete), &expected);
    }
}
