//! What is started: only programs that nobody else could have put there, with the variables that
//! their kind needs and no descriptor of ours.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::issuer::{Account, Issuer};
use crate::support::login::Waiting;
use crate::support::{Ran, World, ran};

/// Notes with what it was started, beside itself. A shell has descriptors of its own, which end with
/// it.
const NOTE: &str = "#!/bin/sh\n\
    (exec /bin/ls -l /proc/self/fd > \"$0.fds\")\n\
    /bin/cat /proc/$$/environ > \"$0.part\"\n/bin/mv \"$0.part\" \"$0.environ\"\n";

/// Credentials that no child has any use for, and other things that only this shell knows.
const SET: [(&str, &str); 7] = [
    ("OPENAI_API_KEY", "sk-MARKER"),
    ("ANTHROPIC_API_KEY", "sk-MARKER"),
    ("MY_DB_PASSWORD", "MARKER"),
    ("NPM_TOKEN", "MARKER"),
    ("XDG_ACME_TOKEN", "MARKER"),
    ("OPENCLAW_SECRET_ACME", "MARKER"),
    ("ACME_TENANT", "seven"),
];

struct Child {
    world: World,
    program: PathBuf,
}

impl Child {
    fn new(world: World, name: &str, body: &str) -> Self {
        let program = world.install(name, &format!("{NOTE}{body}"));
        Self { world, program }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.command(args);
        command.envs(SET);
        command.env(
            "PATH",
            format!(":.:bin:{}:/usr/bin:/bin", self.bin().display()),
        );
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    fn bin(&self) -> &Path {
        self.program.parent().unwrap()
    }

    fn left(&self, what: &str) -> Option<String> {
        let path = format!("{}.{what}", self.program.display());
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn ran(&self) -> bool {
        self.left("environ").is_some()
    }

    /// The values of variables as it found them.
    fn variable(&self, name: &str) -> Option<String> {
        let environ = self.left("environ").unwrap();
        let mut pairs = environ.split('\0').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(other, _)| *other == name);
        found.map(|(_, value)| value.to_owned())
    }

    /// Nothing but standard input, output and error, the directory that is listed, and what whoever
    /// started the tests left open.
    fn has_no_descriptor_of_ours(&self) {
        let fds = self.left("fds").unwrap();
        for (name, target) in fds.lines().filter_map(|line| line.split_once(" -> ")) {
            let number = name.rsplit(' ').next().unwrap();
            let ours = std::fs::read_link(format!("/proc/self/fd/{number}"));
            let is_inherited = ours.is_ok_and(|ours| ours == Path::new(target));
            let is_usual = ["0", "1", "2"].contains(&number) || target.ends_with("/fd");
            assert!(is_usual || is_inherited, "{fds}");
        }
    }

    fn has_no_credential(&self) {
        let environ = self.left("environ").unwrap();
        assert!(!environ.contains("MARKER"), "{environ}");
        let path = self.variable("PATH").unwrap();
        assert!(
            path.split(':').all(|entry| entry.starts_with('/')),
            "{path}"
        );
        self.has_no_descriptor_of_ours();
    }
}

/// A login that is opened in a browser, and what it says until it has an answer.
fn login(child: &Child, path: &str) -> Ran {
    let mut command = child.world.command(&["models", "auth", "login", "--json"]);
    command.envs(SET).env("PATH", path);
    let login = Waiting::of(command);
    assert_eq!(
        crate::support::browser::visit(&login.url).unwrap().status,
        200
    );
    login.finish().0
}

fn opener(name: &str) -> (Child, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    (Child::new(world, name, ""), issuer)
}

#[test]
fn what_opens_a_page_has_no_credential_and_no_descriptor() {
    let (child, _issuer) = opener("bin/xdg-open");
    let path = format!(":.:{}:/usr/bin:/bin", child.bin().display());
    let ended = login(&child, &path);
    assert_eq!(ended.code, 0, "{ended:?}");
    while !child.ran() {
        std::thread::yield_now();
    }
    child.has_no_credential();
    assert_eq!(child.variable("DISPLAY").as_deref(), Some(":0"));
    assert_eq!(child.variable("ACME_TENANT"), None);
}

#[test]
fn what_opens_a_page_is_found_in_no_relative_directory() {
    let (child, _issuer) = opener("xdg-open");
    let ended = login(&child, ":.");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!child.ran());
}

#[test]
fn what_opens_a_page_and_what_others_may_write_is_not_run() {
    let (child, _issuer) = opener("bin/xdg-open");
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(child.bin(), mode).unwrap();
    let mut command = child.world.command(&["models", "auth", "login"]);
    command.env("PATH", child.bin()).arg("--timeout").arg("1s");
    let ended = ran(command.output().unwrap());
    assert!(!child.ran());
    let told = format!(
        "could not open a browser ({} was not run: {} is writable by other users (mode 0777)); open \
         the URL yourself. To have it opened: chmod go-w {}",
        child.program.display(),
        child.bin().display(),
        child.bin().display()
    );
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&ended.err).contains(&words(&told)), "{ended:?}");
}

