//! What a model is called: `provider/model`, or an alias of the configuration.
//!
//! Only the form is known here; whether a provider has such a model is not.

use std::fmt;

use super::id::ProviderId;

/// The provider of a name without one, in the reference release.
const DEFAULT_PROVIDER: &str = "anthropic";

/// Short names of models, by provider, as OpenClaw writes them out.
const SHORT: [(&str, &str, &str); 5] = [
    ("anthropic", "opus-4.6", "claude-opus-4-6"),
    ("anthropic", "opus-4.5", "claude-opus-4-5"),
    ("anthropic", "sonnet-4.5", "claude-sonnet-4-5"),
    ("google", "gemini-3-pro", "gemini-3-pro-preview"),
    ("google", "gemini-3-flash", "gemini-3-flash-preview"),
];

/// Aliases that the reference release gives to configured models that have none of their own.
const BUILT_IN: [(&str, &str); 6] = [
    ("opus", "anthropic/claude-opus-4-6"),
    ("sonnet", "anthropic/claude-sonnet-4-5"),
    ("gpt", "openai/gpt-5.2"),
    ("gpt-mini", "openai/gpt-5-mini"),
    ("gemini", "google/gemini-3-pro-preview"),
    ("gemini-flash", "google/gemini-3-flash-preview"),
];

/// A model of a provider, both written as OpenClaw writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// Its provider.
    pub provider: ProviderId,
    /// Its name there, which may hold slashes.
    pub model: String,
}

impl ModelRef {
    /// Reads `provider/model`, or a model of the default provider. `None` if it can be neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, model) = match text.trim().split_once('/') {
            Some((provider, model)) => (provider, model.trim()),
            None => (DEFAULT_PROVIDER, text.trim()),
        };
        let provider = ProviderId::parse(provider).ok()?;
        if model.is_empty() || model.contains(super::text::is_unprintable) {
            return None;
        }
        let short = SHORT.iter().find(|(of, short, _)| {
            // The one provider's names are told apart by case and the other's are not.
            *of == provider.as_str()
                && match *of {
                    DEFAULT_PROVIDER => short.eq_ignore_ascii_case(model),
                    _ => *short == model,
                }
        });
        let model = short.map_or(model, |(_, _, long)| long).to_owned();
        Some(Self { provider, model })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// The model that `agents.defaults.model.primary` names in the eyes of the reference release, which
/// knows none but its own aliases there.
pub fn of_primary(text: &str) -> Option<ModelRef> {
    let text = text.trim();
    let mut aliases = BUILT_IN.iter();
    let alias = aliases.find(|(alias, _)| alias.eq_ignore_ascii_case(text));
    match text {
        "" => None,
        text => ModelRef::parse(alias.map_or(text, |(_, model)| model)),
    }
}

/// The alias that a model has where the configuration gives it none.
pub fn built_in_alias(reference: &str) -> Option<&'static str> {
    let found = BUILT_IN.iter().find(|(_, model)| *model == reference);
    found.map(|(alias, _)| *alias)
}

/// The aliases of the configured models, each with its model as written, in order. An alias that
/// is written and empty means that there is none.
pub fn aliases(models: &[(String, Option<String>)]) -> Vec<(String, String)> {
    let pair = |(reference, alias): &(String, Option<String>)| {
        let alias = match alias {
            Some(alias) => alias.trim(),
            None => built_in_alias(reference)?,
        };
        (!alias.is_empty()).then(|| (alias.to_owned(), reference.clone()))
    };
    models.iter().filter_map(pair).collect()
}

/// What a text means: an alias, whichever way its letters are cased, else a reference. Of two
/// models with one alias the later counts.
pub fn resolve(text: &str, aliases: &[(String, String)]) -> Option<ModelRef> {
    match alias(text, aliases).filter(|_| !text.contains('/')) {
        Some(reference) => ModelRef::parse(reference),
        None => ModelRef::parse(text),
    }
}

/// The model, as written, of the alias that a text is.
pub fn alias<'a>(text: &str, aliases: &'a [(String, String)]) -> Option<&'a str> {
    let text = text.trim();
    let mut later = aliases.iter().rev();
    let found = later.find(|(alias, _)| alias.eq_ignore_ascii_case(text));
    found.map(|(_, reference)| reference.as_str())
}

