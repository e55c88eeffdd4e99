//! `models status --json`: the document of the reference release, key for key, with what it never
//! knew under `openclaw`.

use serde_json::{Value, json};

use super::{failure, members, present, present_but};
use crate::app::credential::forecast::{ForecastEntry, HORIZON_MS};
use crate::app::credential::outlook::{Outlook, Used};
use crate::app::status::{ProfileHealth, Report, WARN_AFTER_MS};
use crate::cli::hint::Renderer;
use crate::model::time::Timestamp;
use crate::model::usage::Unusable;

/// The document.
pub fn render(report: &Report, hints: &Renderer) -> String {
    let models = &report.models;
    let source = |own| if own { "agent" } else { "defaults" };
    let model_config = models.from_agent.map(|(primary, fallbacks)| {
        json!({ "defaultSource": source(primary), "fallbacksSource": source(fallbacks) })
    });
    let document = json!({
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
        "auth": auth(report),
        "openclaw": facts(report, hints),
    });
    super::pretty(&present_but(document, "imageModel"))
}

fn auth(report: &Report) -> Value {
    let health = &report.health;
    let profiles = health.profiles.iter().map(|it| profile(it, report.at));
    let profiles: Vec<Value> = profiles.collect();
    let providers = health.providers.iter().map(|provider| {
        let mine = provider.profiles.iter().map(|&place| &profiles[place]);
        json!({
            "provider": provider.provider,
            "status": provider.status,
            "profiles": mine.collect::<Vec<_>>(),
            "expiresAt": provider.expires,
            "remainingMs": provider.expires.map(|end| report.at.until(end)),
        })
    });
    present(json!({
        "storePath": report.store_path,
        "shellEnvFallback": { "enabled": report.shell_env, "appliedKeys": report.from_shell },
        "providersWithOAuth": with_logins(report),
        "missingProvidersInUse": report.missing,
        "providers": report.providers,
        "unusableProfiles": unusable(report),
        "oauth": {
            "warnAfterMs": WARN_AFTER_MS,
            "profiles": profiles,
            "providers": providers.collect::<Vec<_>>(),
        },
        "probes": report.probes,
    }))
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
            "provider": health.provider,
            "kind": unusable.kind(),
            "reason": unusable.disabled,
            "until": unusable.until,
            "remainingMs": report.at.until(unusable.until),
        })
    });
    rows.collect()
}

fn profile(health: &ProfileHealth, at: Timestamp) -> Value {
    let expires = health.facts.expires_at();
    json!({
        "profileId": health.facts.profile,
        "provider": health.provider,
        "type": health.facts.kind,
        "status": health.status,
        "expiresAt": expires,
        "remainingMs": expires.map(|end| at.until(end)),
        "source": "store",
        "label": health.label,
    })
}

/// What the reference release never knew: facts, not one word.
fn facts(report: &Report, hints: &Renderer) -> Value {
    let profiles = report.health.profiles.iter().map(|health| {
        let facts = &health.facts;
        json!({
            "profileId": facts.profile,
            "owner": facts.owner,
            "ownerFile": report.location_of(&facts.owner),
            "inUse": report.is_in_use(&facts.profile),
            "secretPresent": facts.secret_present,
            "isReference": facts.is_reference,
            "refreshPresent": facts.refresh_present,
            "renewal": facts.renewal,
            "accessValidUntil": facts.expires_at(),
            "refreshProvenAt": facts.proven_at(),
            "lastRefusal": facts.refusal().map(|(refusal, at)| json!({
                "code": refusal.code,
                "description": refusal.description,
                "httpStatus": (refusal.status != 0).then_some(refusal.status),
                "at": at,
            })),
            "lastFailure": facts.last_failure().map(|(at, reason)| json!({
                "at": at,
                "reason": reason,
                "attempts": facts.failures(),
            })),
            "outcomeUnknownSince": facts.unknown_since(),
            "spentSince": facts.spent_since(),
            "revokedAt": facts.revoked_at(),
            "restsUntil": facts.rests_until,
            "state": health.assessment.state.as_str(),
        })
    });
    json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "agentId": report.agent,
        "inheritance": report.inheritance.as_ref().map(|(inheritance, _)| json!({
            "mode": inheritance.as_str(),
            "profiles": inheritance.links(),
        })),
        "profiles": profiles.collect::<Vec<_>>(),
        "providers": report.outlooks.iter().map(|it| outlook(it, hints)).collect::<Vec<_>>(),
        "faults": report.faults.iter().map(|fault| hints.text(fault)).collect::<Vec<_>>(),
        "forecast": {
            "withinMs": HORIZON_MS,
            "items": report.forecast.iter().map(|it| coming(it, hints)).collect::<Vec<_>>(),
        },
    })
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
