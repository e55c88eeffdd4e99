//! One probe: makes the token valid, sends the request, judges the response.

use std::time::Duration;

use super::options::Options;
use super::outcome::Outcome;
use super::verdict::{self, Status};
use crate::app::batch::Job;
use crate::app::context::Context;
use crate::app::credential::facts_reader::as_login;
use crate::app::failure::{Failure, Kind as FailureKind, StoreEffect};
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::outcome::{RefreshPolicy, RefreshResult};
use crate::model::credential::{Credential, OAuth};
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::provider::{Carrier, Probe, ProbeRoute, Provider, fill_body};
use crate::model::secret::Secret;
use crate::oauth::error::error_text;
use crate::ports::http::{HttpError, HttpErrorKind, Method, Patience, Request, Response};

/// The longest text of a failure that is shown, in characters.
pub(super) const WORDS: usize = 300;

/// A credential to try.
pub(super) struct Target {
    /// The result so far.
    pub(super) outcome: Outcome,
    pub(super) provider: Provider,
    pub(super) probe: Probe,
    pub(super) way: ProbeRoute,
    pub(super) what: ProbedCredential,
}

/// The place of a credential.
pub(super) enum ProbedCredential {
    Profile {
        owner: AgentId,
        id: ProfileId,
        credential: Box<Credential>,
        /// What the reference in the place of its secret led to.
        referred: Option<Secret<String>>,
    },
    Key(Secret<String>),
}

/// A credential when it is sent.
struct Resolved {
    secret: Option<Secret<String>>,
    credential: Option<Credential>,
    refreshed: bool,
}

impl Target {
    /// Two profiles of one grant follow one another: the second would only wait for the first.
    pub(super) fn job(&self) -> Job {
        let grant = match &self.what {
            ProbedCredential::Key(_) => None,
            ProbedCredential::Profile { credential, .. } => {
                credential.as_oauth().and_then(OAuth::grant)
            }
        };
        Job {
            grant,
            ..Job::default()
        }
    }

    /// Probes it; the second value is whether its token was refreshed for that.
    pub(super) fn probe(&self, cx: Context<'_>, options: &Options) -> (Outcome, bool) {
        // What a refresh spends must be stored, so it has the limits of every refresh, and the
        // clock of the probe starts behind it.
        let Resolved {
            secret,
            credential,
            refreshed,
        } = match self.living(cx) {
            Ok(living) => living,
            Err(failure) => {
                let renewed = failure.touched == StoreEffect::Changed;
                return (self.without_token(&failure), renewed);
            }
        };
        let Some(secret) = secret else {
            return (self.outcome.missing(), refreshed);
        };
        let secret = Secret::from(secret.expose().trim());
        let request = self.request(&secret, credential.as_ref(), options);
        let begun = cx.clock.monotonic();
        let stop = || cx.interrupt.pending().is_some();
        let patience = Patience {
            limit: options.timeout(),
            stop: &stop,
        };
        let answer = cx.http.send_within(&request, &patience);
        let took = cx.clock.monotonic().saturating_sub(begun);
        (self.judged(answer, &secret, took), refreshed)
    }

    fn living(&self, cx: Context<'_>) -> Result<Resolved, Failure> {
        let living = |credential: &Credential, refreshed| Resolved {
            secret: credential.bearer().cloned(),
            credential: Some(credential.clone()),
            refreshed,
        };
        let (owner, id, credential) = match &self.what {
            ProbedCredential::Key(key) => {
                return Ok(Resolved {
                    secret: Some(key.clone()),
                    credential: None,
                    refreshed: false,
                });
            }
            ProbedCredential::Profile {
                owner,
                id,
                credential,
                referred: None,
            } => (owner, id, credential),
            ProbedCredential::Profile {
                credential,
                referred: Some(secret),
                ..
            } => {
                return Ok(Resolved {
                    secret: Some(secret.clone()),
                    ..living(credential, false)
                });
            }
        };
        let login = as_login(credential).filter(|_| self.provider.refresh.automatic);
        let Some(login) = login else {
            return Ok(living(credential, false));
        };
        let policy = RefreshPolicy::MinValid(None);
        let kept = ensure_fresh(cx, owner, id, &self.provider, policy, &login)?;
        let refreshed = matches!(
            kept.how,
            RefreshResult::Refreshed | RefreshResult::RefreshedElsewhere
        );
        Ok(living(&Credential::OAuth(kept.credential), refreshed))
    }

