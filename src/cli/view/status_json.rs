//! `models status --json`: the document of the reference release, key for key, with what it never
//! knew under `openclaw`.

use serde_json::{Map, Value, json};

use crate::app::credential::forecast::{ForecastEntry, HORIZON_MS};
use crate::app::credential::outlook::{Outlook, Used};
use crate::app::status::{
    ProfileHealth, ProviderHealth, ProviderRow, Report, UnusableRow, WARN_AFTER_MS,
};
use crate::cli::exit_code;
use crate::cli::hint::Renderer;
use crate::model::id::ProfileId;

/// The document.
pub fn render(report: &Report, hints: &Renderer) -> String {
    let models = &report.models;
    let mut root = Map::new();
    let mut set = |key: &str, value: Value| {
        root.insert(key.to_owned(), value);
    };
    set("configPath", json!(report.config_path));
    if report.agent_named {
        set("agentId", json!(report.agent.as_str()));
    }
    set("agentDir", json!(report.agent_dir));
    set("defaultModel", json!(models.default));
    set("resolvedDefault", json!(models.resolved));
    set("fallbacks", json!(models.fallbacks));
    set("imageModel", json!(models.image));
    set("imageFallbacks", json!(models.image_fallbacks));
    if let Some((primary, fallbacks)) = models.from_agent {
        let source = |own| if own { "agent" } else { "defaults" };
        set(
            "modelConfig",
            json!({ "defaultSource": source(primary), "fallbacksSource": source(fallbacks) }),
        );
    }
    let aliases: Map<String, Value> = models
        .aliases
        .iter()
        .map(|(alias, reference)| (alias.clone(), json!(reference)))
        .collect();
    set("aliases", Value::Object(aliases));
    set("allowed", json!(models.allowed));
    set("auth", auth(report));
    set("openclaw", facts(report, hints));
    super::pretty(&Value::Object(root))
}

fn auth(report: &Report) -> Value {
    let health = &report.health;
    let mut auth = json!({
        "storePath": report.store_path,
        "shellEnvFallback": { "enabled": report.shell_env, "appliedKeys": report.from_shell },
        "providersWithOAuth": with_logins(report),
        "missingProvidersInUse": report.missing,
        "providers": report.providers.iter().map(provider).collect::<Vec<_>>(),
        "unusableProfiles": report.unusable.iter().map(unusable).collect::<Vec<_>>(),
        "oauth": {
            "warnAfterMs": WARN_AFTER_MS,
            "profiles": health.profiles.iter().map(profile).collect::<Vec<_>>(),
            "providers": health
                .providers
                .iter()
                .map(|provider| provider_health(provider, &health.profiles))
                .collect::<Vec<_>>(),
        },
    });
    if let Some(probes) = &report.probes {
        auth["probes"] = super::probe::json(probes);
    }
    auth
}

/// `provider (n)` for each provider with logins, those from the environment counted.
pub(super) fn with_logins(report: &Report) -> Vec<String> {
    let rows = report.providers.iter().filter_map(|row| {
        let from_env = row
            .env
            .as_ref()
            .is_some_and(|env| env.value == "OAuth (env)");
        let count = row.counts.oauth + row.counts.token + usize::from(from_env);
        (count > 0).then(|| format!("{} ({count})", row.provider))
    });
    rows.collect()
}

fn provider(row: &ProviderRow) -> Value {
    let counts = row.counts;
    let mut object = Map::new();
    object.insert("provider".into(), json!(row.provider));
    object.insert(
        "effective".into(),
        json!({ "kind": row.effective.kind, "detail": row.effective.detail }),
    );
    object.insert(
        "profiles".into(),
        json!({
            "count": counts.oauth + counts.token + counts.api_key,
            "oauth": counts.oauth,
            "token": counts.token,
            "apiKey": counts.api_key,
            "labels": row.labels,
        }),
    );
    for (key, sourced) in [("env", &row.env), ("modelsJson", &row.config)] {
        if let Some(sourced) = sourced {
            let value = json!({ "value": sourced.value, "source": sourced.source });
            object.insert(key.into(), value);
        }
    }
    Value::Object(object)
}

