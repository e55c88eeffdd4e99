//! The commands in `examples/gateway` and on the page about PostgreSQL are commands of this program.

use std::path::Path;

use openclaw::cli::Cli;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(path).unwrap()
}

/// Fails unless these words, without the name of the program, are understood.
fn parse(words: &[String]) {
    let line = std::iter::once("openclaw").chain(words.iter().map(String::as_str));
    let parsed = Cli::described().try_get_matches_from(line);
    assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
}

fn words(line: &str) -> Vec<String> {
    shlex::split(line).unwrap()
}

/// The words of a list as JSON, of which YAML and Dockerfiles are no more.
fn listed(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap()
}

#[test]
fn units_run_a_gateway() {
    for unit in ["openclaw-gateway", "openclaw-gateway-postgres"] {
        let text = text(&format!("examples/gateway/{unit}.service"));
        let start = "ExecStart=/usr/local/bin/openclaw ";
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        parse(&words(line.unwrap()));
        let credentials = text.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix("LoadCredential=")?.split_once(':')?;
            Some(format!("%d/{name}"))
        });
        for credential in credentials {
            assert!(text.contains(&credential), "{unit} uses no {credential}");
        }
    }
}

#[test]
fn the_image_runs_a_gateway_as_nobody() {
    let text = text("examples/gateway/Dockerfile");
    let of = |instruction: &str| {
        let mut lines = text.lines();
        lines
            .find_map(|line| line.strip_prefix(instruction))
            .unwrap()
    };
    assert_eq!(listed(of("ENTRYPOINT ")), ["/openclaw"]);
    parse(&listed(of("CMD ")));
    assert_eq!(of("USER "), "65532:65532");
    let volumes = listed(of("VOLUME "));
    assert!(volumes.contains(&"/rescue".to_owned()), "{volumes:?}");
}

#[test]
fn the_services_of_compose_run_a_gateway() {
    let text = text("examples/gateway/compose.yaml");
    let (_, rest) = text.split_once("    command:\n").unwrap();
    let items = rest.lines().map_while(|line| line.strip_prefix("      - "));
    let command: Vec<String> = items.map(str::to_owned).collect();
    assert!(command.len() > 4, "{command:?}");
    parse(&command);
    let (_, check) = text.split_once(r#"test: ["CMD", "/openclaw", "#).unwrap();
    let (check, _) = check.split_once('\n').unwrap();
    parse(&listed(&format!("[{check}")));
    // Each secret that is named has a file, and the program is told of it.
    let (_, secrets) = text.split_once("\nsecrets:\n").unwrap();
    for line in secrets.lines().map_while(|line| line.strip_prefix("  ")) {
        let (name, _) = line.split_once(':').unwrap();
        assert!(text.contains(&format!("/run/secrets/{name}")), "{name}");
    }
    for line in ["read_only: true", "\"rescue:/rescue\""] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn the_page_about_postgresql_names_commands_that_there_are() {
    let text = text("docs/gateway-postgres.md");
    let mut fenced = text.split("```").skip(1).step_by(2);
    let shell = fenced
        .by_ref()
        .filter_map(|block| block.strip_prefix("sh\n"));
    let commands: Vec<Vec<String>> = shell
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("openclaw "))
        .map(words)
        .collect();
    assert!(commands.len() > 4, "{commands:?}");
    commands.iter().for_each(|words| parse(words));
}

#[test]
fn the_page_about_leases_names_commands_that_there_are() {
    let text = text("docs/leases.md");
    let fenced = text.split("```").skip(1).step_by(2);
    let lines = fenced
        .filter_map(|block| block.strip_prefix("sh\n"))
        .flat_map(str::lines);
    let commands: Vec<Vec<String>> = lines
        .filter_map(|line| Some(line.split_once("openclaw ")?.1))
        .map(|command| words(command.split(['|', '>']).next().unwrap()))
        .collect();
    assert!(commands.len() > 2, "{commands:?}");
    commands.iter().for_each(|words| parse(words));
    let (_, agent) = text.split_once(r#"command: ["openclaw", "#).unwrap();
    let (agent, _) = agent.split_once('\n').unwrap();
    parse(&listed(&format!("[{agent}")));
}
