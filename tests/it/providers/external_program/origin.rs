//! Which program is run, and to whom a grant goes.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::issuer::Account;

use super::{DOCUMENT, GRANT, HEAD, LOGIN, Plugins, TOKEN};
use crate::support::{Ran, World, ran};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn refused(plugins: &Plugins, args: &[&str], words: &str) -> Ran {
    let failed = plugins.run(args);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.err.contains(words), "{failed:?}");
    assert!(plugins.requests().is_empty(), "{failed:?}");
    failed
}

#[test]
fn what_others_may_write_is_not_run() {
    let plugins = Plugins::doing(GRANT);
    plugins.seed(-10);
    let before = plugins.0.read(DOCUMENT);
    let (program, bin) = (plugins.program(), plugins.bin());
    for (path, bits, usual) in [(&program, 0o757, 0o755), (&bin, 0o757, 0o755)] {
        mode(path, bits);
        let hint = format!("chmod go-w {}", path.display());
        for args in [&LOGIN[..], &TOKEN[..]] {
            let failed = refused(&plugins, args, "is writable by other users");
            assert!(failed.err.contains(&hint), "{failed:?}");
        }
        mode(path, usual);
    }
    mode(&program, 0o644);
    refused(&plugins, &LOGIN, "is not executable");
    mode(&program, 0o755);
    // By way of a directory that everybody may write to.
    let open = plugins.0.directory.path().join("open");
    std::fs::create_dir(&open).unwrap();
    symlink(plugins.bin(), open.join("bin")).unwrap();
    mode(&open, 0o1777);
    let mut command = plugins.command(&LOGIN);
    let failed = ran(command.env("PATH", open.join("bin")).output().unwrap());
    assert!(
        failed
            .err
            .contains("is writable by other users (mode 1777)"),
        "{failed:?}"
    );
    assert!(plugins.requests().is_empty());
    assert_eq!(plugins.0.read(DOCUMENT), before);
    assert_eq!(plugins.run(&TOKEN).out, "at-2\n");
}

#[test]
fn the_working_directory_names_no_program() {
    let plugins = Plugins::doing(GRANT);
    for path in ["", ":", ".", "::.", "bin", "../bin"] {
        let mut command = plugins.command(&LOGIN);
        command.env("PATH", path).current_dir(plugins.bin());
        let failed = ran(command.output().unwrap());
        assert_eq!(failed.code, 1, "{path}: {failed:?}");
        assert!(
            failed.err.contains("unknown provider acme"),
            "{path}: {failed:?}"
        );
    }
    // Nor does the file of variables.
    plugins
        .0
        .write(".env", &format!("PATH={}\n", plugins.bin().display()));
    let failed = ran(plugins.0.command(&LOGIN).output().unwrap());
    assert!(failed.err.contains("unknown provider acme"), "{failed:?}");
    assert!(plugins.requests().is_empty());
}

#[test]
fn a_manifest_may_name_the_program() {
    let plugins = Plugins::doing(GRANT);
    let elsewhere = plugins.bin().join("acme-tool");
    std::fs::rename(plugins.program(), &elsewhere).unwrap();
    let manifest = |flow: &str| {
        let text = format!(
            "schema = 1\nid = \"acme\"\nname = \"Acme Models\"\n[[flow]]\nkind = \"program\"\n{flow}\n"
        );
        plugins.0.write("providers/acme.toml", &text);
    };
    manifest(&format!("path = {elsewhere:?}"));
    let done = plugins.run(&LOGIN);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("logs in to Acme Models."), "{done:?}");
    let profile = plugins.profile("acme:me@example.com");
    assert_eq!(profile["authProgram"], elsewhere.to_str().unwrap());
    let forced = plugins.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    // Without a path it is looked for by its name.
    manifest("");
    let failed = plugins.run(&LOGIN);
    assert!(
        failed
            .err
            .contains("openclaw-auth-acme was not found in any absolute directory of PATH"),
        "{failed:?}"
    );
    manifest("path = \"bin/acme-tool\"");
    let failed = plugins.run(&LOGIN);
    assert!(failed.err.contains("must be absolute"), "{failed:?}");
}

