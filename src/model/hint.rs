//! Advice for a person: text in which every command of this program is a value.
//!
//! Whoever gives advice knows which command mends something, and not how this process was called:
//! the edge adds the global options that are in force and quotes each word, once.

use super::credential::Kind;
use super::id::{AgentId, ProfileId, ProviderId};

/// A command line of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The agent that it is about, if not the one that this process is about.
    pub agent: Option<AgentId>,
    /// The words behind the name of the program, unquoted.
    pub words: Vec<String>,
}

impl Command {
    /// The command of these words, which blanks separate.
    pub fn new(words: &str) -> Self {
        Self {
            agent: None,
            words: words.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// Logs in to `provider` again, into `profile` if one is meant.
    pub fn login(provider: &ProviderId, profile: Option<&ProfileId>) -> Self {
        Self::store(provider, profile, Kind::OAuth)
    }

    /// Stores a pasted token of `provider`, in `profile` if one is meant.
    pub fn paste_token(provider: &ProviderId, profile: Option<&ProfileId>) -> Self {
        Self::store(provider, profile, Kind::Token)
    }

    /// Stores a credential of that kind, in `profile` if one is meant.
    pub fn store(provider: &ProviderId, profile: Option<&ProfileId>, kind: Kind) -> Self {
        let verb = match kind {
            Kind::OAuth => "login",
            Kind::Token => "paste-token",
            Kind::ApiKey => "paste-api-key",
        };
        let command = Self::new("models auth")
            .arg(verb)
            .option("--provider", provider);
        match profile {
            Some(profile) => command.option("--profile-id", profile),
            None => command,
        }
    }

    /// Says why nothing of `provider` is used.
    pub fn explain(provider: &ProviderId) -> Self {
        Self::new("models auth explain").option("--provider", provider)
    }

    /// Puts `profile` in front of its order.
    pub fn use_profile(profile: &ProfileId) -> Self {
        Self::new("models auth use").name(profile)
    }

    /// Refreshes `profile`.
    pub fn refresh(profile: &ProfileId) -> Self {
        Self::new("models auth refresh").option("--profile", profile)
    }

    /// Refreshes `profile`, an imported login, at this token endpoint, which is not the built-in one.
    pub fn accept_endpoint(profile: &ProfileId, endpoint: &str) -> Self {
        Self::refresh(profile).option("--accept-endpoint", endpoint)
    }

    /// Forgets `profile`.
    pub fn logout(profile: &ProfileId) -> Self {
        Self::new("models auth logout").name(profile)
    }

    /// Shows what `profile`, or every profile, held before.
    pub fn history(profile: Option<&ProfileId>) -> Self {
        let command = Self::new("models auth history");
        match profile {
            Some(profile) => command.name(profile),
            None => command,
        }
    }

    /// Brings back what `profile` held before.
    pub fn undo(profile: &ProfileId) -> Self {
        Self::new("models auth undo").name(profile)
    }

    /// Lists the profiles.
    pub fn list() -> Self {
        Self::new("models auth list")
    }

    /// Lists the agents.
    pub fn list_agents() -> Self {
        Self::new("agents list")
    }

    /// Lets `agent` see nothing of the main agent.
    pub fn isolate(agent: &AgentId) -> Self {
        Self::new("agents inherit")
            .arg(agent)
            .option("--mode", "isolated")
    }

    /// With one more word, in front of a name that looks like an option.
    #[must_use]
    pub fn arg(mut self, word: &(impl ToString + ?Sized)) -> Self {
        let end = self.words.iter().position(|word| word == "--");
        let place = end.unwrap_or(self.words.len());
        self.words.insert(place, word.to_string());
        self
    }

    /// With a name as an argument; behind `--` if it would be taken for an option.
    #[must_use]
    pub fn name(mut self, name: &(impl ToString + ?Sized)) -> Self {
        let name = name.to_string();
        if name.starts_with('-') {
            self.words.push("--".to_owned());
        }
        self.words.push(name);
        self
    }

    /// With an option and its value.
    #[must_use]
    pub fn option(self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        let value = value.to_string();
        // Behind a blank it would be taken for another option.
        match value.len() > 1 && value.starts_with('-') {
            true => self.arg(&format!("{name}={value}")),
            false => self.arg(name).arg(&value),
        }
    }

    /// About the credentials of `agent`.
    #[must_use]
    pub fn of_agent(mut self, agent: &AgentId) -> Self {
        self.agent = Some(agent.clone());
        self
    }
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, in which no command of this program stands.
    Text(String),
    /// A command of this program.
    Command(Command),
}

/// Advice, or any text that names commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// Its pieces, with nothing between them.
    pub parts: Vec<Part>,
}

impl Hint {
    /// What is said of a profile, its name being the subject of the sentence.
    pub fn about(profile: &ProfileId, said: &Hint) -> Self {
        Self::from(format!("{profile} ")).then(said.clone())
    }

    /// With a command behind it.
    #[must_use]
    pub fn run(mut self, command: Command) -> Self {
        self.parts.push(Part::Command(command));
        self
    }

    /// With more text, or other advice, behind it.
    #[must_use]
    pub fn then(mut self, more: impl Into<Hint>) -> Self {
        self.parts.extend(more.into().parts);
        self
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        Self::default().run(command)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        let parts = vec![Part::Text(text)];
        Self { parts }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Quotes a word for a POSIX shell where it needs it, so that a command can be pasted.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
