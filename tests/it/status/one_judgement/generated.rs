//! Generated stores: whole configurations, in which every provider is held to the same agreement.

use openclaw::model::grant::{Attempt, GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::Journal as _;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::cell::put;
use super::views::OfProvider;
use crate::security::random_inputs::targets::fake_ports::{FakePorts, NOW};

const PROVIDERS: [&str; 4] = ["acme", "beta", "clients", "nobody"];
const NAMES: [&str; 3] = ["a", "b", "c"];
const AGENTS: [&str; 2] = ["main", "work"];

/// One stored profile: where, what, when it ends, and what the journal knows of it.
#[derive(Clone, Debug)]
struct Stored {
    agent: &'static str,
    provider: &'static str,
    name: &'static str,
    kind: &'static str,
    left: Option<i64>,
    /// Its refresh token; another profile may hold the same.
    grant: Option<u8>,
    cooldown: bool,
}

/// What is known of a grant: its place, and how its last refresh ended.
#[derive(Clone, Debug)]
enum Known {
    Refused,
    Revoked,
    SpentFor(u8),
    Unknown,
    PausedFor(i64),
}

/// Everything.
#[derive(Clone, Debug)]
struct Configuration {
    stored: Vec<Stored>,
    journal: Vec<(u8, &'static str, Known)>,
    orders: Vec<(&'static str, &'static str, Vec<&'static str>)>,
    auth_orders: Vec<(&'static str, Vec<&'static str>)>,
    profiles: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    bound: Option<(&'static str, &'static str)>,
    config_key: Option<&'static str>,
    env: Vec<(&'static str, &'static str)>,
    inheritance: Option<&'static str>,
    agent: &'static str,
}

fn stored() -> impl Strategy<Value = Stored> {
    let kinds = select(&["api_key", "empty", "token", "oauth", "oauth", "client"][..]);
    let left = select(
        &[
            None,
            Some(3_600_000),
            Some(60_000),
            Some(-1),
            Some(-3_600_000),
        ][..],
    );
    (
        select(&AGENTS[..]),
        select(&PROVIDERS[..]),
        select(&NAMES[..]),
        kinds,
        left,
        prop::option::weighted(0.8, 0_u8..4),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(agent, provider, name, kind, left, grant, cooldown)| Stored {
                agent,
                provider,
                name,
                kind,
                left,
                grant,
                cooldown,
            },
        )
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        Just(Known::Refused),
        Just(Known::Revoked),
        (0_u8..6).prop_map(Known::SpentFor),
        Just(Known::Unknown),
        select(&[-5_000, 1_000, 600_000][..]).prop_map(Known::PausedFor),
    ]
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let provider = || select(&PROVIDERS[..]);
    let name = || select(&NAMES[..]);
    let names = || subsequence(&NAMES[..], 0..=3);
    let mode = select(&["oauth", "token", "api_key"][..]);
    let env = [
        ("ACME_KEY", "key-of-acme"),
        ("CLIENT_SECRET", "s3cret"),
        ("BETA_ID", "beta-1"),
    ];
    (
        prop::collection::vec(stored(), 0..8),
        prop::collection::vec((0_u8..6, provider(), known()), 0..6),
        prop::collection::vec((select(&AGENTS[..]), provider(), names()), 0..2),
        prop::collection::vec((provider(), names()), 0..2),
        prop::collection::vec((provider(), name(), provider(), mode), 0..3),
        prop::option::weighted(0.3, (provider(), name())),
        prop::option::weighted(0.2, provider()),
        subsequence(env.to_vec(), 0..=3),
        prop::option::weighted(0.3, Just("isolated")),
        select(&AGENTS[..]),
    )
        .prop_map(
            |(
                stored,
                journal,
                orders,
                auth_orders,
                profiles,
                bound,
                key,
                env,
                inheritance,
                agent,
            )| {
                Configuration {
                    stored,
                    journal,
                    orders,
                    auth_orders,
                    profiles,
                    bound,
                    config_key: key,
                    env,
                    inheritance,
                    agent,
                }
            },
        )
}

impl Stored {
    fn json(&self) -> Value {
        let mut value = match self.kind {
            "api_key" => json!({ "type": "api_key", "key": "key-1" }),
            "empty" => json!({ "type": "api_key" }),
            "token" => json!({ "type": "token", "token": "token-1" }),
            "client" => json!({
                "type": "token", "token": "token-2", "grantType": "client_credentials"
            }),
            _ => json!({ "type": "oauth", "access": "at", "refresh": self.grant.map(refresh) }),
        };
        value["provider"] = json!(self.provider);
        if let Some(left) = self.left {
            value["expires"] = json!(NOW.0 + left);
        }
        value
    }
}

fn refresh(grant: u8) -> String {
    format!("rt-{grant}")
}

fn id(provider: &str, name: &str) -> String {
    format!("{provider}:{name}")
}

impl Configuration {
    fn build(&self) -> FakePorts {
        let mut ports = FakePorts::at(NOW, "", &self.env);
        for (provider, more) in [
            ("acme", "id = \"acme-1\"\n"),
            ("beta", "id_env = [\"BETA_ID\"]\n"),
            (
                "clients",
                "id = \"clients-1\"\nsecret = \"${secret:CLIENT_SECRET}\"\nsecret_required = true\n",
            ),
        ] {
            let flow = match provider {
                "clients" => "kind = \"client_credentials\"\nscopes = [\"m\"]\n",
                _ => {
                    "kind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/cb\"\nscopes = [\"m\"]\n"
                }
            };
            let name = provider.to_uppercase();
            let text = format!(
                "schema = 1\nid = \"{provider}\"\nname = \"{provider}\"\nenv = [\"{name}_KEY\"]\n[client]\n{more}authorize = \"https://{provider}.example/login\"\ntoken = \"https://{provider}.example/token\"\n[[flow]]\n{flow}"
            );
            ports.put(&format!("providers/{provider}.toml"), text.as_bytes());
        }
        for agent in AGENTS {
            let mut profiles = Map::new();
            let mut usage = Map::new();
            for stored in self.stored.iter().filter(|stored| stored.agent == agent) {
                let id = id(stored.provider, stored.name);
                if stored.cooldown {
                    let until = NOW.0 + 3_600_000;
                    usage.insert(id.clone(), json!({ "cooldownUntil": until }));
                }
                profiles.insert(id, stored.json());
            }
            let mut order = Map::new();
            for (of, provider, names) in &self.orders {
                if *of == agent {
                    order.insert((*provider).to_owned(), ids(provider, names));
                }
            }
            let document = json!({
                "version": 1, "profiles": profiles, "order": order, "usageStats": usage,
            });
            put(
                &ports,
                &format!("agents/{agent}/agent/auth-profiles.json"),
                &document,
            );
        }
        if let Some(mode) = self.inheritance {
            let path = "agents/work/agent/auth-inherit.json";
            put(&ports, path, &json!({ "version": 1, "mode": mode }));
        }
        if let Some((provider, name)) = self.bound {
            let bound = json!({ "/": { provider: id(provider, name) } });
            let document = json!({ "version": 1, "directories": bound });
            put(&ports, "directories.json", &document);
        }
        let orders = self.auth_orders.iter();
        let orders = orders.map(|(provider, names)| ((*provider).to_owned(), ids(provider, names)));
        let profiles = self.profiles.iter().map(|(of, name, provider, mode)| {
            let value = json!({ "provider": provider, "mode": mode });
            (id(of, name), value)
        });
        let keys = self.config_key.iter();
        let keys = keys.map(|provider| ((*provider).to_owned(), json!({ "apiKey": "key-9" })));
        let config = json!({
            "agents": {
                "defaults": { "model": { "primary": "acme/large" } },
                "list": [{ "id": "main" }, { "id": "work" }],
            },
            "auth": {
                "order": orders.collect::<Map<_, _>>(),
                "profiles": profiles.collect::<Map<_, _>>(),
            },
            "models": { "providers": keys.collect::<Map<_, _>>() },
        });
        put(&ports, "openclaw.json", &config);
        for (grant, provider, known) in &self.journal {
            ports
                .store
                .record_login(&record(*grant, provider, known))
                .unwrap();
        }
        ports.configure();
        ports
    }
}

fn ids(provider: &str, names: &[&str]) -> Value {
    names.iter().map(|name| id(provider, name)).collect()
}

fn record(grant: u8, provider: &str, known: &Known) -> GrantRecord {
    let id = ProviderId::parse(provider).unwrap();
    let digest = |grant| GrantDigest::of(&id, &Secret::from(refresh(grant).as_str()));
    let refusal = Refusal {
        code: "invalid_grant".to_owned(),
        description: String::new(),
        status: 400,
    };
    let outcome = match known {
        Known::Refused => Some(RefreshOutcome::Refused(refusal)),
        Known::Revoked => Some(RefreshOutcome::Revoked),
        Known::SpentFor(next) => Some(RefreshOutcome::Stored {
            successor: digest(*next),
        }),
        Known::Unknown => None,
        Known::PausedFor(millis) => Some(RefreshOutcome::Passing {
            reason: "503 from the token endpoint".to_owned(),
            retry_at: Some(Timestamp(NOW.0 + millis)),
        }),
    };
    GrantRecord {
        moves: 0,
        grant: digest(grant),
        profile: ProfileId::parse(&format!("{provider}:a")).unwrap(),
        provider: id.clone(),
        binding: None,
        subject: None,
        revocation_endpoint: None,
        proven_at: None,
        attempt: Some(Attempt {
            begun_at: Timestamp(NOW.0 - 10_000),
            settled_at: outcome.is_some().then_some(Timestamp(NOW.0 - 9_000)),
            outcome,
            failures: 0,
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_view_says_the_same_of_generated_stores(configuration in configuration()) {
        let agent = AgentId::normalise(configuration.agent);
        let mut needs_somebody = false;
        let mut check = 0;
        for provider in PROVIDERS {
            let provider = ProviderId::parse(provider).unwrap();
            // Each in a state of its own, for `token` refreshes.
            let ports = configuration.build();
            let cx = ports.ports();
            if let Some((views, code)) = OfProvider::ask(cx, &agent, &provider) {
                let wrong = views.contradictions();
                prop_assert!(wrong.is_empty(), "{provider}: {}", wrong.join("\n"));
                needs_somebody |= views.needs_somebody();
                check = code;
            }
        }
        prop_assert_eq!(check == 1, needs_somebody);
    }
}
