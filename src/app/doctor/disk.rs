//! Checks of the disk that write: each in a temporary directory. They say what a failure means for
//! credentials.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Sharing};

use super::lab::{DiskCheck, ELSEWHERE, Lab};
use super::report::Verdict;

/// The checks that write; they have a directory below it to themselves.
pub(super) const TRIALS: [DiskCheck; 9] = [
    ("permissions", permissions),
    ("locks", locks),
    ("orphaned_locks", orphaned_locks),
    ("exclusive_create", exclusive_create),
    ("rename", rename),
    ("fsync", fsync),
    ("allocate", allocate),
    ("file_times", file_times),
    ("clock", clock),
];

/// The number of replacements of a file while another thread reads it, and their time limit.
const REPLACES: usize = 200;
const REPLACING: Duration = Duration::from_millis(400);

/// 2025-01-01: no clock of a machine that has this program can be before that.
const EARLIEST: Timestamp = Timestamp(1_735_689_600_000);
/// The tolerated clock difference in milliseconds: locks of OpenClaw go stale after 30 s by these
/// clocks.
const DRIFT: i64 = 5_000;

fn permissions(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let files = &*lab.files;
    let (made, replaced) = (bench.join("made"), bench.join("replaced"));
    files.create_new(&made, b"x", 0o600)?;
    files.replace(&replaced, b"x")?;
    for path in [&made, &replaced] {
        // Opened to others first: some file systems show what they cannot change.
        let mode = |path| Ok::<_, FileError>(files.stat(path)?.map_or(0, |stat| stat.mode));
        let before = mode(path)?;
        files.set_mode(path, 0o400)?;
        let after = mode(path)?;
        if (before, after) != (0o600, 0o400) {
            let wrong = if before == 0o600 { after } else { before };
            return Ok(Verdict::failed(
                format!("a private file gets mode {wrong:03o}"),
                format!("credentials are readable by others here; {ELSEWHERE}"),
            ));
        }
    }
    Ok(Verdict::ok("private files stay private"))
}

fn locks(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let files = &*lab.files;
    let path = bench.join("lock");
    let failed = |found: &str| {
        let advice = format!("two processes could use the same refresh token; {ELSEWHERE}");
        Ok(Verdict::failed(found, advice))
    };
    let Some(held) = files.try_lock(&path, Sharing::Exclusive)? else {
        return failed("a free lock cannot be acquired");
    };
    for sharing in [Sharing::Exclusive, Sharing::Shared] {
        if files.try_lock(&path, sharing)?.is_some() {
            return failed("one process acquired an exclusive lock twice");
        }
    }
    let rival = lab.disk.rival(&path);
    if rival.as_ref().is_ok_and(|rival| rival.has_lock()) {
        return failed("two processes acquired an exclusive lock");
    }
    drop(held);
    let shared = files.try_lock(&path, Sharing::Shared)?;
    let second = files.try_lock(&path, Sharing::Shared)?;
    if shared.is_none() || second.is_none() {
        return failed("a lock cannot be shared");
    }
    if files.try_lock(&path, Sharing::Exclusive)?.is_some() {
        return failed("a shared lock does not exclude an exclusive one");
    }
    Ok(match rival {
        Ok(_) => Verdict::ok("work within a process and between processes"),
        Err(error) => alone("work within a process", &error),
    })
}

/// Makes the verdict if no other process could be started: half a proof, and nothing known to be
/// wrong.
fn alone(found: &str, error: &FileError) -> Verdict {
    let advice = "could not be tested between processes; run it again";
    Verdict::warning(format!("{found}; {error}"), advice)
}

fn orphaned_locks(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let files = &*lab.files;
    let path = bench.join("orphan");
    let failed =
        |found: &str, follows: &str| Ok(Verdict::failed(found, format!("{follows}; {ELSEWHERE}")));
    let rival = match lab.disk.rival(&path) {
        Ok(rival) => rival,
        Err(error) => return Ok(alone("not tried", &error)),
    };
    if !rival.has_lock() {
        let follows = "no process could write";
        return failed("a free lock cannot be acquired", follows);
    }
    if files.try_lock(&path, Sharing::Exclusive)?.is_some() {
        let follows = "two processes could use the same refresh token";
        return failed("two processes acquired an exclusive lock", follows);
    }
    rival.kill()?;
    // A server that keeps the locks may need a moment to hear of it.
    for _ in 0..50 {
        if files.try_lock(&path, Sharing::Exclusive)?.is_some() {
            return Ok(Verdict::ok("released when their process ends"));
        }
        lab.clock.sleep(Duration::from_millis(10));
    }
    let follows = "a crash would leave every command locked out";
    failed("a lock remains after its process is killed", follows)
}

fn exclusive_create(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let files = &*lab.files;
    let (file, directory) = (bench.join("one"), bench.join("room"));
    files.create_new(&file, b"x", 0o600)?;
    files.create_dir_new(&directory)?;
    let second = [
        files.create_new(&file, b"y", 0o600),
        files.create_dir_new(&directory),
    ];
    for outcome in second {
        match outcome {
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                return Ok(Verdict::failed(
                    "an existing file can be created again",
                    format!("OpenClaw's own locks do not work here; {ELSEWHERE}"),
                ));
            }
        }
    }
    Ok(Verdict::ok("a file or directory can only be created once"))
}

