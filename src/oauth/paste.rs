//! What a person pastes where the browser could not reach us: a redirect address, or a part of one.
//!
//! Nothing is proven here. Parameters go through the same check as a callback's, and a code that
//! comes without `state` says so in its type.

use url::form_urlencoded;

use crate::model::id::is_unprintable;
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
    /// Parses what a person pasted: the redirect URL in whatever clothes it comes, its query, code
    /// and state, or a bare code. White space falls away, for terminals wrap lines.
    ///
    /// What holds a part of an answer and is not understood is [`Pasted::Invalid`], never a code:
    /// it would be sent, and the attempt would be over.
    pub fn parse(text: &str) -> Self {
        let text = Secret::new(plain(text));
        let pasted = once(text.expose().trim());
        if pasted.is_empty() {
            return invalid("nothing was pasted");
        }
        if let Some(query) = answer(pasted).or_else(|| code_and_state(pasted)) {
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
            true => Pasted::BareCode(code),
            false => invalid("this is neither a redirect URL nor an authorization code"),
        }
    }
}

fn invalid(why: &str) -> Pasted {
    Pasted::Invalid(why.to_owned())
}

/// Parameters of a callback.
type Query = Vec<(String, Secret<String>)>;

/// The parameters by which an answer is known, and those that stand beside them.
const PARAMETERS: [&str; 7] = [
    "code",
    "error",
    "state",
    "iss",
    "scope",
    "session_state",
    "error_description",
];

/// What was copied, without what no text of an answer holds: byte order marks and other invisible
/// characters, and the escapes of HTML, JSON and shells.
fn plain(text: &str) -> String {
    let is_visible = |c: &char| c.is_whitespace() || !(is_unprintable(*c) || is_zero_width(*c));
    let mut text: String = text.chars().filter(is_visible).collect();
    for (escape, meant) in [
        ("&amp;", "&"),
        ("&#38;", "&"),
        ("&#x26;", "&"),
        ("\\u0026", "&"),
        ("\\u003d", "="),
        ("\\?", "?"),
        ("\\=", "="),
        ("\\&", "&"),
        ("\\/", "/"),
    ] {
        if text.contains(escape) {
            text = text.replace(escape, meant);
        }
    }
    text
}

fn is_zero_width(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'
    )
}

fn joined(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// One half of what was pasted twice.
fn once(text: &str) -> &str {
    let middle = text.len() / 2;
    let halves = (text.is_char_boundary(middle) && has_parameter(text))
        .then(|| text.split_at(middle))
        .map(|(first, second)| (first.trim_end(), second.trim_start()));
    match halves {
        Some((first, second)) if first == second => first,
        _ => text,
    }
}

/// Finds the answer of the server in a text: a URL, a header line, a command, or a part of these.
fn answer(text: &str) -> Option<Query> {
    let whole = Secret::new(joined(text));
    // Escaped as a whole, as a parameter of another URL is.
    if !has_parameter(text) && has_parameter(&decoded(whole.expose())) {
        let decoded = Secret::new(decoded(whole.expose()));
        return answer_in(decoded.expose());
    }
    answer_in(text)
}

fn answer_in(text: &str) -> Option<Query> {
    let text = Secret::new(separated(cut(text)));
    let compact = Secret::new(joined(text.expose()));
    let compact = compact.expose().trim_end_matches([',', ';']);
    // The end of a sentence; a description has its own.
    let compact = match compact.contains("error=") {
        true => compact,
        false => compact.trim_end_matches('.'),
    };
    let (front, fragment) = match compact.split_once('#') {
        Some((front, fragment)) => (front, Some(fragment)),
        None => (compact, None),
    };
    let behind = front.split_once('?').map(|(_, query)| query);
    let query = [behind, fragment, Some(front)]
        .into_iter()
        .flatten()
        .find_map(|part| query_of(part.trim_start_matches(['?', '&', '#'])));
    let mut query = query?;
    // `code=…#state`, as some pages show it.
    let has_state = query.iter().any(|(name, _)| name == "state");
    if let Some(state) = fragment.filter(|text| !text.is_empty() && !text.contains('='))
        && !has_state
    {
        query.push(("state".to_owned(), Secret::from(state)));
    }
    Some(query)
}

/// Where the first parameter of an answer stands.
fn first_parameter(text: &str) -> Option<usize> {
    let places = ["code=", "error="].into_iter().flat_map(|name| {
        text.match_indices(name)
            .map(|(place, _)| place)
            .filter(|place| {
                let before = text[..*place].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            })
    });
    places.min()
}

fn has_parameter(text: &str) -> bool {
    first_parameter(text).is_some()
}

/// Leaves out what stands behind an answer: the end of a quotation, of a request line, and the
/// header lines that follow.
fn cut(text: &str) -> &str {
    let Some(start) = first_parameter(text) else {
        return text;
    };
    let (before, answer) = text.split_at(start);
    let mut end = answer.len();
    let mut stop = |place: Option<usize>| end = end.min(place.unwrap_or(end));
    stop(answer.find(['"', '<', '>', '`', '\u{201d}', '\u{2019}', '\u{bb}']));
    for (open, close) in [('\'', '\''), ('(', ')'), ('[', ']'), ('{', '}')] {
        stop(answer.find(close).filter(|_| before.contains(open)));
    }
    stop(answer.find(" HTTP/"));
    let lines = answer.match_indices('\n').map(|(place, _)| place);
    for place in lines {
        let line = answer[place..].trim_start().lines().next();
        let name = line.and_then(|line| line.split_once(": "));
        let is_header = name.is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        });
        stop(is_header.then_some(place));
    }
    &text[..start + end]
}

