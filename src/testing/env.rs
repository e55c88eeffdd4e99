//! An environment that a test writes down.

use crate::model::secret::Secret;
use crate::ports::host::Env;

/// These variables and no others, on a machine with a browser of its own.
#[derive(Clone, Debug, Default)]
pub struct FixedEnv(Vec<(String, String)>);

impl FixedEnv {
    /// Of a name that stands twice the first value counts.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(variables.iter().map(own).collect())
    }
}

impl Env for FixedEnv {
    fn var(&self, name: &str) -> Option<Secret<String>> {
        let found = self.0.iter().find(|(other, _)| other == name);
        let found = found.filter(|(_, value)| !value.contains('\u{fffd}'));
        found.map(|(_, value)| Secret::from(value.as_str()))
    }

    /// What holds a replacement character stands for what is no text.
    fn is_garbled(&self, name: &str) -> bool {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.is_some_and(|(_, value)| value.contains('\u{fffd}'))
    }

    fn is_remote(&self) -> bool {
        false
    }
}
