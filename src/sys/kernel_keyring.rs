//! Keys in the memory of the Linux kernel (keyrings(7)): in the keyring of the user, which no other
//! user may read and no disk holds.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::key_cache::{CachedKey, KeyCache, KeyCacheFault};

/// The kernel's keyring of this user, `@u`.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelKeyring;

#[cfg(target_os = "linux")]
mod keys {
    use linux_keyutils::{Key, KeyError, KeyPermissions, KeyRing, KeyRingIdentifier};

    use super::*;

    /// Everything for who possesses it, and view, read and search for the same user. By the kernel's
    /// default it could not be read in another session's keyring: that of a systemd service, or of
    /// another terminal (`pam_keyinit`).
    const PERMISSIONS: u32 = 0x3f0b_0000;

    /// What the payload begins with.
    const VERSION: u8 = 1;

    impl KeyCache for KernelKeyring {
        fn get(&self, name: &str) -> Result<Option<CachedKey>, KeyCacheFault> {
            let found = user_keyring().and_then(|ring| ring.search(&described(name)));
            let read = found.and_then(|key| key.read_to_vec()).map(Secret::new);
            Ok(there(read)?.and_then(|payload| unpack(&payload)))
        }

        fn put(
            &self,
            name: &str,
            key: &Secret<Vec<u8>>,
            until: Timestamp,
            lasts: Duration,
        ) -> Result<(), KeyCacheFault> {
            let payload = pack(key, until);
            // A key that others can find has its time and its permissions already: until it is linked,
            // it is in the keyring of this process, and dies with it. A link takes the place of an
            // older key of the same name, which might not be ours to change.
            let kept = || {
                let process = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
                let key = process.add_key(&described(name), payload.expose())?;
                key.set_timeout(whole_seconds(lasts))?;
                key.set_perms(KeyPermissions::from_u32(PERMISSIONS))?;
                user_keyring()?.link_key(key)?;
                process.unlink_key(key)
            };
            kept().map_err(fault)
        }

        fn remove(&self, name: &str) -> Result<bool, KeyCacheFault> {
            let unlink = || {
                let ring = user_keyring()?;
                let key: Key = ring.search(&described(name))?;
                ring.unlink_key(key)
            };
            Ok(there(unlink())?.is_some())
        }
    }

    fn user_keyring() -> Result<KeyRing, KeyError> {
        KeyRing::from_special_id(KeyRingIdentifier::User, true)
    }

    fn described(name: &str) -> String {
        format!("openclaw:{name}")
    }

    /// The kernel takes 0 for "forever".
    fn whole_seconds(lasts: Duration) -> usize {
        let seconds = lasts.as_secs().clamp(1, u32::MAX.into());
        usize::try_from(seconds).unwrap_or(usize::MAX)
    }

    fn there<T>(answer: Result<T, KeyError>) -> Result<Option<T>, KeyCacheFault> {
        use KeyError::{KeyDoesNotExist, KeyExpired, KeyRevoked};
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(KeyDoesNotExist | KeyExpired | KeyRevoked) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    fn fault(error: KeyError) -> KeyCacheFault {
        /// ENOSYS: a kernel that was built without keyrings, or a sandbox that hides them.
        const NO_SUCH_CALL: KeyError = KeyError::Unknown(38);
        match error {
            NO_SUCH_CALL => KeyCacheFault::Missing("it has no keyrings".to_owned()),
            KeyError::PermissionDenied | KeyError::AccessDenied => {
                let words = "permission denied, as is usual in containers";
                KeyCacheFault::Refused(words.to_owned())
            }
            KeyError::QuotaExceeded => {
                let words = "the keys of this user take up all the room that they may";
                KeyCacheFault::Refused(words.to_owned())
            }
            KeyError::Unknown(number) => {
                let error = std::io::Error::from_raw_os_error(number);
                KeyCacheFault::Refused(error.to_string())
            }
            other => KeyCacheFault::Refused(format!("{other:?}")),
        }
    }

    /// The version, the end as eight bytes, the key.
    fn pack(key: &Secret<Vec<u8>>, until: Timestamp) -> Secret<Vec<u8>> {
        let mut payload = Vec::with_capacity(9 + key.expose().len());
        payload.push(VERSION);
        payload.extend_from_slice(&until.0.to_be_bytes());
        payload.extend_from_slice(key.expose());
        Secret::new(payload)
    }

    /// `None` for what another version wrote.
    fn unpack(payload: &Secret<Vec<u8>>) -> Option<CachedKey> {
        let (head, key) = payload.expose().split_first_chunk::<9>()?;
        let [version, until @ ..] = head;
        (*version == VERSION).then(|| CachedKey {
            key: Secret::new(key.to_vec()),
            until: Timestamp(i64::from_be_bytes(*until)),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_payload_of_another_version_is_no_key() {
            let key = Secret::new(vec![7; 32]);
            let packed = pack(&key, Timestamp(-5));
            let cached = unpack(&packed).unwrap();
            assert_eq!((cached.key, cached.until), (key, Timestamp(-5)));
            for bytes in [vec![], vec![1; 8], vec![2; 41]] {
                assert_eq!(unpack(&Secret::new(bytes)), None);
            }
        }

        #[test]
        fn a_part_of_a_second_is_not_forever() {
            assert_eq!(whole_seconds(Duration::from_millis(3)), 1);
            assert_eq!(whole_seconds(Duration::MAX), u32::MAX as usize);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl KeyCache for KernelKeyring {
    fn get(&self, _: &str) -> Result<Option<CachedKey>, KeyCacheFault> {
        Err(missing())
    }

    fn put(
        &self,
        _: &str,
        _: &Secret<Vec<u8>>,
        _: Timestamp,
        _: Duration,
    ) -> Result<(), KeyCacheFault> {
        Err(missing())
    }

    fn remove(&self, _: &str) -> Result<bool, KeyCacheFault> {
        Err(missing())
    }
}

#[cfg(not(target_os = "linux"))]
fn missing() -> KeyCacheFault {
    KeyCacheFault::Missing("only Linux has such keyrings".to_owned())
}