fn unusable(row: &UnusableRow) -> Value {
    let mut object = Map::new();
    object.insert("profileId".into(), json!(row.id.as_str()));
    object.insert("provider".into(), json!(row.provider));
    let kind = if row.disabled.is_some() {
        "disabled"
    } else {
        "cooldown"
    };
    object.insert("kind".into(), json!(kind));
    if let Some(Some(reason)) = &row.disabled {
        object.insert("reason".into(), json!(reason));
    }
    object.insert("until".into(), json!(row.until.0));
    object.insert("remainingMs".into(), json!(row.remaining));
    Value::Object(object)
}

fn profile(health: &ProfileHealth) -> Value {
    let mut object = Map::new();
    object.insert("profileId".into(), json!(health.id.as_str()));
    object.insert("provider".into(), json!(health.provider));
    object.insert("type".into(), json!(health.kind.as_str()));
    object.insert("status".into(), json!(health.status.as_str()));
    if let (Some(expires), Some(remaining)) = (health.expires, health.remaining) {
        object.insert("expiresAt".into(), json!(expires.0));
        object.insert("remainingMs".into(), json!(remaining));
    }
    object.insert("source".into(), json!("store"));
    object.insert("label".into(), json!(health.label));
    Value::Object(object)
}

fn provider_health(health: &ProviderHealth, profiles: &[ProfileHealth]) -> Value {
    let mine: Vec<&ProfileHealth> = health
        .profiles
        .iter()
        .map(|&place| &profiles[place])
        .collect();
    let mut object = Map::new();
    object.insert("provider".into(), json!(health.provider));
    object.insert("status".into(), json!(health.status.as_str()));
    let documents: Vec<Value> = mine.iter().map(|health| profile(health)).collect();
    object.insert("profiles".into(), Value::Array(documents));
    if let (Some(expires), Some(remaining)) = (health.expires, health.remaining) {
        object.insert("expiresAt".into(), json!(expires.0));
        object.insert("remainingMs".into(), json!(remaining));
    }
    Value::Object(object)
}

/// What the reference release never knew: facts, not one word.
fn facts(report: &Report, hints: &Renderer) -> Value {
    let profiles = report.health.profiles.iter().map(|health| {
        let facts = &health.facts;
        json!({
            "profileId": health.id.as_str(),
            "owner": facts.owner.as_str(),
            "ownerFile": facts.file,
            "secretPresent": facts.secret_present,
            "isReference": facts.is_reference,
            "refreshPresent": facts.refresh_present,
            "renewal": facts.renewal.as_str(),
            "accessValidUntil": health.expires.map(|time| time.0),
            "refreshProvenAt": facts.proven_at().map(|time| time.0),
            "lastRefusal": facts.refusal().map(|(refusal, at)| json!({
                "code": refusal.code,
                "description": refusal.description,
                "httpStatus": (refusal.status != 0).then_some(refusal.status),
                "at": at.map(|time| time.0),
            })),
            "outcomeUnknownSince": facts.unknown_since().map(|time| time.0),
            "spentSince": facts.spent_since().map(|time| time.0),
            "revokedAt": facts.revoked_at().map(|time| time.0),
            "restsUntil": facts.rests_until.map(|time| time.0),
            "state": health.assessment.state.as_str(),
        })
    });
    json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "agentId": report.agent.as_str(),
        "inheritance": report.inheritance.as_ref().map(|(inheritance, _)| json!({
            "mode": inheritance.as_str(),
            "profiles": inheritance.links().iter().map(ProfileId::as_str).collect::<Vec<_>>(),
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
    json!({
        "provider": outlook.provider.as_str(),
        "usable": outlook.used.is_some(),
        "profileId": outlook.profile().map(ProfileId::as_str),
        "source": source,
        "failure": outlook.failure.as_ref().filter(|_| outlook.used.is_none()).map(|failure| json!({
            "kind": exit_code::name(failure.kind),
            "message": failure.to_string(),
            "hint": failure.hint.as_ref().map(|hint| hints.text(hint)),
        })),
    })
}

/// One thing that has stopped working or will.
fn coming(coming: &ForecastEntry, hints: &Renderer) -> Value {
    json!({
        "provider": coming.provider,
        "profileId": coming.profile.as_ref().map(ProfileId::as_str),
        "state": coming.state.as_str(),
        "isNow": coming.trouble.is_some(),
        "at": coming.at.map(|time| time.0),
        "remainingMs": coming.remaining,
        "who": coming.actor.as_str(),
        "command": coming.command.as_ref().map(|hint| hints.text(hint)),
    })
}
