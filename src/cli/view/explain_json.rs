//! `models auth explain --json`. `docs/selection.md` describes every member.

use serde_json::{Value, json};

use super::explain::words;
use super::failure;
use crate::app::credential::reason_text::Reason;
use crate::app::credential::selector::{Pin, PinReason};
use crate::app::explain::{CandidateSource, Explained, ProfileRow, Report, Row, Standing};
use crate::cli::hint::Renderer;
use crate::model::inheritance::Inheritance;
use crate::model::selection::OrderSource;
use crate::model::time::Timestamp;

/// The version of the document; a member that is added does not change it.
const SCHEMA: u32 = 1;

/// The document.
pub fn document(report: &Report, hints: &Renderer) -> Value {
    let providers = report.providers.iter().map(|it| provider(it, hints));
    json!({
        "schema": SCHEMA,
        "agent": report.agent,
        "inheritance": report.inheritance.as_ref().map(Inheritance::as_str),
        "defaultModel": report.default_model,
        "providers": providers.collect::<Vec<_>>(),
        "shadows": report.shadows,
        "faults": report.faults,
    })
}

fn provider(explained: &Explained, hints: &Renderer) -> Value {
    let rows = explained.rows.iter().map(|it| row(it, hints));
    let order: Vec<Value> = explained.order.iter().map(source).collect();
    json!({
        "provider": explained.provider,
        "name": explained.name,
        "ofDefaultModel": explained.of_default_model,
        "used": explained.used,
        "preferred": explained.preferred.as_ref().map(preferred),
        "order": order.first(),
        "orderShadows": order.get(1..).unwrap_or_default(),
        "candidates": rows.collect::<Vec<_>>(),
        "shadows": explained.shadows,
        "failure": explained.failure.as_ref().map(|it| failure::json(it, hints)),
        "warnings": explained.warnings,
    })
}

fn source(source: &OrderSource) -> Value {
    match source {
        OrderSource::Override(agent) => json!({ "source": "agent", "agent": agent }),
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
        "profile": preferred.profile,
        "because": because,
        "by": by,
        "locked": preferred.locked,
    })
}

fn row(row: &Row, hints: &Renderer) -> Value {
    let reason = |reason: &Reason| json!({ "code": reason.code, "words": words(reason, hints) });
    let mut document = match &row.what {
        CandidateSource::Profile(profile) => json!({ "kind": "profile", "profile": profile.id }),
        CandidateSource::Variable {
            name, place, file, ..
        } => json!({
            "kind": "variable",
            "variable": name,
            "setIn": place,
            "file": file,
        }),
        CandidateSource::Software { source } => json!({ "kind": "software", "source": source }),
        CandidateSource::ConfigKey { member, file } => {
            json!({ "kind": "config", "member": member, "file": file })
        }
    };
    document["standing"] = json!(row.standing);
    document["inUse"] = json!(row.standing == Standing::Used);
    document["reason"] = reason(&row.reason);
    document["bill"] = json!(row.bill);
    match &row.what {
        CandidateSource::Profile(profile) => {
            if let Some(then) = &profile.then {
                document["then"] = reason(then);
            }
            of_profile(profile, &mut document);
        }
        CandidateSource::Variable { kind, .. } => document["type"] = json!(kind),
        CandidateSource::ConfigKey { .. } | CandidateSource::Software { .. } => {}
    }
    document
}

fn of_profile(profile: &ProfileRow, document: &mut Value) {
    let time = |time: Option<Timestamp>| json!(time.map(Timestamp::iso8601));
    let Some(stored) = &profile.stored else {
        return;
    };
    let facts = &stored.facts;
    document["type"] = json!(facts.kind);
    document["owner"] = json!(facts.owner);
    document["file"] = json!(stored.file);
    if facts.is_sealed {
        document["sealed"] = true.into();
    }
    document["account"] = json!(stored.account);
    document["renewal"] = json!(facts.renewal);
    document["expiresAt"] = time(facts.expires_at());
    document["unusableUntil"] = time(stored.unusable_until);
    if let Some((refusal, at)) = facts.refusal() {
        document["refusal"] = json!({
            "code": refusal.code,
            "description": refusal.description,
            "at": time(at),
        });
    }
    for (name, moment) in [
        ("revokedAt", facts.revoked_at()),
        ("movedAt", facts.moved.as_ref().map(|moved| moved.at)),
        ("spentSince", facts.spent_since()),
        ("unknownSince", facts.unknown_since()),
    ] {
        if moment.is_some() {
            document[name] = time(moment);
        }
    }
}
