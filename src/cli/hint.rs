//! The one place where advice becomes text: the global options that are in force are added to every
//! command, and its words are quoted for a POSIX shell.

use super::global::Global;
use crate::model::hint::{Command, Hint, Part, shell_word};
use crate::model::id::AgentId;

/// Renders advice for whoever called this process: a command without the `--state-dir` and
/// `--agent` of that call would mend somebody else's login.
#[derive(Clone, Debug, Default)]
pub struct Renderer {
    state_dir: Option<String>,
    instance: Option<String>,
    agent: Option<String>,
    /// Whether causes of failures are told, too.
    pub(super) is_verbose: bool,
}

impl Renderer {
    /// Repeats the options of this call.
    pub fn new(global: &Global) -> Self {
        let directory = global.state_dir.as_ref();
        Self {
            state_dir: directory.map(|directory| directory.display().to_string()),
            instance: global.instance().map(str::to_owned),
            agent: global.agent.clone(),
            is_verbose: global.verbose > 0,
        }
    }

    /// The same about the credentials of another agent; `None` for the default one.
    #[must_use]
    pub fn of_agent(&self, agent: Option<&AgentId>) -> Self {
        Self {
            agent: agent.map(ToString::to_string),
            ..self.clone()
        }
    }

    /// A command that can be pasted into a shell.
    pub fn command(&self, command: &Command) -> String {
        let mut words = vec!["openclaw"];
        if let Some(directory) = &self.state_dir {
            words.extend(["--state-dir", directory]);
        } else if let Some(instance) = &self.instance {
            words.extend(["--profile", instance]);
        }
        // Others are about all agents, or name one as an argument.
        let mut named = command.words.iter().map(String::as_str);
        let is_of_agent = !matches!(
            (named.next(), named.next()),
            (Some("agents" | "tick" | "doctor"), _) | (Some("models"), Some("set"))
        );
        let agent = command.agent.as_ref().map(AgentId::as_str);
        if let Some(agent) = agent.or(self.agent.as_deref()).filter(|_| is_of_agent) {
            words.extend(["--agent", agent]);
        }
        words.extend(command.words.iter().map(String::as_str));
        let quoted: Vec<String> = words.into_iter().map(shell_word).collect();
        quoted.join(" ")
    }

    /// Advice, with each command as it can be pasted.
    pub fn text(&self, hint: &Hint) -> String {
        let parts = hint.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Command(command) => self.command(command),
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ProfileId, ProviderId};

    fn global(state_dir: Option<&str>, agent: Option<&str>) -> Renderer {
        Renderer {
            state_dir: state_dir.map(str::to_owned),
            instance: None,
            agent: agent.map(str::to_owned),
            is_verbose: false,
        }
    }

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let provider = ProviderId::parse("openai-codex").unwrap();
        let id = |text| ProfileId::parse(text).unwrap();
        let plain = |command| Renderer::default().command(&command);
        assert_eq!(
            plain(Command::login(
                &provider,
                Some(&id("openai-codex:me@example.com"))
            )),
            "openclaw models auth login --provider openai-codex --profile-id openai-codex:me@example.com"
        );
        let odd = plain(Command::paste_token(&provider, Some(&id("it's $HOME"))));
        assert!(odd.ends_with(r"paste-token --provider openai-codex --profile-id 'it'\''s $HOME'"));
    }

    #[test]
    fn a_command_repeats_the_options_of_this_one() {
        let here = global(Some("/a b"), Some("work"));
        let list = Command::list();
        let options = "--state-dir '/a b' --agent work";
        assert_eq!(
            here.command(&list),
            format!("openclaw {options} models auth list")
        );
        let onboard = Command::new("onboard");
        assert_eq!(
            here.command(&onboard),
            format!("openclaw {options} onboard")
        );
        // Another agent in the place of this one.
        let main = list.of_agent(&AgentId::main());
        assert_eq!(
            here.command(&main),
            "openclaw --state-dir '/a b' --agent main models auth list"
        );
        for words in ["agents list", "tick --print cron", "models set a/b"] {
            let text = here.command(&Command::new(words));
            assert_eq!(text, format!("openclaw --state-dir '/a b' {words}"));
        }
    }

    #[test]
    fn text_stands_around_a_command_as_it_is() {
        let hint = Hint::from("repair it, or: ").run(Command::list()).then(".");
        let text = global(None, Some("work")).text(&hint);
        assert_eq!(
            text,
            "repair it, or: openclaw --agent work models auth list."
        );
    }
}