#[test]
fn a_grant_of_one_program_never_goes_to_another() {
    let plugins = Plugins::doing(GRANT);
    let other = plugins
        .0
        .directory
        .path()
        .join("other/bin/openclaw-auth-acme");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    plugins.seed_from(-10, &other);
    let before = plugins.0.read(DOCUMENT);
    refused(&plugins, &TOKEN, "it is not on PATH");
    // Nor by another name in the same place, whatever the document says.
    plugins.install("acme-tool", &format!("{HEAD}{GRANT}\n"));
    plugins.seed_from(-10, &plugins.bin().join("acme-tool"));
    refused(&plugins, &TOKEN, "it is not on PATH");
    plugins.0.write(DOCUMENT, &before);
    let manifest = format!(
        "schema = 1\nid = \"acme\"\nname = \"Acme\"\n[[flow]]\nkind = \"program\"\npath = {:?}\n",
        plugins.program()
    );
    plugins.0.write("providers/acme.toml", &manifest);
    let failed = refused(
        &plugins,
        &TOKEN,
        "a refresh token is only sent to its issuer",
    );
    assert!(failed.err.contains("now names"), "{failed:?}");
    assert_eq!(plugins.0.read(DOCUMENT), before);
    // One further down in PATH is run all the same, if it is the one.
    std::fs::remove_file(plugins.0.state().join("providers/acme.toml")).unwrap();
    let copied = Command::new("cp")
        .arg(plugins.program())
        .arg(&other)
        .status();
    assert!(copied.unwrap().success());
    let mut command = plugins.command(&TOKEN);
    let first = plugins.bin().display().to_string();
    let path = format!(
        "{first}:{}:/usr/bin:/bin",
        other.parent().unwrap().display()
    );
    let token = ran(command.env("PATH", path).output().unwrap());
    assert_eq!(token.out, "at-2\n", "{token:?}");
}

#[test]
fn no_grant_goes_from_a_program_to_a_token_endpoint_or_back() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let plugins = Plugins(world);
    std::fs::create_dir(plugins.bin()).unwrap();
    let script = format!("{HEAD}{GRANT}\n");
    plugins.install("openclaw-auth-openai-codex", &script);
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let refused = |words: &str| {
        let failed = plugins.run(&token);
        assert!(failed.code == 1 || failed.code == 3, "{failed:?}");
        assert!(failed.err.contains(words), "{failed:?}");
        assert!(plugins.requests().is_empty() && issuer.token_requests().is_empty());
    };
    let http = plugins.0.read("providers/openai-codex.toml");
    let program = "schema = 1\nid = \"openai-codex\"\nname = \"C\"\nreplaces = true\n[[flow]]\nkind = \"program\"\n";
    plugins.0.write("providers/openai-codex.toml", program);
    refused("has no token endpoint");
    // A grant of the program, and a manifest with a token endpoint.
    plugins.0.write("providers/openai-codex.toml", &http);
    let mut store = plugins.0.store();
    let origin = plugins.bin().join("openclaw-auth-openai-codex");
    store["profiles"]["openai-codex:default"]["authProgram"] = origin.to_str().unwrap().into();
    plugins.0.write(DOCUMENT, &store.to_string());
    refused("does not name a program");
    // One whose document no longer tells, but the journal does.
    let login = [
        "models",
        "auth",
        "login",
        "--provider",
        "openai-codex",
        "--no-browser",
    ];
    plugins.0.write("providers/openai-codex.toml", program);
    let done = plugins.run(&login);
    assert_eq!(done.code, 0, "{done:?}");
    std::fs::remove_file(plugins.0.directory.path().join("requests")).unwrap();
    let mut store = plugins.0.store();
    let profiles = store["profiles"].as_object_mut().unwrap();
    profiles.retain(|_, entry| entry["refresh"] == "rt-2");
    let entry = profiles.values_mut().next().unwrap();
    entry.as_object_mut().unwrap().remove("authProgram");
    entry["expires"] = 1_600_000_000_000_i64.into();
    plugins.0.write(DOCUMENT, &store.to_string());
    plugins.0.write("providers/openai-codex.toml", &http);
    refused("was issued by program:");
}
