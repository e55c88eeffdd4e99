//! What a manifest may say, and what is refused.

use super::*;

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
    assert_eq!(provider.refresh, RefreshPolicy::default());
    let (_, replaces) = parse(&format!("{HEAD}replaces = true"), "acme.toml").unwrap();
    assert!(replaces);
}

#[test]
fn the_documented_example_is_a_manifest() {
    let readme = include_str!("../builtin/README.md");
    let example = readme.split("```toml").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let (provider, _) = parse(example, "README.md").unwrap();
    assert_eq!(provider.flows.len(), 3);
}
