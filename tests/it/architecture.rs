//! The floors: imports point down, siblings do not know each other, fenced crates stay in their
//! place, and files stay short. A planted violation shows that the test sees.

mod circles;
mod paths;
mod test_files;

use std::path::{Path, PathBuf};

use circles::{circles, modules};
use paths::{code, paths};

/// Rooms, and the rooms that each may use.
const ROOMS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("ports", &["model"]),
    ("oauth", &["model", "ports"]),
    ("providers", &["model", "ports"]),
    ("store", &["model", "ports"]),
    ("postgres", &["model", "ports", "store"]),
    ("vault", &["model", "ports"]),
    ("config", &["model", "ports"]),
    ("sys", &["model", "ports"]),
    ("testing", &["model", "ports"]),
    ("app", &["model", "ports", "oauth", "providers", "config"]),
    ("gateway", &["model", "ports", "app"]),
    (
        "cli",
        &["model", "ports", "providers", "config", "app", "gateway"],
    ),
];

/// The composition root names the concrete types behind the ports, too.
const WIRE: (&[&str], &[&str]) = (
    &[
        "cli/system.rs",
        "cli/system/audience.rs",
        "cli/system/database.rs",
        "cli/system/locations.rs",
        "cli/system/vault.rs",
    ],
    &["postgres", "store", "sys", "vault"],
);

/// Crates, and the files or rooms that may name them.
const FENCES: &[(&str, &[&str])] = &[
    ("anstream", &["cli/printer.rs"]),
    ("anstyle", &["cli/printer.rs"]),
    ("argon2", &["vault/passphrase.rs"]),
    ("axum", &["gateway/"]),
    (
        "base64",
        &[
            "cli/clipboard.rs",
            "model/database_key.rs",
            "model/seal.rs",
            "oauth/",
            "sys/one_time_page.rs",
            "sys/redirect_file.rs",
        ],
    ),
    (
        "chrono",
        &[
            "model/time.rs",
            "oauth/error.rs",
            "store/stale_lock.rs",
            "sys/clock.rs",
        ],
    ),
    ("clap", &["cli/"]),
    (
        "clap_complete",
        &["cli/commands/completions.rs", "cli/complete/"],
    ),
    ("crossterm", &["cli/raw_mode.rs"]),
    ("dirs", &["sys/paths.rs"]),
    ("fs2", &["sys/lock.rs"]),
    ("getrandom", &["sys/random.rs", "sys/atomic_write.rs"]),
    ("httparse", &["sys/request_head.rs"]),
    ("hyper", &["gateway/serve.rs"]),
    ("hyper_util", &["gateway/serve.rs"]),
    ("icu_normalizer", &["model/collation.rs"]),
    ("ipnet", &["model/access.rs", "sys/http/no_proxy.rs"]),
    ("jsonc_parser", &["config/"]),
    (
        "jsonwebtoken",
        &["oauth/jwks.rs", "oauth/jwt.rs", "oauth/signature.rs"],
    ),
    ("keyring_core", &["sys/keyring/credential_manager.rs"]),
    ("linux_keyutils", &["sys/kernel_keyring.rs"]),
    ("oauth2", &["oauth/"]),
    ("open", &["sys/browser.rs"]),
    ("percent_encoding", &["sys/keyring/bus_address.rs"]),
    ("qrcode", &["cli/view/device_code.rs"]),
    (
        "reqwest",
        &["sys/http.rs", "sys/http/answer.rs", "sys/http/error.rs"],
    ),
    ("ring", &["model/seal.rs", "oauth/signature.rs"]),
    (
        "rustix",
        &["cli/input.rs", "cli/raw_mode.rs", "sys/", "testing/files/"],
    ),
    (
        "rustls",
        &[
            "postgres/settings.rs",
            "sys/http.rs",
            "sys/http/error.rs",
            "sys/http/trust.rs",
        ],
    ),
    ("rustls_native_certs", &["sys/http/trust.rs"]),
    ("saphyr_parser", &["config/yaml.rs"]),
    ("security_framework", &["sys/keyring/keychain.rs"]),
    ("sd_notify", &["sys/supervisor.rs"]),
    (
        "sha2",
        &[
            "app/issuer/metadata_cache.rs",
            "config/file.rs",
            "model/access_key.rs",
            "model/bundle.rs",
            "model/grant.rs",
            "model/grant_digest.rs",
            "model/secret.rs",
            "model/sidecar.rs",
            "model/state_digest.rs",
            "ports/swap.rs",
            "postgres/schema.rs",
            "postgres/seal.rs",
            "store/grant.rs",
            "store/paths.rs",
            "vault/file.rs",
        ],
    ),
    ("signal_hook", &["sys/interrupt.rs"]),
    ("tiny_http", &["sys/loopback_server.rs"]),
    (
        "tokio",
        &[
            "gateway/",
            "postgres/dial.rs",
            "postgres/link.rs",
            "postgres/watch.rs",
            "sys/http.rs",
            "sys/keyring/secret_service.rs",
        ],
    ),
    ("tokio_postgres", &["postgres/"]),
    ("tokio_postgres_rustls", &["postgres/dial.rs"]),
    ("tokio_io_timeout", &["gateway/serve.rs"]),
    ("toml", &["providers/"]),
    ("tower", &["gateway/front.rs"]),
    ("unicode_width", &["cli/printer.rs", "cli/view/"]),
    (
        "windows_native_keyring_store",
        &["sys/keyring/credential_manager.rs"],
    ),
    ("zbus", &["sys/keyring/secret_service.rs"]),
    (
        "zeroize",
        &[
            "model/secret.rs",
            "oauth/state_nonce.rs",
            "store/raw_json.rs",
            "sys/atomic_write.rs",
            "sys/process_group.rs",
        ],
    ),
];

