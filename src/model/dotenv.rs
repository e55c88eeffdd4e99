//! The text of a `.env` file to names and values, by the rules of the npm package `dotenv`, with
//! which the reference release reads it.
//!
//! Nothing is expanded: a key may hold `$`. A line that is no assignment says nothing, and is never
//! quoted in an error, since it may well be a key. Of two assignments of one name the later counts.

use std::ops::RangeInclusive;

use super::secret::Secret;

/// An assignment, and on which lines of the text it stands.
#[derive(Debug)]
pub struct Assignment<'a> {
    /// What it assigns to.
    pub name: &'a str,
    /// What it assigns.
    pub value: Secret<String>,
    /// The first is 1.
    pub lines: RangeInclusive<usize>,
}

/// What each name is in the end, in the order of these assignments.
pub fn parse(text: &str) -> Vec<(String, Secret<String>)> {
    let mut found: Vec<(String, Secret<String>)> = Vec::new();
    for Assignment { name, value, .. } in assignments(text) {
        found.retain(|(other, _)| other != name);
        found.push((name.to_owned(), value));
    }
    found
}

/// Every assignment, in order.
pub fn assignments(text: &str) -> Vec<Assignment<'_>> {
    let text = text.trim_start_matches('\u{feff}');
    let (mut rest, mut found) = (text, Vec::new());
    let (mut line, mut counted) = (1, 0);
    let mut line_at = |at: usize| {
        line += text[counted..at].matches('\n').count();
        counted = at;
        line
    };
    while !rest.is_empty() {
        let Some((name, value, after)) = assignment(rest) else {
            rest = next_line(rest);
            continue;
        };
        let end = text.len() - after.len();
        let first = line_at(text.len() - rest.trim_start().len());
        // Where its last line ends is no part of it.
        let last = line_at(end - usize::from(text[..end].ends_with('\n')));
        found.push(Assignment {
            name,
            value,
            lines: first..=last,
        });
        rest = after;
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
    fn each_assignment_is_on_its_lines() {
        let text = "\u{feff}# a\nA=1\r\n\nexport B='x\ny\nz' # c\nC=\"never closed\nsk==\n\n  A: 2";
        let found = assignments(text).into_iter();
        let found: Vec<_> = found.map(|one| (one.name, one.lines)).collect();
        let lines = [
            ("A", 2..=2),
            ("B", 4..=6),
            ("C", 7..=7),
            ("sk", 8..=8),
            ("A", 10..=10),
        ];
        assert_eq!(found, lines);
        assert_eq!(
            read(text).last().unwrap(),
            &("A".to_owned(), "2".to_owned())
        );
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
