//! Who an agent is to the people it talks with: what its workspace's `IDENTITY.md` says.
//!
//! OpenClaw's words for one: `name`, `emoji`, `theme`, `avatar`, and the older `creature` and
//! `vibe`, which stand for a theme that is not given.

/// The file of a workspace that says it.
pub const FILE: &str = "IDENTITY.md";

/// What may be said.
const LABELS: [&str; 6] = ["name", "emoji", "creature", "vibe", "theme", "avatar"];

/// What stands in the file before anybody has filled it in.
const PLACEHOLDERS: [&str; 5] = [
    "pick something you like",
    "ai? robot? familiar? ghost in the machine? something weirder?",
    "how do you come across? sharp? warm? chaotic? calm?",
    "your signature - pick one that feels right",
    "workspace-relative path, http(s) url, or data uri",
];

/// What a file says; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona(Vec<(&'static str, String)>);

impl Persona {
    /// Reads lines such as `- **Name:** Rusty`; of two with one label the later counts. `None` if
    /// they say nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut said: Vec<(&'static str, String)> = Vec::new();
        for line in text.lines() {
            let line = line.trim();
            let line = line.strip_prefix('-').unwrap_or(line);
            let Some((label, value)) = line.split_once(':') else {
                continue;
            };
            let label = label.replace(['*', '_'], "").trim().to_lowercase();
            let value = value.trim_matches(is_around);
            if value.is_empty() || is_placeholder(value) {
                continue;
            }
            if let Some(label) = LABELS.iter().find(|known| **known == label) {
                said.retain(|(other, _)| other != label);
                said.push((label, value.to_owned()));
            }
        }
        (!said.is_empty()).then_some(Self(said))
    }

    /// `name`, `emoji`, `avatar` or `theme`, which a creature or a vibe may stand for.
    pub fn get(&self, name: &str) -> Option<&str> {
        let said = |name: &str| self.0.iter().find(|(label, _)| *label == name);
        let found = match name {
            "theme" => said("theme")
                .or_else(|| said("creature"))
                .or_else(|| said("vibe")),
            other => said(other),
        };
        found.map(|(_, value)| value.as_str())
    }
}

/// White space, and the marks of Markdown for what stands out.
fn is_around(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '_')
}

fn is_placeholder(value: &str) -> bool {
    let bare = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'));
    let plain = bare.unwrap_or(value).replace(['\u{2013}', '\u{2014}'], "-");
    let words: Vec<&str> = plain.split_whitespace().collect();
    PLACEHOLDERS.contains(&words.join(" ").to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whichever_way_it_is_set_out() {
        let text = "# IDENTITY.md\r\n- **Name:** Rusty\r\n- **Creature:** Crab — old\n\
            - **Vibe:** _calm_\n  -  __Emoji__: 🦀\nName: *Second*\nno colon\n- **Other:** x\n\
            - **Avatar:** *(workspace-relative path, http(s) URL, or data URI)*\n";
        let persona = Persona::parse(text).unwrap();
        assert_eq!(persona.get("name"), Some("Second"));
        assert_eq!(persona.get("emoji"), Some("🦀"));
        assert_eq!(persona.get("theme"), Some("Crab — old"));
        assert_eq!(persona.get("avatar"), None);
        let vibe = Persona::parse("vibe: calm: always").unwrap();
        assert_eq!(vibe.get("theme"), Some("calm: always"));
    }

    #[test]
    fn a_file_that_nobody_filled_in_says_nothing() {
        let text = "- **Name:** *(pick something you like)*\n- **Emoji:**\n\
            - **Emoji:** _(your signature — pick  one that feels right)_\n- **Pet:** dog\n";
        assert_eq!(Persona::parse(text), None);
        assert_eq!(Persona::parse(""), None);
    }
}