/// Splits a profile from a model that a person named: what follows the first `@` behind the last
/// slash. A date or a quantisation there belongs to the model, as in OpenClaw 2026.5.
pub fn split_profile(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let name = text.rfind('/').map_or(0, |slash| slash + 1);
    let mut from = name;
    while let Some(at) = text[from..].find('@').map(|at| from + at) {
        let behind = &text[at + 1..];
        let word = behind.split('@').next().unwrap_or_default();
        // Nothing is in front of it: no model is named.
        let begins = at == name && name > 0;
        if !begins && !is_version(word) && !is_quantisation(word) {
            let profile = behind.trim();
            return (text[..at].trim(), (!profile.is_empty()).then_some(profile));
        }
        from = at + 1;
    }
    (text, None)
}

/// `20250514`, `2025-05-14`.
fn is_version(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let plain = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    plain && digits == 8 && matches!(word.len(), 8 | 10)
}

/// `q8_0`, `iq3_xxs`, `4bit`, `fp16`.
fn is_quantisation(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = word.split('_');
    let first = parts.next().unwrap_or_default();
    let level = first.strip_prefix('i').unwrap_or(first).strip_prefix('q');
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let numbered = ["fp", "bf", "int", "f"].into_iter();
    level.is_some_and(|level| is_number(level) && parts.all(plain))
        || word.strip_suffix("bit").is_some_and(is_number)
        || numbered
            .filter_map(|kind| word.strip_prefix(kind))
            .any(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_written_as_the_reference_writes_them() {
        for (text, written) in [
            (" z.ai/glm-5 ", Some("zai/glm-5")),
            ("OpenAI/GPT-5", Some("openai/GPT-5")),
            ("Opus-4.5", Some("anthropic/claude-opus-4-5")),
            ("google/gemini-3-pro", Some("google/gemini-3-pro-preview")),
            ("google/Gemini-3-Pro", Some("google/Gemini-3-Pro")),
            ("openrouter/a/b", Some("openrouter/a/b")),
            ("openai/opus-4.5", Some("openai/opus-4.5")),
            ("/x", None),
            ("x/", None),
            (" ", None),
            ("a/b\u{1b}", None),
        ] {
            let found = ModelRef::parse(text).map(|found| found.to_string());
            assert_eq!(found.as_deref(), written, "{text:?}");
        }
    }

    #[test]
    fn an_alias_goes_before_a_name_and_not_before_a_reference() {
        let models = [
            ("openai/gpt-5-mini".to_owned(), Some("mini".to_owned())),
            ("z.ai/glm-5".to_owned(), Some(" glm ".to_owned())),
            ("openai/gpt-5.2".to_owned(), None),
            ("anthropic/claude-opus-4-6".to_owned(), Some(String::new())),
            ("openai/gpt-6".to_owned(), Some("MINI".to_owned())),
        ];
        let aliases = aliases(&models);
        let names: Vec<&str> = aliases.iter().map(|(alias, _)| alias.as_str()).collect();
        assert_eq!(names, ["mini", "glm", "gpt", "MINI"]);
        for (text, meant) in [
            ("Mini", "openai/gpt-6"),
            ("glm", "zai/glm-5"),
            ("opus", "anthropic/opus"),
            ("openai/mini", "openai/mini"),
        ] {
            assert_eq!(resolve(text, &aliases).unwrap().to_string(), meant);
        }
    }

    #[test]
    fn a_profile_follows_the_name_and_no_version_does() {
        for (text, model, profile) in [
            ("opus", "opus", None),
            ("opus@work", "opus", Some("work")),
            (
                " opus @ anthropic:me@example.com ",
                "opus",
                Some("anthropic:me@example.com"),
            ),
            ("opus@", "opus", None),
            ("@work", "", Some("work")),
            (
                "acme/claude-sonnet-4@20250514",
                "acme/claude-sonnet-4@20250514",
                None,
            ),
            ("acme/c@20250514@acme:w", "acme/c@20250514", Some("acme:w")),
            ("acme/c@2025-05-14@w", "acme/c@2025-05-14", Some("w")),
            ("acme/@cf/meta/llama-3", "acme/@cf/meta/llama-3", None),
            (
                "acme/@cf/meta/llama-3@w",
                "acme/@cf/meta/llama-3",
                Some("w"),
            ),
            ("acme/@llama", "acme/@llama", None),
            ("x@q8_0", "x@q8_0", None),
            ("x@Q4_K_M@w", "x@Q4_K_M", Some("w")),
            ("x@iq3_xxs", "x@iq3_xxs", None),
            ("x@4bit", "x@4bit", None),
            ("x@fp16", "x@fp16", None),
            ("x@20250514@q8_0@w", "x@20250514@q8_0", Some("w")),
            ("x@q", "x", Some("q")),
            ("x@2025", "x", Some("2025")),
            ("x@qa8", "x", Some("qa8")),
        ] {
            assert_eq!(split_profile(text), (model, profile), "{text}");
        }
    }
}
