//! What has stopped working, what will within a week, and who must act.
//!
//! The one list of it: the warnings, the block "Within 7 days", the document and the shell prompt
//! are all made of this, so that no two of them disagree. Pure: facts in, list out.

use crate::app::failure::{login_command, refresh_command, store_command};
use crate::model::credential::Kind;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

use super::{Facts, ProfileHealth, Renewal, Status};

/// How far ahead it looks, in milliseconds: 7 days.
pub const HORIZON_MS: i64 = 7 * 86_400_000;

/// How a login stands, by all that is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Lives, or can be renewed.
    Ok,
    /// Has no end.
    Static,
    /// Ends within a day.
    Expiring,
    /// Has ended.
    Expired,
    /// Has no known end.
    Missing,
    /// Holds nothing to hand out.
    Empty,
    /// Was revoked.
    Revoked,
    /// The provider refused to renew it.
    Refused,
    /// The login was renewed, and this is what it was before.
    OldCopy,
    /// How its last refresh ended is not known.
    InDoubt,
    /// Was not used for longer than its provider keeps a login.
    Idle,
    /// A model needs the provider, and nothing is stored for it.
    NotStored,
}

impl State {
    /// Judges a profile. What is known of the grant counts before the end of the token: a refused
    /// grant is as good as gone however long its last token lives.
    pub(super) fn of(status: Status, facts: &Facts, now: Timestamp) -> Self {
        match status {
            _ if facts.revoked_at.is_some() => Self::Revoked,
            _ if facts.refusal.is_some() => Self::Refused,
            _ if facts.spent_since.is_some() => Self::OldCopy,
            _ if facts.unknown_since.is_some() => Self::InDoubt,
            _ if !facts.secret_present => Self::Empty,
            _ if facts.rests_until.is_some_and(|end| end <= now) => Self::Idle,
            Status::Ok => Self::Ok,
            Status::Static => Self::Static,
            Status::Expiring => Self::Expiring,
            Status::Expired => Self::Expired,
            Status::Missing => Self::Missing,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Static => "static",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::OldCopy => "old copy",
            Self::InDoubt => "in doubt",
            Self::Idle => "idle",
            Self::NotStored => "not stored",
        }
    }

    /// Whether it needs attention now, and if so whether it is certain that it does not work.
    pub fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Ok | Self::Static | Self::Expiring => None,
            Self::OldCopy | Self::InDoubt | Self::Idle => Some(Trouble::Doubtful),
            _ => Some(Trouble::Broken),
        }
    }
}

/// How bad it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It does not work, or not beyond the end of its token.
    Broken,
    /// It may still work.
    Doubtful,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, who logs in or pastes something.
    Person,
    /// Whoever runs a command: a timer can.
    Command,
    /// Nobody: it is renewed when somebody asks for it.
    Nobody,
}

impl Actor {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Command => "command",
            Self::Nobody => "nobody",
        }
    }
}

/// One thing that has stopped working or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// Its provider as written.
    pub provider: String,
    /// The profile; `None` if nothing is stored.
    pub profile: Option<ProfileId>,
    /// How it stands now.
    pub state: State,
    /// When it stops working, if that lies ahead and is known.
    pub at: Option<Timestamp>,
    /// Milliseconds until then.
    pub remaining: Option<i64>,
    /// Who must act.
    pub actor: Actor,
    /// The command that mends or prevents it.
    pub command: Option<String>,
}

/// Everything that needs attention now, the worst first, then what stops within the horizon, the
/// soonest first. `missing` are providers that the models need and nothing speaks for.
pub(super) fn forecast(profiles: &[ProfileHealth], missing: &[String], now: Timestamp) -> Vec<Coming> {
    let of_models = missing.iter().filter_map(|name| not_stored(name));
    let mut all: Vec<Coming> = of_models
        .chain(profiles.iter().filter_map(|profile| of_profile(profile, now)))
        .collect();
    all.sort_by_key(|coming| {
        let trouble = coming.state.trouble();
        (trouble.is_none(), trouble, coming.remaining)
    });
    all
}

fn not_stored(provider: &str) -> Option<Coming> {
    let id = ProviderId::parse(provider).ok()?;
    let command = match id.as_str() {
        "anthropic" => "openclaw models auth setup-token".to_owned(),
        _ => login_command(&id, None, false),
    };
    Some(Coming {
        provider: provider.to_owned(),
        profile: None,
        state: State::NotStored,
        at: None,
        remaining: None,
        actor: Actor::Person,
        command: Some(command),
    })
}

fn of_profile(profile: &ProfileHealth, now: Timestamp) -> Option<Coming> {
    let facts = &profile.facts;
    let provider = ProviderId::parse(&profile.provider).ok()?;
    let ahead = |end: Option<Timestamp>| end.filter(|end| now < *end);
    let near = |end| ahead(end).filter(|end| now.until(*end) <= HORIZON_MS);
    let expires = profile.expires;
    let by_person = || (Actor::Person, Some(store_again(profile, &provider)));
    let refresh = Some(format!("{} --force", refresh_command(&profile.id)));
    let is_troubled = profile.state.trouble().is_some();
    let (at, (actor, command)) = match facts.renewal {
        _ if is_troubled && profile.state == State::Refused && facts.of_client => {
            // The client itself was refused: a person corrects it, and then the command works.
            (ahead(expires), (Actor::Person, refresh))
        }
        _ if is_troubled && is_mended_by_refresh(profile) => {
            (ahead(expires), (Actor::Command, refresh))
        }
        _ if is_troubled => (ahead(expires), by_person()),
        Renewal::Never => (Some(near(expires)?), by_person()),
        Renewal::ByCommand => (Some(near(expires)?), (Actor::Command, refresh)),
        Renewal::Automatic => match near(facts.rests_until) {
            Some(end) => (Some(end), (Actor::Command, refresh)),
            None => (Some(near(expires)?), (Actor::Nobody, None)),
        },
    };
    Some(Coming {
        provider: profile.provider.clone(),
        profile: Some(profile.id.clone()),
        state: profile.state,
        at,
        remaining: at.map(|at| now.until(at)),
        actor,
        command,
    })
}

/// The command by which a person stores it anew.
fn store_again(profile: &ProfileHealth, provider: &ProviderId) -> String {
    let kind = match profile.facts.of_client {
        true => Kind::OAuth,
        false => profile.kind,
    };
    store_command(provider, Some(&profile.id), kind)
}

/// Whether a refresh mends it, which needs no person.
fn is_mended_by_refresh(profile: &ProfileHealth) -> bool {
    let facts = &profile.facts;
    match (profile.state, facts.renewal) {
        (_, Renewal::Never) => false,
        _ if facts.of_client => true,
        (State::Expired | State::Missing | State::Empty | State::Idle, _) => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
