//! No output, log or page holds a secret: not a token, code, verifier or refresh token that was
//! ever sent or stored, at the highest level of the log.

#[cfg(target_os = "linux")]
mod processes;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};

use crate::login::metadata_discovery;
use crate::support::World;
use crate::support::login::Waiting;

/// Everything that must not be seen: what was sent to the token endpoint and what is stored.
fn secrets(world: &World, issuer: &Issuer) -> Vec<String> {
    let public = ["grant_type", "client_id", "redirect_uri"];
    let sent = issuer.token_requests().into_iter().flatten();
    let sent = sent.filter(|(name, _)| !public.contains(&name.as_str()));
    let mut secrets: Vec<String> = sent.map(|(_, value)| value).collect();
    for profile in world.store()["profiles"].as_object().unwrap().values() {
        for name in ["access", "refresh"] {
            secrets.extend(profile[name].as_str().map(str::to_owned));
        }
    }
    secrets
}

/// Logs in at the highest level of the log; everything that was printed, and the page.
fn login(world: &World) -> String {
    let login = Waiting::start(world, &["-vvv"]);
    let page = visit(&login.url).unwrap().text;
    let (ran, _) = login.finish();
    format!("{page}{}{}", ran.out, ran.err)
}

const ORDER: [&str; 3] = ["models", "auth", "order"];
const CODEX: [&str; 2] = ["--provider", "openai-codex"];

fn run(world: &World, args: &[&str]) -> String {
    let mut verbose = vec!["-vvv"];
    verbose.extend(args);
    let ran = world.run(&verbose);
    format!("{}{}", ran.out, ran.err)
}

#[test]
fn a_login_and_what_follows_show_no_secret() {
    let (world, issuer) = World::with_issuer(Account::default());
    let mut seen = login(&world);
    let force = ["models", "auth", "refresh", "--force"];
    seen.push_str(&run(&world, &force));
    // A server that answers with the very token that it was sent: in words, and bare.
    let stored = secrets(&world, &issuer);
    let profiles = world.store()["profiles"].clone();
    let sent = profiles["openai-codex:me@example.com"]["refresh"]
        .as_str()
        .unwrap();
    for body in [
        format!(r#"{{"error":"invalid_request","error_description":"no {sent}"}}"#),
        sent.to_owned(),
    ] {
        issuer.answer_next(Scripted {
            status: 400,
            body,
            ..Scripted::default()
        });
        seen.push_str(&run(&world, &force));
    }
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["models", "status", "--prompt", "--color", "always"],
        &["models", "status", "--prompt", "--provider", "openai-codex"],
        &["models", "auth", "list", "--json"],
        &["models", "auth", "explain"],
        &["models", "auth", "explain", "--json"],
        &["models", "auth", "explain", "--model", "openai-codex/x"],
        &["models", "list"],
        &["models", "list", "--json"],
        &["models", "set", "anthropic/claude-opus-4-6"],
        &["models", "set-image", "openai-codex/gpt-5.2"],
        &["models", "fallbacks", "add", "acme/one"],
        &["models", "fallbacks", "list"],
        &["models", "fallbacks", "clear"],
        &["models", "image-fallbacks", "list", "--json"],
        &["models", "aliases", "add", "codex", "openai-codex/gpt-5.2"],
        &["models", "aliases", "list"],
        &["models", "aliases", "remove", "codex"],
        &["channels", "list"],
        &["channels", "list", "--json"],
        &["agents", "set-identity", "--agent", "main", "--name", "Bot"],
        &["agents", "list", "--json"],
        &[
            "models",
            "auth",
            "logout",
            "openai-codex:me@example.com",
            "--dry-run",
        ],
        &[
            "onboard",
            "--non-interactive",
            "--accept-risk",
            "--auth-choice",
            "skip",
        ],
        &["models", "status", "--prometheus", "-"],
        &["tick", "--dry-run"],
        &["tick", "--no-spread", "--json"],
        &["tick", "--print", "cron"],
        &["doctor"],
        &["doctor", "--json"],
        &[&ORDER[..], &["set", "openai-codex:me@example.com"], &CODEX].concat(),
        &[&ORDER[..], &["get"], &CODEX].concat(),
        &[&ORDER[..], &["get", "--json"], &CODEX].concat(),
        &["models", "auth", "use", "openai-codex:me@example.com"],
        &[
            "models",
            "auth",
            "use",
            "openai-codex:me@example.com",
            "--here",
        ],
        &["models", "auth", "use", "--list"],
        &["models", "auth", "use", "--list", "--json"],
        &[
            "models",
            "auth",
            "token",
            "--model",
            "x@openai-codex:me@example.com",
        ],
        &["models", "auth", "token", "--session", "nobody"],
        &["models", "auth", "use", "--clear", "--here"],
        &[&ORDER[..], &["clear"], &CODEX].concat(),
        &[
            "models",
            "auth",
            "report",
            "openai-codex:me@example.com",
            "--failed",
            "auth",
            "--json",
        ],
        &["models", "auth", "cooldown", "list"],
        &["models", "auth", "cooldown", "list", "--json"],
        &["models", "auth", "cooldown", "clear", "--all"],
        &[
            "models",
            "auth",
            "report",
            "openai-codex:me@example.com",
            "--ok",
        ],
        &["models", "auth", "exec", "--env", "X", "--", "/bin/true"],
        &["models", "auth", "exec", "--fd", "--", "/bin/true"],
        &["models", "auth", "exec", "--env", "X", "--", "/nonesuch"],
        &["models", "auth", "history"],
        &["models", "auth", "history", "--json"],
        &["models", "auth", "undo", "openai-codex:me@example.com"],
        &[
            "models",
            "auth",
            "logout",
            "openai-codex:me@example.com",
            "--yes",
        ],
        &["models", "auth", "history"],
        &["models", "auth", "history", "--json"],
        &["models", "auth", "undo", "openai-codex:me@example.com"],
    ] {
        seen.push_str(&run(&world, args));
    }
    assert!(
        seen.contains("saved") && seen.contains("HTTP/1.1 200") && seen.contains("Restored"),
        "{seen}"
    );
    for secret in stored.into_iter().chain(secrets(&world, &issuer)) {
        assert!(!seen.contains(&secret), "{secret} is shown in:\n{seen}");
    }
}

