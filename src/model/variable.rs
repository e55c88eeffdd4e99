//! Names of environment variables.

/// Words by which a name says that its variable holds a credential.
const WORDS: [&str; 10] = [
    "DSN",
    "KEY",
    "PASS",
    "PASSPHRASE",
    "PAT",
    "CRED",
    "CREDS",
    "CREDENTIAL",
    "CREDENTIALS",
    "JWT",
];

/// Words that say so, too, where others are written together with them: `PGPASSWORD`, `AUTHTOKEN`.
const ENDINGS: [&str; 6] = [
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "TOKEN",
    "SECRET",
    "APIKEY",
];

/// What is usually an address with a password in it.
const ADDRESS: &str = "DATABASE_URL";

/// How the names of variables begin that carry secrets of the configuration: for this program and no
/// other.
pub const SECRETS: &str = "OPENCLAW_SECRET_";

/// The variables for the secret that `${secret:NAME}` names; the first that is set wins.
pub fn of_secret(name: &str) -> [String; 2] {
    [name.to_owned(), format!("{SECRETS}{name}")]
}

/// Whether a name says that its variable holds a credential: `NPM_TOKEN`, `my_db_password`.
pub fn names_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_one =
        |word: &str| WORDS.contains(&word) || ENDINGS.iter().any(|ending| word.ends_with(ending));
    name.ends_with(ADDRESS) || name.split('_').any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_by_a_word_that_its_variable_holds_a_credential() {
        for name in [
            "KEY",
            "NPM_TOKEN",
            "ACME_API_KEY",
            "ACME_APIKEY",
            "my_db_password",
            "PGPASSWORD",
            "MYSQL_PWD_PASS",
            "BORG_PASSPHRASE",
            "SECRET_OF_X",
            "CLIENTSECRET",
            "GITHUB_PAT",
            "ACME_CREDS",
            "SUPABASE_JWT",
            "AWS_SHARED_CREDENTIALS_FILE",
            "DATABASE_URL",
            "ACME_DATABASE_URL",
            "GOCLAW_POSTGRES_DSN",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in [
            "",
            "PATH",
            "KEYBOARD",
            "TOKENIZERS",
            "XAUTHORITY",
            "MONKEY",
            "SSH_ASKPASS",
            "SSH_AUTH_SOCK",
            "XDG_DATA_DIRS",
            "PATTERN",
            "BYPASS",
            "BASE_URL",
        ] {
            assert!(!names_credential(name), "{name}");
        }
    }
}
