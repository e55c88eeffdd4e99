//! What stands around an answer where people copy it from: the escapes of a shell, quotes, links,
//! sentences, lines. Taken away here; nothing is judged.

use url::form_urlencoded;

use crate::model::text::{is_unprintable, without_paste_marks};

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
/// The shortest text that stands twice by no chance.
const TWICE: usize = 8;

/// What was copied, without what no text of an answer holds: invisible characters, the ends of
/// continued lines, and the escapes of HTML, JSON and shells.
pub(super) fn plain(text: &str) -> String {
    let mut text = without_paste_marks(text).replace('\r', "");
    for continued in ["\\\n", "^\n", "`\n"] {
        text = text.replace(continued, "");
    }
    text = without_colors(&text);
    text.retain(|c| c.is_whitespace() || !is_unprintable(c));
    for (escape, meant) in [
        ("&amp;amp;", "&"),
        ("&amp;", "&"),
        ("&#38;", "&"),
        ("&#x26;", "&"),
        ("\\u0026", "&"),
        ("\\x26", "&"),
        ("\\u003d", "="),
        ("\\u003D", "="),
        ("\\x3d", "="),
        ("`&", "&"),
        (" = ", "="),
    ] {
        if text.contains(escape) {
            text = text.replace(escape, meant);
        }
    }
    without_escapes(&text)
}

/// Takes away what tells a terminal the color of a text (`ESC [ 32 m`).
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let text = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain.push_str(text.strip_prefix(['m', '~', 'K']).unwrap_or(part));
    }
    plain
}

/// Takes away the backslashes of a Unix shell and the carets of `cmd.exe` in front of what these
/// must not see.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_escape = match c {
            '\\' => next.is_ascii_punctuation(),
            '^' => "&|<>()^%!\"".contains(next),
            _ => false,
        };
        match is_escape {
            true => plain.extend(rest.next()),
            false => plain.push(c),
        }
    }
    plain
}

/// A text without white space.
pub(super) fn joined(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// One of what was pasted more than once.
pub(super) fn once(text: &str) -> &str {
    let places: Vec<(usize, char)> = (text.char_indices())
        .filter(|(_, c)| !c.is_whitespace())
        .collect();
    let is_answer = first_parameter(text).is_some();
    for times in [4, 3, 2] {
        let length = places.len() / times;
        if length == 0 || !places.len().is_multiple_of(times) || (length < TWICE && !is_answer) {
            continue;
        }
        let (first, others) = places.split_at(length);
        let is_same =
            (others.iter().zip(first.iter().cycle())).all(|(one, other)| one.1 == other.1);
        let is_plain = first.iter().all(|(_, c)| *c == first[0].1);
        if is_same && !is_plain {
            return text[..others[0].0].trim();
        }
    }
    text
}

/// Where the first parameter of an answer stands.
pub(super) fn first_parameter(text: &str) -> Option<usize> {
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

/// The addresses in a text, each with what follows it, and its lines.
pub(super) fn addresses(text: &str) -> Vec<&str> {
    let starts = ["http://", "https://"].into_iter();
    let mut starts: Vec<usize> = starts
        .flat_map(|scheme| text.match_indices(scheme).map(|(place, _)| place))
        .collect();
    starts.sort_unstable();
    starts.push(text.len());
    let pieces = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]);
    let lines = text.lines().filter(|line| line.len() < text.len());
    match starts.len() {
        0..=2 => lines.collect(),
        _ => pieces.chain(lines).collect(),
    }
}

/// Leaves out what stands behind an answer: the end of a quotation or a link, of a request line, of
/// a sentence, and the header lines that follow.
pub(super) fn cut(text: &str) -> &str {
    let Some(start) = first_parameter(text) else {
        return text;
    };
    let (before, answer) = text.split_at(start);
    let mut end = answer.len();
    let mut stop = |place: Option<usize>| end = end.min(place.unwrap_or(end));
    stop(answer.find(['"', '<', '>', '`', '\u{201d}', '\u{2019}', '\u{bb}']));
    for (open, close) in [('\'', '\''), ('(', ')'), ('[', ']'), ('{', '}'), ('<', '|')] {
        stop(answer.find(close).filter(|_| before.contains(open)));
    }
    stop(answer.find(" HTTP/"));
    let blanks = answer.match_indices(char::is_whitespace).map(|(at, _)| at);
    let begins = |place: &usize| !answer[..*place].ends_with(char::is_whitespace);
    stop(blanks.filter(begins).find(|place| ends_at(answer, *place)));
    &text[..start + end]
}

/// Whether an answer ends at a blank or a line break: words follow, or a header line.
fn ends_at(answer: &str, place: usize) -> bool {
    let (front, behind) = answer.split_at(place);
    let rest = behind.trim_start();
    let blank = &behind[..behind.len() - rest.len()];
    let line = rest.lines().next().unwrap_or_default().trim_end();
    let is_new_line = blank.contains('\n');
    let is_header = line.split_once(": ").is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    });
    // Of a description, every word counts. What was wrapped has no blank in a line.
    let is_sentence = !front.contains("error=") && !rest.contains(['=', '&']);
    (is_new_line && is_header) || (is_sentence && (!is_new_line || line.contains(' ')))
}

/// Leaves out the end of the sentence around an answer. Our own `state` has no such characters; a
/// code may have some, and a description has its own.
pub(super) fn without_end(text: &str) -> &str {
    let text = text.trim_end_matches([',', ';']);
    let last = text.rsplit('&').next().unwrap_or_default();
    match last {
        _ if text.contains("error=") => text,
        _ if last.starts_with("state=") => {
            text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"-_~%=".contains(c))
        }
        _ => text.trim_end_matches('.'),
    }
}

/// Parts parameters with `&` where a blank or a comma parts them.
pub(super) fn separated(text: &str) -> String {
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

/// A text of which the escapes of a URL are taken away once.
pub(super) fn decoded(text: &str) -> String {
    let pairs = form_urlencoded::parse(text.as_bytes());
    let texts = pairs.map(|(name, value)| match value.is_empty() {
        true => name.into_owned(),
        false => format!("{name}={value}"),
    });
    texts.collect::<Vec<_>>().join("&")
}

/// Takes away what people put around a text.
pub(super) fn unwrapped(text: &str) -> &str {
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
