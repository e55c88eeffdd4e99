//! `models status --json`: the document of the reference release, key for key, with what it never
//! knew under `openclaw`.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{failure, members, present, present_but};
use crate::app::credential::facts::Renewal;
use crate::app::credential::forecast::{ForecastEntry, HORIZON_MS};
use crate::app::credential::outlook::{Outlook, Used};
use crate::app::status::{ProfileHealth, Report, Status, WARN_AFTER_MS};
use crate::cli::hint::Renderer;
use crate::model::credential::Kind;
use crate::model::id::{AgentId, ProfileId};
use crate::model::time::Timestamp;
use crate::model::usage::Unusable;
use crate::ports::store::Location;

/// The document. Its long lists are written from what the report holds: as trees of values they take
/// most of the time where there are thousands of profiles.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: Value,
    auth: Auth<'a>,
    openclaw: Facts<'a>,
}

/// What the reference release reports of the credentials.
#[derive(Serialize)]
struct Auth<'a> {
    #[serde(flatten)]
    head: Value,
    oauth: Health<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probes: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health<'a> {
    warn_after_ms: i64,
    profiles: Vec<Profile<'a>>,
    providers: Vec<Provider<'a>>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    profile_id: &'a ProfileId,
    provider: &'a str,
    r#type: Kind,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<i64>,
    source: &'static str,
    label: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider<'a> {
    provider: &'a str,
    status: Status,
    profiles: Vec<Profile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<i64>,
}

/// What the reference release never knew: facts, not one word.
#[derive(Serialize)]
struct Facts<'a> {
    #[serde(flatten)]
    head: Value,
    profiles: Vec<ProfileFacts<'a>>,
    #[serde(flatten)]
    rest: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileFacts<'a> {
    profile_id: &'a ProfileId,
    owner: &'a AgentId,
    owner_file: &'a Location,
    in_use: bool,
    secret_present: bool,
    fingerprint: Option<&'a str>,
    is_reference: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sealed: bool,
    refresh_present: bool,
    renewal: Renewal,
    access_valid_until: Option<Timestamp>,
    refresh_proven_at: Option<Timestamp>,
    last_refusal: Option<Value>,
    last_failure: Option<Value>,
    outcome_unknown_since: Option<Timestamp>,
    spent_since: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    state: &'static str,
}

/// Writes the document, and ends its last line.
///
/// # Errors
/// If it cannot be written.
pub fn write(to: &mut impl Write, report: &Report, hints: &Renderer) -> io::Result<()> {
    let models = &report.models;
    let source = |own| if own { "agent" } else { "defaults" };
    let model_config = models.from_agent.map(|(primary, fallbacks)| {
        json!({ "defaultSource": source(primary), "fallbacksSource": source(fallbacks) })
    });
    let head = json!({
        "configPath": report.config_path,
        "agentId": report.agent_named.then_some(&report.agent),
        "agentDir": report.agent_dir,
        "defaultModel": models.default,
        "resolvedDefault": models.resolved,
        "fallbacks": models.fallbacks,
        "imageModel": models.image,
        "imageFallbacks": models.image_fallbacks,
        "modelConfig": model_config,
        "aliases": members(&models.aliases),
        "allowed": models.allowed,
    });
    let document = Document {
        head: present_but(head, "imageModel"),
        auth: auth(report),
        openclaw: facts(report, hints),
    };
    super::write_pretty(to, &document)?;
    to.write_all(b"\n")
}

fn auth(report: &Report) -> Auth<'_> {
    let health = &report.health;
    let profiles = health.profiles.iter().map(|it| profile(it, report.at));
    let profiles: Vec<Profile<'_>> = profiles.collect();
    let providers = health.providers.iter().map(|provider| {
        let mine = provider.profiles.iter().map(|&place| &profiles[place]);
        Provider {
            provider: &provider.provider,
            status: provider.status,
            profiles: mine.cloned().collect(),
            expires_at: provider.expires,
            remaining_ms: provider.expires.map(|end| report.at.until(end)),
        }
    });
    let providers = providers.collect();
    let head = json!({
        "storePath": report.store_path,
        "shellEnvFallback": { "enabled": report.shell_env, "appliedKeys": report.from_shell },
        "providersWithOAuth": with_logins(report),
        "missingProvidersInUse": report.missing,
        "providers": report.providers,
        "unusableProfiles": unusable(report),
    });
    Auth {
        head: present(head),
        oauth: Health {
            warn_after_ms: WARN_AFTER_MS,
            profiles,
            providers,
        },
        probes: (report.probes.as_ref()).map(|probes| present(json!(probes))),
    }
}

