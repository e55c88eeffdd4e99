//! Which database is meant, and its key: named by an option or by variables, as GoClaw names them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::app::context::Dirs;
use crate::app::failure::{Failure, Kind};
use crate::model::database_key::parse_key;
use crate::model::path::resolve;
use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::state_files::POSTGRES;
use crate::model::tenant::TenantId;
use crate::ports::files::Files;
use crate::ports::host::Env;

/// Names the file that holds the address of the database, for every command.
pub const URL_FILE: &str = "OPENCLAW_DATABASE_URL_FILE";
/// Names the tenant whose logins are meant, for every command.
const TENANT: &str = "OPENCLAW_TENANT";
/// The address of the database, for a gateway.
const DSN: &str = "GOCLAW_POSTGRES_DSN";
/// Names the file that holds it, for a gateway.
const DSN_FILE: &str = "GOCLAW_POSTGRES_DSN_FILE";
/// The key.
const KEY: &str = "GOCLAW_ENCRYPTION_KEY";
/// Names the file that holds it.
pub const KEY_FILE: &str = "GOCLAW_ENCRYPTION_KEY_FILE";

/// Which database a command asks for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The file that holds its address, if an option names one.
    pub url_file: Option<PathBuf>,
    /// Where this machine keeps what it must not lose, if an option names a directory.
    pub rescue_dir: Option<PathBuf>,
    /// Whose logins are meant, if an option names a tenant.
    pub tenant: Option<TenantId>,
    /// Whether those of all tenants are, whatever a variable names.
    pub is_for_all: bool,
    /// Whether the variables of GoClaw name one, too.
    pub is_gateway: bool,
}

/// A database that was named, and what it needs.
#[derive(Debug)]
pub struct Source {
    /// Its address, which may hold a password.
    pub url: Secret<String>,
    /// Whose logins are meant.
    pub tenant: TenantId,
    /// Its key.
    pub key: DataKey,
    /// The directory in which this machine keeps what it must not lose of that tenant.
    pub directory: PathBuf,
}

