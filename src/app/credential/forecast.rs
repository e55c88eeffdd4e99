//! The forecast: which logins do not work, which will stop within a week, and who must act.
//!
//! The warnings, the block "Within 7 days", the JSON document and the shell prompt are all made of
//! it, so that no two of them disagree. Pure: facts in, list out.

use std::collections::HashSet;

use super::facts::Renewal;
use super::obstacle::store_again;
use super::outlook::Outlook;
use super::state::Actor;
use super::state::{State, Trouble};
use crate::app::status::health::ProfileHealth;
use crate::model::hint::{Command, Hint};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// The horizon of the forecast: 7 days, in milliseconds.
pub const HORIZON_MS: i64 = 7 * 86_400_000;

/// A login that does not work or will stop working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastEntry {
    /// Its provider as written.
    pub provider: String,
    /// The profile; `None` if the provider as a whole gives no token.
    pub profile: Option<ProfileId>,
    /// Its state.
    pub state: State,
    /// How bad it is now; `None` if it still works.
    pub trouble: Option<Trouble>,
    /// When it stops working, if that is in the future and known. A login that is refreshed
    /// automatically may have an expired access token.
    pub at: Option<Timestamp>,
    /// Milliseconds until then.
    pub remaining: Option<i64>,
    /// Who must act.
    pub actor: Actor,
    /// The command that mends or prevents it.
    pub command: Option<Hint>,
}

/// Lists what needs attention now, the worst first, then what stops within the horizon, the soonest
/// first. `outlooks` are the providers that are needed.
pub(in crate::app) fn forecast(
    profiles: &[ProfileHealth],
    outlooks: &[Outlook],
    now: Timestamp,
) -> Vec<ForecastEntry> {
    let mut all: Vec<ForecastEntry> = profiles
        .iter()
        .filter_map(|profile| of_profile(profile, now))
        .collect();
    let broken = |entry: &&ForecastEntry| entry.trouble == Some(Trouble::Broken);
    let told = all.iter().filter(broken);
    let told: HashSet<ProviderId> = told
        .filter_map(|entry| ProviderId::parse(&entry.provider).ok())
        .collect();
    let of_providers = outlooks.iter().filter_map(|outlook| {
        let is_told = told.contains(&outlook.provider);
        (outlook.needs_somebody() && !outlook.is_unreadable && !is_told)
            .then(|| of_provider(outlook))
    });
    let of_providers: Vec<ForecastEntry> = of_providers.collect();
    all.splice(0..0, of_providers);
    all.sort_by_key(|entry| (entry.trouble.is_none(), entry.trouble, entry.remaining));
    all
}

/// Makes the entry of a provider that gives no token although none of its profiles is at fault.
fn of_provider(outlook: &Outlook) -> ForecastEntry {
    let id = &outlook.provider;
    let state = match outlook.has_candidates {
        true => State::Misconfigured,
        false => State::NotStored,
    };
    let failure = outlook.failure.as_ref();
    ForecastEntry {
        provider: id.to_string(),
        profile: None,
        state,
        trouble: Some(Trouble::Broken),
        at: None,
        remaining: None,
        actor: Actor::Person,
        command: failure.and_then(|failure| failure.hint.clone()),
    }
}