/// `provider (n)` for each provider with logins, those from the environment counted.
fn with_logins(report: &Report) -> Vec<String> {
    let rows = report.providers.iter().filter_map(|row| {
        let from_env = row
            .env
            .as_ref()
            .is_some_and(|env| env.value == "OAuth (env)");
        let count = row.profiles.oauth + row.profiles.token + usize::from(from_env);
        (count > 0).then(|| format!("{} ({count})", row.provider))
    });
    rows.collect()
}

/// The profiles that cool down or are disabled, the soonest to recover first.
fn unusable(report: &Report) -> Vec<Value> {
    let profiles = report.health.profiles.iter();
    let unusable = profiles.filter_map(|health| Some((health, health.unusable.as_ref()?)));
    let mut unusable: Vec<(&ProfileHealth, &Unusable)> = unusable.collect();
    unusable.sort_by_key(|(_, unusable)| unusable.until);
    let rows = unusable.into_iter().map(|(health, unusable)| {
        json!({
            "profileId": health.facts.profile,
            "provider": *health.provider,
            "kind": unusable.kind(),
            "reason": unusable.disabled,
            "until": unusable.until,
            "remainingMs": report.at.until(unusable.until),
        })
    });
    rows.collect()
}

fn profile(health: &ProfileHealth, at: Timestamp) -> Profile<'_> {
    let expires_at = health.facts.expires_at();
    Profile {
        profile_id: &health.facts.profile,
        provider: &health.provider,
        r#type: health.facts.kind,
        status: health.status,
        expires_at,
        remaining_ms: expires_at.map(|end| at.until(end)),
        source: "store",
        label: health.label(),
    }
}

fn facts<'a>(report: &'a Report, hints: &Renderer) -> Facts<'a> {
    let in_use = report.in_use();
    let profiles = report.health.profiles.iter().map(|health| {
        let facts = &health.facts;
        ProfileFacts {
            profile_id: &facts.profile,
            owner: &facts.owner,
            owner_file: report.location_of(&facts.owner),
            in_use: in_use.contains(&facts.profile),
            secret_present: facts.secret_present,
            fingerprint: health.fingerprint.as_deref(),
            is_reference: facts.is_reference || facts.reference.is_some(),
            sealed: facts.is_sealed,
            refresh_present: facts.refresh_present,
            renewal: facts.renewal,
            access_valid_until: facts.expires_at(),
            refresh_proven_at: facts.proven_at(),
            last_refusal: facts.refusal().map(|(refusal, at)| {
                json!({
                    "code": refusal.code,
                    "description": refusal.description,
                    "httpStatus": (refusal.status != 0).then_some(refusal.status),
                    "at": at,
                })
            }),
            last_failure: facts.last_failure().map(|(at, reason)| {
                json!({
                    "at": at,
                    "reason": reason,
                    "attempts": facts.failures(),
                })
            }),
            outcome_unknown_since: facts.unknown_since(),
            spent_since: facts.spent_since(),
            revoked_at: facts.revoked_at(),
            moved_at: facts.moved.as_ref().map(|moved| moved.at),
            rests_until: facts.rests_until,
            state: health.assessment.state.as_str(),
        }
    });
    Facts {
        head: json!({
            "schema": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "agentId": report.agent,
            "inheritance": report.inheritance.as_ref().map(|(inheritance, _)| json!({
                "mode": inheritance.as_str(),
                "profiles": inheritance.links(),
            })),
        }),
        profiles: profiles.collect(),
        rest: json!({
            "providers": report.outlooks.iter().map(|it| outlook(it, hints)).collect::<Vec<_>>(),
            "faults": report.faults.iter().map(|fault| hints.text(fault)).collect::<Vec<_>>(),
            "forecast": {
                "withinMs": HORIZON_MS,
                "items": report.forecast.iter().map(|it| coming(it, hints)).collect::<Vec<_>>(),
            },
        }),
    }
}

/// What `token --provider` would do.
fn outlook(outlook: &Outlook, hints: &Renderer) -> Value {
    let source = match &outlook.used {
        Some(Used::Outside(source)) => Some(source),
        _ => None,
    };
    let failure = outlook.failure.as_ref().filter(|_| outlook.used.is_none());
    json!({
        "provider": outlook.provider.as_str(),
        "usable": outlook.used.is_some(),
        "profileId": outlook.profile(),
        "source": source,
        "failure": failure.map(|it| failure::json(it, hints)),
    })
}

/// One thing that has stopped working or will.
fn coming(coming: &ForecastEntry, hints: &Renderer) -> Value {
    json!({
        "provider": coming.provider,
        "profileId": coming.profile,
        "state": coming.state.as_str(),
        "isNow": coming.trouble.is_some(),
        "at": coming.at,
        "remainingMs": coming.remaining,
        "who": coming.actor,
        "command": coming.command.as_ref().map(|hint| hints.text(hint)),
    })
}
