//! `models auth exec`: runs a program with a valid token.
//!
//! The token goes into one variable or onto one descriptor, never into an argument. What else the
//! provider's programs would take for a credential is taken out of the environment: a key that was
//! exported long ago must not win over the login that was asked for.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};

use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::Hint;
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::secret::Secret;
use crate::ports::exec::{DescriptorError, Exec, ExecSpec, InheritedFd};

use super::token::{self, Choice, Outcome};
use crate::app::context::Context;
use crate::app::credential::env_keys::of_known_credentials;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::refresh::outcome::RefreshResult;

/// The variable that tells the program which descriptor the token is on.
pub const TOKEN_FD: &str = "OPENCLAW_TOKEN_FD";
/// The variable that tells the program the profile of its token.
pub const PROFILE: &str = "OPENCLAW_AUTH_PROFILE";
/// The variable that tells the program when the token expires, in milliseconds since the Unix
/// epoch.
pub const EXPIRES: &str = "OPENCLAW_AUTH_EXPIRES";

/// Parameters of [`prepare`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The credential, and how long it must be valid.
    pub token: token::Request,
    /// How the program gets it.
    pub to: To,
    /// Variables that stay in the environment.
    pub keep: Vec<String>,
    /// Whether the credentials of all other providers are taken out, too.
    pub only: bool,
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// How the program gets the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// In the variable for its provider.
    Usual,
    /// In this variable.
    Variable(String),
    /// On this descriptor, or on any free one.
    Descriptor(Option<u16>),
}

/// A program that is ready to run.
pub struct Ready {
    image: ExecSpec,
    /// Stays open until the program has it.
    _handed: Option<Box<dyn InheritedFd>>,
    how: RefreshResult,
    /// The warning about the token.
    pub warning: Option<Hint>,
    /// Says that the token ends before it was to.
    pub falls_short: Option<String>,
    /// Whether the token is in an argument of the program.
    pub shows_token: bool,
}

/// Makes the token valid, and puts it where the program will find it.
///
/// # Errors
/// [`Kind::Usage`] if the token has no place to go to, and what [`token::run`] says.
pub fn prepare(cx: Context<'_>, port: &dyn Exec, request: &Request) -> Result<Ready, Failure> {
    let choice = Choice::make(cx, &request.token)?;
    // What cannot be handed over costs no refresh.
    let mut handed = match (&request.to, choice.provider()) {
        (To::Usual, Some(provider)) if variables(cx, provider).is_empty() => {
            return Err(nowhere(provider));
        }
        (To::Descriptor(number), _) => Some(port.reserve_fd(*number)?),
        (To::Usual | To::Variable(_), _) => None,
    };
    let outcome = choice.obtain(cx, request.token.min_valid)?;
    let names = variables(cx, &outcome.provider);
    let image = image(cx, request, names, &outcome, handed.as_deref_mut());
    let least = request.token.min_valid;
    let short = least.and_then(|least| outcome.falls_short(least, cx.clock.now()));
    Ok(Ready {
        falls_short: short.map(|failure| failure.message),
        shows_token: shows(&request.args, &outcome.bearer),
        image: image.map_err(|failure| touched(failure, outcome.how))?,
        _handed: handed,
        how: outcome.how,
        warning: outcome.warning,
    })
}

/// Replaces this process by the program. Whatever must follow a refresh has to be done before.
///
/// # Errors
/// [`Kind::NoProgram`] and [`Kind::NotRun`] if the program does not run.
pub fn start(cx: Context<'_>, port: &dyn Exec, ready: &Ready) -> Result<Infallible, Failure> {
    // A signal that came during a refresh ends us; the program would never hear of it.
    cx.interrupt.obey();
    let failure = match cx.interrupt.pending() {
        Some(signal) => Failure::cancelled(signal),
        None => not_run(&ready.image.program, &port.exec(&ready.image)),
    };
    Err(touched(failure, ready.how))
}