#[test]
fn discovery_and_revocation_show_no_secret() {
    let (world, issuer) = metadata_discovery::world();
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace("id = [\"id_token:/sub\"]", "id = [\"userinfo:/sub\"]");
    let manifest = manifest.replace("\"Acme\"", "\"Acme\"\nid_token = \"signature\"");
    world.write("providers/acme.toml", &manifest);
    issuer.publish_json("/jwks", &issuer.jwks());
    let told = serde_json::json!({ "sub": "user-1", "note": "USERINFO-MARKER" });
    issuer.publish_json("/userinfo", &told);
    let login = Waiting::start(&world, &["-vvv", "--provider", "acme"]);
    let mut seen = visit(&login.url).unwrap().text;
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    seen.push_str(&format!("{}{}", ran.out, ran.err));
    seen.push_str(&run(&world, &metadata_discovery::FORCE));
    let mut hidden = secrets(&world, &issuer);
    hidden.push("USERINFO-MARKER".to_owned());

    let revoke = [
        "models",
        "auth",
        "logout",
        metadata_discovery::PROFILE,
        "--revoke",
        "--yes",
    ];
    // A server that answers with the very token that it was sent.
    let stored = world.store()["profiles"][metadata_discovery::PROFILE].clone();
    let sent = stored["refresh"].as_str().unwrap();
    for status in [400, 503] {
        issuer.answer_revocation(Scripted {
            status,
            body: format!(r#"{{"error":"invalid_request","error_description":"no {sent}"}}"#),
            ..Scripted::default()
        });
        seen.push_str(&run(&world, &revoke));
    }
    seen.push_str(&run(&world, &revoke));
    seen.push_str(&run(&world, &["models", "auth", "history", "--json"]));
    assert!(seen.contains("Revoked at"), "{seen}");
    let revoked = issuer.revocations().into_iter();
    let revoked = revoked.flat_map(|revocation| revocation.parameters);
    let tokens = revoked.filter(|(name, _)| name == "token");
    hidden.extend(tokens.map(|(_, token)| token));
    for name in ["cache", "locks"] {
        seen.push_str(&texts(&world.state().join(name)));
    }
    assert!(seen.contains("jwks_uri"), "the cache was not looked at");
    for secret in hidden {
        assert!(!seen.contains(&secret), "{secret} is shown in:\n{seen}");
    }
}

#[test]
fn probing_shows_no_secret() {
    use crate::status::probe::{PROBE, key, server, store, world};
    let server = server::Server::start();
    let world = world(&server);
    let keys: Vec<String> = (0..4).map(|at| format!("sk-MARKER-{at}-of-acme")).collect();
    // A server that answers with the very key that it was sent: in words, as a code, and bare.
    let body = |key: &str| format!(r#"{{"error":{{"code":"{key}","message":"no {key} here"}}}}"#);
    server.answer(&keys[0], server::Answer::of(401, &body(&keys[0])));
    server.answer(&keys[1], server::Answer::of(500, &keys[1]));
    server.answer(
        &keys[2],
        server::Answer::of(400, &format!("\"{}\"", keys[2])),
    );
    let back = Some(("Location", format!("/?key={}", keys[3])));
    server.answer(&keys[3], server::Answer::Says(302, String::new(), back));
    let names: Vec<String> = (0..4).map(|at| format!("acme:{at}")).collect();
    let profiles = names.iter().zip(&keys);
    let profiles: Vec<_> = profiles
        .map(|(id, secret)| (id.as_str(), key(secret)))
        .collect();
    store(&world, "acme", &profiles);
    let mut seen = run(&world, &PROBE);
    seen.push_str(&run(&world, &[&PROBE[..], &["--json"]].concat()));
    assert!(
        seen.contains("(hidden)") && seen.contains("HTTP 302"),
        "{seen}"
    );
    assert_eq!(server.seen().len(), 8);
    for secret in keys {
        assert!(!seen.contains(&secret), "{secret} is shown in:\n{seen}");
    }
}

/// Everything that lies below a directory.
fn texts(path: &std::path::Path) -> String {
    if !path.is_dir() {
        return String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    }
    let entries = std::fs::read_dir(path).unwrap().flatten();
    entries.map(|entry| texts(&entry.path())).collect()
}

#[test]
fn the_journal_and_the_locks_hold_no_secret() {
    let (world, issuer) = World::with_issuer(Account::default());
    login(&world);
    run(&world, &["models", "auth", "refresh", "--force"]);
    let secrets = secrets(&world, &issuer);
    let mut files = vec![world.state().join("locks")];
    let mut looked_at = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .flatten()
                    .map(|entry| entry.path()),
            );
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        looked_at += 1;
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{}", path.display());
        }
    }
    assert!(looked_at > 2, "the journal was not found");
}

