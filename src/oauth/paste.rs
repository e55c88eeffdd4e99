//! What a person pastes where the browser could not reach us: a redirect address, or a part of one.
//!
//! Nothing is proven here. Parameters go through the same check as a callback's, and a code that
//! comes without `state` says so in its type.

use url::form_urlencoded;

use crate::model::secret::Secret;

mod clothes;

use clothes::{
    addresses, cut, decoded, first_parameter, joined, once, plain, separated, unwrapped,
    without_end,
};

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
    /// Parses what a person pasted: the redirect URL in whatever clothes it comes, its query, code
    /// and state, or a bare code. White space falls away, for terminals wrap lines.
    ///
    /// What holds a part of an answer and is not understood is [`Pasted::Invalid`], never a code:
    /// it would be sent, and the attempt would be over. So is a code that was damaged on the way.
    pub fn parse(text: &str) -> Self {
        let text = Secret::new(plain(text));
        let pasted = once(text.expose().trim());
        if pasted.is_empty() {
            return invalid("nothing was pasted");
        }
        if let Some(found) = answer(pasted, 0) {
            return found.map_or_else(invalid, Pasted::Query);
        }
        if let Some(query) = code_and_state(pasted) {
            return Pasted::Query(query);
        }
        if pasted.contains("://") {
            return invalid(
                "this URL contains no authorization code; paste the one the browser shows after \
                 you log in",
            );
        }
        let code = Secret::new(joined(unwrapped(pasted)));
        match !pasted.contains([' ', '\t']) && may_be_code(code.expose()) {
            true => Pasted::BareCode(unescaped(code.expose())),
            false => invalid("this is neither a redirect URL nor an authorization code"),
        }
    }
}

fn invalid(why: &str) -> Pasted {
    Pasted::Invalid(why.to_owned())
}

/// Parameters of a callback.
type Query = Vec<(String, Secret<String>)>;

/// The parameters of a callback, or why they must not be used.
type Answer = Result<Query, &'static str>;

const DAMAGED: &str = "the code was damaged when it was copied; copy the whole URL again";
const SEVERAL: &str = "these are several answers; paste one of them";

/// The parameters whose names are never the end of a code.
const NAMES: [&str; 3] = ["code", "error", "state"];

/// How deep an answer may be wrapped in other URLs.
const WRAPPINGS: u8 = 3;

/// Finds the answer of the server in a text: a URL, a header line, a command, or a part of these.
fn answer(text: &str, depth: u8) -> Option<Answer> {
    if let Some(found) = answer_in(text) {
        return Some(found);
    }
    // The request beside its answer, or other links around it.
    let mut all = addresses(text).into_iter().filter_map(answer_in);
    if let Some(first) = all.next() {
        let is_one = all.all(|other| other == first);
        return Some(if is_one { first } else { Err(SEVERAL) });
    }
    // A parameter of another URL, as mail filters and search pages have it, or escaped as a whole.
    let whole = Secret::new(joined(text));
    let inner = Secret::new(decoded(whole.expose()));
    (depth < WRAPPINGS && inner != whole).then(|| answer(inner.expose(), depth + 1))?
}

fn answer_in(text: &str) -> Option<Answer> {
    first_parameter(text)?;
    let text = Secret::new(separated(cut(text)));
    let compact = Secret::new(joined(text.expose()));
    let compact = without_end(compact.expose());
    let (front, fragment) = match compact.split_once('#') {
        Some((front, fragment)) => (front, Some(fragment)),
        None => (compact, None),
    };
    let parts = [Some(front), fragment].into_iter().flatten();
    let mut found = parts.filter_map(query_in).next()?;
    // `code=…#state`, as some pages show it.
    if let Ok(query) = &mut found
        && let Some(state) = fragment.filter(|text| !text.is_empty() && !text.contains('='))
        && !query.iter().any(|(name, _)| name == "state")
    {
        query.push(("state".to_owned(), Secret::from(state)));
    }
    Some(found)
}

/// Returns the query of a callback at the end of a URL, which another URL may be around.
fn query_in(text: &str) -> Option<Answer> {
    let behind = first_parameter(text).and_then(|place| {
        let start = text[..place].rfind('?')?;
        query_of(&text[start..])
    });
    behind.or_else(|| query_of(text))
}

