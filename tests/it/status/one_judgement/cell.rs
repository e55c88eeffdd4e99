//! One stored login with everything around it that has a say, and how that is written down.

use openclaw::model::time::Timestamp;
use serde_json::{Value, json};

use crate::security::random_inputs::targets::fake_ports::{FakePorts, NOW};

/// The provider, and the profile that a cell is about.
pub(super) const PROVIDER: &str = "acme";
pub(super) const PROFILE: &str = "acme:one";
pub(super) const SECRET: (&str, &str) = ("ACME_SECRET", "s3cret-of-the-client");
pub(super) const HOUR: i64 = 3_600_000;

/// A list of the values of an axis, so that none is forgotten in the matrix.
macro_rules! axis {
    ($(#[$text:meta])* $name:ident: $($value:ident)*) => {
        $(#[$text])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($value),* }
        impl $name {
            pub(super) const ALL: &[Self] = &[$(Self::$value),*];
        }
    };
}

axis!(
    /// What is stored.
    Kind: ApiKey EmptyApiKey ApiKeyReference Token EmptyToken TokenReference OAuth
        OAuthWithoutAccess Client
);
axis!(
    /// When it ends.
    End: Fresh Due Expired Absent InSeconds Before2020 After2100
);
axis!(
    /// Whether it can be refreshed, or what is missing.
    Renewal: Possible OnlyByCommand NoRefreshToken UnknownProvider FaultyManifest NoClientId
        NoClientSecret NoTokenEndpoint IssuedElsewhere NoMethod
);
axis!(
    /// What the journal knows of its grant.
    Journal: Nothing Refused RefusedLongAgo Revoked Spent SpentAndSuccessorRefused
        SpentAndSuccessorGone Unknown Paused PausedBriefly PauseOver
);
axis!(
    /// What has a say in whether it is chosen.
    Choice: Alone Order AuthOrder EmptyAuthOrder AuthProfiles Mode OtherProvider
        PinnedAgainstOrder PinnedAway PinnedToNothing CoolingDown BeforeAnother
);

impl End {
    /// Whether it is no moment of this era, or one in another unit.
    pub(super) fn is_odd(self) -> bool {
        matches!(self, Self::InSeconds | Self::Before2020 | Self::After2100)
    }
}

/// A login.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) end: End,
    pub(super) renewal: Renewal,
    pub(super) journal: Journal,
    pub(super) choice: Choice,
}

/// Where it is used.
pub(super) struct Site {
    pub(super) now: Timestamp,
    /// The working directory.
    pub(super) cwd: String,
    pub(super) token_endpoint: String,
    pub(super) client_id: String,
    pub(super) secret: &'static str,
    /// The access token and the refresh token.
    pub(super) tokens: (String, String),
}

impl Site {
    /// In memory, where the token endpoint is the fake one.
    pub(super) fn in_memory() -> Self {
        Self {
            now: NOW,
            cwd: "/".to_owned(),
            token_endpoint: "https://acme.example/token".to_owned(),
            client_id: "client-1".to_owned(),
            secret: SECRET.1,
            tokens: ("at-one".to_owned(), "rt-one".to_owned()),
        }
    }
}

/// Every possible cell of the matrix.
pub(super) fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for &kind in Kind::ALL {
        for &end in End::ALL {
            for &renewal in Renewal::ALL {
                for &journal in Journal::ALL {
                    for &choice in Choice::ALL {
                        cells.push(Cell {
                            kind,
                            end,
                            renewal,
                            journal,
                            choice,
                        });
                    }
                }
            }
        }
    }
    cells.retain(|cell| cell.impossible().is_none());
    cells
}