/// Where a value came from.
enum Origin {
    Variable(&'static str),
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The surroundings in which names of files are understood.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The variables of this process alone.
    pub env: &'a dyn Env,
    /// The file system.
    pub files: &'a dyn Files,
    /// The directories of this run.
    pub dirs: &'a Dirs,
}

/// Finds the database that is meant; `None` if none is named, and the store is on files.
///
/// # Errors
/// [`Kind::Usage`] or [`Kind::Config`] for a database without a key, and for a file that is not
/// there, is open to others, or does not hold what it should; [`Kind::Usage`] for a tenant of no
/// database, which would be that of nobody.
pub fn find(near: Surroundings<'_>, asked: &Asked) -> Result<Option<Source>, Failure> {
    let tenant = tenant(near, asked)?;
    let Some((url, from)) = url(near, asked)? else {
        return match tenant {
            None => Ok(None),
            Some(tenant) => Err(no_database(&tenant)),
        };
    };
    let tenant = tenant.unwrap_or_else(TenantId::main);
    if url.is_blank() {
        let message = format!("{from} holds no address of a database");
        let hint = format!("write it to {from}: postgres://USER:PASSWORD@HOST/NAME");
        return Err(Failure::new(Kind::Config, message).hint(hint));
    }
    let directory = asked.rescue_dir.as_ref().map_or_else(
        || near.dirs.state.join(POSTGRES),
        |path| resolve(path, &near.dirs.home, &near.dirs.cwd),
    );
    Ok(Some(Source {
        url,
        key: key(near)?,
        directory: tenant.below(&directory),
        tenant,
    }))
}

fn tenant(near: Surroundings<'_>, asked: &Asked) -> Result<Option<TenantId>, Failure> {
    if asked.is_for_all || asked.tenant.is_some() {
        return Ok(asked.tenant.clone());
    }
    let named = variable(near, TENANT)?.map(|name| TenantId::parse(name.expose()));
    named
        .transpose()
        .map_err(|error| Failure::new(Kind::Usage, format!("{TENANT} names none: {error}")))
}

fn no_database(tenant: &TenantId) -> Failure {
    let message = format!("the tenant {tenant} is named and no database is: files have no tenants");
    let hint = "name the file of the database's address in OPENCLAW_DATABASE_URL_FILE, or name no \
                tenant: unset OPENCLAW_TENANT";
    Failure::new(Kind::Usage, message).hint(hint)
}

/// Reads a key from a file that an option names.
///
/// # Errors
/// [`Kind::Config`] if it is not there, is open to others, or holds no key.
pub fn read_key(near: Surroundings<'_>, path: &Path) -> Result<DataKey, Failure> {
    let (bytes, from) = file(near, path)?;
    understood(&bytes, &from)
}

/// The address. What an option names wins, then what is meant for the gateway alone.
fn url(near: Surroundings<'_>, asked: &Asked) -> Result<Option<(Secret<String>, Origin)>, Failure> {
    if let Some(path) = &asked.url_file {
        return text(near, path).map(Some);
    }
    if asked.is_gateway {
        if let Some(url) = variable(near, DSN)? {
            return Ok(Some((url, Origin::Variable(DSN))));
        }
        if let Some(path) = variable(near, DSN_FILE)? {
            return text(near, Path::new(path.expose())).map(Some);
        }
    }
    let path = variable(near, URL_FILE)?;
    path.map(|path| text(near, Path::new(path.expose())))
        .transpose()
}

/// Reads the key that the variables name; `None` if they name none.
///
/// # Errors
/// As [`read_key`].
pub fn named_key(near: Surroundings<'_>) -> Result<Option<DataKey>, Failure> {
    let (bytes, from) = if let Some(key) = variable(near, KEY)? {
        let bytes = Secret::new(key.expose().as_bytes().to_vec());
        (bytes, Origin::Variable(KEY))
    } else if let Some(path) = variable(near, KEY_FILE)? {
        file(near, Path::new(path.expose()))?
    } else {
        return Ok(None);
    };
    understood(&bytes, &from).map(Some)
}

fn key(near: Surroundings<'_>) -> Result<DataKey, Failure> {
    named_key(near)?.ok_or_else(|| {
        let message = "the database has no key: neither is set of GOCLAW_ENCRYPTION_KEY_FILE and \
                       GOCLAW_ENCRYPTION_KEY";
        let hint = "name the file of its key in GOCLAW_ENCRYPTION_KEY_FILE; for a new database make \
                    one with: (umask 077; openssl rand -hex 32 > database.key)";
        Failure::new(Kind::Usage, message).hint(hint)
    })
}

fn understood(bytes: &Secret<Vec<u8>>, from: &Origin) -> Result<DataKey, Failure> {
    parse_key(bytes).ok_or_else(|| {
        let message = format!("{from} holds no key");
        let hint = "a key is 64 hexadecimal digits, 44 characters of base64, or 32 bytes";
        Failure::new(Kind::Config, message).hint(hint)
    })
}

fn variable(near: Surroundings<'_>, name: &str) -> Result<Option<Secret<String>>, Failure> {
    if near.env.is_garbled(name) {
        let message = format!("{name} is not valid Unicode");
        return Err(Failure::new(Kind::Usage, message));
    }
    Ok(near.env.var(name))
}

/// A file of one line, which nobody else can read.
fn text(near: Surroundings<'_>, path: &Path) -> Result<(Secret<String>, Origin), Failure> {
    let (bytes, from) = file(near, path)?;
    match std::str::from_utf8(bytes.expose()) {
        Ok(text) => Ok((Secret::from(text.trim()), from)),
        Err(_) => {
            let message = format!("{from} is not UTF-8 text");
            Err(Failure::new(Kind::Config, message))
        }
    }
}

fn file(near: Surroundings<'_>, path: &Path) -> Result<(Secret<Vec<u8>>, Origin), Failure> {
    let path = resolve(path, &near.dirs.home, &near.dirs.cwd);
    let bytes = near.files.read_key(&path)?.map(Secret::new);
    let from = Origin::File(path);
    match bytes {
        Some(bytes) => Ok((bytes, from)),
        None => {
            let message = format!("there is no file {from}");
            let hint = format!("write it to {from}, readable for this user only");
            Err(Failure::new(Kind::Config, message).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;
    use crate::testing::files::MemoryFiles;

    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn found(variables: &[(&str, &str)], asked: &Asked) -> Result<Option<Source>, Failure> {
        let files = MemoryFiles::new();
        for name in ["option", "dsn", "every"] {
            let url = format!("postgres://u:p@{name}/db\n");
            files.put(&Path::new("/work").join(name), &url);
        }
        files.put(Path::new("/work/key"), &format!("{DIGITS}\n"));
        files.put(Path::new("/work/blank"), " \n");
        let dirs = Dirs {
            home: "/home".into(),
            state: "/state".into(),
            cwd: "/work".into(),
        };
        let near = Surroundings {
            env: &FixedEnv::of(variables),
            files: &files,
            dirs: &dirs,
        };
        find(near, asked)
    }

    fn host(variables: &[(&str, &str)], asked: &Asked) -> Option<String> {
        let with_key = [variables, &[(KEY_FILE, "/work/key")]].concat();
        let source = found(&with_key, asked).unwrap()?;
        let url = source.url.expose().strip_prefix("postgres://u:p@")?;
        url.strip_suffix("/db").map(str::to_owned)
    }

    #[test]
    fn what_is_nearer_to_the_command_wins() {
        let all = [
            (DSN, "postgres://u:p@variable/db"),
            (DSN_FILE, "dsn"),
            (URL_FILE, "every"),
        ];
        let gateway = Asked {
            is_gateway: true,
            ..Asked::default()
        };
        let option = Asked {
            url_file: Some("option".into()),
            ..gateway.clone()
        };
        assert_eq!(host(&all, &option).as_deref(), Some("option"));
        assert_eq!(host(&all, &gateway).as_deref(), Some("variable"));
        assert_eq!(host(&all[1..], &gateway).as_deref(), Some("dsn"));
        assert_eq!(host(&all[2..], &gateway).as_deref(), Some("every"));
        assert_eq!(host(&all, &Asked::default()).as_deref(), Some("every"));
        assert_eq!(host(&all[..2], &Asked::default()), None);
    }

    #[test]
    fn without_a_key_there_is_no_database() {
        let of = |more: &[(&str, &str)]| {
            let variables = [&[(URL_FILE, "every")], more].concat();
            found(&variables, &Asked::default())
        };
        let key = of(&[(KEY, DIGITS)]).unwrap().unwrap().key;
        assert_eq!(key.bytes().expose()[..2], [0x00, 0x11]);
        let bad: [&[(&str, &str)]; 4] = [
            &[],
            &[(KEY, "short")],
            &[(KEY_FILE, "nowhere")],
            &[(KEY_FILE, "every")],
        ];
        for variables in bad {
            let failure = of(variables).unwrap_err();
            assert!(matches!(failure.kind, Kind::Usage | Kind::Config));
            let told = failure.to_string();
            assert!(!told.contains("u:p@") && !told.contains("short"), "{told}");
        }
    }

    #[test]
    fn a_database_that_is_named_badly_is_no_store_on_files() {
        for name in ["nowhere", "blank", "\u{fffd}"] {
            let variables = [(URL_FILE, name), (KEY, DIGITS)];
            found(&variables, &Asked::default()).unwrap_err();
        }
        assert!(found(&[], &Asked::default()).unwrap().is_none());
    }

    #[test]
    fn what_this_machine_must_not_lose_is_in_the_state_directory_unless_named() {
        let variables = [(URL_FILE, "every"), (KEY, DIGITS)];
        let directory = |rescue_dir: Option<PathBuf>| {
            let asked = Asked {
                rescue_dir,
                ..Asked::default()
            };
            found(&variables, &asked).unwrap().unwrap().directory
        };
        assert_eq!(directory(None), Path::new("/state/postgres"));
        assert_eq!(directory(Some("~/r".into())), Path::new("/home/r"));
    }

    #[test]
    fn a_tenant_is_named_by_an_option_or_a_variable_and_only_where_a_database_is() {
        let named = |variables: &[(&str, &str)], asked: &Asked| {
            let base = [(URL_FILE, "every"), (KEY, DIGITS)];
            let source = found(&[&base[..], variables].concat(), asked)?.unwrap();
            let directory = source.directory.display().to_string();
            Ok::<_, Failure>((source.tenant.to_string(), directory))
        };
        let of = |tenant: &str, directory: &str| (tenant.to_owned(), directory.to_owned());
        let main = of("main", "/state/postgres");
        let variable = [(TENANT, "team-a")];
        let option = Asked {
            tenant: TenantId::parse("team-b").ok(),
            ..Asked::default()
        };
        let all = Asked {
            is_for_all: true,
            ..Asked::default()
        };
        let team_a = of("team-a", "/state/postgres/tenants/team-a");
        assert_eq!(named(&[], &Asked::default()).unwrap(), main);
        assert_eq!(named(&variable, &Asked::default()).unwrap(), team_a);
        assert_eq!(named(&variable, &option).unwrap().0, "team-b");
        assert_eq!(named(&variable, &all).unwrap(), main);
        assert_eq!(
            named(&[(TENANT, "Team A")], &Asked::default())
                .unwrap_err()
                .kind,
            Kind::Usage
        );
        for (variables, asked) in [(&variable[..], Asked::default()), (&[], option)] {
            assert_eq!(found(variables, &asked).unwrap_err().kind, Kind::Usage);
        }
        assert!(found(&variable, &all).unwrap().is_none());
    }
}
