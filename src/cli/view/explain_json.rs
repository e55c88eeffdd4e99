//! `models auth explain --json`. `docs/selection.md` describes every member.

use serde_json::{Map, Value, json};

use crate::app::credential::reason_text::Reason;
use crate::app::credential::selector::{Pin, PinReason};
use crate::app::explain::{CandidateSource, Explained, ProfileRow, Report, Row, Shadow, Stored};
use crate::cli::exit_code;
use crate::model::inheritance::Inheritance;
use crate::model::selection::OrderSource;
use crate::model::time::Timestamp;

/// The version of the document; a member that is added does not change it.
const SCHEMA: u32 = 1;

/// The document.
pub fn document(report: &Report) -> Value {
    json!({
        "schema": SCHEMA,
        "agent": report.agent.as_str(),
        "inheritance": report.inheritance.as_ref().map(Inheritance::as_str),
        "defaultModel": report.default_model,
        "providers": report.providers.iter().map(provider).collect::<Vec<_>>(),
        "shadows": shadows(&report.shadows),
        "faults": report.faults,
    })
}

fn provider(explained: &Explained) -> Value {
    let order: Vec<Value> = explained.order.iter().map(source).collect();
    let failure = explained.failure.as_ref().map(|failure| {
        json!({
            "kind": exit_code::name(failure.kind),
            "message": failure.message,
            "hint": failure.hint,
        })
    });
    json!({
        "provider": explained.provider.as_str(),
        "name": explained.name,
        "ofDefaultModel": explained.of_default_model,
        "used": explained.used,
        "preferred": explained.preferred.as_ref().map(preferred),
        "order": order.first(),
        "orderShadows": order.get(1..).unwrap_or_default(),
        "candidates": explained.rows.iter().map(row).collect::<Vec<_>>(),
        "shadows": shadows(&explained.shadows),
        "failure": failure,
        "warnings": explained.warnings,
    })
}

fn source(source: &OrderSource) -> Value {
    match source {
        OrderSource::Override(agent) => json!({ "source": "agent", "agent": agent.as_str() }),
        OrderSource::AuthOrder => json!({ "source": "auth.order" }),
        OrderSource::AuthProfiles => json!({ "source": "auth.profiles" }),
        OrderSource::Stored => json!({ "source": "stored" }),
    }
}

fn preferred(preferred: &Pin) -> Value {
    let (because, by) = match &preferred.because {
        PinReason::Profile => ("profile", None),
        PinReason::Model => ("model", None),
        PinReason::Session(key) => ("session", Some(key.clone())),
        PinReason::Directory(path) => ("directory", Some(path.display().to_string())),
    };
    json!({
        "profile": preferred.profile.as_str(),
        "because": because,
        "by": by,
        "locked": preferred.locked,
    })
}

fn shadows(shadows: &[Shadow]) -> Vec<Value> {
    let shadow = |shadow: &Shadow| json!({ "what": shadow.what, "by": shadow.by });
    shadows.iter().map(shadow).collect()
}

fn row(row: &Row) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    match &row.what {
        CandidateSource::Profile(profile) => {
            set("kind", json!("profile"));
            set("profile", json!(profile.id.as_str()));
        }
        CandidateSource::Variable {
            name, place, file, ..
        } => {
            set("kind", json!("variable"));
            set("variable", json!(name));
            set("setIn", json!(place.as_str()));
            set("file", json!(file));
        }
        CandidateSource::Software { source } => {
            set("kind", json!("software"));
            set("source", json!(source));
        }
        CandidateSource::ConfigKey { member, file } => {
            set("kind", json!("config"));
            set("member", json!(member));
            set("file", json!(file));
        }
    }
    set("standing", json!(row.standing.as_str()));
    set("reason", reason(&row.reason));
    set("bill", json!(row.bill.as_str()));
    match &row.what {
        CandidateSource::Profile(profile) => of_profile(profile, &mut set),
        CandidateSource::Variable { kind, .. } => {
            set("type", json!(kind.as_str()));
        }
        CandidateSource::ConfigKey { .. } | CandidateSource::Software { .. } => {}
    }
    Value::Object(object)
}

fn reason(reason: &Reason) -> Value {
    json!({ "code": reason.code, "words": reason.words })
}

fn of_profile(profile: &ProfileRow, set: &mut dyn FnMut(&str, Value) -> Option<Value>) {
    let time = |time: Option<Timestamp>| json!(time.map(Timestamp::iso8601));
    if let Some(then) = &profile.then {
        set("then", reason(then));
    }
    let Some(stored) = &profile.stored else {
        return;
    };
    let Stored { account, facts, .. } = stored;
    set("type", json!(stored.kind.as_str()));
    set("owner", json!(stored.owner.as_str()));
    set("file", json!(stored.file));
    set(
        "account",
        json!({ "email": account.email, "id": account.id, "plan": account.plan }),
    );
    set("renewal", json!(facts.renewal.as_str()));
    set("expiresAt", time(stored.expires));
    set("unusableUntil", time(stored.unusable_until));
    if let Some((refusal, at)) = &facts.refusal {
        set(
            "refusal",
            json!({ "code": refusal.code, "description": refusal.description, "at": time(*at) }),
        );
    }
    for (name, moment) in [
        ("revokedAt", facts.revoked_at),
        ("spentSince", facts.spent_since),
        ("unknownSince", facts.unknown_since),
    ] {
        if moment.is_some() {
            set(name, time(moment));
        }
    }
}
