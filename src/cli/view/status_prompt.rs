//! `models status --prompt`: a word or two for a shell prompt.

use crate::app::status::prompt::{Item, PromptMark};
use crate::cli::printer::Tone;
use crate::model::time::short_duration;

/// More than this is no prompt any more.
const SHOWN: usize = 3;
/// So is a longer name.
const LONGEST_NAME: usize = 256;

/// One line without its end; empty while there is nothing to say. With `colors`, in colour.
pub fn render(items: &[Item], colors: bool) -> String {
    let mut words: Vec<String> = items
        .iter()
        .take(SHOWN)
        .map(|item| {
            let name = plain(&item.name);
            let (tone, text) = match item.mark {
                PromptMark::Broken => (Tone::Error, format!("{name}!")),
                PromptMark::Doubtful => (Tone::Warn, format!("{name}?")),
                PromptMark::Ends(left) => (Tone::Warn, format!("{name} {}", short_duration(left))),
            };
            if colors { tone.paint(&text) } else { text }
        })
        .collect();
    if items.len() > SHOWN {
        words.push(format!("+{}", items.len() - SHOWN));
    }
    words.join(", ")
}

/// A name without anything that a shell expands, or a terminal obeys, should a prompt hold it as text.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._:+-".contains(c);
    let name = name.chars().take(LONGEST_NAME);
    name.map(|c| if is_plain(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, mark: PromptMark) -> Item {
        Item {
            name: name.to_owned(),
            mark,
        }
    }

    #[test]
    fn it_is_empty_or_one_short_line() {
        assert_eq!(render(&[], true), "");
        let mut items = vec![
            item("anthropic", PromptMark::Broken),
            item("codex\n\u{1b}[2J`id`$(id)\\", PromptMark::Doubtful),
            item("zai", PromptMark::Ends(2 * 86_400_000)),
        ];
        assert_eq!(
            render(&items, false),
            "anthropic!, codex???2J?id???id???, zai 2d"
        );
        items.extend([item("a", PromptMark::Broken), item("b", PromptMark::Broken)]);
        assert_eq!(
            render(&items, false),
            "anthropic!, codex???2J?id???id???, zai 2d, +2"
        );
        assert!(render(&items, true).starts_with("\u{1b}[1m\u{1b}[31manthropic!\u{1b}[0m, "));
    }
}
