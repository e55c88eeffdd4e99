//! `config.yaml`: what each kind of mistake is told as.

use super::Transcript;
use crate::providers::declared_in_config::guide;
use crate::support::World;

/// A block for client credentials with these lines in the place of those of that name.
fn block(flow: &str, lines: &[&str]) -> String {
    let mut text = guide(flow);
    for line in lines {
        let name = line.split(':').next().unwrap();
        let old = text
            .lines()
            .position(|old| old.trim_start().starts_with(&format!("{name}:")));
        let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
        match old {
            Some(at) => all[at] = format!("      {line}"),
            None => all.push(format!("      {line}")),
        }
        text = all.join("\n") + "\n";
    }
    text
}

fn shown(transcript: Transcript<'_>, world: &World, what: &str, text: &str) -> String {
    world.write("config.yaml", text);
    let after = transcript.note(what).run(&[
        "models",
        "auth",
        "login",
        "--provider",
        "codex",
        "--timeout",
        "0s",
    ]);
    after.text
}

/// What each text is answered with.
fn all(name: &str, cases: &[(&str, String)]) {
    let world = World::new();
    let mut told = Transcript::of(&world);
    for (what, text) in cases {
        let fresh = Transcript {
            text: told.text,
            ..Transcript::of(&world)
        };
        told = Transcript {
            text: shown(fresh, &world, what, text),
            ..Transcript::of(&world)
        };
    }
    told.matches(name);
}

#[test]
fn errors_in_config_yaml_say_what_to_write() {
    let code = |lines: &[&str]| block("authorization_code", lines);
    let own = |lines: &[&str]| block("client_credentials", lines);
    let without = |text: &str, name: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with(name));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let redirect = |uri: &str| code(&[&format!("redirect_uri: \"{uri}\"")]);
    let public = without(&code(&["pkce: false"]), "client_secret");
    all(
        "config_yaml_errors",
        &[
            ("no YAML", "providers:\n\tcodex: 1\n".to_owned()),
            ("twice the same name", own(&[]) + "providers:\n"),
            ("an anchor", "providers: &all {}\n".to_owned()),
            ("pkce off on a public client", public),
            ("http elsewhere", redirect("http://yourdomain.com/callback")),
            ("a fragment", redirect("https://yourdomain.com/callback#x")),
            ("port 0", redirect("http://localhost:0/callback")),
            ("no port", redirect("http://localhost/callback")),
            ("another loopback address", redirect("http://127.0.0.2:8080/callback")),
            ("a path that would be changed", redirect("http://localhost:8080")),
            ("client credentials without a secret", without(&own(&[]), "client_secret")),
            ("a misspelt member", own(&["token_auto_refesh: true"])),
            ("a member that nobody knows", own(&["colour: red"])),
            ("a misspelt flow", own(&["flow: client_credential"])),
            ("another method", own(&["method: saml"])),
            ("another store", own(&["token_store: keychan"])),
            ("a truth in quotes", own(&["token_auto_refresh: \"true\""])),
            ("no length of time", own(&["token_refresh_buffer: soon"])),
            ("a reference of another kind", own(&["client_id: ${CODEX_CLIENT_ID}"])),
            ("scopes that are no list", "providers:\n  codex:\n    type: openai-codex\n    auth:\n      flow: client_credentials\n      client_secret: \"${secret:X}\"\n      scopes: model.request\n".to_owned()),
            ("no flow", without(&own(&[]), "flow")),
            ("no type", without(&own(&[]), "type")),
            ("a type that is not there", own(&[]).replace("openai-codex", "openai-codecs")),
            ("a type without a browser login", code(&[]).replace("openai-codex", "xai")),
            ("a type without a client", own(&[]).replace("openai-codex", "groq")),
            ("no login", "providers:\n  codex:\n    type: openai-codex\n    autth: {}\n".to_owned()),
        ],
    );
}

#[test]
fn warnings_about_config_yaml_stop_nothing() {
    let code = |lines: &[&str]| block("authorization_code", lines);
    let own = |lines: &[&str]| block("client_credentials", lines);
    all(
        "config_yaml_warnings",
        &[
            ("as the guide has it", code(&[])),
            (
                "without offline_access",
                code(&[]).replace("        - offline_access\n", ""),
            ),
            ("pkce off", code(&["pkce: false"])),
            (
                "a secret in the file",
                code(&["client_secret: s3cret-MARKER"]),
            ),
            ("a token in the file", code(&["access_token: at-MARKER"])),
            ("another store", code(&["token_store: keychain"])),
            (
                "scopes that mean nothing to it",
                own(&[]).replace(
                    "        - model.request\n",
                    "        - model.request\n        - openid\n        - offline_access\n",
                ),
            ),
            (
                "a browser that it does not need",
                own(&["redirect_uri: https://a.example/", "pkce: true"]),
            ),
        ],
    );
}

#[test]
fn doctor_tells_of_every_mistake_in_config_yaml() {
    let world = World::new();
    let text = block(
        "client_credentials",
        &["client_secret: s3cret-MARKER", "colour: red"],
    );
    world.write("config.yaml", &format!("provider: x\n{text}"));
    let ran = world.run(&["doctor"]);
    for line in [
        "config.yaml:1:1: unknown key provider",
        "config.yaml:9:22: the client",
        "config.yaml:14:7: unknown key colour",
    ] {
        assert!(ran.out.contains(line), "{line}: {ran:?}");
    }
    assert!(!ran.out.contains("MARKER"), "{ran:?}");
}
