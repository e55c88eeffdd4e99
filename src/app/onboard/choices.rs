//! The values of `--auth-choice`: those of the reference release, each a provider and a method, and
//! `PROVIDER` or `PROVIDER/METHOD` for every provider there is.
//!
//! A name that means nothing is an error. The reference release takes it for `skip`, so a misspelt
//! choice stores nothing and succeeds.

use crate::app::context::Context;
use crate::app::credential::provider_name::Purpose;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::{ProviderId, printable};
use crate::model::named::ProviderName;
use crate::model::near;
use crate::model::provider::Flow;

/// The method that stores a key.
pub(super) const API_KEY: &str = "api-key";
/// The method that stores a long-lived token.
pub(super) const SETUP_TOKEN: &str = "setup-token";

/// The choice that stores nothing.
pub const SKIP: &str = "skip";
/// The choice that stores a token of the provider that `--token-provider` names.
pub const TOKEN: &str = "token";

/// A value of `--auth-choice` and its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The value.
    pub name: &'static str,
    /// The id of its provider.
    pub provider: &'static str,
    /// The name of its method.
    pub method: &'static str,
    /// The flag for its key, without dashes.
    pub flag: Option<&'static str>,
    /// Flags whose values are stored beside the key, and the members they are stored in.
    pub beside: &'static [(&'static str, &'static str)],
}

const fn login(name: &'static str, provider: &'static str, method: &'static str) -> Row {
    Row {
        name,
        provider,
        method,
        flag: None,
        beside: &[],
    }
}

const fn key(name: &'static str, provider: &'static str, flag: &'static str) -> Row {
    Row {
        flag: Some(flag),
        ..login(name, provider, API_KEY)
    }
}

/// The members that identify a Cloudflare gateway.
const GATEWAY: &[(&str, &str)] = &[
    ("cloudflare-ai-gateway-account-id", "accountId"),
    ("cloudflare-ai-gateway-gateway-id", "gatewayId"),
];

/// All values. If several have one flag, the flag alone means the first.
pub const ROWS: &[Row] = &[
    login("setup-token", "anthropic", SETUP_TOKEN),
    login("openai-codex", "openai-codex", "oauth"),
    login("chutes", "chutes", "oauth"),
    login("google-gemini-cli", "google-gemini-cli", "oauth"),
    login("github-copilot", "github-copilot", "device-code"),
    login("minimax-portal", "minimax-portal", "device-code"),
    login("qwen-portal", "qwen-portal", "device-code"),
    key("apiKey", "anthropic", "anthropic-api-key"),
    key("openai-api-key", "openai", "openai-api-key"),
    key("openrouter-api-key", "openrouter", "openrouter-api-key"),
    key(
        "ai-gateway-api-key",
        "vercel-ai-gateway",
        "ai-gateway-api-key",
    ),
    Row {
        beside: GATEWAY,
        ..key(
            "cloudflare-ai-gateway-api-key",
            "cloudflare-ai-gateway",
            "cloudflare-ai-gateway-api-key",
        )
    },
    key("moonshot-api-key", "moonshot", "moonshot-api-key"),
    key("moonshot-api-key-cn", "moonshot", "moonshot-api-key"),
    key("kimi-code-api-key", "kimi-coding", "kimi-code-api-key"),
    key("gemini-api-key", "google", "gemini-api-key"),
    key("zai-api-key", "zai", "zai-api-key"),
    key("xiaomi-api-key", "xiaomi", "xiaomi-api-key"),
    key("minimax-api", "minimax", "minimax-api-key"),
    key("minimax-api-lightning", "minimax", "minimax-api-key"),
    key("synthetic-api-key", "synthetic", "synthetic-api-key"),
    key("venice-api-key", "venice", "venice-api-key"),
    key("opencode-zen", "opencode", "opencode-zen-api-key"),
    key("xai-api-key", "xai", "xai-api-key"),
    key("qianfan-api-key", "qianfan", "qianfan-api-key"),
];

/// Older values, and their replacements.
pub const ALIASES: &[(&str, &str)] = &[
    ("oauth", "setup-token"),
    ("claude-cli", "setup-token"),
    ("codex-cli", "openai-codex"),
];

/// Values of the reference release that store nothing here, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "google-antigravity",
        "its OAuth client belongs to another program; use google-gemini-cli or gemini-api-key",
    ),
    (
        "copilot-proxy",
        "a local proxy needs no credential; use github-copilot",
    ),
];

/// The meaning of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) name: String,
    /// The provider; `None` for [`TOKEN`].
    pub(super) provider: Option<ProviderId>,
    pub(super) method: String,
    pub(super) row: Option<&'static Row>,
}

impl Meaning {
    fn of_row(row: &'static Row) -> Result<Self, Failure> {
        Ok(Self {
            name: row.name.to_owned(),
            provider: Some(ProviderId::parse(row.provider)?),
            method: row.method.to_owned(),
            row: Some(row),
        })
    }

