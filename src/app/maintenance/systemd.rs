//! `tick --install`: a systemd timer for this user, and the line for cron.
//!
//! Only files that this program wrote are written anew or removed, and nothing is started: whoever
//! installs a timer runs the commands that enable it.

use crate::model::hint::{Command, shell_word};
use std::path::{Path, PathBuf};
use std::time::Duration;

use strum::AsRefStr;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// The name of both units, without the suffix.
const UNIT: &str = "openclaw-tick";
/// The first line of our units, by which they are recognised.
const MARK: &str = "# Written by `openclaw tick --install`";
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(86_400);

/// The job that a timer runs.
#[derive(Clone, Debug)]
pub struct Job {
    /// The absolute path of this program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables without which it would use other directories.
    pub env: Vec<(&'static str, String)>,
    /// The interval.
    pub every: Duration,
}

/// What happened to a unit; its name is what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
pub enum Done {
    /// It was written.
    Written,
    /// It was up to date.
    Unchanged,
    /// It was removed.
    Removed,
    /// It did not exist.
    #[strum(serialize = "Not there")]
    Absent,
}

/// The units, and what happened to each.
pub type Units = Vec<(PathBuf, Done)>;

/// Writes the units into `directory`.
///
/// # Errors
/// If one is there that this program did not write, or cannot be written.
pub fn install(cx: Context<'_>, directory: &Path, job: &Job) -> Result<Units, Failure> {
    check(job.every)?;
    let units = [
        (unit(directory, "service"), service(job)?),
        (unit(directory, "timer"), timer(job.every)),
    ];
    // Both are looked at before the first is written.
    let mut found = Vec::new();
    for (path, _) in &units {
        found.push(ours(cx, path)?);
    }
    cx.files.create_dirs(directory)?;
    let mut done = Vec::new();
    for ((path, text), found) in units.into_iter().zip(found) {
        if found.as_deref() == Some(text.as_bytes()) {
            done.push((path, Done::Unchanged));
            continue;
        }
        cx.files.replace(&path, text.as_bytes())?;
        done.push((path, Done::Written));
    }
    Ok(done)
}

/// Removes the units from `directory`, and the link that enabled them.
///
/// # Errors
/// If one is there that this program did not write, or cannot be removed.
pub fn uninstall(cx: Context<'_>, directory: &Path) -> Result<Units, Failure> {
    let paths = ["timer", "service"].map(|kind| unit(directory, kind));
    let mut done = Vec::new();
    for path in &paths {
        done.push(match ours(cx, path)? {
            Some(_) => Done::Removed,
            None => Done::Absent,
        });
    }
    let link = directory.join("timers.target.wants");
    let link = unit(&link, "timer");
    for path in paths.iter().chain([&link]) {
        cx.files.remove(path)?;
    }
    Ok(paths.into_iter().zip(done).collect())
}

/// Returns the line for `crontab -e`.
///
/// # Errors
/// If cron cannot run something so often.
pub fn cron(job: &Job) -> Result<String, Failure> {
    check(job.every)?;
    let when = when(job.every).ok_or_else(|| {
        let message = "cron cannot express this interval: it must divide an hour or a day";
        let failure = Failure::new(Kind::Usage, message);
        failure.hint(Command::new("tick --print cron --every 15m"))
    })?;
    let env = job.env.iter();
    let env = env.map(|(name, value)| format!("{name}={}", shell_word(value)));
    let program = shell_word(text_of(&job.program)?);
    let args = job.args.iter().map(|arg| shell_word(arg));
    let words: Vec<String> = env.chain([program]).chain(args).collect();
    if words.iter().any(|word| word.contains(['\n', '\r'])) {
        let message = "a line of a crontab cannot hold a path with a line break";
        return Err(Failure::new(Kind::Usage, message).hint(NO_LINE_BREAK));
    }
    // A bare % ends the command.
    Ok(format!("{when} {}", words.join(" ").replace('%', "\\%")))
}

/// What helps where a place cannot be written in one line.
const NO_LINE_BREAK: &str = "rename the directory, or choose another one with --state-dir";

/// Returns the first five fields of a crontab line; `None` if cron has no such interval.
fn when(every: Duration) -> Option<String> {
    let seconds = every.as_secs();
    let minutes = (seconds / 60).max(1);
    let hours = (minutes / 60).max(1);
    let is_part =
        |whole: u64, part: u64, length: u64| whole.is_multiple_of(part) && seconds == part * length;
    if minutes < 60 {
        return is_part(60, minutes, 60).then(|| format!("*/{minutes} * * * *"));
    }
    is_part(24, hours, 3_600).then(|| match hours {
        24 => "0 0 * * *".to_owned(),
        hours => format!("0 */{hours} * * *"),
    })
}

fn check(every: Duration) -> Result<(), Failure> {
    match (SHORTEST..=LONGEST).contains(&every) {
        true => Ok(()),
        false => Err(Failure::new(
            Kind::Usage,
            "--every must be between one minute and one day",
        )),
    }
}

fn unit(directory: &Path, kind: &str) -> PathBuf {
    directory.join(format!("{UNIT}.{kind}"))
}

/// Reads a unit of ours; `None` if it does not exist.
fn ours(cx: Context<'_>, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let found = cx.files.read(path)?;
    match &found {
        Some(bytes) if !bytes.starts_with(MARK.as_bytes()) => {
            let path = path.display();
            let message = format!("{path} was not written by openclaw and was left unchanged");
            let hint = format!("move {path} away, then run the command again");
            Err(Failure::new(Kind::Config, message).hint(hint))
        }
        _ => Ok(found),
    }
}

fn service(job: &Job) -> Result<String, Failure> {
    let mut text = format!(
        "{MARK}, which may overwrite it.\n\
         # To customize: systemctl --user edit {UNIT}.service\n\
         [Unit]\n\
         Description=Refresh the logins of openclaw\n\n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={}",
        quoted(text_of(&job.program)?)?
    );
    for arg in &job.args {
        text.push(' ');
        // Variables are expanded in arguments only.
        text.push_str(&quoted(arg)?.replace('$', "$$"));
    }
    text.push('\n');
    for (name, value) in &job.env {
        let assignment = quoted(&format!("{name}={value}"))?;
        text.push_str(&format!("Environment={assignment}\n"));
    }
    // No NoNewPrivileges, and nothing that implies it: a hook may send mail by a program that runs
    // with the rights of the mail system.
    text.push_str("StandardInput=null\nUMask=0022\nLimitCORE=0\nNice=10\nTimeoutStartSec=15min\n");
    Ok(text)
}

fn timer(every: Duration) -> String {
    format!(
        "{MARK}, which may overwrite it.\n\
         # To customize: systemctl --user edit {UNIT}.timer\n\
         [Unit]\n\
         Description=Refresh the logins of openclaw periodically\n\n\
         [Timer]\n\
         OnStartupSec=2min\n\
         OnUnitActiveSec={}s\n\n\
         [Install]\n\
         WantedBy=timers.target\n",
        every.as_secs()
    )
}

/// Quotes a word for systemd (systemd.syntax(7), systemd.service(5)).
fn quoted(word: &str) -> Result<String, Failure> {
    if word.chars().any(char::is_control) {
        let message = format!("{word:?} cannot be used in a systemd unit");
        return Err(Failure::new(Kind::Usage, message));
    }
    let text = word.replace('\\', r"\\").replace('"', "\\\"");
    let text = text.replace('%', "%%");
    Ok(format!("\"{text}\""))
}

fn text_of(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        let message = format!("{} is not valid Unicode", path.display());
        Failure::new(Kind::Usage, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(every: u64) -> Job {
        Job {
            program: PathBuf::from("/opt/o 1/openclaw"),
            args: vec!["tick".into(), "--prometheus".into(), "/a%b$c\"d\\e".into()],
            env: vec![("OPENCLAW_STATE_DIR", "/s t".into())],
            every: Duration::from_secs(every),
        }
    }

    #[test]
    fn a_word_stays_a_word() {
        let text = service(&job(900)).unwrap();
        let line =
            "ExecStart=\"/opt/o 1/openclaw\" \"tick\" \"--prometheus\" \"/a%%b$$c\\\"d\\\\e\"\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("Environment=\"OPENCLAW_STATE_DIR=/s t\"\n"));
        assert!(quoted("a\nExecStart=/bin/false").is_err());
    }

