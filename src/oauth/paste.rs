//! What a person pastes where the browser could not reach us: a redirect address, or a part of one.
//!
//! Nothing is proven here. Parameters go through the same check as a callback's, and a code that
//! comes without `state` says so in its type.

use url::{Url, form_urlencoded};

use crate::model::secret::Secret;

/// A text that was pasted instead of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// The parameters of a callback, for
    /// [`read_callback`](crate::oauth::authorization::PendingAuthorization::read_callback).
    Query(Vec<(String, Secret<String>)>),
    /// A code alone, which no `state` protects.
    BareCode(Secret<String>),
    /// Something else; the reason quotes nothing of it.
    Invalid(String),
}

impl Pasted {
    /// Parses what a person pasted: the whole redirect URL, its query, `code#state`, or a bare
    /// code. White space falls away, for terminals wrap lines.
    pub fn parse(text: &str) -> Self {
        let invalid = |why: &str| Pasted::Invalid(why.to_owned());
        let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let joined = Secret::new(joined);
        let pasted = joined.expose().as_str();
        if pasted.is_empty() {
            return invalid("nothing was pasted");
        }
        if pasted.starts_with("http://") || pasted.starts_with("https://") {
            let query = Url::parse(pasted)
                .ok()
                .and_then(|url| query_of(url.query()?));
            return query.map_or_else(
                || {
                    invalid(
                        "this URL contains no authorization code; paste the one the browser shows \
                         after you log in",
                    )
                },
                Pasted::Query,
            );
        }
        if let Some(query) = query_of(pasted.trim_start_matches('?')) {
            return Pasted::Query(query);
        }
        if let Some((code, state)) = pasted.split_once('#')
            && !code.is_empty()
            && !state.is_empty()
        {
            let pair = |name: &str, value: &str| (name.to_owned(), Secret::from(value));
            return Pasted::Query(vec![pair("code", code), pair("state", state)]);
        }
        let is_one_word = !text.trim().contains([' ', '\t']);
        let is_code = pasted.len() <= 4096 && pasted.bytes().all(|b| b.is_ascii_graphic());
        if is_one_word && is_code && !pasted.contains('#') {
            Pasted::BareCode(joined)
        } else {
            invalid("this is neither a redirect URL nor an authorization code")
        }
    }
}

/// The parameters of a query, if it is the query of a callback.
fn query_of(query: &str) -> Option<Vec<(String, Secret<String>)>> {
    let pairs: Vec<(String, Secret<String>)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
        .collect();
    let answers = pairs
        .iter()
        .any(|(name, _)| name == "code" || name == "error");
    // The authorization request of Anthropic holds `code=true`; it is no callback.
    let asks = pairs.iter().any(|(name, _)| name == "code_challenge");
    (answers && !asks).then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str =
        "https://login.example/authorize?code=true&response_type=code&code_challenge=x&state=s";

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, Secret<String>)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
        pairs.iter().map(own).collect()
    }

    #[test]
    fn pastes_of_every_kind_are_understood() {
        let paste = Pasted::parse;
        let both = Pasted::Query(query(&[("code", "a b"), ("state", "s")]));
        for text in [
            "http://localhost:1455/auth/callback?code=a%20b&state=s",
            " http://localhost:1455/auth/call\n  back?code=a+b&state=s\n",
            "code=a%20b&state=s",
            "?code=a%20b&state=s",
        ] {
            assert_eq!(paste(text), both, "{text}");
        }
        let hash = Pasted::Query(query(&[("code", "ab"), ("state", "s")]));
        assert_eq!(paste("ab#s"), hash);
        assert_eq!(
            paste(" ac_1.x-\ny= \n"),
            Pasted::BareCode("ac_1.x-y=".into())
        );
        for text in [
            "",
            " \n",
            "what now",
            "ab#",
            REQUEST,
            "https://example.com/",
            "é",
        ] {
            assert!(matches!(paste(text), Pasted::Invalid(_)), "{text}");
        }
    }
}