/// What is wrong with one file, by its path below `src`.
fn faults(path: &str, source: &str) -> Vec<String> {
    let source = code(source);
    let mut faults = Vec::new();
    let room = path.split('/').next().unwrap();
    if let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) {
        for used in rooms_used(&source) {
            let by_wire = WIRE.0.contains(&path) && WIRE.1.contains(&used.as_str());
            if used != room && !allowed.contains(&used.as_str()) && !by_wire {
                faults.push(format!("{path} uses {used}"));
            }
        }
    }
    for (name, places) in FENCES {
        let named = mentions(&source, &format!("{name}::"));
        if named && !places.iter().any(|place| path.starts_with(place)) {
            faults.push(format!("{path} names the crate {name}"));
        }
    }
    faults
}

/// Subcommands by which a text shows that it holds a command line of this program.
const COMMANDS: [&str; 7] = [
    "models", "agents", "channels", "doctor", "onboard", "tick", "provider",
];

/// Where commands stand as text: the unit file that this program knows again by it, and help.
const TEXTS: [&str; 2] = ["app/maintenance/systemd.rs", "cli/"];

/// Commands that are text below the edge, where they are values; finished text that is patched.
fn commands_as_text(path: &str, source: &str) -> Vec<String> {
    let source = code(source);
    let mut faults = Vec::new();
    let is_text = COMMANDS.iter().any(|command| {
        let line = format!("openclaw {command}");
        source.contains(&line)
    });
    if is_text && !TEXTS.iter().any(|place| path.starts_with(place)) {
        faults.push(format!("{path} holds a command as text"));
    }
    if source.contains(".replace(\"openclaw") {
        faults.push(format!("{path} patches a finished text"));
    }
    faults
}

