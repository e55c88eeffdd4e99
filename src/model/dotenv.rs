//! The text of a `.env` file to names and values, by the rules of the npm package `dotenv`, with
//! which the reference release reads it.
//!
//! Nothing is expanded: a key may hold `$`. A line that is no assignment says nothing, and is never
//! quoted in an error, since it may well be a key. Of two assignments of one name the later counts.

use super::secret::Secret;

/// The assignments, in order.
pub fn parse(text: &str) -> Vec<(String, Secret<String>)> {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut found: Vec<(String, Secret<String>)> = Vec::new();
    while !rest.is_empty() {
        match assignment(rest) {
            Some((name, value, after)) => {
                found.retain(|(other, _)| other != name);
                found.push((name.to_owned(), value));
                rest = after;
            }
            None => rest = next_line(rest),
        }
    }
    found
}

fn next_line(text: &str) -> &str {
    text.find(['\n', '\r']).map_or("", |at| &text[at + 1..])
}

/// The assignment that begins with this line, and what follows its line.
fn assignment(text: &str) -> Option<(&str, Secret<String>, &str)> {
    let text = text.trim_start();
    let text = match text.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => text,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let end = text.find(|c| !is_name(c))?;
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let blank = [' ', '\t'];
    let value = match rest.trim_start_matches(blank).strip_prefix('=') {
        Some(value) => value,
        None => rest.strip_prefix(':').filter(|v| v.starts_with(blank))?,
    };
    let value = value.trim_start_matches(blank);
    let (value, after) = quoted(value).unwrap_or_else(|| plain(value));
    Some((name, value, after))
}

/// A value between quotes, which may span lines; nothing but a comment may follow it.
fn quoted(text: &str) -> Option<(Secret<String>, &str)> {
    let quote = text.chars().next().filter(|c| "'\"`".contains(*c))?;
    let inner = &text[1..];
    let mut escaped = false;
    let end = inner.find(|c| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    let after = &inner[end + 1..];
    let line = after.split(['\n', '\r']).next().unwrap_or_default().trim();
    if !line.is_empty() && !line.starts_with('#') {
        return None;
    }
    let value = &inner[..end];
    let value = match quote {
        '"' => Secret::new(value.replace("\\n", "\n").replace("\\r", "\r")),
        _ => Secret::from(value),
    };
    Some((value, next_line(after)))
}

/// A value without quotes: to the end of the line, or to a comment.
fn plain(text: &str) -> (Secret<String>, &str) {
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    let value = line.split('#').next().unwrap_or_default();
    (Secret::from(value.trim()), next_line(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let found = parse(text).into_iter();
        found
            .map(|(name, value)| (name, value.expose().clone()))
            .collect()
    }

    fn one(text: &str) -> String {
        let found = read(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert_eq!(found[0].0, "KEY", "{text:?}");
        found[0].1.clone()
    }

    #[test]
    fn a_value_is_what_npm_dotenv_takes_it_for() {
        for (text, value) in [
            ("KEY=plain", "plain"),
            ("  export KEY = spaced \r\n", "spaced"),
            ("KEY: yaml", "yaml"),
            ("KEY=a=b", "a=b"),
            ("KEY=sk-$ABC${DEF}", "sk-$ABC${DEF}"),
            ("KEY=plain # note", "plain"),
            ("KEY=", ""),
            ("KEY=\nnonsense", ""),
            ("KEY='single # kept'", "single # kept"),
            ("KEY=\"line\\nline\" # note", "line\nline"),
            ("KEY='line\\nline'", "line\\nline"),
            ("KEY=`it's \"both\"`", "it's \"both\""),
            ("KEY=\"two\nlines\"", "two\nlines"),
            ("KEY=\"never closed", "\"never closed"),
            ("KEY=old\nKEY=new", "new"),
            (
                "\u{feff}KEY=after a byte order mark",
                "after a byte order mark",
            ),
            ("# KEY=comment\nKEY=real", "real"),
        ] {
            assert_eq!(one(text), value, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_assigns_nothing_hides_no_other() {
        let text = "nonsense\n=x\nsk-ant-secret\nA=1\n\n B=2\nURL:http\nC='open\nD=4\n";
        let names: Vec<String> = read(text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["A", "B", "C", "D"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>(), tail in "[A-C'\"`=\\\\#\n\r é]{0,40}") {
            parse(&text);
            parse(&tail);
        }

        #[test]
        fn what_is_quoted_comes_back(value in "[^'\\\\]{0,30}") {
            prop_assert_eq!(one(&format!("KEY='{value}'\n")), value);
        }
    }
}
