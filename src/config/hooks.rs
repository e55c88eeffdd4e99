//! `hooks` in `config.yaml`: the commands that are run when something happens.
//!
//! A command is a list, the program first, and no shell looks at it: a word stays a word whatever
//! stands in it.

use strum::VariantNames as _;

use crate::model::alert::{Event, Hooks};
use crate::model::declared::Finding;
use crate::model::id::printable;
use crate::model::time::parse_duration;

use super::finding::{error, near};
use super::yaml::{Data, Name, Node};

/// How long a hook may run.
const TIMEOUT: &str = "timeout";
/// Which variables a hook gets although their names say that they hold credentials.
const ENV_KEEP: &str = "env_keep";
/// The longest `timeout`, in milliseconds: a hook must not keep the command that rang waiting.
const LONGEST: u128 = 10_000;

/// The hooks in a document, and what is wrong with them.
pub(super) fn read(root: &Node) -> (Hooks, Vec<Finding>) {
    let mut hooks = Hooks::default();
    let mut findings = Vec::new();
    let Some(node) = root.get("hooks") else {
        return (hooks, findings);
    };
    let Some(members) = node.members() else {
        findings.push(error(&node.place, "hooks must be a mapping"));
        return (hooks, findings);
    };
    for (name, node) in members {
        match read_member(name, node, &mut hooks) {
            Ok(()) => {}
            Err(finding) => findings.push(finding),
        }
    }
    (hooks, findings)
}

fn read_member(name: &Name, node: &Node, hooks: &mut Hooks) -> Result<(), Finding> {
    if name.text == TIMEOUT {
        let read = node.text().map(|text| parse_duration(text, "s"));
        let read = read.and_then(Result::ok);
        let fits = |limit: &std::time::Duration| (1..=LONGEST).contains(&limit.as_millis());
        hooks.limit = Some(read.filter(fits).ok_or_else(|| {
            let message = "timeout must be a duration of at most 10s";
            error(&node.place, message)
        })?);
        return Ok(());
    }
    if name.text == ENV_KEEP {
        hooks.env_keep = names(node)
            .ok_or_else(|| error(&node.place, "env_keep must be a list of variable names"))?;
        return Ok(());
    }
    let event = name.text.parse().map_err(|_| unknown(name))?;
    hooks.commands.push((event, command(event, node)?));
    Ok(())
}

fn names(node: &Node) -> Option<Vec<String>> {
    let Data::List(items) = &node.data else {
        return None;
    };
    let name = |item: &Node| Some(item.text()?.to_owned());
    items.iter().map(name).collect()
}

/// Not a warning, as for other members: whoever misspells an event waits for a message that never
/// comes.
fn unknown(name: &Name) -> Finding {
    let mut known = Event::VARIANTS.to_vec();
    known.extend([TIMEOUT, ENV_KEEP]);
    let shown = printable(&name.text, 80);
    let message = match near(&name.text, &known) {
        Some(near) => format!("unknown event {shown}; did you mean {near}?"),
        None => format!("unknown event {shown}; expected {}", known.join(", ")),
    };
    error(&name.place, &message)
}

fn command(event: Event, node: &Node) -> Result<Vec<String>, Finding> {
    let wrong = |node: &Node, what: &str| {
        let message = format!("{}: {what}", event.as_ref());
        error(&node.place, &message)
    };
    let form = "this must be the path of a program, or a list with a program and its arguments";
    let words = match &node.data {
        Data::List(items) => {
            let word = |item: &Node| match &item.data {
                Data::Scalar { text, .. } => Ok(text.expose().clone()),
                _ => Err(wrong(item, "an argument must be a string")),
            };
            items.iter().map(word).collect::<Result<Vec<_>, _>>()?
        }
        Data::Scalar { .. } => {
            let path = node.text().ok_or_else(|| wrong(node, form))?;
            if !path.starts_with(['/', '~']) {
                return Err(wrong(
                    node,
                    "a path must be absolute; write a command with arguments as a list",
                ));
            }
            vec![path.to_owned()]
        }
        Data::Map(_) => return Err(wrong(node, form)),
    };
    let program = words.first().filter(|program| !program.trim().is_empty());
    let program = program.ok_or_else(|| wrong(node, form))?;
    if program.contains('/') && !program.starts_with(['/', '~']) {
        return Err(wrong(node, "the path of a program must be absolute"));
    }
    match words.iter().any(|word| word.contains('\0')) {
        true => Err(wrong(node, "an argument cannot contain NUL")),
        false => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::config::yaml;

    fn of(text: &str) -> (Hooks, Vec<String>) {
        let root = yaml::parse(text, Path::new("c.yaml")).ok().flatten();
        let (hooks, findings) = read(&root.unwrap());
        (hooks, findings.iter().map(Finding::to_string).collect())
    }

    #[test]
    fn a_command_is_a_list_or_a_path() {
        let (hooks, faults) = of(
            "hooks:\n  needs-login: [sh, -c, 'mail \"$USER\"']\n  expiring: ~/bin/tell\n  timeout: 2s\n  env_keep: [NPM_TOKEN]\n",
        );
        assert_eq!(faults, [""; 0]);
        let words = hooks.of(Event::NeedsLogin).unwrap();
        assert_eq!(words, ["sh", "-c", "mail \"$USER\""]);
        assert_eq!(hooks.of(Event::Expiring).unwrap(), ["~/bin/tell"]);
        assert_eq!(hooks.of(Event::Refreshed), None);
        assert_eq!(hooks.limit, Some(Duration::from_secs(2)));
        assert_eq!(hooks.env_keep, ["NPM_TOKEN"]);
        assert_eq!(of("providers: {}\n"), (Hooks::default(), Vec::new()));
    }

    #[test]
    fn what_cannot_be_run_is_told_of_and_stops_no_other() {
        for (text, fault) in [
            ("hooks: x", "c.yaml:1:8: hooks must be a mapping"),
            (
                "hooks:\n  need-login: [x]",
                "c.yaml:2:3: unknown event need-login; did you mean needs-login?",
            ),
            (
                "hooks:\n  yes: [x]",
                "c.yaml:2:3: unknown event yes; expected needs-login, expiring, refreshed, timeout, env_keep",
            ),
            (
                "hooks:\n  expiring: bin/tell me",
                "c.yaml:2:13: expiring: a path must be absolute; write a command with arguments as a list",
            ),
            (
                "hooks:\n  expiring: []",
                "c.yaml:2:13: expiring: this must be the path of a program, or a list with a program and its arguments",
            ),
            (
                "hooks:\n  expiring: [bin/tell]",
                "c.yaml:2:13: expiring: the path of a program must be absolute",
            ),
            (
                "hooks:\n  expiring: [a, [b]]",
                "c.yaml:2:17: expiring: an argument must be a string",
            ),
            (
                "hooks:\n  expiring: [a, \"\\0\"]",
                "c.yaml:2:13: expiring: an argument cannot contain NUL",
            ),
            (
                "hooks:\n  timeout: 11s",
                "c.yaml:2:12: timeout must be a duration of at most 10s",
            ),
        ] {
            let (_, faults) = of(text);
            assert_eq!(faults, [fault], "{text}");
            if text.contains('\n') {
                let (hooks, _) = of(&format!("{text}\n  refreshed: /bin/true\n"));
                assert_eq!(hooks.commands.len(), 1, "{text}");
            }
        }
    }
}
