//! The commands of two machines see one store.

use crate::support::browser::visit;
use crate::support::login::Waiting;
use crate::support::team::Team;
use crate::support::{ran, setup_token};

const PROFILE: &str = "openai-codex:default";
const MINE: &str = "openai-codex:me@example.com";

/// Runs a command that has to succeed, and returns what it printed.
fn ok(team: &Team, machine: usize, args: &[&str]) -> String {
    let ran = team.run(machine, args);
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
    team.assert_discreet(&ran);
    ran.out
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_token_pasted_on_one_machine_is_used_on_the_other() {
    let team = Team::new();
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let mut command = team.command(0, &paste);
    let input = team.machines[0].state().join("input");
    std::fs::write(&input, setup_token()).unwrap();
    command.stdin(std::fs::File::open(input).unwrap());
    let pasted = ran(command.output().unwrap());
    assert_eq!(pasted.code, 0, "{pasted:?}");
    let token = ["models", "auth", "token", "--provider", "anthropic"];
    assert_eq!(ok(&team, 1, &token).trim(), setup_token());
    let listed = ok(&team, 1, &["models", "auth", "list"]);
    assert!(listed.contains("anthropic:"), "{listed}");
    assert!(!listed.contains("MARKER"), "{listed}");
    for machine in &team.machines {
        let agents = machine.state().join("agents/main/agent/auth-profiles.json");
        assert!(!agents.exists());
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_in_a_browser_is_everybodys_and_so_is_its_logout() {
    let team = Team::new();
    let args = [
        "models",
        "auth",
        "login",
        "--json",
        "--no-browser",
        "--provider",
        "openai-codex",
    ];
    let login = Waiting::of(team.command(0, &args));
    let page = visit(&login.url).unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    let (login, _) = login.finish();
    assert_eq!(login.code, 0, "{login:?}");
    let status = ok(&team, 1, &["models", "status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status.to_string().contains("openai-codex:"), "{status}");
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let here = ok(&team, 0, &token);
    assert_eq!(ok(&team, 1, &token), here);
    ok(&team, 1, &["models", "auth", "logout", MINE, "--yes"]);
    let gone = team.run(0, &token);
    assert_eq!(gone.code, 3, "{gone:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn orders_and_agents_are_the_same_on_both_machines() {
    let team = Team::new();
    team.seed(PROFILE, 3_600);
    team.seed("openai-codex:second", 3_600);
    let order = ["models", "auth", "order"];
    let provider = ["--provider", "openai-codex"];
    let set = [&order[..], &["set"], &provider, &["openai-codex:second"]].concat();
    ok(&team, 0, &set);
    let got = ok(&team, 1, &[&order[..], &["get"], &provider].concat());
    assert!(got.contains("openai-codex:second"), "{got}");
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let second = team.tokens("openai-codex:second").unwrap().0;
    assert_eq!(ok(&team, 1, &token).trim(), second);

    for machine in [0, 1] {
        let workspace = team.machines[machine].directory.path().join("work");
        let workspace = ["--workspace", workspace.to_str().unwrap()];
        let add = ["agents", "add", "work", "--non-interactive"];
        ok(&team, machine, &[&add[..], &workspace].concat());
    }
    let of_work = [&token[..], &["--agent", "work"]].concat();
    assert_eq!(ok(&team, 1, &of_work).trim(), second);
    ok(&team, 0, &["agents", "delete", "work", "--force"]);
    let kept = team.tokens("openai-codex:second").unwrap().0;
    assert_eq!(kept, second);
}
