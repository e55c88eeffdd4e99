//! Obstacles to the next access token, in the words of every view.

use std::error::Error;
use std::sync::Arc;

use super::facts::Facts;
use super::reason_text::{Reason, SECRET_ELSEWHERE, refusal_words};
use crate::app::failure::{Failure, Kind as FailureKind, StoreEffect};
use crate::model::credential::{Kind, SecretFault};
use crate::model::grant::GrantStanding;
use crate::model::hint::{Command, Hint};
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::moved::Moved;
use crate::model::time::{Timestamp, short_duration};

/// A backoff of at most this many milliseconds is waited for, not reported.
pub(super) const SHORT_PAUSE_MS: i64 = 2_000;

/// The cause of an obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The provider refused the grant or the client.
    Refused,
    /// The login was revoked.
    Revoked,
    /// The refresh token went to another machine.
    Moved,
    /// The grant is spent, and its successor is not here.
    Spent,
    /// The token has expired, or does not live as long as requested.
    Expired,
    /// There is no secret.
    NoSecret,
    /// The provider or the network is in trouble.
    InTrouble,
    /// The configuration prevents it.
    Misconfigured,
    /// The disk or a lock prevents it.
    NotStored,
    /// Automatic refresh is off.
    ByCommand,
}

impl Cause {
    /// Returns the code for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Moved => "moved",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::NoSecret => "no-secret",
            Self::InTrouble => "in-trouble",
            Self::Misconfigured => "misconfigured",
            Self::NotStored => "not-stored",
            Self::ByCommand => "renewed-by-command",
        }
    }
}

/// An obstacle to the next access token.
#[derive(Clone, Debug)]
pub struct Obstacle {
    /// The kind of failure if there is no token to fall back to.
    pub kind: FailureKind,
    /// The cause.
    pub cause: Cause,
    /// What is wrong; follows the name of the profile.
    pub words: String,
    /// The words if time alone removes the obstacle and the token is still valid.
    due_words: Option<String>,
    /// The error of a lower room that it comes from.
    source: Option<Arc<dyn Error + Send + Sync>>,
    /// What removes it.
    pub hint: Option<Hint>,
    /// What happened to the credential.
    pub effect: StoreEffect,
    /// The provider's error code, if it refused the client.
    pub provider_code: Option<Box<str>>,
}

impl Obstacle {
    /// Makes an obstacle that only a person removes.
    pub(super) fn permanent(kind: FailureKind, cause: Cause, words: impl Into<String>) -> Self {
        Self {
            kind,
            cause,
            words: words.into(),
            hint: None,
            effect: StoreEffect::Nothing,
            provider_code: None,
            due_words: None,
            source: None,
        }
    }

    /// Makes an obstacle that time may remove.
    fn temporary(kind: FailureKind, cause: Cause, why: &str) -> Self {
        Self {
            due_words: Some(format!("expires soon and could not be refreshed: {why}")),
            ..Self::permanent(kind, cause, format!("could not be refreshed: {why}"))
        }
    }

    /// Whether somebody must act to remove it.
    pub fn is_permanent(&self) -> bool {
        self.due_words.is_none()
    }

    pub(super) fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns it as a reason.
    pub fn reason(&self) -> Reason {
        Reason::new(self.cause.code(), self.words.clone())
    }

    /// Returns the failure of a command that has no token to fall back to.
    pub fn failure(&self, profile: &ProfileId) -> Failure {
        let failure = Failure::about(profile, self.kind, &self.words).touched(self.effect);
        Failure {
            hint: self.hint.clone(),
            code: self.provider_code.clone(),
            source: self.source.clone(),
            ..failure
        }
    }

    /// Returns the failure to expect once the present token has expired, if somebody must act to
    /// prevent it.
    pub(in crate::app) fn later_failure(&self) -> Option<Failure> {
        let message = "the token is valid and cannot be refreshed automatically";
        let mut failure = Failure::new(self.kind, message);
        failure.hint = self.hint.clone();
        self.is_permanent().then_some(failure)
    }

    /// Returns the warning while the old token is valid for `left` milliseconds; it follows the
    /// name of the profile.
    pub fn warning(&self, left: Option<i64>) -> Hint {
        let mut text = self.due_words.as_ref().unwrap_or(&self.words).clone();
        if self.effect == StoreEffect::MaybeSpent {
            text.push_str("; its refresh token may already be used");
        }
        let Some(hint) = self.hint.as_ref().filter(|_| self.is_permanent()) else {
            return text.into();
        };
        let left = short_duration(left.unwrap_or_default());
        Hint::from(format!(
            "{text}. The current token is valid for another {left}. Try: "
        ))
        .then(hint.clone())
    }
}

/// The provider refused the grant.
pub(in crate::app) fn refused(facts: &Facts, why: &str) -> Obstacle {
    let words = format!("cannot be refreshed: {why}");
    Obstacle::permanent(FailureKind::NeedsLogin, Cause::Refused, words).hint(login_again(facts))
}

