//! What became of every grant we refreshed: one small file per grant, without secrets.
//!
//! An attempt is written down before its request is sent. One that is found open later means that
//! the process died on the way and the token may be spent. The journal is advice: a file that is
//! damaged counts as absent, for a credential must never be locked out by it.

use serde::{Deserialize, Serialize};

use crate::model::grant::{Attempt, Binding, GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files};

use super::paths::StorePaths;

const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    schema: u32,
    grant: String,
    provider: String,
    profile: String,
    token_endpoint: Option<String>,
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    proven_at: Option<i64>,
    attempt: Option<PageAttempt>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageAttempt {
    begun_at: i64,
    settled_at: Option<i64>,
    outcome: Option<PageOutcome>,
    #[serde(default)]
    failures: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
enum PageOutcome {
    Stored {
        successor: String,
    },
    Refused {
        code: String,
        description: String,
        status: u16,
    },
    Revoked,
    Passing {
        reason: String,
        retry_at: Option<i64>,
    },
    Unknown {
        reason: String,
    },
}

/// The record of a grant, if there is a readable one.
pub(super) fn read(
    files: &dyn Files,
    paths: &StorePaths,
    grant: &GrantDigest,
) -> Result<Option<GrantRecord>, FileError> {
    let bytes = files.read(&paths.record(grant))?;
    let page: Option<Page> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(page
        .and_then(from_page)
        .filter(|record| record.grant == *grant))
}

/// Writes a record durably.
pub(super) fn write(
    files: &dyn Files,
    paths: &StorePaths,
    record: &GrantRecord,
) -> Result<(), FileError> {
    let target = paths.record(&record.grant);
    files.create_dirs(&paths.journal())?;
    let bytes = serde_json::to_vec_pretty(&to_page(record)).map_err(|error| FileError {
        operation: "write",
        path: target.clone(),
        source: error.into(),
    })?;
    match files.replace(&target, &bytes) {
        // Whoever reads it from now on sees it, and a loss of power costs only advice.
        Err(error) if error.is_in_place() => Ok(()),
        other => other,
    }
}

fn to_page(record: &GrantRecord) -> Page {
    let binding = record.binding.as_ref();
    Page {
        schema: SCHEMA,
        grant: record.grant.to_string(),
        provider: record.provider.to_string(),
        profile: record.profile.to_string(),
        token_endpoint: binding.map(|b| b.token_endpoint.clone()),
        client_id: binding.map(|b| b.client_id.clone()),
        subject: record.subject.clone(),
        revocation_endpoint: record.revocation_endpoint.clone(),
        proven_at: record.proven_at.map(|time| time.0),
        attempt: record.attempt.as_ref().map(|attempt| PageAttempt {
            begun_at: attempt.begun_at.0,
            settled_at: attempt.settled_at.map(|time| time.0),
            outcome: attempt.outcome.clone().map(to_outcome),
            failures: attempt.failures,
        }),
    }
}

fn to_outcome(outcome: RefreshOutcome) -> PageOutcome {
    match outcome {
        RefreshOutcome::Stored { successor } => PageOutcome::Stored {
            successor: successor.to_string(),
        },
        RefreshOutcome::Refused(refusal) => PageOutcome::Refused {
            code: refusal.code,
            description: refusal.description,
            status: refusal.status,
        },
        RefreshOutcome::Revoked => PageOutcome::Revoked,
        RefreshOutcome::Passing { reason, retry_at } => PageOutcome::Passing {
            reason,
            retry_at: retry_at.map(|time| time.0),
        },
        RefreshOutcome::Unknown { reason } => PageOutcome::Unknown { reason },
    }
}

fn from_page(page: Page) -> Option<GrantRecord> {
    if page.schema != SCHEMA {
        return None;
    }
    let binding = page.token_endpoint.zip(page.client_id);
    let attempt = match page.attempt {
        None => None,
        Some(attempt) => Some(Attempt {
            begun_at: Timestamp(attempt.begun_at),
            settled_at: attempt.settled_at.map(Timestamp),
            outcome: match attempt.outcome {
                None => None,
                Some(outcome) => Some(from_outcome(outcome)?),
            },
            failures: attempt.failures,
        }),
    };
    Some(GrantRecord {
        grant: GrantDigest::parse(&page.grant)?,
        provider: ProviderId::parse(&page.provider).ok()?,
        profile: ProfileId::parse(&page.profile).ok()?,
        binding: binding.map(|(token_endpoint, client_id)| Binding {
            token_endpoint,
            client_id,
        }),
        subject: page.subject,
        revocation_endpoint: page.revocation_endpoint,
        proven_at: page.proven_at.map(Timestamp),
        attempt,
    })
}

fn from_outcome(outcome: PageOutcome) -> Option<RefreshOutcome> {
    Some(match outcome {
        PageOutcome::Stored { successor } => RefreshOutcome::Stored {
            successor: GrantDigest::parse(&successor)?,
        },
        PageOutcome::Refused {
            code,
            description,
            status,
        } => RefreshOutcome::Refused(Refusal {
            code,
            description,
            status,
        }),
        PageOutcome::Revoked => RefreshOutcome::Revoked,
        PageOutcome::Passing { reason, retry_at } => RefreshOutcome::Passing {
            reason,
            retry_at: retry_at.map(Timestamp),
        },
        PageOutcome::Unknown { reason } => RefreshOutcome::Unknown { reason },
    })
}
