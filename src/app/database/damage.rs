//! What a row that does not open means for its users, and how it is mended.

use crate::app::doctor::Verdict;
use crate::model::credential::Kind;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::ports::database::{DamagedRow, RowKind, Scan};

/// The verdicts on what was found: one for each row that does not open.
pub(super) fn verdicts(scan: &Scan) -> Vec<Verdict> {
    match scan.damaged.is_empty() {
        true => vec![Verdict::ok(format!("all {} open", scan.rows))],
        false => scan.damaged.iter().map(verdict).collect(),
    }
}

/// Names a row.
pub fn name(row: &DamagedRow) -> String {
    let (agent, name) = (printable(&row.agent, 80), printable(&row.name, 80));
    match row.kind {
        RowKind::Credential => format!("{name} of agent {agent}"),
        RowKind::History => format!("the history of {name} of agent {agent}"),
        RowKind::Rest => format!("what agent {agent} has beside its credentials"),
        RowKind::Usage => format!("orders and usage of agent {agent}"),
        RowKind::AccessKey => format!("the key {name} to the gateway"),
        RowKind::LoginAttempt => match &row.provider {
            Some(provider) => format!("a login to {} that waits", printable(provider, 80)),
            None => "a login that waits".to_owned(),
        },
        RowKind::PagePass => format!("a {agent} of the page of the gateway"),
    }
}

fn verdict(row: &DamagedRow) -> Verdict {
    let agent = AgentId::normalise(&row.agent);
    let profile = ProfileId::parse(&row.name).ok();
    let (means, mend) = match row.kind {
        RowKind::Credential => (
            "does not open, and is not used",
            match again(row, &agent) {
                Some(command) => Hint::from("store it again: ").run(command),
                None => Hint::from("log in again under the same name"),
            },
        ),
        RowKind::History => (
            "does not open: it can neither be listed nor brought back",
            Hint::from("it is set aside with the next change of the profile; to remove it: ").run(
                Command::history(profile.as_ref())
                    .arg("--clear")
                    .of_agent(&agent),
            ),
        ),
        RowKind::Rest => (
            "does not open, and does not count; the credentials do",
            Hint::from("restore it from a backup if you miss it"),
        ),
        RowKind::Usage => (
            "cannot be read, and count as empty",
            Hint::from("set the orders again: ")
                .run(Command::new("models auth order set").of_agent(&agent)),
        ),
        RowKind::AccessKey => (
            "does not open, and no gateway accepts it",
            Hint::from("to make another one: ").run(Command::new("gateway key add")),
        ),
        RowKind::LoginAttempt => (
            "does not open, and cannot be completed",
            Hint::from("start that login again, which takes its place"),
        ),
        RowKind::PagePass => (
            "does not open: whoever has it is signed out",
            Hint::from("sign in again: ").run(Command::new("gateway link")),
        ),
    };
    Verdict::warning(format!("{} {means}", name(row)), mend)
}

/// The command that puts a credential in the place of one, if what the table tells of it is whole.
fn again(row: &DamagedRow, agent: &AgentId) -> Option<Command> {
    let provider = ProviderId::parse(row.provider.as_deref()?).ok()?;
    let profile = ProfileId::parse(&row.name).ok()?;
    let kind = Kind::parse(row.what.as_deref()?)?;
    Some(Command::store(&provider, Some(&profile), kind).of_agent(agent))
}
