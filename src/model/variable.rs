//! Names of environment variables.

/// Words by which a name says that its variable holds a credential.
const CREDENTIAL_WORDS: [&str; 7] = [
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "CREDENTIALS",
];

/// Whether a name says that its variable holds a credential: `NPM_TOKEN`, `my_db_password`.
pub fn names_credential(name: &str) -> bool {
    let is_one = |word: &str| {
        CREDENTIAL_WORDS
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    };
    name.split('_').any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_a_whole_word_of_the_name() {
        for name in [
            "KEY",
            "NPM_TOKEN",
            "ACME_API_KEY",
            "my_db_password",
            "SECRET_OF_X",
            "AWS_SHARED_CREDENTIALS_FILE",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in ["", "PATH", "KEYBOARD", "TOKENIZERS", "XAUTHORITY", "MONKEY"] {
            assert!(!names_credential(name), "{name}");
        }
    }
}
