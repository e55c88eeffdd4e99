//! What has stopped working, what will within a week, and who must act.
//!
//! The one list of it: the warnings, the block "Within 7 days", the document and the shell prompt
//! are all made of this, so that no two of them disagree. Pure: facts in, list out.

use crate::model::credential::Kind;
use crate::model::hint::Command;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

use super::facts::Renewal;
use super::state::State;
use crate::app::status::ProfileHealth;

/// How far ahead it looks, in milliseconds: 7 days.
pub const HORIZON_MS: i64 = 7 * 86_400_000;

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
pub struct ForecastEntry {
    /// Its provider as written.
    pub provider: String,
    /// The profile; `None` if nothing is stored.
    pub profile: Option<ProfileId>,
    /// How it stands now.
    pub state: State,
    /// When it stops working, if that is known and not already so; what is renewed by itself may
    /// have ended.
    pub at: Option<Timestamp>,
    /// Milliseconds until then.
    pub remaining: Option<i64>,
    /// Who must act.
    pub actor: Actor,
    /// The command that mends or prevents it.
    pub command: Option<Command>,
}

/// Everything that needs attention now, the worst first, then what stops within the horizon, the
/// soonest first. `missing` are providers that the models need and nothing speaks for.
pub(in crate::app) fn forecast(
    profiles: &[ProfileHealth],
    missing: &[String],
    now: Timestamp,
) -> Vec<ForecastEntry> {
    let of_models = missing.iter().filter_map(|name| not_stored(name));
    let mut all: Vec<ForecastEntry> = of_models
        .chain(
            profiles
                .iter()
                .filter_map(|profile| of_profile(profile, now)),
        )
        .collect();
    all.sort_by_key(|coming| {
        let trouble = coming.state.trouble();
        (trouble.is_none(), trouble, coming.remaining)
    });
    all
}

fn not_stored(provider: &str) -> Option<ForecastEntry> {
    let id = ProviderId::parse(provider).ok()?;
    let command = match id.as_str() {
        "anthropic" => Command::new("models auth setup-token"),
        _ => Command::login(&id, None),
    };
    Some(ForecastEntry {
        provider: provider.to_owned(),
        profile: None,
        state: State::NotStored,
        at: None,
        remaining: None,
        actor: Actor::Person,
        command: Some(command),
    })
}

