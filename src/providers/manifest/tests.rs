//! What a manifest may say, and what is refused.

use super::*;
use crate::model::provider::{Bill, Billing};

const HEAD: &str = "schema = 1\nid = \"acme\"\nname = \"Acme\"\n";

fn fault(rest: &str) -> (usize, String) {
    let error = parse(&format!("{HEAD}{rest}"), "acme.toml").unwrap_err();
    assert!(error.to_string().starts_with("acme.toml:"), "{error}");
    (error.line, error.message)
}

#[test]
fn faults_have_a_line() {
    let (line, message) = fault("\nmispelt = true\n");
    assert!(line == 5 && message.contains("mispelt"), "{line} {message}");
    let client = "[client]\nid = \"c\"\nauthorize = \"https://a.example/\"\n";
    let (line, message) = fault(&format!("{client}token = \"http://a.example/\"\n"));
    assert!(line == 7 && message.contains("https"), "{line} {message}");
    let (line, message) = fault("[refresh]\nmargin = \"soon\"\n");
    assert!(line == 5 && message.contains("90s"), "{line} {message}");
    let browser = "[[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\n";
    let (line, message) = fault(&format!("{browser}path = \"/\"\nparams.state = \"x\"\n"));
    assert!(line >= 4 && message.contains("state"), "{line} {message}");
    let (line, message) = fault("[[flow]]\nkind = \"key\"\nport = 1\n");
    assert!(line >= 4 && message.contains("port"), "{line} {message}");
    assert!(
        fault(&format!("{browser}path = \"/\"\n"))
            .1
            .contains("[client]")
    );
    assert_eq!(place("a\nbü c", 5), (2, 3));
}

#[test]
fn what_is_unsafe_is_refused() {
    for rest in [
        "env = [\"lower\"]",
        "env = [\"\"]",
        "policy = \"a\\u001bb\"",
        "[dialect]\nheaders = { Authorization = \"x\" }",
        "[dialect]\nheaders = { x = \"a\\nb\" }",
        "[dialect]\nbody = \"xml\"",
        "[billing]\napi_key = \"free\"",
        "[billing]\nkey = \"metered\"",
        "[account]\nid = [\"cookie:/x\"]",
        "[account]\nid = [\"id_token:x\"]",
        "[[flow]]\nkind = \"magic\"",
    ] {
        fault(rest);
    }
    assert!(parse("schema = 2\nid = \"a\"\nname = \"A\"", "f").is_err());
    assert!(parse("schema = 1\nid = \"Acme\"\nname = \"A\"", "f").is_err());
    assert!(parse("schema = 1\nid = \"..\"\nname = \"A\"", "f").is_err());
}

#[test]
fn what_is_left_out_has_a_default() {
    let (provider, replaces) = parse(HEAD, "acme.toml").unwrap();
    assert!(!replaces && provider.registration.is_none() && provider.flows.is_empty());
    assert_eq!(provider.refresh, RefreshSettings::default());
    assert_eq!(provider.billing, Billing::default());
    let billing = "billing = { token = \"subscription\", api_key = \"unknown\" }";
    let (provider, _) = parse(&format!("{HEAD}{billing}"), "acme.toml").unwrap();
    let Billing {
        oauth,
        token,
        api_key,
        ambient,
    } = provider.billing;
    assert_eq!([oauth, ambient, api_key], [Bill::Unknown; 3]);
    assert_eq!(token, Bill::Subscription);
    let (_, replaces) = parse(&format!("{HEAD}replaces = true"), "acme.toml").unwrap();
    assert!(replaces);
}

const README: &str = include_str!("../builtin/README.md");

/// The examples of the documentation, in order.
fn examples() -> impl Iterator<Item = &'static str> {
    let fenced = README.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix("toml\n"))
}

#[test]
fn the_documented_examples_are_manifests() {
    let mut examples = examples();
    let whole = examples.next().unwrap();
    let (provider, replaces) = parse(whole, "README.md").unwrap();
    assert!(replaces && provider.flows.len() == 6);
    let client = "[client]\nid = \"c\"\nauthorize = \"https://a.example/\"\n\
                  token = \"https://a.example/token\"\n";
    let mut others = 0;
    for flow in examples {
        parse(&format!("{HEAD}{client}{flow}"), "README.md").unwrap();
        others += 1;
    }
    assert_eq!(others, 3);
}

/// The keys that may stand below this, by what the parser says of one that may not.
fn keys(table: &str) -> Vec<String> {
    let (_, message) = fault(&format!("{table}\nzzz = 1\n"));
    let (_, known) = message.split_once("expected ").unwrap();
    known.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_key_is_documented() {
    let mut count = 0;
    for table in [
        "",
        "[[ambient]]",
        "[[ambient]]\nneeds = []\n[ambient.file]",
        "[client]",
        "[[flow]]\nkind = \"browser\"",
        "[[flow]]\nkind = \"key_exchange\"",
        "[[flow]]\nkind = \"device\"",
        "[[flow]]\nkind = \"client_credentials\"",
        "[[flow]]\nkind = \"program\"",
        "[[flow]]\nkind = \"token\"",
        "[[flow]]\nkind = \"key\"",
        "[dialect]",
        "[dialect.refusals]",
        "[account]",
        "[refresh]",
        "[probe]",
        "[probe.token]",
    ] {
        for key in keys(table) {
            let written = [
                format!("{key} = "),
                format!("[{key}]"),
                format!("[[{key}]]"),
                format!(".{key}]"),
            ];
            let found = written.iter().any(|text| README.contains(text.as_str()));
            assert!(found, "{table}: {key}");
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}