    fn without_token(&self, failure: &Failure) -> Outcome {
        let status = match failure.kind {
            FailureKind::NeedsLogin | FailureKind::Locked => Status::Auth,
            _ => verdict::of_words(&failure.to_string()).unwrap_or(Status::Unknown),
        };
        Outcome {
            status,
            error: Some(printable(&failure.to_string(), WORDS)),
            ..self.outcome.clone()
        }
    }

    fn request(
        &self,
        secret: &Secret<String>,
        credential: Option<&Credential>,
        options: &Options,
    ) -> Request {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            match &self.way.carrier {
                Carrier::Scheme(word) => {
                    let value = format!("{word} {}", secret.expose());
                    ("authorization".to_owned(), value)
                }
                Carrier::Header(name) => (name.clone(), secret.expose().clone()),
            },
        ];
        headers.extend(self.way.headers.iter().cloned());
        for (header, member) in &self.probe.credential_headers {
            if let Some(value) = credential.and_then(|credential| text_of(credential, member)) {
                headers.push((header.clone(), value));
            }
        }
        let model = self.outcome.model.as_deref().unwrap_or_default();
        let model = model.split_once('/').map_or(model, |(_, model)| model);
        let body = self.probe.body.as_ref();
        let body = body.map(|body| fill_body(body, model, options.tokens()));
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: match self.probe.posts {
                true => Method::Post,
                false => Method::Get,
            },
            url: self.way.url.clone(),
            headers,
            body: Secret::new(body.unwrap_or_default().into_bytes()),
        }
    }

    fn judged(
        &self,
        answer: Result<Response, HttpError>,
        secret: &Secret<String>,
        took: Duration,
    ) -> Outcome {
        let (status, error) = match answer {
            Ok(answer) if self.probe.is_success(answer.status) => (Status::Ok, None),
            Ok(answer) => refused(&answer, secret),
            Err(error) => unanswered(&error),
        };
        Outcome {
            status,
            error,
            latency_ms: Some(i64::try_from(took.as_millis()).unwrap_or(i64::MAX)),
            ..self.outcome.clone()
        }
    }
}

/// Returns the status, and the provider's own words if it gave any.
fn refused(answer: &Response, secret: &Secret<String>) -> (Status, Option<String>) {
    let status = answer.status;
    if (300..400).contains(&status) {
        let words = format!("HTTP {status}: redirect not followed, to protect the credential");
        return (Status::Unknown, Some(words));
    }
    let words = error_text(answer, &[secret]);
    let verdict = verdict::of_answer(status, words.as_deref().unwrap_or_default());
    let words = words.map_or_else(String::new, |words| format!(": {words}"));
    (verdict, Some(format!("HTTP {status}{words}")))
}

fn unanswered(error: &HttpError) -> (Status, Option<String>) {
    let status = match error.kind {
        HttpErrorKind::ConnectTimeout | HttpErrorKind::AnswerTimeout => Status::Timeout,
        _ => Status::Unknown,
    };
    (status, Some(printable(&error.to_string(), WORDS)))
}

/// Returns a member of a stored credential that is a text and no secret.
fn text_of(credential: &Credential, member: &str) -> Option<String> {
    let oauth = credential.as_oauth();
    match member {
        "email" => credential.email().map(str::to_owned),
        "accountId" => oauth?.identity.account_id.clone(),
        _ => serde_json::from_str(oauth?.extra.get(member)?).ok(),
    }
}
