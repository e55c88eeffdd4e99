//! Keys in kernel memory, or the words of a kernel that keeps none.

use std::time::Duration;

use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::key_cache::{KeyCache as _, KeyCacheFault};
use openclaw::sys::kernel_keyring::KernelKeyring;

const HOUR: Duration = Duration::from_secs(3_600);
const UNTIL: Timestamp = Timestamp(1_796_121_310_110);

/// The name of a key that no other test has.
fn name(of: &str) -> String {
    format!("test-{}-{of}", std::process::id())
}

fn key(byte: u8) -> Secret<Vec<u8>> {
    Secret::new(vec![byte; 32])
}

/// Writes, replaces, reads and removes a key.
fn round_trip(name: &str) -> Result<(), KeyCacheFault> {
    assert_eq!(KernelKeyring.get(name)?, None);
    assert!(!KernelKeyring.remove(name)?);
    KernelKeyring.put(name, &key(1), Timestamp(7), HOUR)?;
    KernelKeyring.put(name, &key(2), UNTIL, HOUR)?;
    let kept = KernelKeyring.get(name)?.unwrap();
    assert_eq!((kept.key, kept.until), (key(2), UNTIL));
    assert!(KernelKeyring.remove(name)?);
    assert_eq!(KernelKeyring.get(name)?, None);
    Ok(())
}

/// Where the kernel refuses, as in many containers, that is what is tested.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "which of the two was tested is for people to see"
)]
fn a_key_is_kept_or_the_kernel_says_why_not() {
    match round_trip(&name("any")) {
        Ok(()) => println!("the kernel keeps keys here"),
        Err(fault) => {
            println!("{fault}");
            let put = KernelKeyring.put(&name("any"), &key(1), UNTIL, HOUR);
            assert!(put.is_err(), "it keeps one and then does not tell");
            assert!(fault.to_string().starts_with("the kernel "), "{fault}");
        }
    }
}

#[test]
#[ignore = "needs a kernel that keeps keys"]
fn a_key_is_kept_for_its_time_with_the_permissions_of_this_user() {
    let name = name("demanded");
    round_trip(&name).unwrap();
    KernelKeyring.put(&name, &key(3), UNTIL, HOUR).unwrap();
    // Serial, flags, uses, time left, permissions, uid, gid, kind, description (proc_keys(5)).
    let keys = std::fs::read_to_string("/proc/keys").unwrap();
    let line = keys.lines().find(|line| line.contains(&name)).unwrap();
    let fields = line.split_whitespace().collect::<Vec<_>>();
    assert!(["1h", "59m"].contains(&fields[3]), "{line}");
    assert_eq!(fields[4], "3f0b0000", "{line}");
    assert_eq!(KernelKeyring.remove(&name), Ok(true));
}

#[test]
#[ignore = "needs a kernel that keeps keys"]
fn a_key_is_gone_when_its_time_is_over() {
    let name = name("short");
    let second = Duration::from_secs(1);
    KernelKeyring.put(&name, &key(4), UNTIL, second).unwrap();
    // As many tries as there are tenths of a minute.
    let is_gone = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        KernelKeyring.get(&name) == Ok(None)
    });
    assert!(is_gone);
}
