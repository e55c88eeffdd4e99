//! Secrets in the clear.

use foldhash::HashSet;
use serde_json::Value;

use super::places::{Place, Role};
use super::report::{Code, Finding};
use super::tree::{self, Content, Member};
use crate::model::dotenv;
use crate::model::env_reference;
use crate::model::hint::{Command, Hint};
use crate::model::id::printable;
use crate::model::saved_response;
use crate::model::secret_shape::hide_secrets;
use crate::model::variable::names_credential;
use crate::model::vault::{SealedPart, TokenStore};

/// What OpenClaw writes in the place of a secret that it has elsewhere, or does not show.
const MARKS: [&str; 2] = ["secretref-managed", "__OPENCLAW_REDACTED__"];

/// What counts as in the clear.
pub(super) struct Rule {
    pub(super) store: TokenStore,
    pub(super) part: SealedPart,
    /// Variables and names of secrets that references name: such a name is no secret.
    pub(super) names: HashSet<String>,
}

impl Rule {
    /// What is found in a tree of JSON. In a plain store the secrets of profiles are in the clear,
    /// and no finding.
    pub(super) fn in_tree(&self, place: &Place, tree: &Value, found: &mut Vec<Finding>) {
        let is_of_profiles = matches!(place.role, Role::Profiles | Role::Legacy);
        if is_of_profiles && !self.store.seals() {
            return;
        }
        tree::visit(tree, &mut |member| {
            let Content::Text(text) = member.content else {
                return;
            };
            let is_secret = match place.role {
                Role::Profiles => self.is_of_profile(member.name),
                Role::Legacy => is_of_credential(member.name),
                _ => is_of_settings(member.name, member.parent),
            };
            if is_secret && self.is_in_clear(text) {
                found.push(self.finding(place, &member));
            }
        });
    }

    /// What is found in a file that no longer is JSON: one that was set aside.
    pub(super) fn in_broken(&self, place: &Place, text: &str) -> Option<Finding> {
        if !self.store.seals() {
            return None;
        }
        let parts: Vec<&str> = text.split('"').collect();
        let is_secret = |parts: &[&str]| match parts {
            [name, between, value] => {
                between.trim() == ":" && is_of_credential(name) && self.is_in_clear(value)
            }
            _ => false,
        };
        parts.windows(3).any(is_secret).then(|| {
            let message = "a secret is in the clear in this file, which is no JSON";
            Finding::new(Code::PlaintextFound, &place.path, message, delete())
        })
    }

    /// What is found in a file of variables.
    pub(super) fn in_variables(&self, place: &Place, text: &str, found: &mut Vec<Finding>) {
        for (name, value) in dotenv::parse(text) {
            if names_credential(&name) && self.is_in_clear(value.expose()) {
                let name = printable(&name, 200);
                let message = format!("the value of {name} is in the clear");
                let advice = store_it();
                let finding = Finding::new(Code::PlaintextFound, &place.path, message, advice);
                found.push(finding.at(format!("$env.{name}")));
            }
        }
    }

    /// What is found in a saved response.
    pub(super) fn in_answer(&self, place: &Place, bytes: &[u8]) -> Option<Finding> {
        let is_open = self.store.seals() && saved_response::is_in_clear(bytes);
        is_open.then(|| {
            let message = "the response of a login or refresh waits in the clear";
            let advice = self.migrate();
            Finding::new(Code::PlaintextFound, &place.path, message, advice)
        })
    }

    /// What is found in a login that was started.
    pub(super) fn in_attempt(&self, place: &Place, tree: &Value) -> Option<Finding> {
        let is_open = self.store.seals() && tree.get("sealed").is_none();
        is_open.then(|| {
            let message = "a login that was started waits in the clear";
            let advice = self.migrate();
            Finding::new(Code::PlaintextFound, &place.path, message, advice)
        })
    }

    /// The command that seals what lies in the clear.
    fn migrate(&self) -> Hint {
        let command = Command::new("secrets migrate").option("--to", self.store.as_ref());
        match self.part {
            SealedPart::All => command.into(),
            part => command.option("--seal", part.as_ref()).into(),
        }
    }

    fn is_of_profile(&self, name: &str) -> bool {
        match self.part {
            SealedPart::All => is_of_credential(name),
            SealedPart::Refresh => last_word(name) == "REFRESH" || name == "refresh_token",
        }
    }

    fn is_in_clear(&self, text: &str) -> bool {
        let text = text.trim();
        // A header refers to a variable in its middle.
        let is_reference = env_reference::variable(text).is_some() || text.contains("${");
        !text.is_empty() && !is_reference && !MARKS.contains(&text) && !self.names.contains(text)
    }