/// Makes whole pages of one letter, so that a mixture shows.
fn page(number: usize) -> Vec<u8> {
    let letters = b'a'..=b'z';
    let letter = letters.cycle().nth(number % 26).unwrap_or(b'a');
    vec![letter; 8_192]
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() == 8_192 && bytes.iter().all(|byte| *byte == bytes[0])
}

fn rename(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let files = &*lab.files;
    let path = bench.join("renamed");
    files.create_new(&path, &page(0), 0o600)?;
    let is_over = AtomicBool::new(false);
    let read = || {
        let mut count = 0;
        loop {
            let fault = match files.read(&path) {
                Ok(Some(bytes)) if is_whole(&bytes) => None,
                Ok(Some(_)) => Some("partial content".to_owned()),
                Ok(None) => Some("no file".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            count += 1;
            if fault.is_some() || is_over.load(Ordering::Acquire) {
                return (count, fault);
            }
        }
    };
    let write = || {
        let start = lab.clock.monotonic();
        for number in 1..=REPLACES {
            let next = bench.join(format!("next-{number}"));
            files.create_new(&next, &page(number), 0o600)?;
            files.rename(&next, &path)?;
            if lab.clock.monotonic().saturating_sub(start) > REPLACING {
                return Ok(number);
            }
        }
        Ok(REPLACES)
    };
    let (replaced, seen) = std::thread::scope(|scope| {
        let reader = scope.spawn(read);
        let replaced: Result<usize, FileError> = write();
        is_over.store(true, Ordering::Release);
        (replaced, reader.join())
    });
    let replaced = replaced?;
    let (reads, fault) = seen.unwrap_or((0, Some("no content".to_owned())));
    Ok(match fault {
        None => Verdict::ok(format!("{replaced} replacements, {reads} complete reads")),
        Some(fault) => Verdict::failed(
            format!("a reader saw {fault} during a replace"),
            format!("a login may appear missing, or be lost in a crash; {ELSEWHERE}"),
        ),
    })
}

fn fsync(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let file = bench.join("durable");
    lab.files.create_new(&file, &page(0), 0o600)?;
    let start = lab.clock.monotonic();
    lab.disk.sync(&file)?;
    if let Err(error) = lab.disk.sync(bench) {
        let advice = "the latest login may be lost in a power failure";
        return Ok(Verdict::warning(error.to_string(), advice));
    }
    let took = lab.clock.monotonic().saturating_sub(start);
    let found = format!("file and directory, in {} ms", took.as_millis());
    Ok(Verdict::ok(found))
}

fn allocate(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let (file, reserved) = (bench.join("ahead"), bench.join("reserved"));
    lab.files.create_new(&file, b"", 0o600)?;
    let is_real = lab.disk.allocate(&file, 1024 * 1024)?;
    lab.files.reserve(&reserved, 64 * 1024)?.fill(&page(0))?;
    if lab.files.read(&reserved)?.as_deref() != Some(&page(0)) {
        let found = "data written to reserved space was lost";
        return Ok(Verdict::failed(found, ELSEWHERE));
    }
    Ok(Verdict::ok(match is_real {
        true => "space is reserved before a refresh token is used",
        false => "space is reserved by writing zeros before a refresh token is used",
    }))
}

fn file_times(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let file = bench.join("dated");
    lab.files.create_new(&file, b"x", 0o600)?;
    let wanted = Timestamp(EARLIEST.0 + 12_000);
    lab.files.touch(&file, wanted)?;
    let modified = lab.files.stat(&file)?.map(|stat| stat.modified);
    // Some file systems count in pairs of seconds.
    if modified.is_some_and(|time| time.until(wanted).abs() <= 2_000) {
        return Ok(Verdict::ok("file times can be set"));
    }
    Ok(Verdict::failed(
        "file times cannot be set",
        format!("OpenClaw would consider our active locks stale; {ELSEWHERE}"),
    ))
}

fn clock(lab: &Lab, bench: &Path) -> Result<Verdict, FileError> {
    let file = bench.join("now");
    lab.files.create_new(&file, b"x", 0o600)?;
    let local = lab.clock.local();
    let now = local.now;
    if now < EARLIEST {
        let found = format!("the system clock shows {}", local.date(now));
        return Ok(Verdict::warning(
            found,
            "set the clock; otherwise expired tokens cannot be detected",
        ));
    }
    let modified = lab.files.stat(&file)?.map_or(now, |stat| stat.modified);
    let apart = modified.until(now);
    if apart.abs() > DRIFT {
        return Ok(Verdict::warning(
            format!(
                "the disk's clock differs from this machine's by {} s",
                apart / 1_000
            ),
            "set both clocks; active locks may be considered stale",
        ));
    }
    Ok(Verdict::ok(local.date(now)))
}