/// Parts parameters with `&` where a blank or a comma parts them.
fn separated(text: &str) -> String {
    let mut parted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';')) {
        let (front, back) = rest.split_at(place);
        let next = back.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let begins = |name: &str| {
            let value = next.strip_prefix(name);
            value.is_some_and(|value| value.starts_with('='))
        };
        parted.push_str(front);
        match PARAMETERS.into_iter().any(begins) {
            true => parted.push('&'),
            false => parted.push_str(&back[..back.len() - next.len()]),
        }
        rest = next;
    }
    parted.push_str(rest);
    parted
}

fn decoded(text: &str) -> String {
    let pairs = form_urlencoded::parse(text.as_bytes());
    let texts = pairs.map(|(name, value)| match value.is_empty() {
        true => name.into_owned(),
        false => format!("{name}={value}"),
    });
    texts.collect::<Vec<_>>().join("&")
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
    (may_be_code(code) && may_be_code(state))
        .then(|| vec![pair("code", code), pair("state", state)])
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

/// Takes away what people put around a text.
fn unwrapped(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let pairs = [
            "\"\"",
            "''",
            "``",
            "<>",
            "()",
            "[]",
            "\u{201c}\u{201d}",
            "\u{2018}\u{2019}",
        ];
        let inner = pairs.iter().find_map(|pair| {
            let mut pair = pair.chars();
            text.strip_prefix(pair.next()?)?.strip_suffix(pair.next()?)
        });
        match inner.or_else(|| text.strip_suffix([',', ';'])) {
            Some(inner) => text = inner.trim(),
            None => return text,
        }
    }
}

/// Whether a text can be a code or a state: no part of a URL or of a query. The padding of base64
/// stands at the end.
fn may_be_code(text: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_graphic() && !b"?&#=<>\"'`\\(){}[],;".contains(&c);
    let unpadded = text.trim_end_matches('=');
    let lower = unpadded.to_ascii_lowercase();
    let is_address =
        lower.contains("://") || lower.starts_with("localhost") || lower.contains("%3d");
    !unpadded.is_empty() && text.len() <= 4096 && unpadded.bytes().all(is_plain) && !is_address
}

/// The parameters of a query, if it is the query of a callback.
fn query_of(query: &str) -> Option<Query> {
    let pairs: Query = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
        .collect();
    let answers = pairs
        .iter()
        .any(|(name, value)| (name == "code" || name == "error") && !value.is_blank());
    // The authorization request of Anthropic holds `code=true`; it is no callback.
    let asks = pairs.iter().any(|(name, _)| name == "code_challenge");
    (answers && !asks).then_some(pairs)
}

#[cfg(test)]
mod tests;