/// The provider refused the client: nobody need log in, but somebody must correct the client.
pub(in crate::app) fn refused_client(facts: &Facts, code: &str, why: &str) -> Obstacle {
    let provider = facts.provider.as_ref().map_or("", |id| id.as_str());
    let words = format!("cannot be refreshed: {why}");
    Obstacle {
        provider_code: Some(code.into()),
        ..Obstacle::permanent(FailureKind::Config, Cause::Refused, words).hint(
            Hint::from(format!(
                "correct the OAuth client of {provider}, then run: "
            ))
            .run(Command::refresh(&facts.profile).arg("--force")),
        )
    }
}

/// The provider did not answer, or asked for a pause.
/// `left` are the milliseconds until the next attempt.
pub(in crate::app) fn unavailable(facts: &Facts, reason: &str, left: i64) -> Obstacle {
    let why = with_wait(reason, left);
    let obstacle = Obstacle::temporary(FailureKind::Temporary, Cause::InTrouble, &why);
    match left > SHORT_PAUSE_MS {
        // Until then a refresh would only say so again.
        true => obstacle.hint("run the command again then"),
        false => obstacle.hint(Command::refresh(&facts.profile)),
    }
}

/// A command that refreshes many logins did not come to this one.
pub(in crate::app) fn not_tried(facts: &Facts, why: &str) -> Obstacle {
    let words = format!("was not refreshed: {why}");
    Obstacle {
        due_words: Some(format!("expires soon and {words}")),
        ..Obstacle::permanent(FailureKind::Temporary, Cause::InTrouble, words)
            .hint(Command::refresh(&facts.profile))
    }
}

/// A refresh was sent, and no response came.
pub(in crate::app) fn unanswered(facts: &Facts, why: &str) -> Obstacle {
    Obstacle {
        effect: StoreEffect::MaybeSpent,
        ..Obstacle::temporary(FailureKind::UnknownOutcome, Cause::InTrouble, why)
            .hint(login_again(facts))
    }
}

/// A refresh cannot be sent by the settings of the network or the provider.
pub(in crate::app) fn misconfigured(facts: &Facts, why: &str) -> Obstacle {
    let words = format!("could not be refreshed: {why}");
    Obstacle::permanent(FailureKind::Config, Cause::Misconfigured, words)
        .hint(Hint::from("correct that setting, then run: ").run(Command::refresh(&facts.profile)))
}

/// A refresh was granted, and its answer is not understood, or is about another account.
pub(in crate::app) fn not_understood(facts: &Facts, since: Timestamp, why: &str) -> Obstacle {
    let words = format!(
        "cannot be refreshed: the response to the refresh {} cannot be used ({why}). It is saved, and the refresh token, which is used now, is not sent again",
        facts.local.spoken_past(since)
    );
    Obstacle {
        effect: StoreEffect::MaybeSpent,
        ..Obstacle::permanent(FailureKind::NeedsLogin, Cause::Spent, words).hint(login_again(facts))
    }
}

/// Something must be corrected before a refresh can be sent, or it cannot be sent now.
pub(in crate::app) fn blocked(facts: &Facts, failure: &Failure) -> Obstacle {
    let (kind, why) = (failure.kind, failure.to_string());
    let obstacle = match kind {
        // Waiting does not correct a configuration, so it is said while the token is still valid.
        FailureKind::Config | FailureKind::NotFound => {
            let words = format!("could not be refreshed: {why}");
            Obstacle::permanent(kind, Cause::Misconfigured, words)
        }
        FailureKind::Temporary => Obstacle::temporary(kind, Cause::InTrouble, &why),
        _ => Obstacle::temporary(kind, Cause::Misconfigured, &why),
    };
    Obstacle {
        effect: failure.touched,
        hint: failure.hint.clone().or_else(|| Some(login_again(facts))),
        source: failure.source.clone(),
        ..obstacle
    }
}

/// The result of a refresh, or its start, could not be stored.
pub(in crate::app) fn not_stored(failure: &Failure) -> Obstacle {
    Obstacle::temporary(failure.kind, Cause::NotStored, &failure.to_string())
}

/// The provider names no token endpoint.
pub(in crate::app) fn no_token_endpoint(facts: &Facts) -> Obstacle {
    let provider = facts.provider.as_ref().map_or("", |id| id.as_str());
    let words = format!("cannot be refreshed: the manifest of {provider} has no token endpoint");
    Obstacle::permanent(FailureKind::NeedsLogin, Cause::Misconfigured, words)
        .hint(login_again(facts))
}

/// Its refresh token went to another machine.
fn moved_away(facts: &Facts, moved: &Moved) -> Obstacle {
    if moved.is_in_database() {
        let at = facts.local.spoken_past(moved.at);
        let words = format!("was moved to {} {at}", moved.destination());
        let there = "use it there, with export OPENCLAW_DATABASE_URL_FILE=FILE of its address";
        let hint = Hint::from(format!("{there}, or log in here: ")).then(login_again(facts));
        return Obstacle::permanent(FailureKind::NeedsLogin, Cause::Moved, words).hint(hint);
    }
    let words = format!(
        "was moved to another machine {}, in {}",
        facts.local.spoken_past(moved.at),
        printable(&moved.to, 200)
    );
    let take_back = Command::new("secrets take-back").name(&moved.to);
    let hint = Hint::from("use it there, or log in here: ")
        .then(login_again(facts))
        .then("; if no machine imported it: ")
        .run(take_back);
    Obstacle::permanent(FailureKind::NeedsLogin, Cause::Moved, words).hint(hint)
}