fn of_profile(profile: &ProfileHealth, now: Timestamp) -> Option<ForecastEntry> {
    let (facts, assessment) = (&profile.facts, &profile.assessment);
    facts.provider.as_ref()?;
    let ahead = |end: Option<Timestamp>| end.filter(|end| now < *end);
    let due = |end: Option<Timestamp>| end.filter(|end| now.until(*end) <= HORIZON_MS);
    let near = |end| ahead(due(end));
    let expires = profile.facts.expires_at();
    let trouble = assessment.trouble();
    let at = match facts.renewal {
        _ if trouble.is_some() => ahead(expires),
        Renewal::Never | Renewal::ByCommand => Some(near(expires)?),
        Renewal::Automatic => match near(facts.rests_until) {
            Some(end) => Some(end),
            // One that has expired is refreshed as well as one that will.
            None => Some(due(expires)?),
        },
    };
    let rests = trouble.is_none()
        && facts.renewal == Renewal::Automatic
        && near(facts.rests_until).is_some();
    let actor = match rests {
        true => Actor::Command,
        false => assessment.actor,
    };
    let hint = assessment
        .obstacle
        .as_ref()
        .and_then(|obstacle| obstacle.hint.clone());
    let command = match actor {
        Actor::Nobody => None,
        Actor::Command => Some(
            Command::refresh(&profile.facts.profile)
                .arg("--force")
                .into(),
        ),
        Actor::Person => Some(hint.unwrap_or_else(|| store_again(facts))),
    };
    Some(ForecastEntry {
        provider: profile.provider.as_ref().to_owned(),
        profile: Some(profile.facts.profile.clone()),
        state: assessment.state,
        trouble,
        at,
        remaining: at.map(|at| now.until(at)),
        actor,
        command,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::app::credential::assessment::assess;
    use crate::app::credential::facts::Facts;
    use crate::app::credential::facts::RefreshPath;
    use crate::app::failure::{Failure, Kind as FailureKind};
    use crate::app::refresh::outcome::RefreshPolicy;
    use crate::app::status::Status;
    use crate::model::credential::Kind;
    use crate::model::grant::{GrantDigest, GrantStanding, Refusal};
    use crate::model::hint::Part;
    use crate::model::id::AgentId;
    use crate::model::secret::Secret;
    use crate::model::time::LocalTime;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const AGO: Timestamp = Timestamp(NOW.0 - DAY);

    fn spent() -> GrantStanding {
        let provider = ProviderId::parse("acme").unwrap();
        GrantStanding::Spent {
            since: AGO,
            successor: GrantDigest::of(&provider, &Secret::from("next")),
        }
    }

    fn in_ms(left: i64) -> Option<Timestamp> {
        Some(Timestamp(NOW.0 + left))
    }

    fn facts(renewal: Renewal) -> Facts {
        let provider = ProviderId::parse("acme").unwrap();
        let grant = GrantDigest::of(&provider, &Secret::from("rt"));
        Facts {
            profile: ProfileId::parse("acme:a").unwrap(),
            provider: Some(provider),
            owner: AgentId::main(),
            kind: Kind::OAuth,
            of_client: false,
            secret_present: true,
            secret_fault: None,
            is_reference: false,
            reference: None,
            is_sealed: false,
            refresh_present: renewal != Renewal::Never,
            moved: None,
            expires: None,
            renewal,
            grant: (renewal != Renewal::Never).then_some(grant),
            margin: Duration::ZERO,
            idle: Duration::MAX,
            path: RefreshPath::Open,
            logs_in: true,
            record: None,
            standing: GrantStanding::Good,
            successor: None,
            rests_until: None,
            local: LocalTime::utc(NOW),
        }
    }

    fn refused(renewal: Renewal) -> Facts {
        let refusal = Refusal {
            code: "invalid_grant".to_owned(),
            description: String::new(),
            status: 400,
        };
        Facts {
            standing: GrantStanding::Refused {
                refusal,
                at: in_ms(-1),
            },
            ..facts(renewal)
        }
    }

    fn profile(kind: Kind, expires: Option<Timestamp>, facts: Facts) -> ProfileHealth {
        let facts = Facts {
            kind,
            expires,
            ..facts
        };
        let assessment = assess(&facts, RefreshPolicy::MinValid(None), NOW);
        ProfileHealth {
            provider: "acme".into(),
            status: Status::Ok,
            assessment,
            email: None,
            fingerprint: None,
            unusable: None,
            facts,
        }
    }

    fn verb(hint: &Hint) -> String {
        let mut commands = hint.parts.iter().filter_map(|part| match part {
            Part::Command(command) => Some(command.words[2].clone()),
            Part::Text(_) => None,
        });
        commands.next().unwrap_or_default()
    }

    /// State, who must act, what is left, and the verb of the command.
    fn told(profile: ProfileHealth) -> Option<(State, Actor, Option<i64>, String)> {
        let coming = forecast(&[profile], &[], NOW).pop()?;
        let verb = coming.command.map(|hint| verb(&hint));
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
            (profile(Kind::OAuth, None, facts(Automatic)), None),
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
        assert_eq!(
            with(&|f| f.standing = GrantStanding::Revoked { at: AGO }),
            person(State::Revoked)
        );
        assert_eq!(with(&|f| f.standing = spent()), person(State::OldCopy));
        assert_eq!(
            with(&|f| f.standing = GrantStanding::InDoubt { since: AGO }),
            person(State::InDoubt)
        );
        let command = |state| Some((state, Actor::Command));
        // Any command that needs the token gets one by the refresh token.
        assert_eq!(with(&|f| f.secret_present = false), None);
        assert_eq!(with(&|f| f.rests_until = ago), command(State::Idle));
        assert_eq!(with(&|f| f.rests_until = in_ms(DAY)), command(State::Ok));
        assert_eq!(with(&|f| f.rests_until = in_ms(8 * DAY)), None);
    }

    #[test]
    fn what_is_broken_comes_first_and_then_the_soonest() {
        let token = |left| profile(Kind::Token, in_ms(left), facts(Renewal::Never));
        let doubtful = Facts {
            standing: GrantStanding::InDoubt { since: AGO },
            ..facts(Renewal::Automatic)
        };
        let doubtful = profile(Kind::OAuth, in_ms(DAY), doubtful);
        let needed = Outlook {
            provider: ProviderId::parse("anthropic").unwrap(),
            used: None,
            failure: Some(
                Failure::new(FailureKind::NeedsLogin, "nothing is stored")
                    .hint(Command::new("onboard")),
            ),
            has_candidates: false,
            is_unreadable: false,
        };
        let profiles = [token(2 * DAY), doubtful, token(HOUR), token(-HOUR)];
        let all = forecast(&profiles, &[needed], NOW);
        let states: Vec<State> = all.iter().map(|coming| coming.state).collect();
        let expected = [
            State::NotStored,
            State::Expired,
            State::InDoubt,
            State::Expiring,
            State::Ok,
        ];
        assert_eq!(states, expected);
        let advice = Command::new("onboard");
        assert_eq!(all[0].command, Some(advice.into()));
    }
}
