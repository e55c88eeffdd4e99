//! Candidates outside every document: variables, sign-ins of other software, a key of the
//! configuration.

use std::path::PathBuf;

use crate::app::credential::env_keys::{EnvSource, KeyMaterial as Carried, Keys};
use crate::app::credential::outside_key::{key_member, signed_in_elsewhere};
use crate::app::credential::reason_text::Reason;
use crate::model::credential::Kind;
use crate::model::provider::Provider;
use crate::model::state_files::DOTENV;

use super::chain::{ChainContext, Search, not_asked};
use super::rows::{CandidateSource, Row, Standing};

impl ChainContext<'_, '_> {
    /// Adds a row for every source that sets a variable of the provider; the first counts.
    pub(super) fn variables(&self, search: &mut Search) {
        let Some(manifest) = &self.manifest else {
            return;
        };
        let mut counts: Option<String> = None;
        for name in &manifest.env {
            for place in self.keys.places(name) {
                let kind = match Keys::is_token(name) {
                    true => Kind::Token,
                    false => Kind::ApiKey,
                };
                let (standing, reason) = match &counts {
                    Some(first) => shadowed(first),
                    None => self.beside(search),
                };
                counts.get_or_insert_with(|| format!("{name} ({})", self.told(place)));
                search.rows.push(Row {
                    standing,
                    reason,
                    bill: self.billing.of(kind),
                    what: CandidateSource::Variable {
                        name: name.clone(),
                        place,
                        file: self.file(place),
                        kind,
                    },
                });
            }
        }
        if let (None, Some(found)) = (counts, self.keys.of(manifest))
            && let Carried::Ambient = found.what
        {
            self.software(search, manifest, found.source);
        }
    }

    /// Adds a sign-in that holds no token: where it counts, nothing is handed out.
    fn software(&self, search: &mut Search, manifest: &Provider, source: String) {
        let (standing, reason) = self.beside(search);
        let reason = match standing {
            Standing::Used => {
                search.used = None;
                search.ended_by = Some(source.clone());
                let id = &self.choice.provider;
                let failure = signed_in_elsewhere(id, &manifest.name, &source);
                search.failure.get_or_insert(failure);
                Reason::new(
                    "holds-no-token",
                    "can only be used by the provider's own software, which provides no token",
                )
            }
            _ => reason,
        };
        let standing = match standing {
            Standing::Used => Standing::PassedOver,
            other => other,
        };
        search.rows.push(Row {
            standing,
            reason,
            bill: self.billing.ambient,
            what: CandidateSource::Software { source },
        });
    }

    pub(super) fn configured(&self, search: &mut Search) {
        let Some((name, _)) = self.cx.settings.key_of(&self.choice.provider) else {
            return;
        };
        let before = search.rows.iter().find(|row| {
            !matches!(row.what, CandidateSource::Profile(_)) && row.standing != Standing::Shadowed
        });
        let (standing, reason) = match before.map(Row::label) {
            Some(first) => shadowed(&first),
            None => self.beside(search),
        };
        search.rows.push(Row {
            standing,
            reason,
            bill: self.billing.api_key,
            what: CandidateSource::ConfigKey {
                member: key_member(name),
                file: self.cx.config.path().to_owned(),
            },
        });
    }

    /// Returns the standing of a candidate outside every document.
    fn beside(&self, search: &mut Search) -> (Standing, Reason) {
        match self.choice.locked() {
            Some(locked) => (Standing::PassedOver, not_asked(locked)),
            None => {
                let words = match search.rows.is_empty() {
                    true => "no profile stored",
                    false => "no usable profile",
                };
                search.place(Reason::new("no-profile", words), None)
            }
        }
    }

    fn file(&self, place: EnvSource) -> Option<PathBuf> {
        match place {
            EnvSource::DotEnv => Some(self.cx.dirs.state.join(DOTENV)),
            EnvSource::Config => Some(self.cx.config.path().to_owned()),
            EnvSource::Process | EnvSource::LoginShell => None,
        }
    }

    fn told(&self, place: EnvSource) -> &'static str {
        match place {
            EnvSource::Process => "environment",
            EnvSource::DotEnv => DOTENV,
            EnvSource::Config => "env of openclaw.json",
            EnvSource::LoginShell => "login shell",
        }
    }
}

fn shadowed(by: &str) -> (Standing, Reason) {
    let words = format!("{by} takes precedence");
    (Standing::Shadowed, Reason::new("shadowed", words))
}
