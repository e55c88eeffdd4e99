//! `openclaw.json` through the commands that change it: what people wrote stays, and no value of a
//! variable is ever written.

use serde_json::Value;

use crate::support::{Ran, World, setup_token};

const CONFIG: &str = r#"// my config
{
  // who may
  auth: { profiles: { "anthropic:work": { provider: "anthropic", mode: "token" } }, order: { anthropic: ["anthropic:work"] } },
  models: { providers: { acme: { apiKey: "${ACME_KEY}" } } }, /* keep */
  agents: { list: [ { id: "main", default: true }, { id: "work", name: 'Work' } ] },
  bindings: [ { agentId: "work", match: { channel: "x" } } ],
  weird: 0x10,
}
"#;

fn add(world: &World, name: &str) -> Ran {
    let workspace = world.directory.path().join(name);
    let mut command = world.command(&["agents", "add", name, "--json"]);
    command
        .arg("--workspace")
        .arg(workspace)
        .env("ACME_KEY", "the-value-MARKER");
    crate::support::ran(command.output().unwrap())
}

fn kept(text: &str) {
    for part in [
        "// my config",
        "// who may",
        r#"apiKey: "${ACME_KEY}""#,
        "/* keep */",
        "name: 'Work'",
        "weird: 0x10",
    ] {
        assert!(text.contains(part), "{part} is gone from:\n{text}");
    }
}

#[test]
fn a_new_agent_leaves_comments_and_references_alone() {
    let world = World::new();
    world.write("openclaw.json", CONFIG);
    let ran = add(&world, "home");
    assert_eq!(ran.code, 0, "{ran:?}");
    kept(&world.read("openclaw.json"));
    assert_eq!(world.read("openclaw.json.bak"), CONFIG);
    for file in ["openclaw.json", "openclaw.json.bak"] {
        assert!(
            !world.read(file).contains("MARKER"),
            "{file} holds the value of a variable"
        );
    }
    let list: Value = serde_json::from_str(&world.run(&["agents", "list", "--json"]).out).unwrap();
    let ids: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| &agent["id"])
        .collect();
    assert_eq!(ids, ["main", "work", "home"]);
}

#[test]
fn the_first_agent_makes_main_explicit_as_the_reference_does() {
    let world = World::new();
    assert_eq!(add(&world, "Work_Two").code, 0);
    let config: Value = serde_json::from_str(&world.read("openclaw.json")).unwrap();
    let list = config["agents"]["list"].as_array().unwrap();
    assert_eq!(list[0], serde_json::json!({ "id": "main" }));
    assert_eq!(
        (&list[1]["id"], &list[1]["name"]),
        (&"work_two".into(), &"Work_Two".into())
    );
}

