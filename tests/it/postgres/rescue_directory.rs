//! The rescue directory is full, read-only or lost. No refresh begins whose answer could not be saved, what
//! lives is served, and nobody is told of a process that is gone.

use std::path::PathBuf;

use super::under_way::{PROFILE, TOKEN, assert_served, begin, end, on_the_wire};
use crate::support::mount::{Mount, fill, mount};
use crate::support::team::Team;

const LIVING: &str = "openai-codex:living";
const OF_LIVING: [&str; 5] = ["models", "auth", "token", "--profile", LIVING];

fn directory(team: &Team) -> PathBuf {
    team.machines[0].state().join("postgres")
}

/// A team whose first machine has its rescue directory on a small disk of its own, and has used it.
fn small_disk() -> (Team, Mount) {
    let team = Team::new();
    let directory = directory(&team);
    std::fs::create_dir(&directory).unwrap();
    let args = ["-t", "tmpfs", "-o", "size=256k,mode=700", "openclaw-test"];
    let disk = Mount::new(&directory, &args);
    team.seed(PROFILE, -10);
    team.seed(LIVING, 3_600);
    let listed = team.run(0, &["models", "auth", "list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    (team, disk)
}

/// Each refresh fails and names the directory, what lives is served, and the other machine is not held up.
fn nothing_can_be_saved(team: &Team, remedy: &str) {
    let (living, _) = team.tokens(LIVING).unwrap();
    let force = ["models", "auth", "refresh", "--force", "--profile", PROFILE];
    for args in [&TOKEN[..], &force] {
        let ran = team.run(0, args);
        assert_eq!(ran.code, 5, "{args:?}: {ran:?}");
        let place = directory(team).display().to_string();
        assert!(ran.err.contains(&place), "{args:?}: {ran:?}");
        assert!(ran.err.contains(remedy), "{args:?}: {ran:?}");
        assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
        let served = team.run(0, &OF_LIVING);
        assert_eq!(
            (served.code, served.out.trim()),
            (0, &*living),
            "{served:?}"
        );
    }
    assert_eq!(team.issuer.token_requests().len(), 0);
}

#[test]
#[ignore = "needs PostgreSQL, and root to mount"]
fn a_full_disk_begins_no_refresh_and_serves_what_lives() {
    let (team, _disk) = small_disk();
    let ballast = directory(&team).join("ballast");
    fill(&ballast);
    nothing_can_be_saved(&team, "space");
    std::fs::remove_file(ballast).unwrap();
    assert_served(&team, &team.run(0, &TOKEN));
    assert_eq!(team.issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL, and root to mount"]
fn a_read_only_disk_begins_no_refresh_and_serves_what_lives() {
    let (team, _disk) = small_disk();
    mount(&directory(&team), &["-o", "remount,ro"]);
    nothing_can_be_saved(&team, "writ");
    // Another machine can.
    assert_served(&team, &team.run(1, &TOKEN));
    mount(&directory(&team), &["-o", "remount,rw"]);
    assert_served(&team, &team.run(0, &TOKEN));
    assert_eq!(team.issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_lost_the_directory_is_told_of_a_machine_and_of_no_process() {
    let team = Team::new();
    team.seed(PROFILE, -10);
    let mut child = on_the_wire(&team);
    child.kill().unwrap();
    child.wait().unwrap();
    team.issuer.let_go();
    std::fs::remove_dir_all(directory(&team)).unwrap();
    team.database
        .sql("UPDATE openclaw.grant_lease SET until = clock_timestamp() - interval '1 s'");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let process = format!("pid {} ", child.id());
    let told = format!("a process on {} that began at ", host.trim());
    // On the machine that lost it, and on another one.
    let waiting = [0, 1].map(|machine| begin(&team, machine, &TOKEN));
    for ran in waiting.map(end) {
        assert_eq!((ran.code, &*ran.out), (6, ""), "{ran:?}");
        assert!(ran.err.contains(&told), "{ran:?}");
        assert!(ran.err.contains("others may not try before "), "{ran:?}");
        assert!(!ran.err.contains(&process), "{ran:?}");
        // Nobody waits for a process that is dead.
        assert!(!ran.err.contains("gave up waiting"), "{ran:?}");
    }
    assert_eq!(team.issuer.token_requests().len(), 1);
    team.database.sql(
        "UPDATE openclaw.grant_lease SET sent_at = clock_timestamp() - interval '1 h';
         UPDATE openclaw.node SET seen_at = clock_timestamp() - interval '1 h'",
    );
    // Its answer is lost, as the provider says when it is asked again.
    let ran = team.run(0, &TOKEN);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(team.issuer.token_requests().len(), 2);
}