/// Finds a code and its state without the names of a query: `code#state`, `code state`, or each
/// behind its name.
fn code_and_state(text: &str) -> Option<Query> {
    let pair = |name: &str, value: &str| (name.to_owned(), Secret::from(value));
    if let Some(code) = labelled(text, "code") {
        let state = labelled(text, "state").map(|state| pair("state", state));
        return Some(std::iter::once(pair("code", code)).chain(state).collect());
    }
    let text = unwrapped(text);
    let compact = Secret::new(joined(text));
    let words: Vec<&str> = text.split_whitespace().collect();
    let (code, state) = match (compact.expose().split_once('#'), words.as_slice()) {
        (Some(both), _) => both,
        // Shorter ones are words of a sentence.
        (None, [code, state]) if code.len().min(state.len()) >= 16 && !text.contains('\n') => {
            (*code, *state)
        }
        _ => return None,
    };
    (may_be_code(code) && may_be_code(state)).then(|| {
        let code = ("code".to_owned(), unescaped(code));
        vec![code, pair("state", state)]
    })
}

/// The value behind `name:`, as JSON and people write it.
fn labelled<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let quotes = ['"', '\'', '`'];
    lower.match_indices(name).find_map(|(place, _)| {
        let before = text[..place].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let behind = text[place + name.len()..].trim_start_matches(quotes);
        let value = behind.trim_start().strip_prefix(':')?;
        let value = value.trim_start().trim_start_matches(quotes);
        let ends = |c: char| c.is_whitespace() || quotes.contains(&c) || ",;&}".contains(c);
        let value = value.split(ends).next()?;
        may_be_code(value).then_some(value)
    })
}

/// Whether a text can be a code or a state, as it is and as it is meant: no part of a URL or of a
/// query, and nothing that was damaged. The padding of base64 stands at the end.
fn may_be_code(text: &str) -> bool {
    let is_plain = |c: &u8| c.is_ascii_graphic() && !b"?&#=<>\"'`\\^(){}[],;".contains(c);
    let unpadded = text.trim_end_matches('=');
    let meant = unescaped(unpadded);
    let lower = meant.expose().to_ascii_lowercase();
    let is_address = lower.contains("://") || lower.starts_with("localhost");
    // A name whose value was lost, as `code=`, looks like base64 with its padding.
    let is_name = unpadded.len() < text.len() && NAMES.iter().any(|name| lower.ends_with(name));
    let is_whole = !unpadded.is_empty() && !unpadded.ends_with(['.', ':']) && is_escaped(unpadded);
    is_whole
        && text.len() <= 4096
        && [unpadded, meant.expose()]
            .iter()
            .all(|text| text.as_bytes().iter().all(is_plain))
        && !is_address
        && !is_name
}

/// Returns a code as it is meant that was copied out of a URL.
fn unescaped(code: &str) -> Secret<String> {
    let bytes = Secret::new(percent_decode(code));
    Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned())
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, back)) = rest.split_once('%') {
        decoded.extend_from_slice(front.as_bytes());
        let escape = back
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escape.unwrap_or(b'%'));
        rest = if escape.is_some() { &back[2..] } else { back };
    }
    decoded.extend_from_slice(rest.as_bytes());
    decoded
}

/// Whether every percent sign of a text begins an escape.
fn is_escaped(text: &str) -> bool {
    let mut behind = text.split('%').skip(1);
    behind.all(|part| {
        let hex = part.as_bytes().get(..2);
        hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    })
}

/// The parameters of a query, if it is the query of a callback.
fn query_of(query: &str) -> Option<Answer> {
    let query = query.trim_start_matches(['?', '&', '#', '/']);
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())));
    // An empty error is none.
    let pairs: Query = pairs
        .filter(|(name, value)| name != "error" || !value.is_blank())
        .collect();
    let is_named = |names: &[&str]| pairs.iter().any(|(name, _)| names.contains(&name.as_str()));
    let answers = pairs.iter().any(|(name, value)| {
        let is_answer = name == "error" || (name == "code" && value.expose() != "true");
        is_answer && !value.is_blank()
    });
    // The authorization request of Anthropic holds `code=true`; it is no callback.
    let asks = is_named(&["code_challenge", "response_type"]);
    if !answers || asks {
        return None;
    }
    let mut raw = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("code="));
    Some(match raw.all(is_undamaged) {
        true => Ok(pairs),
        false => Err(DAMAGED),
    })
}

/// Whether a code of a query can have come from a server as it is: what a shell, a mail or a
/// sentence adds is none of it.
fn is_undamaged(raw: &str) -> bool {
    let unpadded = raw.trim_end_matches('=');
    let is_plain = |c: u8| c.is_ascii_graphic() && !b"\\^\"`<>{}=".contains(&c);
    unpadded.bytes().all(is_plain) && is_escaped(unpadded) && !unpadded.ends_with(['?', ':', '.'])
}

#[cfg(test)]
mod tests;
