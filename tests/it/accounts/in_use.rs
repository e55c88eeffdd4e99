//! Which of several accounts is in use: `status`, `list` and `explain` mark the one that `token`
//! gives, and a new login says whether it is that one.

use serde_json::{Value, json};

use crate::support::World;

/// Two keys of one provider and one of another.
fn world(order: &Value) -> World {
    let world = World::new();
    let key = |key: &str| json!({ "type": "api_key", "provider": "openai", "key": key });
    let document = json!({
        "version": 1,
        "profiles": {
            "openai:work": key("k-work"),
            "openai:home": key("k-home"),
            "x:only": { "type": "api_key", "provider": "x", "key": "k-x" },
        },
        "order": order,
    });
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
    world
}

fn json_of(world: &World, args: &[&str]) -> Value {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The names of the rows that are marked.
fn marked<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    let marked = rows.filter(|row| row["inUse"] == json!(true));
    marked.filter_map(|row| row[name].as_str()).collect()
}

#[test]
fn every_report_marks_the_account_that_token_gives() {
    for (order, used, key) in [
        (
            json!({ "openai": ["openai:home", "openai:work"] }),
            "openai:home",
            "k-home",
        ),
        (
            json!({ "openai": ["openai:work", "openai:home"] }),
            "openai:work",
            "k-work",
        ),
    ] {
        let world = world(&order);
        let token = world.run(&["models", "auth", "token", "--provider", "openai"]);
        assert_eq!(token.out.trim(), key);
        let list = json_of(&world, &["models", "auth", "list", "--json"]);
        assert_eq!(marked(&list["profiles"], "id"), [used, "x:only"]);
        let status = json_of(&world, &["models", "status", "--json"]);
        let profiles = &status["openclaw"]["profiles"];
        assert_eq!(marked(profiles, "profileId"), [used, "x:only"]);
        let explain = [
            "models",
            "auth",
            "explain",
            "--provider",
            "openai",
            "--json",
        ];
        let explain = json_of(&world, &explain);
        let rows = &explain["providers"][0]["candidates"];
        assert_eq!(marked(rows, "profile"), [used]);
        for args in [&["models", "auth", "list"][..], &["models", "status"]] {
            let text = world.run(args).out;
            let mut lines = text.lines().filter(|line| line.starts_with('*'));
            assert!(lines.next().unwrap().contains(used), "{text}");
            assert!(text.contains("in use"), "{text}");
        }
    }
}

#[test]
fn an_account_that_gives_no_token_is_not_marked() {
    let world = World::new();
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{ "version": 1, "profiles": {
            "openai:a": { "type": "token", "provider": "openai", "token": "t", "expires": 1600000000000 },
            "openai:b": { "type": "api_key", "provider": "openai", "key": "k" }
        } }"#,
    );
    let list = json_of(&world, &["models", "auth", "list", "--json"]);
    assert_eq!(marked(&list["profiles"], "id"), ["openai:b"]);
}

#[test]
fn a_new_login_says_whether_it_is_the_one_in_use_and_how_to_switch() {
    let world = world(&json!({ "openai": ["openai:home", "openai:work"] }));
    let paste = |profile: &str| {
        let args = ["models", "auth", "paste-api-key", "--provider", "openai"];
        let args = [&args[..], &["--profile-id", profile]].concat();
        world.pipe(&args, "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
    };
    let renewed = paste("openai:home");
    assert_eq!(renewed.code, 0, "{renewed:?}");
    let said = renewed.err.replace('\n', " ");
    assert!(
        said.contains("openclaw models auth token --provider openai` gives openai:home now."),
        "{said}"
    );
    assert!(
        said.contains("openclaw models auth use openai:work"),
        "{said}"
    );
    let other = paste("openai:work");
    let said = other.err.replace('\n', " ");
    assert!(said.contains("still gives openai:home."), "{said}");
    assert!(
        said.contains("openclaw models auth use openai:work"),
        "{said}"
    );
}

#[test]
fn the_only_account_of_a_provider_needs_no_such_line() {
    let world = World::new();
    let args = ["models", "auth", "paste-api-key", "--provider", "openai"];
    let only = world.pipe(&args, "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789");
    assert_eq!(only.code, 0, "{only:?}");
    assert!(!only.err.contains("models auth use"), "{only:?}");
}

#[test]
fn names_are_sorted_as_the_reference_sorts() {
    let world = World::new();
    let names = [
        "x:with space",
        "openai:UPPER",
        "x:ünï",
        "openai:work",
        "openai:home",
        "openai:Home",
    ];
    let profiles = names.map(|name| {
        let provider = name.split(':').next();
        (
            name.to_owned(),
            json!({ "type": "api_key", "provider": provider, "key": "k" }),
        )
    });
    let document =
        json!({ "version": 1, "profiles": Value::Object(profiles.into_iter().collect()) });
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
    let sorted = [
        "openai:home",
        "openai:Home",
        "openai:UPPER",
        "openai:work",
        "x:ünï",
        "x:with space",
    ];
    let names = |rows: &Value, name: &str| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[name].as_str().unwrap().to_owned())
            .collect()
    };
    let list = json_of(&world, &["models", "auth", "list", "--json"]);
    assert_eq!(names(&list["profiles"], "id"), sorted);
    let status = json_of(&world, &["models", "status", "--json"]);
    assert_eq!(
        names(&status["auth"]["oauth"]["profiles"], "profileId"),
        sorted
    );
    for args in [&["models", "auth", "list"][..], &["models", "status"]] {
        let text = world.run(args).out;
        let places = sorted.map(|name| text.find(&format!("{name} ")).unwrap());
        assert!(places.is_sorted(), "{text}");
    }
}

#[test]
fn providers_in_the_text_are_sorted_as_people_sort() {
    let world = World::new();
    let entry = |provider| json!({ "type": "api_key", "provider": provider, "key": "k" });
    let store = json!({ "version": 1, "profiles": {
        "my-co:a": entry("my-co"), "my_co:a": entry("my_co"), "myco:a": entry("myco"),
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let text = world.run(&["models", "status"]).out;
    let mut lines = text.lines().filter(|line| line.starts_with("my"));
    let order = ["my_co", "my-co", "myco"];
    assert!(
        order.iter().all(|name| lines.next() == Some(name)),
        "{text}"
    );
}