impl Cell {
    /// Why there is no such login; every cell that is left out is left out by one of these rules.
    pub(super) fn impossible(&self) -> Option<&'static str> {
        let is_login = self.is_oauth() || self.kind == Kind::Client;
        let is_key = matches!(
            self.kind,
            Kind::ApiKey | Kind::EmptyApiKey | Kind::ApiKeyReference
        );
        let has_grant = match self.renewal {
            Renewal::NoRefreshToken | Renewal::NoMethod => false,
            _ => is_login,
        };
        let of_journal = self.journal != Journal::Nothing;
        match (self.kind, self.renewal, self.journal) {
            _ if is_key && self.end != End::Absent => Some("a key has no end"),
            (Kind::OAuthWithoutAccess, ..) if self.end != End::Expired => {
                Some("where there is no access token, its end says nothing")
            }
            (_, renewal, _)
                if !is_login
                    && !matches!(renewal, Renewal::Possible | Renewal::UnknownProvider) =>
            {
                Some("nothing refreshes a key or a static token, so nothing can lack for that")
            }
            (Kind::Client, Renewal::NoRefreshToken, _) => {
                Some("the token of a client never has a refresh token")
            }
            (Kind::Client, Renewal::NoTokenEndpoint, _) => {
                Some("without a client, a manifest cannot have the method of a client: NoMethod")
            }
            (Kind::Client, Renewal::IssuedElsewhere, _) => {
                Some("a client sends its own credentials and no grant of somebody")
            }
            (kind, Renewal::NoMethod, _) if kind != Kind::Client => {
                Some("only the token of a client depends on a method")
            }
            _ if self.choice != Choice::Alone && self.end.is_odd() => {
                Some("how an end is read is the same whatever is chosen")
            }
            (kind, _, Journal::RefusedLongAgo) if kind != Kind::Client => {
                Some("a client may be corrected in time; a refused grant stays refused")
            }
            _ if of_journal && !has_grant => Some("the journal knows grants, and there is none"),
            (
                Kind::Client,
                _,
                Journal::Spent
                | Journal::SpentAndSuccessorRefused
                | Journal::SpentAndSuccessorGone
                | Journal::Unknown,
            ) => Some("asking for a client spends nothing"),
            _ => None,
        }
    }

    pub(super) fn is_oauth(&self) -> bool {
        matches!(self.kind, Kind::OAuth | Kind::OAuthWithoutAccess)
    }

    /// Whether the choice changes anything for `tick` and metrics, which know no choice.
    pub(super) fn concerns_login(&self) -> bool {
        self.choice == Choice::Alone || self.is_cooling_down()
    }

    /// Whether it cools down.
    pub(super) fn is_cooling_down(&self) -> bool {
        self.choice == Choice::CoolingDown
    }

    /// The variables that are set.
    pub(super) fn env(&self, site: &Site) -> Vec<(&'static str, &'static str)> {
        // Whether a reference leads to a secret is known to nobody before it is handed out.
        let mut env = vec![("REFERRED", "referred-key")];
        if self.renewal != Renewal::NoClientSecret {
            env.push((SECRET.0, site.secret));
        }
        env
    }

    /// Writes it down.
    pub(super) fn build(&self, site: &Site) -> FakePorts {
        let mut ports = FakePorts::at(site.now, "", &self.env(site));
        self.put_provider(&ports, site);
        self.put_journal(&ports, site);
        let mut profiles = json!({ PROFILE: self.credential(site) });
        let mut document = json!({ "version": 1 });
        let mut config = json!({});
        let other = json!(["acme:other"]);
        let named = |id: &str, provider: &str, mode: &str| json!({ "auth": { "profiles": { id: { "provider": provider, "mode": mode } } } });
        let mut bound = None;
        let another = json!({ "type": "api_key", "provider": PROVIDER, "key": "key-of-another" });
        match self.choice {
            Choice::Alone => {}
            Choice::Order => document["order"] = json!({ PROVIDER: other }),
            Choice::AuthOrder => config = json!({ "auth": { "order": { PROVIDER: other } } }),
            Choice::EmptyAuthOrder => config = json!({ "auth": { "order": { PROVIDER: [] } } }),
            Choice::AuthProfiles => config = named("acme:other", PROVIDER, "oauth"),
            Choice::Mode => {
                let mode = match self.kind {
                    Kind::ApiKey | Kind::EmptyApiKey | Kind::ApiKeyReference => "oauth",
                    _ => "api_key",
                };
                config = named(PROFILE, PROVIDER, mode);
            }
            Choice::OtherProvider => config = named(PROFILE, "other", "oauth"),
            Choice::PinnedAgainstOrder => {
                document["order"] = json!({ PROVIDER: other });
                bound = Some(PROFILE);
            }
            Choice::PinnedAway => {
                profiles["acme:pinned"] = another;
                bound = Some("acme:pinned");
            }
            Choice::PinnedToNothing => bound = Some("acme:gone"),
            Choice::CoolingDown => {
                let until = site.now.0 + HOUR;
                document["usageStats"] = json!({ PROFILE: { "cooldownUntil": until } });
            }
            Choice::BeforeAnother => {
                profiles["acme:other"] = another;
                document["order"] = json!({ PROVIDER: [PROFILE, "acme:other"] });
            }
        }
        document["profiles"] = profiles;
        put(&ports, "agents/main/agent/auth-profiles.json", &document);
        // The default model of the reference release is of another provider.
        config["agents"] = json!({ "defaults": { "model": { "primary": "acme/large" } } });
        put(&ports, "openclaw.json", &config);
        if let Some(profile) = bound {
            let bound = json!({ &site.cwd: { PROVIDER: profile } });
            put(
                &ports,
                "directories.json",
                &json!({ "version": 1, "directories": bound }),
            );
        }
        ports.configure();
        ports
    }
}

pub(super) fn put(ports: &FakePorts, path: &str, document: &Value) {
    ports.put(path, document.to_string().as_bytes());
}