    /// Returns the meaning of a provider's method, under the value that the reference release has
    /// for it.
    pub(super) fn of(provider: &ProviderId, method: &str) -> Self {
        let same = |row: &&Row| row.provider == provider.as_str() && row.method == method;
        let row = ROWS.iter().find(same);
        Self {
            name: row.map_or_else(|| format!("{provider}/{method}"), |row| row.name.to_owned()),
            provider: Some(provider.clone()),
            method: method.to_owned(),
            row,
        }
    }
}

/// Returns the meaning of `name`; `None` for [`SKIP`].
///
/// # Errors
/// [`Kind::Usage`] if it means nothing, or nothing that can be stored here.
pub(super) fn meaning(
    cx: Context<'_>,
    name: &str,
    interactive: bool,
) -> Result<Option<Meaning>, Failure> {
    let name = name.trim();
    let alias = ALIASES.iter().find(|(old, _)| *old == name);
    let name = alias.map_or(name, |(_, new)| new);
    match name {
        SKIP => return Ok(None),
        TOKEN => {
            return Ok(Some(Meaning {
                name: TOKEN.to_owned(),
                provider: None,
                method: SETUP_TOKEN.to_owned(),
                row: None,
            }));
        }
        _ => {}
    }
    if let Some(row) = ROWS.iter().find(|row| row.name == name) {
        return Meaning::of_row(row).map(Some);
    }
    if let Some((_, why)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        let message = format!("the auth choice {name} is not supported: {why}");
        return Err(Failure::new(Kind::Usage, message));
    }
    of_provider(cx, name, interactive).map(Some)
}

/// Returns the meaning of a flag that is given without a choice.
pub(super) fn of_flag(flag: &str) -> Result<Option<Meaning>, Failure> {
    let row = ROWS.iter().find(|row| row.flag == Some(flag));
    row.map(Meaning::of_row).transpose()
}

fn of_provider(cx: Context<'_>, name: &str, interactive: bool) -> Result<Meaning, Failure> {
    let (id, method) = match name.split_once('/') {
        Some((id, method)) => (id, Some(method)),
        None => (name, None),
    };
    let known = cx.catalogue.ids()?;
    let id = provider_called(cx, id, method)?;
    let Some(id) = known.iter().find(|known| Some(*known) == id.as_ref()) else {
        return Err(unknown(name, &near(name, &known), interactive));
    };
    let provider = cx.catalogue.get(id)?;
    let methods: Vec<&str> = provider.flows.iter().map(Flow::method).collect();
    let found = match method {
        None => methods.first().copied(),
        Some(method) => methods.iter().copied().find(|known| *known == method),
    };
    let Some(method) = found else {
        let named: Vec<String> = methods.iter().map(|each| format!("{id}/{each}")).collect();
        return Err(unknown(name, &named, interactive));
    };
    Ok(Meaning::of(id, method))
}

/// Returns the provider that a choice names, which may be by an everyday name.
fn provider_called(
    cx: Context<'_>,
    name: &str,
    method: Option<&str>,
) -> Result<Option<ProviderId>, Failure> {
    let Ok(name) = ProviderName::parse(name) else {
        return Ok(None);
    };
    let purpose = match method {
        Some("api-key") => Purpose::Key,
        _ => Purpose::Login,
    };
    let agent = cx.settings.default_agent();
    cx.provider_id(&agent, &name, purpose).map(Some)
}

/// Lists similar values, the likeliest first.
fn near(name: &str, providers: &[ProviderId]) -> Vec<String> {
    let rows = ROWS.iter().map(|row| row.name);
    let known = rows
        .chain(ALIASES.iter().map(|(old, _)| *old))
        .chain([SKIP, TOKEN])
        .chain(providers.iter().map(ProviderId::as_str));
    let mut near = near::near(name, known, 0.85);
    near.dedup();
    near.into_iter().take(3).map(str::to_owned).collect()
}

/// Returns the command that onboards without a question.
pub(super) fn not_interactive() -> Command {
    Command::new("onboard --non-interactive --accept-risk")
}

fn unknown(name: &str, near: &[String], interactive: bool) -> Failure {
    let name = printable(name, 80);
    let mut message = format!("unknown auth choice \"{name}\"");
    let Some(first) = near.first() else {
        return Failure::new(Kind::Usage, message).hint(Command::new("onboard"));
    };
    let onboard = match interactive {
        true => Command::new("onboard"),
        false => not_interactive(),
    };
    let hint = onboard.option("--auth-choice", first);
    message.push_str(&format!("; did you mean {}?", near.join(" or ")));
    Failure::new(Kind::Usage, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_stands_for_one_thing() {
        let mut names = BTreeSet::from([SKIP, TOKEN]);
        let known = ROWS.iter().map(|row| row.name);
        let more = ALIASES.iter().chain(ELSEWHERE).map(|(name, _)| *name);
        for name in known.chain(more) {
            assert!(names.insert(name), "{name} stands there twice");
        }
        for (old, new) in ALIASES {
            assert!(ROWS.iter().any(|row| row.name == *new), "{old}");
        }
        for row in ROWS {
            assert_eq!(row.flag.is_some(), row.method == API_KEY, "{}", row.name);
        }
    }
}