/// Whether a text stands there and is not the end of a longer name or path.
fn mentions(source: &str, text: &str) -> bool {
    source.match_indices(text).any(|(at, _)| {
        let before = source[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The rooms named in `crate::…` paths, groups and nested groups included.
fn rooms_used(source: &str) -> Vec<String> {
    let paths = paths(source).into_iter();
    let inner = paths.filter_map(|path| Some(path.text.strip_prefix("crate::")?.to_owned()));
    let rooms = inner.map(|path| path.split("::").next().unwrap_or_default().to_owned());
    let rooms = rooms.filter(|room| ROOMS.iter().any(|(name, _)| name == room));
    rooms.collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.ends_with("node_modules") {
            // Packages that a test needed, and nobody here wrote.
        } else if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The sources below `src`, by their paths there. Unit tests in files of their own are left out, as
/// those at a file's end are.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let files = files_below(&src);
    assert!(files.len() > 50, "the source was not found");
    let mut sources = Vec::new();
    for file in files {
        let path = file.strip_prefix(&src).unwrap().to_string_lossy();
        if !path.ends_with("tests.rs") && !path.contains("/tests/") {
            let source = std::fs::read_to_string(&file).unwrap();
            sources.push((path.into_owned(), source));
        }
    }
    sources
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imports_point_down_and_crates_stay_fenced() {
    let sources = sources().into_iter();
    let wrong = sources.flat_map(|(path, source)| {
        let mut wrong = faults(&path, &source);
        wrong.extend(commands_as_text(&path, &source));
        wrong
    });
    let wrong = wrong.collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_of_a_room_form_no_circle() {
    let circles = circles(&modules(sources()));
    assert!(circles.is_empty(), "circles:{}", circles.join("\n"));
}

#[test]
fn planted_violations_are_seen() {
    let planted = [
        ("model/id.rs", "use crate::ports::http::Http;"),
        (
            "store/file.rs",
            "use crate::{model::id::AgentId, sys::files::SystemFiles};",
        ),
        (
            "oauth/grant.rs",
            "use crate::{\n    model::{id, time},\n    providers,\n};",
        ),
        (
            "app/usecase/token.rs",
            "fn f() { crate::store::file::open(); }",
        ),
        ("cli/printer.rs", "use crate::sys::clock::SystemClock;"),
        ("app/login/mod.rs", "use reqwest::Client;"),
        ("sys/callback.rs", "let x = tokio::spawn(y);"),
    ];
    for (path, source) in planted {
        assert_eq!(faults(path, source).len(), 1, "{path}: {source}");
    }
    assert!(faults("cli/system.rs", "use crate::sys::clock::SystemClock;").is_empty());
    let planted = [
        ("app/usecase/token.rs", "hint(\"openclaw models status\")"),
        (
            "oauth/grant.rs",
            "format!(\"{text}: openclaw agents list\")",
        ),
        ("cli/system.rs", "text.replace(\"openclaw \", &options)"),
    ];
    for (path, source) in planted {
        assert_eq!(commands_as_text(path, source).len(), 1, "{path}: {source}");
    }
    assert!(faults("model/id.rs", "// crate::app is above us").is_empty());
    assert!(
        faults(
            "model/id.rs",
            "#[cfg(test)]\nmod tests { use crate::app::Ports; }"
        )
        .is_empty()
    );
}

/// A type with its methods may be longer: spread over files to satisfy a number it is harder to read.
#[test]
fn a_file_has_four_hundred_lines_or_one_type() {
    let long = |source: &str| source.lines().count() > 400;
    for place in ["src", "tests", "examples"] {
        for file in files_below(&root().join(place)) {
            let source = std::fs::read_to_string(&file).unwrap();
            let types = types_defined(&source);
            let fits = !long(&source) || types == 1;
            assert!(
                fits,
                "{} is too long and holds {types} types",
                file.display()
            );
        }
    }
}

/// How many `struct`, `enum` and `trait` items stand in a source before its tests.
fn types_defined(source: &str) -> usize {
    let defines = |line: &&str| {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| word.starts_with("pub"));
        matches!(words.next(), Some("struct" | "enum" | "trait"))
    };
    code(source).lines().filter(defines).count()
}
