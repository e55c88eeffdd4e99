//! A cell in the words of the files: the stored credential, the manifest, the journal.

use openclaw::model::grant::{Attempt, Binding, GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::Journal as _;
use serde_json::{Value, json};

use super::cell::{Cell, End, HOUR, Journal, Kind, PROFILE, PROVIDER, Renewal, SECRET, Site, put};
use crate::security::random_inputs::targets::fake_ports::FakePorts;

impl Cell {
    pub(super) fn credential(&self, site: &Site) -> Value {
        let (access, refresh) = &site.tokens;
        let mut credential = match self.kind {
            Kind::ApiKey => json!({ "type": "api_key", "key": "key-one" }),
            Kind::EmptyApiKey => json!({ "type": "api_key", "key": " " }),
            Kind::ApiKeyReference => {
                let key = json!({ "source": "env", "provider": "default", "id": "REFERRED" });
                json!({ "type": "api_key", "keyRef": key })
            }
            Kind::Token => json!({ "type": "token", "token": "token-one" }),
            Kind::EmptyToken => json!({ "type": "token", "token": "" }),
            Kind::TokenReference => {
                let token = json!({ "source": "env", "provider": "default", "id": "REFERRED" });
                json!({ "type": "token", "tokenRef": token })
            }
            Kind::OAuth => json!({ "type": "oauth", "access": access, "refresh": refresh }),
            Kind::OAuthWithoutAccess => json!({ "type": "oauth", "refresh": refresh }),
            Kind::Client => {
                json!({ "type": "token", "token": "token-of-a-client", "grantType": "client_credentials" })
            }
        };
        credential["provider"] = json!(PROVIDER);
        if self.renewal == Renewal::NoRefreshToken {
            credential["refresh"] = Value::Null;
        }
        let now = site.now.0;
        let end = match self.end {
            End::Absent => return credential,
            End::Fresh => now + HOUR,
            End::Due => now + 60_000,
            End::Expired => now - HOUR,
            End::InSeconds => (now + HOUR) / 1_000,
            End::Before2020 => 86_400_000,
            End::After2100 => 5_000_000_000_000,
        };
        credential["expires"] = json!(end);
        credential
    }

    pub(super) fn put_provider(&self, ports: &FakePorts, site: &Site) {
        let of_client = self.kind == Kind::Client;
        let id = match self.renewal {
            Renewal::UnknownProvider => return,
            Renewal::FaultyManifest => {
                return ports.put("providers/acme.toml", b"schema = 1\nid = 7\n");
            }
            Renewal::OnlyByCommand => "base",
            _ => PROVIDER,
        };
        let mut text = format!("schema = 1\nid = \"{id}\"\nname = \"Acme\"\n");
        if self.renewal != Renewal::NoTokenEndpoint {
            let name = match self.renewal {
                Renewal::NoClientId => "id_env = [\"ACME_CLIENT_ID\"]".to_owned(),
                _ => format!("id = \"{}\"", site.client_id),
            };
            text.push_str(&format!(
                "[client]\n{name}\nauthorize = \"https://acme.example/login\"\ntoken = \"{}\"\n",
                site.token_endpoint
            ));
            if of_client || self.renewal == Renewal::NoClientSecret {
                let name = SECRET.0;
                text.push_str(&format!(
                    "secret = \"${{secret:{name}}}\"\nsecret_required = true\n"
                ));
            }
            text.push_str(
                "[[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/cb\"\nscopes = [\"models\"]\n",
            );
            if of_client && self.renewal != Renewal::NoMethod {
                text.push_str("[[flow]]\nkind = \"client_credentials\"\nscopes = [\"models\"]\n");
            }
        }
        text.push_str("[[flow]]\nkind = \"key\"\n");
        ports.put(&format!("providers/{id}.toml"), text.as_bytes());
        if self.renewal == Renewal::OnlyByCommand {
            let flow = match of_client {
                true => format!(
                    "client_credentials\n      client_secret: \"${{secret:{}}}\"",
                    SECRET.0
                ),
                false => "authorization_code".to_owned(),
            };
            let yaml = format!(
                "providers:\n  acme:\n    type: base\n    auth:\n      method: oauth\n      flow: {flow}\n      token_auto_refresh: false\n"
            );
            ports.put("config.yaml", yaml.as_bytes());
        }
    }

    pub(super) fn put_journal(&self, ports: &FakePorts, site: &Site) {
        let provider = ProviderId::parse(PROVIDER).unwrap();
        let profile = ProfileId::parse(PROFILE).unwrap();
        let of_token = |token: &str| GrantDigest::of(&provider, &Secret::from(token));
        let grant = match self.kind {
            Kind::Client => GrantDigest::of_client(&AgentId::main(), &provider, &profile),
            _ if self.is_oauth() => of_token(&site.tokens.1),
            _ => return,
        };
        let next = of_token("rt-next");
        let ago = |millis: i64| Timestamp(site.now.0 - millis);
        let refusal = Refusal {
            code: "invalid_grant".to_owned(),
            description: String::new(),
            status: 400,
        };
        let refused = RefreshOutcome::Refused(refusal);
        let paused = |retry_at: i64| RefreshOutcome::Passing {
            reason: "503 from the token endpoint".to_owned(),
            retry_at: Some(Timestamp(site.now.0 + retry_at)),
        };
        let attempt = |outcome: Option<RefreshOutcome>, since: i64| {
            Some(Attempt {
                begun_at: ago(since + 1_000),
                settled_at: outcome.is_some().then(|| ago(since)),
                failures: u32::from(matches!(outcome, Some(RefreshOutcome::Passing { .. }))),
                outcome,
            })
        };
        let spent = || RefreshOutcome::Stored {
            successor: next.clone(),
        };
        let attempt_of = match self.journal {
            Journal::Nothing => None,
            Journal::Refused => attempt(Some(refused.clone()), 10_000),
            Journal::RefusedLongAgo => attempt(Some(refused.clone()), HOUR),
            Journal::Revoked => attempt(Some(RefreshOutcome::Revoked), 10_000),
            Journal::Spent | Journal::SpentAndSuccessorRefused | Journal::SpentAndSuccessorGone => {
                attempt(Some(spent()), 10_000)
            }
            Journal::Unknown => attempt(None, 10_000),
            Journal::Paused => attempt(Some(paused(600_000)), 10_000),
            Journal::PausedBriefly => attempt(Some(paused(1_500)), 10_000),
            Journal::PauseOver => attempt(Some(paused(-5_000)), 10_000),
        };
        let client_id = match self.renewal {
            Renewal::IssuedElsewhere => "another-client",
            _ => &site.client_id,
        };
        let record = |grant: GrantDigest, attempt| GrantRecord {
            moves: 0,
            grant,
            provider: provider.clone(),
            profile: profile.clone(),
            binding: Some(Binding {
                token_endpoint: site.token_endpoint.clone(),
                client_id: client_id.to_owned(),
            }),
            subject: None,
            revocation_endpoint: None,
            proven_at: Some(ago(2 * HOUR)),
            attempt,
        };
        let written = ports.store.record_login(&record(grant, attempt_of));
        written.unwrap();
        let left = match self.journal {
            Journal::Spent => HOUR,
            Journal::SpentAndSuccessorRefused => -HOUR,
            _ => return,
        };
        let next_login = json!({
            "type": "oauth", "provider": PROVIDER, "access": "at-next", "refresh": "rt-next",
            "expires": site.now.0 + left,
        });
        let document = json!({ "version": 1, "profiles": { "acme:next": next_login } });
        put(ports, "agents/other/agent/auth-profiles.json", &document);
        if self.journal == Journal::SpentAndSuccessorRefused {
            let written = ports
                .store
                .record_login(&record(next.clone(), attempt(Some(refused), 10_000)));
            written.unwrap();
        }
    }
}
