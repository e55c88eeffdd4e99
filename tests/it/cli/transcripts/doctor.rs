//! `doctor`.

use super::Transcript;
use crate::support::{World, recorded};

/// With all the time it needs: a busy machine fails no test.
const DOCTOR: [&str; 3] = ["doctor", "--timeout", "10m"];

/// What differs from disk to disk and from run to run.
const VARYING: [&str; 5] = ["file system", "free space", "rename", "fsync", "clock"];

fn steady(mut transcript: Transcript<'_>) -> Transcript<'_> {
    let steady = |line: &str| {
        let varying = VARYING.iter().find(|name| line.starts_with(**name));
        match varying {
            Some(name) => format!("{name}: <varies>"),
            None if line.starts_with("No failure") || line == "All checks passed." => {
                "<no failure>".to_owned()
            }
            None => match line.split_once(".openclaw-doctor-") {
                Some((before, after)) => {
                    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
                    format!("{before}.openclaw-doctor-<pid>{after}")
                }
                None => line.to_owned(),
            },
        }
    };
    let lines: Vec<String> = transcript.text.split('\n').map(steady).collect();
    transcript.text = lines.join("\n");
    transcript
}

#[test]
fn doctor_passes_a_good_disk() {
    let (world, _, _) = recorded::world("two-accounts");
    steady(Transcript::of(&world).run(&DOCTOR)).matches("doctor");
}

#[test]
fn doctor_finds_what_lies_around() {
    let (world, _, _) = recorded::world("not-json");
    world.write_torn_answer(&world.state().join("rescue"));
    world.write("agents/main/agent/auth-profiles.json.unreadable-x", "{");
    world.write(
        "agents/main/agent/.auth-profiles.json.4194305.0123abcd.tmp",
        "{",
    );
    steady(Transcript::of(&world).run(&DOCTOR)).matches("doctor_findings");
}

#[cfg(target_os = "linux")]
#[test]
fn doctor_fails_where_nothing_can_be_written() {
    let world = World::new();
    let args = [
        "doctor",
        "--timeout",
        "10m",
        "--state-dir",
        "/proc/openclaw",
    ];
    steady(Transcript::of(&world).run(&args)).matches("doctor_failed");
}