#[test]
fn the_login_shell_has_no_credential_and_must_be_an_absolute_path_of_the_user() {
    let child = Child::new(
        World::new(),
        "bin/shell",
        "printf 'OPENAI_API_KEY=sk-of-the-shell\\0'",
    );
    let ask = |shell: &Path| {
        let mut command = child.command(&["models", "auth", "token", "--provider", "openai"]);
        // It is asked only where none is set.
        command
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY");
        command
            .env("OPENCLAW_LOAD_SHELL_ENV", "1")
            .env("SHELL", shell);
        ran(command.output().unwrap())
    };
    let done = ask(&child.program);
    assert_eq!(done.out, "sk-of-the-shell\n", "{done:?}");
    child.has_no_credential();
    std::fs::remove_file(format!("{}.environ", child.program.display())).unwrap();
    assert!(
        ask(Path::new("bin/shell"))
            .err
            .contains("its path is not absolute")
    );
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&child.program, mode).unwrap();
    assert!(
        ask(&child.program)
            .err
            .contains("is writable by other users")
    );
    assert!(!child.ran());
}

#[test]
fn a_plugin_has_what_its_manifest_names_beside_what_every_program_has() {
    let child = Child::new(World::new(), "bin/openclaw-auth-acme", "");
    let manifest = "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n[[flow]]\nkind = \"program\"\n\
                    program_env = [\"ACME_TENANT\"]\n";
    child.world.write("providers/acme.toml", manifest);
    child.run(&["models", "auth", "login", "--provider", "acme"]);
    child.has_no_credential();
    assert_eq!(child.variable("ACME_TENANT").as_deref(), Some("seven"));
    assert!(child.variable("HOME").is_some());
}

#[test]
fn a_hook_has_no_variable_that_is_called_a_credential_unless_it_is_named() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let child = Child::new(world, "bin/hook", "");
    let ring = |more: &str| {
        child
            .world
            .seed_with("main", -10, "old-access", &format!("rt-nobody{more}"));
        let hook = child.program.display();
        let hooks = format!("hooks:\n  needs-login: [{hook}]\n{more}");
        child.world.write("config.yaml", &hooks);
        let token = child.run(&["models", "auth", "token", "--provider", "openai-codex"]);
        assert_eq!(token.code, 3, "{token:?}");
    };
    ring("");
    child.has_no_credential();
    assert_eq!(child.variable("ACME_TENANT").as_deref(), Some("seven"));
    ring("  env_keep: [NPM_TOKEN]\n");
    assert_eq!(child.variable("NPM_TOKEN").as_deref(), Some("MARKER"));
    assert_eq!(child.variable("MY_DB_PASSWORD"), None);
}

fn world_with_a_token() -> World {
    let world = World::new();
    let store = serde_json::json!({ "version": 1, "profiles": {
        "anthropic:sub": { "type": "token", "provider": "anthropic", "token": "sk-ant-oat01-OWN" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    world
}

#[test]
fn exec_hands_on_no_secret_of_the_configuration_and_with_only_no_other_key() {
    let child = Child::new(world_with_a_token(), "bin/tool", "");
    let exec = ["models", "auth", "exec", "--provider", "anthropic"];
    let tool = child.program.to_str().unwrap();
    let ended = child.run(&[&exec[..], &["--", tool]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    child.has_no_descriptor_of_ours();
    assert_eq!(child.variable("OPENCLAW_SECRET_ACME"), None);
    assert!(child.variable("OPENAI_API_KEY").is_some());
    // What a shell would find stays so.
    assert!(child.variable("PATH").unwrap().starts_with(":.:"));
    let ended = child.run(&[&exec[..], &["--only", "--", tool]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(child.variable("OPENAI_API_KEY"), None);
    assert_eq!(
        child.variable("ANTHROPIC_OAUTH_TOKEN").as_deref(),
        Some("sk-ant-oat01-OWN")
    );
    assert!(
        child.variable("NPM_TOKEN").is_some(),
        "it is of no provider"
    );
}

#[test]
fn exec_warns_of_a_token_among_the_arguments() {
    let world = world_with_a_token();
    let exec = |argument: &str| {
        let words = [
            "models",
            "auth",
            "exec",
            "--provider",
            "anthropic",
            "--",
            "/bin/true",
        ];
        world.run(&[&words[..], &[argument]].concat())
    };
    let ended = exec("--token=sk-ant-oat01-OWN");
    assert!(
        ended
            .err
            .contains("an argument of the program holds the token"),
        "{ended:?}"
    );
    assert!(!ended.err.contains("sk-ant-oat01-OWN"), "{ended:?}");
    assert_eq!(exec("--token=other").err, "");
}