#[test]
fn no_page_of_the_callback_holds_what_it_was_sent() {
    let (world, issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &["-vvv"]);
    let mut pages = login.refusals();
    pages.push(("the answer", visit(&login.url).unwrap().text));
    let mut hidden = vec![login.state(), "CODE-MARKER".into(), "STATE-MARKER".into()];
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    hidden.extend(secrets(&world, &issuer));

    let login = Waiting::start(&world, &["-vvv"]);
    hidden.push(login.state());
    let query = format!(
        "error=access_denied&code=CODE-MARKER&state={}",
        login.state()
    );
    pages.push(("a refusal", visit(&login.callback(&query)).unwrap().text));
    let (refused, _) = login.finish();
    assert_eq!(refused.code, 3, "{refused:?}");

    assert!(
        pages.iter().all(|(_, page)| page.contains("<h1>")),
        "{pages:?}"
    );
    // The URL holds the state and is printed; the log tells neither.
    pages.push(("the log", ran.err + &refused.err));
    for (what, page) in &pages {
        for secret in &hidden {
            assert!(!page.contains(secret), "{what} shows {secret}:\n{page}");
        }
    }
}

#[test]
fn no_other_way_in_shows_a_secret() {
    let (world, issuer) = crate::login::methods::world("openai-codex");
    issuer.set_device_codes(crate::login::methods::never());
    let mut command = world.command(&["models", "auth", "login", "--json", "-vvv"]);
    crate::login::methods::by_ssh(&mut command);
    let mut login = Waiting::of(command);
    login.until("device_code");
    let page = visit(&login.url).unwrap().text;
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = format!("{page}{}{}", ran.out, ran.err);
    assert!(seen.contains("ssh -L"), "{seen}");
    let device_code = "dc-MARKER-0001".to_owned();
    let mut hidden = secrets(&world, &issuer);
    hidden.push(device_code);
    for secret in hidden {
        assert!(!seen.contains(&secret), "{secret} is shown in:\n{seen}");
    }

    let (world, issuer) = crate::login::methods::world("openrouter");
    let login = Waiting::start(&world, &["-vvv", "--provider", "openrouter"]);
    let page = visit(&login.url).unwrap().text;
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = format!("{page}{}{}", ran.out, ran.err);
    let key = world.store()["profiles"]["openrouter:default"]["key"].clone();
    let sent = issuer.key_requests().remove(0).into_iter();
    let sent = sent.filter(|(name, _)| name != "code_challenge_method");
    let hidden = sent.map(|(_, value)| value);
    for secret in hidden.chain([key.as_str().unwrap().to_owned()]) {
        assert!(!seen.contains(&secret), "{secret} is shown in:\n{seen}");
    }
}
