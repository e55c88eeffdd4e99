//! Who may read a key that the kernel keeps.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::key_cache::KeyCache as _;
use openclaw::sys::kernel_keyring::KernelKeyring;

use crate::support::users::ATTACKER;

/// Reads a key by its number, after joining a session keyring of its own, and prints the length or the
/// error.
const READER: &str = "
import ctypes, platform, sys
KEYCTL = {'x86_64': 250, 'aarch64': 219}[platform.machine()]
JOIN_SESSION_KEYRING, READ = 1, 11
libc = ctypes.CDLL(None, use_errno=True)
assert libc.syscall(KEYCTL, JOIN_SESSION_KEYRING, None) > 0
buffer = ctypes.create_string_buffer(1000)
length = libc.syscall(KEYCTL, READ, int(sys.argv[1], 16), buffer, 1000)
print(length if length >= 0 else -ctypes.get_errno())
";
const EACCES: i32 = -13;

fn read_as(user: u32, serial: &str) -> i32 {
    let mut reader = Command::new("python3");
    reader.args(["-I", "-c", READER, serial]);
    let read = reader.uid(user).current_dir("/").output().unwrap();
    let said = String::from_utf8(read.stdout.clone()).unwrap();
    said.trim().parse().unwrap_or_else(|_| panic!("{read:?}"))
}

#[test]
#[ignore = "needs root"]
fn the_same_user_reads_a_key_in_every_session_and_another_user_in_none() {
    let name = format!("test-{}-others", std::process::id());
    let (key, hour) = (Secret::new(vec![5; 32]), Duration::from_secs(3_600));
    KernelKeyring.put(&name, &key, Timestamp(0), hour).unwrap();
    let keys = std::fs::read_to_string("/proc/keys").unwrap();
    let line = keys.lines().find(|line| line.contains(&name)).unwrap();
    let serial = line.split_whitespace().next().unwrap();
    // The version, the time and the key.
    assert_eq!(read_as(0, serial), 41);
    assert_eq!(read_as(ATTACKER, serial), EACCES);
    assert_eq!(KernelKeyring.remove(&name), Ok(true));
}