/// Whether an argument holds the token.
fn shows(args: &[OsString], token: &Secret<String>) -> bool {
    let token = token.expose().as_bytes();
    let holds = |arg: &OsString| {
        let mut pieces = arg.as_encoded_bytes().windows(token.len().max(1));
        pieces.any(|piece| piece == token)
    };
    args.iter().any(holds)
}

fn touched(failure: Failure, how: RefreshResult) -> Failure {
    match how {
        RefreshResult::Refreshed => failure.touched(StoreEffect::Changed),
        _ => failure,
    }
}

/// Lists the variables that programs of a provider read; those that we read come first.
fn variables(cx: Context<'_>, provider: &ProviderId) -> Vec<String> {
    // Without a manifest it has none.
    let manifest = cx.catalogue.get(provider);
    manifest.map_or_else(|_| Vec::new(), |all| all.variables().cloned().collect())
}

fn image(
    cx: Context<'_>,
    request: &Request,
    names: Vec<String>,
    outcome: &Outcome,
    handed: Option<&mut (dyn InheritedFd + 'static)>,
) -> Result<ExecSpec, Failure> {
    let mut with = Vec::new();
    match (&request.to, handed) {
        (_, Some(handed)) => {
            handed.fill(&outcome.bearer).map_err(|error| {
                let message = format!("could not pass the token through a pipe: {error}");
                Failure::new(Kind::Storage, message).hint("pass it with --env")
            })?;
            with.push((
                TOKEN_FD.to_owned(),
                Secret::new(handed.number().to_string()),
            ));
        }
        (To::Variable(name), None) => with.push((name.clone(), outcome.bearer.clone())),
        (_, None) => with.push((usual(&names, outcome)?, outcome.bearer.clone())),
    }
    let profile = outcome.profile.as_ref().map(ProfileId::in_environment);
    let expires = outcome.expires.map(|end| end.0.to_string());
    let mut without = names;
    if request.only {
        without.extend(of_known_credentials(cx));
    }
    for (name, value) in [(PROFILE, profile), (EXPIRES, expires)] {
        match value {
            Some(value) => with.push((name.to_owned(), Secret::new(value))),
            // Of another token, handed to whoever started us.
            None => without.push(name.to_owned()),
        }
    }
    without.retain(|name| {
        let is_set = with.iter().any(|(other, _)| other == name);
        !is_set && !request.keep.contains(name)
    });
    Ok(ExecSpec {
        program: request.program.clone(),
        args: request.args.clone(),
        without,
        with,
    })
}

/// Returns the variable for a credential: one for tokens or for keys, if there is a choice.
fn usual(names: &[String], outcome: &Outcome) -> Result<String, Failure> {
    let of_a_token = |name: &&String| name.contains("OAUTH_TOKEN") || name.contains("ACCESS_TOKEN");
    let suits = |name: &&String| of_a_token(name) == (outcome.kind != CredentialKind::ApiKey);
    let name = names.iter().find(suits).or(names.first());
    name.cloned().ok_or_else(|| nowhere(&outcome.provider))
}

fn nowhere(provider: &ProviderId) -> Failure {
    let message = format!("no environment variable is known for tokens of {provider}");
    Failure::new(Kind::Usage, message).hint("name one with --env, or use --fd")
}

impl From<DescriptorError> for Failure {
    fn from(error: DescriptorError) -> Self {
        let kind = match error {
            DescriptorError::Taken(_) => Kind::Usage,
            DescriptorError::System(_) => Kind::Storage,
        };
        Self::new(kind, error.to_string())
            .hint("choose another one, or use --fd without a number to get a free one")
    }
}

/// Makes the failure as env(1) does: not found, or not executable.
fn not_run(program: &OsStr, error: &std::io::Error) -> Failure {
    let program = printable(&program.to_string_lossy(), 200);
    let (kind, hint) = match error.kind() {
        std::io::ErrorKind::NotFound => (Kind::NoProgram, "check its name, and PATH"),
        _ => (Kind::NotRun, "check that this user can execute it"),
    };
    Failure::new(kind, format!("could not run {program}: {error}")).hint(hint)
}
