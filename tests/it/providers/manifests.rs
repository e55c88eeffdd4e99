//! The providers as `models auth providers` lists them.

use crate::support::issuer::{Account, Issuer};

use crate::login::browser::logged_in;
use crate::support::World;

fn providers(world: &World, more: &[&str]) -> crate::support::Ran {
    let mut args = vec!["models", "auth", "providers"];
    args.extend(more);
    world.run(&args)
}

pub(crate) const ACME: &str = "schema = 1
id = \"acme\"
name = \"Acme Models\"
env = [\"ACME_API_KEY\"]
policy = \"The client is our own (checked 2026-11-21).\"

[client]
id = \"public\"
authorize = \"https://login.acme.example/authorize\"
token = \"https://login.acme.example/token\"

[[flow]]
kind = \"browser\"
host = \"localhost\"
ports = [0]
path = \"/callback\"
scopes = [\"openid\", \"offline_access\"]
";

#[test]
fn the_list_fits_a_terminal_and_tells_of_faulty_files() {
    let world = World::new();
    world.write("providers/acme.toml", ACME);
    world.write("providers/broken.toml", "schema = 1\nnme = 2\n");
    world.write(
        "providers/groq.toml",
        "schema = 1\nid = \"groq\"\nname = \"G\"\n",
    );
    world.write("providers/other.toml", ACME);
    world.write("providers/Upper.toml", ACME);
    world.write("providers/notes.txt", "");
    let ran = providers(&world, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let row = |name: &str| ran.out.lines().find(|line| line.starts_with(name));
    assert!(row("acme ").unwrap().contains("oauth"), "{ran:?}");
    assert!(row("openai-codex ").is_some() && row("groq ").is_none());
    let places = [
        "broken.toml:2:1: ",
        "groq.toml has the id",
        "other.toml defines acme",
        "Upper.toml defines acme",
    ];
    for place in places {
        assert!(ran.err.contains(place), "{place}: {ran:?}");
    }
    assert_eq!(ran.err.lines().count(), places.len(), "{ran:?}");
}

#[test]
fn the_json_list_has_every_member() {
    let world = World::new();
    world.write("providers/acme.toml", ACME);
    let ran = providers(&world, &["--json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(list["faults"], serde_json::json!([]));
    let rows = list["providers"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(of("zai")["aliases"], serde_json::json!(["z.ai", "z-ai"]));
    assert_eq!(
        of("zai")["env"],
        serde_json::json!(["ZAI_API_KEY", "Z_AI_API_KEY"])
    );
    assert_eq!(
        of("openai-codex")["methods"],
        serde_json::json!(["oauth", "device-code"])
    );
    assert_eq!(of("openai-codex")["source"], "built-in");
    assert!(
        of("openai-codex")["policy"]
            .as_str()
            .unwrap()
            .contains("Codex CLI")
    );
    let path = of("acme")["path"].as_str().unwrap();
    assert!(path.ends_with("/providers/acme.toml"), "{path}");
    assert_eq!(of("acme")["source"], "file");
}

#[test]
fn what_is_declared_in_the_configuration_is_listed_with_its_place() {
    let world = World::new();
    world.write("config.yaml", "providers:\n  mine:\n    type: openai-codex\n    auth:\n      method: oauth\n      flow: authorization_code\n      client_id: own\n");
    let ran = providers(&world, &["--provider", "mine"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("config.yaml:3:"), "{ran:?}");
    let ran = providers(&world, &["--json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = list["providers"].as_array().unwrap();
    let mine = rows.iter().find(|row| row["id"] == "mine").unwrap();
    assert_eq!(mine["source"], "config.yaml", "{mine}");
    assert!(mine["path"].as_str().unwrap().ends_with("/config.yaml"));
}

#[test]
fn each_provider_with_a_client_says_whose_it_is() {
    let world = World::new();
    let ran = providers(&world, &["--json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for row in list["providers"].as_array().unwrap() {
        let methods = row["methods"].as_array().unwrap();
        if methods
            .iter()
            .any(|method| method == "oauth" || method == "device-code")
        {
            let policy = row["policy"].as_str().unwrap_or_default();
            assert!(policy.contains("(checked 20"), "{row}");
        }
    }
}

/// The manifest that the documentation leads to.
fn documented() -> String {
    let page = include_str!("../../../docs/providers.md");
    let block = page.split("```toml\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

#[test]
fn the_documented_manifest_is_thirty_lines_without_a_warning() {
    let page = include_str!("../../../docs/providers.md");
    let text = documented();
    assert!(text.lines().count() <= 30);
    let world = World::new();
    let file = world.directory.path().join("acme.toml");
    std::fs::write(&file, &text).unwrap();
    let ran = providers(&world, &["check", "acme.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    std::fs::write(&file, text.replace("scopes =", "scope =")).unwrap();
    let ran = providers(&world, &["check", "acme.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(page.contains(&ran.err), "{ran:?}");
}

/// Nothing but data: the file of the documentation, with a server behind it.
#[test]
fn a_manifest_that_is_dropped_in_is_a_provider() {
    let clock = std::sync::Arc::new(openclaw::sys::clock::SystemClock::new());
    let issuer = Issuer::start(Account::default(), clock).unwrap();
    let world = World::new();
    let login = ["models", "auth", "login", "--provider", "acme"];
    let unknown = world.run(&login);
    assert!(unknown.err.contains("unknown provider acme"), "{unknown:?}");
    issuer.publish_json("/.well-known/openid-configuration", &issuer.metadata());
    let manifest = documented()
        .replace("https://login.acme.example", issuer.url())
        .replace("ports = [8765]", "ports = [0]");
    world.write("providers/acme.toml", &manifest);
    assert_eq!(
        logged_in(&world, &["--provider", "acme"]),
        "acme:me@example.com"
    );
    let ran = world.run(&["models", "auth", "token", "--provider", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let stored = &world.store()["profiles"]["acme:me@example.com"];
    assert_eq!(ran.out.trim_end(), stored["access"].as_str().unwrap());
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 2);
}
