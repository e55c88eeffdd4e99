//! Stretching a passphrase to a key (argon2id, RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use crate::model::seal::{Bytes, DataKey, KEY};
use crate::model::secret::Secret;

/// The most memory that a file may ask for, in KiB: 1 GiB.
const MOST_MEMORY: u32 = 1 << 20;

/// The most passes and lanes that it may ask for.
const MOST: u32 = 16;

/// How many random bytes the salt takes.
pub(super) const SALT: usize = 16;

/// What one guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    pub m: u32,
    /// Passes over it.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl Default for Cost {
    /// The second recommendation of RFC 9106 section 4, on one lane: half a second on a small machine.
    fn default() -> Self {
        Self {
            m: 64 << 10,
            t: 3,
            p: 1,
        }
    }
}

/// How a passphrase is stretched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    kdf: Function,
    #[serde(flatten)]
    cost: Cost,
    salt: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Function {
    #[serde(rename = "argon2id")]
    Argon2id,
}

impl Stretch {
    /// A new one; `salt` has to be fresh.
    pub(super) fn new(cost: Cost, salt: [u8; SALT]) -> Self {
        Self {
            kdf: Function::Argon2id,
            cost,
            salt: Bytes(salt.to_vec()),
        }
    }

    /// Stretches a passphrase.
    ///
    /// # Errors
    /// If the file asks for more than anybody would need, before anything is allocated; or the memory
    /// is not there.
    pub(super) fn apply(&self, passphrase: &Secret<String>) -> Result<DataKey, String> {
        let Function::Argon2id = self.kdf;
        let Cost { m, t, p } = self.cost;
        if m > MOST_MEMORY || t > MOST || p > MOST {
            return Err(format!(
                "it asks for {} MiB of memory, {t} passes and {p} lanes; at most 1024 MiB, 16 and 16 are used",
                m >> 10
            ));
        }
        let params = Params::new(m, t, p, Some(KEY)).map_err(|error| error.to_string())?;
        let function = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = vec![0; KEY];
        let stretched =
            function.hash_password_into(passphrase.expose().as_bytes(), &self.salt.0, &mut key);
        let key = Secret::new(key);
        stretched.map_err(|error| error.to_string())?;
        DataKey::new(key).ok_or_else(|| "it gave no key".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(m: u32, t: u32, p: u32) -> Result<DataKey, String> {
        Stretch::new(Cost { m, t, p }, [7; SALT]).apply(&Secret::from("correct horse"))
    }

    #[test]
    fn a_passphrase_gives_the_same_key_again_and_another_one_does_not() {
        let key = stretch(64, 1, 1).unwrap();
        assert_eq!(key.bytes(), stretch(64, 1, 1).unwrap().bytes());
        let other = Stretch::new(Cost { m: 64, t: 1, p: 1 }, [7; SALT]);
        let other = other.apply(&Secret::from("correct horsE")).unwrap();
        assert_ne!(key.bytes(), other.bytes());
    }

    #[test]
    fn what_asks_for_too_much_is_refused_before_it_gets_anything() {
        for (m, t, p) in [(1 << 30, 1, 1), (u32::MAX, 1, 1), (64, 17, 1), (64, 1, 17)] {
            let refused = stretch(m, t, p).unwrap_err();
            assert!(refused.contains("at most 1024 MiB"), "{refused}");
        }
        for (m, t, p) in [(0, 1, 1), (64, 0, 1), (64, 1, 0), (8, 1, 16)] {
            assert!(stretch(m, t, p).is_err());
        }
        let unknown = r#"{"kdf":"scrypt","m":64,"t":1,"p":1,"salt":""}"#;
        assert!(serde_json::from_str::<Stretch>(unknown).is_err());
    }
}
