//! Every word that a person or a script reads: each command in its success and in each of its
//! failures, as a transcript of the real program.
//!
//! A transcript is a snapshot in `tests/it/cli/snapshots`;
//! `INSTA_UPDATE=always cargo test transcripts` writes them anew, and what changed is then read as
//! its reader would: what failed, why, whether a credential was touched, and the one command that
//! mends it.

mod agents;
mod callback_pages;
mod config_yaml;
mod configuration_and_state_dir;
mod cooldown;
mod device_code;
mod doctor;
mod exec;
mod explain;
mod history;
mod login;
mod login_methods;
mod logout;
mod metadata_discovery;
mod models;
mod onboard;
mod order;
mod paste_token;
mod probe;
mod provider;
mod providers;
mod refresh;
mod secrets;
mod status;
mod tick;
mod token;
mod token_choice;
mod usage;

mod hints;

use std::path::PathBuf;

use crate::support::{Ran, World, ran};

/// Where the snapshots lie.
fn snapshots() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/cli/snapshots")
}

/// What differs from run to run and from machine to machine. Lengths of time are no part of it:
/// the worlds are made so that they round to the same words.
const VOLATILE: [(&str, &str); 25] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<moment>"),
    (
        r"(, |until\s+|since )((Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\d+ [A-Z][a-z]{2} (\d{4} )?)?)?\d\d:\d\d\b",
        "$1<time>",
    ),
    // From a moment long ago that the test names.
    (r"\b\d{4} days ago\b", "<many> days ago"),
    (r"\b\d{8}-\d{6}\b", "<stamp>"),
    (r"(expires in|expired) \d+s", "$1 <seconds>s"),
    (r"\b\d{13}\b", "<millis>"),
    (r#""remainingMs": -?\d+"#, r#""remainingMs": <millis>"#),
    (r"(localhost|127\.0\.0\.1)(:|%3A)\d+", "$1$2<port>"),
    (r#"\b([Pp]ort"?:?) ?\d+"#, "$1 <port>"),
    (r"ssh -L \d+:", "ssh -L <port>:"),
    // Linux alone tells who holds a port.
    (r", used by pid \d+ \([^)]*\)", ""),
    (r"pid \d+ on \S+", "pid <pid> on <host>"),
    (r"\(os error \d+\)", "(os error <number>)"),
    (r"([?&]state=)[\w-]+", "$1<state>"),
    (r"(%3Fstate%3D)[\w-]+", "$1<state>"),
    (r"([?&]code_challenge=)[\w-]+", "$1<challenge>"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<access token>"),
    (r"eyJ[\w-]{5}\.\.\.[\w-]{8}", "<masked token>"),
    (r"\b[0-9a-f]{32,}\b", "<digest>"),
    // The random name of a login that was begun; hints must stay commands.
    (r"\b[0-9a-f]{16}\b", "0123456789abcdef"),
    (r"· \d+(\.\d)?m?s\b", "· <time>"),
    (r"(Probed \d+ targets?) in \S+", "$1 in <time>"),
    (r#""(latencyMs|durationMs)": \d+"#, r#""$1": <millis>"#),
    (r"openclaw \d+\.\d+\.\d+\S*", "openclaw <version>"),
    (
        r#""(version|lastTouchedVersion)": "[^"]+""#,
        r#""$1": "<version>""#,
    ),
];

/// One session at a shell prompt.
struct Transcript<'a> {
    world: &'a World,
    env: Vec<(&'static str, String)>,
    text: String,
}

impl<'a> Transcript<'a> {
    fn of(world: &'a World) -> Self {
        Self {
            world,
            env: Vec::new(),
            text: String::new(),
        }
    }

    /// With a variable set for every command that follows.
    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self.text.push_str(&format!("$ export {name}={value}\n"));
        self
    }

    /// Says what is the case, where the commands alone do not tell.
    fn note(mut self, words: &str) -> Self {
        self.text.push_str(&format!("# {words}\n"));
        self
    }

    /// Something happens that no command of ours does.
    fn also(self, happens: impl FnOnce()) -> Self {
        happens();
        self
    }

    fn run(self, args: &[&str]) -> Self {
        let mut command = self.world.command(args);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let ran = ran(command.output().unwrap());
        self.shows(args, "", &ran)
    }

    /// With a text on standard input that is named, not shown.
    fn pipe(self, what: &str, input: &str, args: &[&str]) -> Self {
        let ran = self.world.pipe(args, input);
        self.shows(args, &format!("printf %s {what} | "), &ran)
    }

    fn shows(mut self, args: &[&str], before: &str, ran: &Ran) -> Self {
        let words: Vec<String> = args
            .iter()
            .map(|word| format!(" {}", quoted(word)))
            .collect();
        let Ran { code, out, err } = ran;
        // With `--json` the sentences on stderr are for programs, too.
        if !args.contains(&"--json") {
            for line in out.lines().chain(err.lines()) {
                assert!(!has_iso_time(line), "{args:?}: {line}");
            }
        }
        self.text
            .push_str(&format!("$ {before}openclaw{}\n{out}", words.concat()));
        for line in err.lines() {
            self.text.push_str(format!("[stderr] {line}").trim_end());
            self.text.push('\n');
        }
        self.text.push_str(&format!("[exit {code}]\n\n"));
        self
    }

    /// Adds what a file holds.
    fn file(mut self, path: &str) -> Self {
        let text = self.world.read(path);
        self.text
            .push_str(&format!("# {path} now holds:\n{}\n\n", text.trim_end()));
        self
    }

    /// Compares it with the snapshot of that name.
    fn matches(self, name: &str) {
        let base = self.world.directory.path().canonicalize().unwrap();
        let text = self.text.replace(base.to_str().unwrap(), "<base>");
        let text = text.replace(self.world.directory.path().to_str().unwrap(), "<base>");
        compare(name, &text);
    }
}

fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshots());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, word) in VOLATILE {
        settings.add_filter(pattern, word);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{word}'")
}

/// Whether there is a time such as `2026-11-21T03:07:58` in it.
fn has_iso_time(line: &str) -> bool {
    let shape = |word: &[u8]| {
        word.iter()
            .zip(b"0000-00-00T00:00")
            .all(|(c, like)| match like {
                b'0' => c.is_ascii_digit(),
                like => c == like,
            })
    };
    line.as_bytes().windows(16).any(shape)
}
