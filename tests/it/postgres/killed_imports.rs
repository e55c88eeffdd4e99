//! `gateway import`, killed before its system calls: the login is in one place, and a second run does the
//! rest.

use super::machine::{Machine, REFRESH};
use crate::secrets::kills::{killed_at, names_of, under};

const BUNDLE: &str = "logins-of-files.openclaw";

#[test]
#[ignore = "needs PostgreSQL and strace"]
fn an_import_that_is_killed_anywhere_is_completed_by_the_next() {
    // How often a call is made is in part chance.
    let [calls, others @ ..] = [(); 3].map(|()| calls_of_an_import());
    let is_certain = |point: &(String, usize)| others.iter().all(|other| other.contains(point));
    let calls: Vec<_> = calls.into_iter().filter(is_certain).collect();
    // What it does to files and to the database, and the others now and then.
    let counts = |(at, (name, _)): &(usize, (String, usize))| {
        let changes = [
            "write",
            "writev",
            "sendto",
            "rename",
            "renameat2",
            "unlink",
            "fsync",
        ];
        changes.contains(&name.as_str()) || at % 20 == 0
    };
    let calls: Vec<_> = calls.into_iter().enumerate().filter(counts).collect();
    let step = calls.len().div_ceil(KILLS);
    let points: Vec<_> = calls.into_iter().step_by(step).collect();
    let killed = points.iter().filter(|(_, point)| {
        let (call, nth) = point;
        let machine = Machine::ready();
        let ended = killed_at(point, &|options| traced(&machine, options));
        // Until the second run it is in one place at most that uses it.
        let in_files = machine.world.run(&REFRESH).code == 0;
        let again = machine.run(&["gateway", "import"]);
        assert_eq!(again.code, 0, "{call} {nth}: {again:?}");
        assert_eq!(machine.rows(), "1", "{call} {nth}");
        assert_eq!(machine.world.run(&REFRESH).code, 3, "{call} {nth}");
        let before = machine.issuer.token_requests().len();
        assert_eq!(before, usize::from(in_files), "{call} {nth}");
        machine.ok(&REFRESH);
        assert_eq!(machine.issuer.token_requests().len(), before + 1);
        assert!(!machine.rescue.join(BUNDLE).exists(), "{call} {nth}");
        !ended
    });
    let killed = killed.count();
    let tried = points.len();
    assert!(tried > KILLS / 2, "{tried}");
    assert!(killed * 10 >= tried * 9, "{killed} of {tried}");
}

/// So many kills at most.
const KILLS: usize = 40;

/// Imports under strace; whether it ended by itself.
fn traced(machine: &Machine, options: &[&str]) -> bool {
    let import = machine.command("key", &["gateway", "import"]);
    under(&import, options).status().unwrap().success()
}

/// The system calls of one that nobody kills.
fn calls_of_an_import() -> Vec<(String, usize)> {
    let machine = Machine::ready();
    let log = machine.world.state().join("calls");
    let options = ["-o", log.to_str().unwrap(), "-s", "0"];
    assert!(traced(&machine, &options));
    names_of(&std::fs::read_to_string(log).unwrap())
}