fn of_profile(profile: &ProfileHealth, now: Timestamp) -> Option<ForecastEntry> {
    let facts = &profile.facts;
    let provider = ProviderId::parse(&profile.provider).ok()?;
    let ahead = |end: Option<Timestamp>| end.filter(|end| now < *end);
    let due = |end: Option<Timestamp>| end.filter(|end| now.until(*end) <= HORIZON_MS);
    let near = |end| ahead(due(end));
    let expires = profile.expires;
    let by_person = || (Actor::Person, Some(store_again(profile, &provider)));
    let refresh = Some(Command::refresh(&profile.id).arg("--force"));
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
            // One that has ended is renewed as well as one that will.
            None => (Some(due(expires)?), (Actor::Nobody, None)),
        },
    };
    Some(ForecastEntry {
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
fn store_again(profile: &ProfileHealth, provider: &ProviderId) -> Command {
    let kind = match profile.facts.of_client {
        true => Kind::OAuth,
        false => profile.kind,
    };
    Command::store(provider, Some(&profile.id), kind)
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
mod tests {
    use super::*;
    use crate::app::credential::facts::Facts;
    use crate::app::status::Status;
    use crate::model::grant::Refusal;
    use crate::model::id::AgentId;
    use crate::ports::store::Location;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    fn in_ms(left: i64) -> Option<Timestamp> {
        Some(Timestamp(NOW.0 + left))
    }

    fn facts(renewal: Renewal) -> Facts {
        Facts {
            owner: AgentId::main(),
            file: Location::new(""),
            secret_present: true,
            is_reference: false,
            refresh_present: renewal != Renewal::Never,
            of_client: false,
            renewal,
            proven_at: None,
            refusal: None,
            unknown_since: None,
            spent_since: None,
            revoked_at: None,
            failures: 0,
            rests_until: None,
        }
    }

    fn refused(renewal: Renewal) -> Facts {
        let refusal = Refusal {
            code: "invalid_grant".to_owned(),
            description: String::new(),
            status: 400,
        };
        Facts {
            refusal: Some((refusal, None)),
            ..facts(renewal)
        }
    }

    fn profile(kind: Kind, expires: Option<Timestamp>, facts: Facts) -> ProfileHealth {
        let remaining = expires.map(|end| NOW.until(end));
        let by_end = match remaining {
            None => Status::Missing,
            Some(..=0) => Status::Expired,
            Some(..=DAY) => Status::Expiring,
            Some(_) => Status::Ok,
        };
        let status = match (kind, facts.renewal) {
            (Kind::ApiKey, _) => Status::Static,
            (Kind::Token, _) if expires.is_none() => Status::Static,
            (_, Renewal::Automatic) if expires.is_some() => Status::Ok,
            _ => by_end,
        };
        ProfileHealth {
            id: ProfileId::parse("acme:a").unwrap(),
            provider: "acme".to_owned(),
            kind,
            status,
            state: State::of(status, &facts, NOW),
            expires,
            remaining,
            label: "acme:a".to_owned(),
            email: None,
            facts,
        }
    }

    /// State, who must act, what is left, and the verb of the command.
    fn told(profile: ProfileHealth) -> Option<(State, Actor, Option<i64>, String)> {
        let coming = forecast(&[profile], &[], NOW).pop()?;
        let verb = coming.command.map(|command| command.words[2].clone());
        let verb = verb.unwrap_or_default();
        Some((coming.state, coming.actor, coming.remaining, verb))
    }

    #[test]
    fn each_kind_of_end_names_who_must_act() {
        use Actor::{Command, Nobody, Person};
        use Renewal::{Automatic, ByCommand, Never};
        let token = |left| profile(Kind::Token, in_ms(left), facts(Never));
        let oauth = |left, renewal| profile(Kind::OAuth, in_ms(left), facts(renewal));
        let of_client = |facts: Facts, left| {
            let facts = Facts {
                of_client: true,
                ..facts
            };
            profile(Kind::Token, in_ms(left), facts)
        };
        let row = |state, actor, left, verb: &str| Some((state, actor, left, verb.to_owned()));
        let (paste, login, refresh) = ("paste-token", "login", "refresh");
        let table = [
            (token(HOUR), row(State::Expiring, Person, Some(HOUR), paste)),
            (
                token(HORIZON_MS),
                row(State::Ok, Person, Some(HORIZON_MS), paste),
            ),
            (token(HORIZON_MS + 1), None),
            (token(0), row(State::Expired, Person, None, paste)),
            (profile(Kind::Token, None, facts(Never)), None),
            (profile(Kind::ApiKey, None, facts(Never)), None),
            (
                oauth(2 * DAY, Never),
                row(State::Ok, Person, Some(2 * DAY), login),
            ),
            (oauth(-1, Never), row(State::Expired, Person, None, login)),
            (
                oauth(HOUR, Automatic),
                row(State::Ok, Nobody, Some(HOUR), ""),
            ),
            (
                oauth(-HOUR, Automatic),
                row(State::Ok, Nobody, Some(-HOUR), ""),
            ),
            (
                oauth(HOUR, ByCommand),
                row(State::Expiring, Command, Some(HOUR), refresh),
            ),
            (
                oauth(-HOUR, ByCommand),
                row(State::Expired, Command, None, refresh),
            ),
            (
                profile(Kind::OAuth, None, facts(Automatic)),
                row(State::Missing, Command, None, refresh),
            ),
            (
                profile(Kind::OAuth, in_ms(HOUR), refused(Automatic)),
                row(State::Refused, Person, Some(HOUR), login),
            ),
            (
                profile(Kind::OAuth, in_ms(-HOUR), refused(ByCommand)),
                row(State::Refused, Person, None, login),
            ),
            (
                of_client(facts(Automatic), HOUR),
                row(State::Ok, Nobody, Some(HOUR), ""),
            ),
            (
                of_client(refused(Automatic), -1),
                row(State::Refused, Person, None, refresh),
            ),
            (
                of_client(facts(Never), -1),
                row(State::Expired, Person, None, login),
            ),
        ];
        for (place, (profile, expected)) in table.into_iter().enumerate() {
            assert_eq!(told(profile), expected, "row {place}");
        }
    }

    #[test]
    fn what_is_known_of_the_grant_counts_before_the_end_of_its_token() {
        let with = |change: &dyn Fn(&mut Facts)| {
            let mut facts = facts(Renewal::Automatic);
            change(&mut facts);
            told(profile(Kind::OAuth, in_ms(30 * DAY), facts)).map(|told| (told.0, told.1))
        };
        let ago = in_ms(-DAY);
        assert_eq!(with(&|_| ()), None);
        let person = |state| Some((state, Actor::Person));
        assert_eq!(with(&|f| f.revoked_at = ago), person(State::Revoked));
        assert_eq!(with(&|f| f.spent_since = ago), person(State::OldCopy));
        assert_eq!(with(&|f| f.unknown_since = ago), person(State::InDoubt));
        let command = |state| Some((state, Actor::Command));
        assert_eq!(with(&|f| f.secret_present = false), command(State::Empty));
        assert_eq!(with(&|f| f.rests_until = ago), command(State::Idle));
        assert_eq!(with(&|f| f.rests_until = in_ms(DAY)), command(State::Ok));
        assert_eq!(with(&|f| f.rests_until = in_ms(8 * DAY)), None);
    }

    #[test]
    fn what_is_broken_comes_first_and_then_the_soonest() {
        let token = |left| profile(Kind::Token, in_ms(left), facts(Renewal::Never));
        let doubtful = Facts {
            unknown_since: in_ms(-1),
            ..facts(Renewal::Automatic)
        };
        let doubtful = profile(Kind::OAuth, in_ms(DAY), doubtful);
        let profiles = [token(2 * DAY), doubtful, token(HOUR), token(-HOUR)];
        let all = forecast(&profiles, &["anthropic".to_owned()], NOW);
        let states: Vec<State> = all.iter().map(|coming| coming.state).collect();
        let expected = [
            State::NotStored,
            State::Expired,
            State::InDoubt,
            State::Expiring,
            State::Ok,
        ];
        assert_eq!(states, expected);
        let setup = Command::new("models auth setup-token");
        assert_eq!(all[0].command, Some(setup));
    }
}