#[test]
fn a_deleted_agent_takes_its_bindings_and_nothing_else() {
    let world = World::new();
    world.write(
        "openclaw.json",
        &CONFIG.replace("name: 'Work'", "name: 'Gone'"),
    );
    world.write(
        "agents/work/agent/auth-profiles.json",
        r#"{"version":1,"profiles":{}}"#,
    );
    let ran = world.run(&["agents", "delete", "work", "--force", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let done: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(done["removedBindings"], 1);
    let moved = std::path::PathBuf::from(done["movedTo"][0].as_str().unwrap());
    assert!(moved.join("agent/auth-profiles.json").exists());
    let text = world.read("openclaw.json");
    assert!(!text.contains("Gone") && text.contains("// who may") && text.contains("${ACME_KEY}"));
}

#[test]
fn a_profile_is_named_first_where_an_order_would_exclude_it() {
    let world = World::new();
    world.write("openclaw.json", CONFIG);
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    assert_eq!(world.pipe(&paste, &setup_token()).code, 0);
    let text = world.read("openclaw.json");
    kept(&text);
    assert!(
        text.contains(r#"["anthropic:manual", "anthropic:work"]"#),
        "{text}"
    );
    let token = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(token.out.trim_end(), setup_token());
}

#[test]
fn without_an_order_the_configuration_is_not_touched() {
    let world = World::new();
    let plain = "// nothing about auth\n{ weird: 1 }\n";
    world.write("openclaw.json", plain);
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    assert_eq!(world.pipe(&paste, &setup_token()).code, 0);
    assert_eq!(world.read("openclaw.json"), plain);
}

#[test]
fn five_backups_are_kept_the_newest_first() {
    let world = World::new();
    world.write("openclaw.json", CONFIG);
    for number in 0..7 {
        assert_eq!(add(&world, &format!("agent{number}")).code, 0);
    }
    for (file, newest) in [("openclaw.json.bak", 5), ("openclaw.json.bak.4", 1)] {
        let text = world.read(file);
        assert!(text.contains(&format!("agent{newest}")), "{file}: {text}");
        assert!(
            !text.contains(&format!("agent{}", newest + 1)),
            "{file}: {text}"
        );
    }
    assert!(!world.state().join("openclaw.json.bak.5").exists());
}

#[test]
fn what_cannot_be_changed_safely_stays_as_it_is() {
    for (config, message) in [
        (r#"{ "$include": "inc.json" }"#, "is defined in"),
        ("{ a: ,\n}", "openclaw.json:1:"),
        (r#"{ agents: { list: 5 } }"#, "agents.list is not a list"),
    ] {
        let world = World::new();
        world.write("openclaw.json", config);
        world.write(
            "inc.json",
            r#"{ "agents": { "list": [{ "id": "main" }] } }"#,
        );
        let ran = add(&world, "home");
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(message), "{ran:?}");
        assert_eq!(world.read("openclaw.json"), config);
    }
}

#[test]
fn the_models_change_and_what_people_wrote_about_them_stays() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{
  // the models
  agents: {
    defaults: {
      model: "acme/one", // cheap
      models: {
        "acme/one": { alias: "one", /* hot */ params: { temperature: 1, key: "${ACME_KEY}" } },
      },
    },
    list: [
      // mine
      { id: "main", identity: { name: "Old" /* for now */, theme: "x" } },
    ],
  },
}
"#,
    );
    let ok = |args: &[&str]| {
        let mut command = world.command(args);
        let ran = crate::support::ran(
            command
                .env("ACME_KEY", "the-value-MARKER")
                .output()
                .unwrap(),
        );
        assert_eq!(ran.code, 0, "{args:?} {ran:?}");
    };
    // A model that is a text becomes the first of an object.
    ok(&["models", "fallbacks", "add", "acme/two"]);
    ok(&["models", "aliases", "add", "uno", "one"]);
    ok(&["models", "image-fallbacks", "clear"]);
    ok(&["agents", "set-identity", "--agent", "main", "--emoji", "🤖"]);
    let text = world.read("openclaw.json");
    for part in [
        "// the models",
        "// cheap",
        "/* hot */",
        "// mine",
        "/* for now */",
        "\"${ACME_KEY}\"",
    ] {
        assert!(text.contains(part), "{part} is gone from:\n{text}");
    }
    assert!(!text.contains("MARKER"), "{text}");
    let options = jsonc_parser::ParseOptions::default();
    let config: Value = jsonc_parser::parse_to_serde_value(&text, &options).unwrap();
    let defaults = &config["agents"]["defaults"];
    let model = serde_json::json!({ "primary": "acme/one", "fallbacks": ["acme/two"] });
    assert_eq!(defaults["model"], model);
    assert_eq!(defaults["models"]["acme/one"]["alias"], "uno");
    assert_eq!(defaults["models"]["acme/two"], serde_json::json!({}));
    assert_eq!(defaults["imageModel"]["fallbacks"], serde_json::json!([]));
    let identity = serde_json::json!({ "name": "Old", "theme": "x", "emoji": "🤖" });
    assert_eq!(config["agents"]["list"][0]["identity"], identity);
}