    fn finding(&self, place: &Place, member: &Member<'_>) -> Finding {
        let (code, message) = match place.role {
            Role::Legacy => (
                Code::LegacyResidue,
                "a file of an early release holds it in the clear",
            ),
            _ => (Code::PlaintextFound, "it is in the clear"),
        };
        // Only copies have something behind the ending: `.bak`, `.unreadable-…`.
        let name = place.path.file_name().unwrap_or_default().to_string_lossy();
        let is_copy = [".json.", ".json-", ".json~"]
            .iter()
            .any(|end| name.contains(end));
        let advice = match place.role {
            Role::Profiles if !is_copy => self.migrate(),
            Role::Profiles | Role::Legacy => delete(),
            _ if is_copy => delete(),
            _ => store_it(),
        };
        let mut finding = Finding::new(code, &place.path, message, advice).at(&*member.path);
        let shown = |text: &str| hide_secrets(&printable(text, 200)).into_owned();
        finding.profile_id = member.profile.map(|(id, _)| shown(id));
        let provider = member.profile.and_then(|(_, provider)| provider);
        finding.provider = provider.or(member.provider).map(shown);
        finding
    }
}

fn delete() -> Hint {
    "delete the file once nobody needs it".into()
}

fn store_it() -> Hint {
    Hint::from("store it and refer to it: ").run(Command::new("secrets set NAME"))
}

/// Whether a member of a credential is a secret: `refresh`, `apiKey`, `access_token`.
fn is_of_credential(name: &str) -> bool {
    let last = last_word(name);
    ["ACCESS", "REFRESH"].contains(&&*last) || names_credential(&last)
}

/// Whether a member of the settings is a secret. Others than that of a credential are called keys
/// there, too.
fn is_of_settings(name: &str, parent: &str) -> bool {
    let is_variable = name.bytes().all(|byte| !byte.is_ascii_lowercase());
    let is_header = parent == "headers"
        && ["authorization", "proxy-authorization", "cookie"].contains(&&*name.to_lowercase());
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let folded = folded.to_ascii_lowercase();
    let last = last_word(name);
    is_header
        || (is_variable && names_credential(name))
        || ["apikey", "privatekey", "encryptkey"]
            .iter()
            .any(|end| folded.ends_with(end))
        || (last != "KEY" && names_credential(&last))
}

/// The last word of a name in any spelling, in capital letters.
fn last_word(name: &str) -> String {
    let begins = |(at, c): (usize, char)| {
        let after_small = at > 0 && name[..at].ends_with(|c: char| c.is_ascii_lowercase());
        match c {
            '_' | '-' | '.' => Some(at + 1),
            c if c.is_ascii_uppercase() && after_small => Some(at),
            _ => None,
        }
    };
    let start = name.char_indices().filter_map(begins).next_back();
    name[start.unwrap_or(0)..].to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_secret_by_its_name() {
        for name in [
            "key",
            "apiKey",
            "api_key",
            "token",
            "access",
            "refresh",
            "access_token",
        ] {
            assert!(is_of_credential(name), "{name}");
        }
        for name in [
            "provider",
            "type",
            "expires",
            "tokenUrl",
            "token_type",
            "email",
            "",
        ] {
            assert!(!is_of_credential(name), "{name}");
        }
        for name in [
            "apiKey",
            "botToken",
            "password",
            "clientSecret",
            "OPENAI_API_KEY",
            "x-api-key",
        ] {
            assert!(is_of_settings(name, ""), "{name}");
        }
        for name in [
            "sessionKey",
            "mainKey",
            "maxTokens",
            "tokenUrl",
            "key",
            "primary",
            "baseUrl",
        ] {
            assert!(!is_of_settings(name, ""), "{name}");
        }
        assert!(is_of_settings("Authorization", "headers"));
    }

    #[test]
    fn a_reference_is_no_secret() {
        let rule = Rule {
            store: TokenStore::EncryptedFile,
            part: SealedPart::All,
            names: ["ACME_KEY".to_owned()].into_iter().collect(),
        };
        for text in [
            "",
            " ",
            "${X}",
            "$X",
            "secretref-env:X",
            "Bearer ${X}",
            "ACME_KEY",
            MARKS[0],
        ] {
            assert!(!rule.is_in_clear(text), "{text}");
        }
        for text in ["MARKER", "OTHER_KEY", "$lower"] {
            assert!(rule.is_in_clear(text), "{text}");
        }
        let place = Place {
            path: "auth-profiles.json.unreadable-1".into(),
            role: Role::Profiles,
        };
        let broken = r#"{"profiles": {"a:b": {"type": "oauth", "refresh": "MARKER", "#;
        assert!(rule.in_broken(&place, broken).is_some());
        assert!(
            rule.in_broken(&place, r#"{"refresh": "", "type": "MARKER""#)
                .is_none()
        );
    }
}
