//! Any text that a person pastes: in the place of a callback, and as a token.

use std::sync::OnceLock;

use openclaw::app::paste;
use openclaw::cli::hint::Renderer;
use openclaw::model::credential::Credential;
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::oauth::authorization::{CallbackError, PendingAuthorization};
use openclaw::oauth::paste::Pasted;
use openclaw::ports::store::{Documents as _, Scope};

use super::callback::{attempt, state_of};
use super::fake_ports::{FakePorts, assert_printable};

/// Shorter pastes stand in our own sentences by chance.
const TELLING: usize = 24;

/// What is pasted is either understood and used whole, or refused in words that hold nothing of it.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.replace("{STATE}", state());
    redirect(&text);
    token(&text, "anthropic", true);
    token(&text, "groq", false);
}

fn login() -> &'static PendingAuthorization {
    static LOGIN: OnceLock<PendingAuthorization> = OnceLock::new();
    LOGIN.get_or_init(|| attempt(1455))
}

fn state() -> &'static str {
    static STATE: OnceLock<String> = OnceLock::new();
    STATE.get_or_init(|| state_of(login()))
}

fn redirect(text: &str) {
    match Pasted::parse(text) {
        Pasted::Query(query) => {
            assert!(
                query
                    .iter()
                    .any(|(name, _)| name == "code" || name == "error")
            );
            match login().read_callback(&query) {
                Ok(_) => {
                    let proof = Secret::from(state());
                    let proven = query.iter().filter(|(name, _)| name == "state");
                    assert!(proven.clone().count() == 1);
                    assert!(proven.clone().all(|(_, value)| *value == proof));
                }
                Err(error) => {
                    assert_printable(&error.to_string());
                    assert!(error.to_string().chars().count() < 400);
                    let proven = query.iter().any(|(_, value)| value.expose() == state());
                    assert!(
                        proven || !matches!(error, CallbackError::Refused(_)),
                        "{error}"
                    );
                }
            }
        }
        Pasted::BareCode(code) => {
            assert!(!code.is_blank() && code.expose().bytes().all(|b| b.is_ascii_graphic()));
            assert!(code.expose().len() <= text.len());
            for part in ["code=", "error=", "state=", "://", "?", "&", "#"] {
                assert!(!code.expose().contains(part), "{part}");
            }
        }
        Pasted::Invalid(why) => assert_says_nothing(&why, text),
    }
}

fn assert_says_nothing(words: &str, text: &str) {
    assert_printable(words);
    let text = text.trim();
    assert!(text.len() < TELLING || !words.contains(text), "{words}");
}

fn token(text: &str, provider: &str, setup: bool) {
    let fakes = FakePorts::with_paste(text);
    let provider = ProviderId::parse(provider).unwrap();
    let asked = paste::Request {
        agent: AgentId::main(),
        provider,
        is_new_provider: true,
        profile: None,
        form: match setup {
            true => paste::Form::SetupToken { yes: true },
            false => paste::Form::Token { expires_in: None },
        },
        given: None,
        metadata: Vec::new(),
    };
    let joined = openclaw::model::clean::key(text).expose().clone();
    match paste::run(fakes.ports(), &asked) {
        Ok(outcome) => {
            let document = fakes.store.load(&AgentId::main(), Scope::All).unwrap();
            let Some(Credential::Token(stored)) = document.get(&outcome.stored.profile) else {
                panic!("it is not stored");
            };
            // A setup-token is found in whatever its program printed around it.
            let token = stored.token.as_ref().map(|token| token.expose().clone());
            let joined = token.filter(|token| joined.contains(token)).unwrap();
            assert!(joined.bytes().all(|b| b.is_ascii_graphic()) && !joined.is_empty());
            assert!(joined.len() < TELLING || !outcome.fingerprint.contains(&joined));
            let shaped = joined.starts_with("sk-ant-oat01-") && joined.len() >= 80;
            assert!(!setup || shaped, "no setup-token looks like that");
        }
        Err(failure) => {
            assert_says_nothing(&failure.message, text);
            assert_says_nothing(&failure.message, &joined);
            let hint = failure.hint.clone().unwrap_or_default();
            assert_says_nothing(&Renderer::default().text(&hint), &joined);
            let files = fakes.everything();
            let written = files
                .iter()
                .find(|(path, _)| path.ends_with("auth-profiles.json"));
            assert!(written.is_none(), "refused and stored: {failure:?}");
        }
    }
}