    #[test]
    fn a_line_break_makes_no_second_line_of_a_crontab() {
        for odd in ["/a\nb", "/a\rb"] {
            let mut job = job(900);
            job.args = vec!["--state-dir".into(), odd.into()];
            let failure = cron(&job).unwrap_err();
            assert_eq!(failure.kind, Kind::Usage, "{failure}");
        }
    }

    #[test]
    fn cron_knows_parts_of_an_hour_and_of_a_day() {
        let when = |every| {
            let line = cron(&job(every)).ok()?;
            let (when, _) = line.split_once(" OPENCLAW")?;
            Some(when.to_owned())
        };
        for (every, expected) in [
            (60, "*/1 * * * *"),
            (900, "*/15 * * * *"),
            (3_600, "0 */1 * * *"),
            (7_200, "0 */2 * * *"),
            (86_400, "0 0 * * *"),
        ] {
            assert_eq!(when(every).as_deref(), Some(expected));
        }
        for every in [59, 90, 420, 5_400, 18_000, 86_401] {
            assert_eq!(when(every), None, "{every}");
        }
        let line = cron(&job(900)).unwrap();
        let words =
            "OPENCLAW_STATE_DIR='/s t' '/opt/o 1/openclaw' tick --prometheus '/a\\%b$c\"d\\e'";
        assert!(line.ends_with(words), "{line}");
    }
}
