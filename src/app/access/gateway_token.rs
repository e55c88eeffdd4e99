//! The gateway's own token: given by an option or a variable, else made once and kept.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::access_key::AccessKey;
use crate::model::path::resolve;
use crate::model::secret::Secret;
use crate::model::state_files::{GATEWAY, LOCKS};
use crate::ports::files::Sharing;
use crate::ports::lock::{SHORT, lock_within};

/// The variables that hold the token, or name its file; the first that is set counts.
const VARIABLES: [(&str, &str); 2] = [
    ("GOCLAW_GATEWAY_TOKEN", "GOCLAW_GATEWAY_TOKEN_FILE"),
    ("GOCLAW_TOKEN", "GOCLAW_TOKEN_FILE"),
];

/// Where a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A variable of that name.
    Variable(&'static str),
    /// A file that an option or a variable names.
    File(PathBuf),
    /// A file in the state directory, made by this program.
    Kept(PathBuf),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) | Self::Kept(path) => path.display().fmt(f),
        }
    }
}

/// The token of a gateway, whose holder may do everything.
#[derive(Debug)]
pub struct GatewayToken {
    /// The token.
    pub token: Secret<String>,
    /// Where it came from.
    pub source: TokenSource,
}

/// Finds the token of a gateway: that of `--token-file`, else of `GOCLAW_GATEWAY_TOKEN` or
/// `GOCLAW_TOKEN`, or of the file that one of them with `_FILE` behind it names. A gateway that only
/// this machine can reach makes one where none is given.
///
/// # Errors
/// [`Kind::Usage`] if none is given to a gateway that other machines can reach, [`Kind::Config`] for a
/// token that no header can hold, and a file that is not there or open to others; [`Kind::Storage`] if
/// a new token cannot be kept.
pub fn find(
    cx: Context<'_>,
    token_file: Option<&Path>,
    is_loopback: bool,
) -> Result<GatewayToken, Failure> {
    match given(cx, token_file, &VARIABLES)? {
        Some(given) => Ok(given),
        None if is_loopback => kept(cx),
        None => {
            let message = "a gateway that other machines can reach needs a token, and none is set";
            let hint = "make one with: openssl rand -hex 32 > gateway.token; chmod 600 gateway.token; \
                        then pass --token-file gateway.token";
            Err(Failure::new(Kind::Usage, message).hint(hint))
        }
    }
}

/// The token that the user gives, if any: in a file, else by one of the `variables`.
///
/// # Errors
/// [`Kind::Usage`] or [`Kind::Config`] if what is given is no token.
pub(in crate::app) fn given(
    cx: Context<'_>,
    token_file: Option<&Path>,
    variables: &[(&'static str, &'static str)],
) -> Result<Option<GatewayToken>, Failure> {
    if let Some(path) = token_file {
        return named(cx, path).map(Some);
    }
    for &(variable, file_variable) in variables {
        let mut names = [variable, file_variable].into_iter();
        if let Some(name) = names.find(|name| cx.env.is_garbled(name)) {
            let message = format!("{name} is not valid Unicode");
            return Err(Failure::new(Kind::Usage, message));
        }
        if let Some(token) = cx.env.var(variable) {
            let source = TokenSource::Variable(variable);
            return Ok(Some(GatewayToken {
                token: checked(token, &source)?,
                source,
            }));
        }
        if let Some(path) = cx.env.plain(file_variable) {
            return named(cx, Path::new(&path)).map(Some);
        }
    }
    Ok(None)
}

/// The token in a file that the user named.
///
/// # Errors
/// [`Kind::Config`] if the file is not there, is open to others, or holds no token.
pub(in crate::app) fn named(cx: Context<'_>, path: &Path) -> Result<GatewayToken, Failure> {
    let path = resolve(path, &cx.dirs.home, &cx.dirs.cwd);
    let source = TokenSource::File(path.clone());
    let token = read(cx, &path, &source)?.ok_or_else(|| {
        let message = format!("there is no token file {source}");
        let hint = format!("write the token to {source}, readable for this user only");
        Failure::new(Kind::Config, message).hint(hint)
    })?;
    Ok(GatewayToken { token, source })
}

/// The token in the state directory; the first gateway makes it. Of two that begin at once, the one
/// without the lock reads what the other made.
fn kept(cx: Context<'_>) -> Result<GatewayToken, Failure> {
    let locks = cx.dirs.state.join(LOCKS);
    cx.files.create_dirs(&locks)?;
    let lock = locks.join("gateway-token.lock");
    let wait = cx.wait(SHORT);
    let _lock = lock_within(cx.files, cx.clock, &lock, Sharing::Exclusive, &wait)?;
    if let Some(made) = made(cx)? {
        return Ok(made);
    }
    let path = path(cx);
    let token = cx.random_hex::<{ AccessKey::RANDOM }>().map(Secret::new)?;
    cx.files.create_dirs(&cx.own(GATEWAY))?;
    let line = Secret::new([token.expose(), "\n"].concat());
    cx.files.replace(&path, line.expose().as_bytes())?;
    let source = TokenSource::Kept(path);
    Ok(GatewayToken { token, source })
}

/// The token that a gateway of this state directory has made, if one has.
///
/// # Errors
/// If others can read it, or it is damaged.
pub(in crate::app) fn made(cx: Context<'_>) -> Result<Option<GatewayToken>, Failure> {
    let path = path(cx);
    let source = TokenSource::Kept(path.clone());
    let token = read(cx, &path, &source)?;
    Ok(token.map(|token| GatewayToken { token, source }))
}

/// Where a gateway keeps the token that it has made.
pub(in crate::app) fn path(cx: Context<'_>) -> PathBuf {
    cx.own(GATEWAY).join("token")
}

/// Reads a token from a file that nobody else can read or write.
fn read(
    cx: Context<'_>,
    path: &Path,
    source: &TokenSource,
) -> Result<Option<Secret<String>>, Failure> {
    let Some(bytes) = cx.files.read_key(path)?.map(Secret::new) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| {
        let message = format!("the token of {source} is not UTF-8 text");
        Failure::new(Kind::Config, message).hint(format!("write another token to {source}"))
    })?;
    checked(Secret::from(text.trim()), source).map(Some)
}

/// Refuses a token that no header can hold, or that is none.
fn checked(token: Secret<String>, source: &TokenSource) -> Result<Secret<String>, Failure> {
    let fault = match token.bearer_fault() {
        _ if token.is_blank() => "is blank".to_owned(),
        Some(fault) => fault.words(),
        None => return Ok(token),
    };
    let message = format!("the token of {source} {fault}");
    let hint = match source {
        TokenSource::Variable(name) => format!("set {name} to another token, or unset it"),
        TokenSource::File(_) => format!("write another token to {source}"),
        TokenSource::Kept(_) => format!("remove {source}, and another token is made"),
    };
    Err(Failure::new(Kind::Config, message).hint(hint))
}