pub(super) fn without_grant(facts: &Facts) -> Obstacle {
    if let Some(moved) = &facts.moved {
        return moved_away(facts, moved);
    }
    // Whether a seal that does not open holds a refresh token, nobody knows.
    let is_closed = matches!(facts.secret_fault, Some(SecretFault::Sealed(_)));
    if facts.is_reference || is_closed {
        return no_secret(facts);
    }
    let why = match facts.of_client {
        true => "its provider no longer supports client-credentials",
        false => "it has no refresh token",
    };
    let cause = match facts.secret_present {
        true => Cause::Expired,
        false => Cause::NoSecret,
    };
    let words = format!("cannot be refreshed: {why}");
    Obstacle::permanent(FailureKind::NeedsLogin, cause, words).hint(login_again(facts))
}

pub(super) fn stale_copy(facts: &Facts, since: Timestamp) -> Obstacle {
    let words = format!(
        "cannot be refreshed: it is an outdated copy of a login that was refreshed {}, and the current one is not in this state directory",
        facts.local.spoken(since)
    );
    Obstacle::permanent(FailureKind::NeedsLogin, Cause::Spent, words).hint(login_again(facts))
}

pub(super) fn no_secret(facts: &Facts) -> Obstacle {
    let fault = facts.secret_fault.as_ref();
    let words = match fault {
        Some(fault) => fault.words(),
        None if facts.is_reference => SECRET_ELSEWHERE.to_owned(),
        None => "has no secret".to_owned(),
    };
    let kind = match fault {
        // It is there, and its key may come back.
        Some(SecretFault::Sealed(_)) => FailureKind::Storage,
        _ => FailureKind::NeedsLogin,
    };
    let obstacle = Obstacle::permanent(kind, Cause::NoSecret, words);
    let again = store_again(facts);
    obstacle.hint(match (fault, &facts.provider) {
        (Some(SecretFault::Sealed(_)), _) => Command::new("secrets status").into(),
        (Some(SecretFault::Unset(name)), _) => {
            Hint::from(format!("set {name}, or run: ")).then(again)
        }
        (None, Some(provider)) if facts.is_reference => store_beside(provider, facts.kind),
        _ => again,
    })
}

/// Returns what to do about a secret that is only referred to. The command names no profile: a
/// login never takes the place of one whose account is not known.
pub(super) fn store_beside(provider: &ProviderId, kind: Kind) -> Hint {
    Hint::from("use it with OpenClaw, or store one of your own: ")
        .run(Command::store(provider, None, kind))
}

/// Adds the length of the pause to the reason.
fn with_wait(reason: &str, left: i64) -> String {
    let left = match left {
        ..=SHORT_PAUSE_MS => return reason.to_owned(),
        left @ ..60_000 => format!("{} s", left / 1_000),
        left => short_duration(left),
    };
    format!("{reason}; next attempt in {left}")
}

pub(super) fn login_again(facts: &Facts) -> Hint {
    let profile = Some(&facts.profile);
    let command = facts.provider.as_ref().map(|provider| match facts.logs_in {
        true => Command::login(provider, profile),
        false => Command::paste_token(provider, profile),
    });
    command.map(Hint::from).unwrap_or_default()
}

/// Returns the command that stores the credential again.
pub(in crate::app) fn store_again(facts: &Facts) -> Hint {
    let kind = match facts.of_client {
        true => Kind::OAuth,
        false => facts.kind,
    };
    let provider = facts.provider.as_ref();
    let command = |provider| Command::store(provider, Some(&facts.profile), kind).into();
    provider.map(command).unwrap_or_default()
}

/// Returns the permanent obstacle if the journal knows that the grant gives no token.
pub(super) fn dead_grant(facts: &Facts) -> Option<Obstacle> {
    match &facts.standing {
        GrantStanding::Revoked { at } => {
            let words = format!("was revoked {}", facts.local.spoken(*at));
            let obstacle = Obstacle::permanent(FailureKind::NeedsLogin, Cause::Revoked, words);
            Some(obstacle.hint(login_again(facts)))
        }
        GrantStanding::HandedOver(moved) => Some(moved_away(facts, moved)),
        GrantStanding::Refused { refusal, .. } if !facts.of_client => {
            Some(refused(facts, &refusal_words(refusal)))
        }
        GrantStanding::NotUnderstood { since, reason } => {
            Some(not_understood(facts, *since, reason))
        }
        GrantStanding::Spent { since, .. } => match &facts.successor {
            None => Some(stale_copy(facts, *since)),
            Some(successor) => dead_grant(&successor.facts),
        },
        _ => None,
    }
}
