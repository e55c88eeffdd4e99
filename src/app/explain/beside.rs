//! What lies in no document: variables, sign-ins of other software, a key of the configuration.

use std::path::PathBuf;

use crate::app::credential::env_keys::{Keys, Place, What as Carried};
use crate::app::credential::reason_text::Reason;
use crate::app::usecase::token::{key_member, signed_in_elsewhere};
use crate::model::credential::Kind;
use crate::model::provider::Provider;

use super::chain::{Look, Search, not_asked};
use super::rows::{Row, Standing, What};

impl Look<'_> {
    /// Every place where a variable of the provider is set; the first counts.
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
                    what: What::Variable {
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

    /// A sign-in that holds no token: where it counts, nothing is handed out.
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
                    "the software of the provider uses it itself; it holds no token",
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
            what: What::Software { source },
        });
    }

    pub(super) fn configured(&self, search: &mut Search) {
        let Some((name, _)) = self.cx.settings.key_of(&self.choice.provider) else {
            return;
        };
        let before = search.rows.iter().find(|row| {
            !matches!(row.what, What::Profile(_)) && row.standing != Standing::Shadowed
        });
        let (standing, reason) = match before.map(Row::label) {
            Some(first) => shadowed(&first),
            None => self.beside(search),
        };
        search.rows.push(Row {
            standing,
            reason,
            bill: self.billing.api_key,
            what: What::ConfigKey {
                member: key_member(name),
                file: self.cx.config.path().to_owned(),
            },
        });
    }

    /// What becomes of what lies in no document.
    fn beside(&self, search: &mut Search) -> (Standing, Reason) {
        match self.choice.locked() {
            Some(locked) => (Standing::PassedOver, not_asked(locked)),
            None => {
                let words = match search.rows.is_empty() {
                    true => "no profile is stored",
                    false => "no profile gives a token",
                };
                search.place(Reason::new("no-profile", words), None)
            }
        }
    }

    fn file(&self, place: Place) -> Option<PathBuf> {
        match place {
            Place::DotEnv => Some(self.cx.dirs.state.join(".env")),
            Place::Config => Some(self.cx.config.path().to_owned()),
            Place::Process | Place::LoginShell => None,
        }
    }

    fn told(&self, place: Place) -> &'static str {
        match place {
            Place::Process => "environment",
            Place::DotEnv => ".env",
            Place::Config => "env of openclaw.json",
            Place::LoginShell => "login shell",
        }
    }
}

fn shadowed(by: &str) -> (Standing, Reason) {
    let words = format!("{by} counts first");
    (Standing::Shadowed, Reason::new("shadowed", words))
}
