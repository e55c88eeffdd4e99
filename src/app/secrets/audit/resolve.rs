//! References that lead to nothing, and those that are never followed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::loaded::Loaded;
use super::report::{Code, Finding, Report};
use super::tree::{self, Content, Member, Reference};
use crate::app::context::Context;
use crate::app::secrets::references::References;
use crate::config::file::parse_tree;
use crate::model::credential::Credential;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProviderId, printable};
use crate::model::secret_shape::hide_secrets;
use crate::model::variable;
use crate::model::vault::SecretName;
use crate::ports::store::{Detail, Scope};

/// The alias that every configuration has.
const DEFAULT: &str = "default";

/// What references are held against.
pub(super) struct Resolver<'a> {
    pub(super) cx: Context<'a>,
    /// The members of `secrets.providers`.
    pub(super) aliases: Vec<(&'a str, &'a Value)>,
    /// The names of the stored secrets; `None` while they are locked.
    pub(super) names: Option<&'a [SecretName]>,
    /// Whether programs are looked at.
    pub(super) allow_exec: bool,
}

/// Where a reference leads.
enum Target {
    Found,
    /// To a program that is not looked at.
    Program,
    /// To a stored secret whose name is locked.
    Locked,
    /// To nothing: why.
    Nothing(String),
}

/// The aliases of a configuration.
pub(super) fn aliases(tree: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = tree
        .pointer("/secrets/providers")
        .and_then(Value::as_object);
    let all = all.into_iter().flatten();
    all.map(|(name, value)| (name.as_str(), value))
}

impl Resolver<'_> {
    /// Follows the references of the files that count.
    pub(super) fn check(&self, loaded: &[Loaded], agents: &[AgentId], report: &mut Report) {
        let mut counting: Vec<PathBuf> = self.cx.config.sources();
        counting.extend(
            agents
                .iter()
                .map(|agent| self.cx.store_files.document(agent)),
        );
        let with_logins = self.providers_with_logins(agents);
        for file in loaded {
            let path = &file.place.path;
            let Some(tree) = file.tree.as_ref().filter(|_| counting.contains(path)) else {
                continue;
            };
            tree::visit(tree, &mut |member| {
                if let Content::Reference(reference) = member.content {
                    self.follow(path, &member, reference, report);
                    report
                        .findings
                        .extend(shadowed(path, &member, &with_logins));
                }
            });
        }
        for (path, name) in References::read(self.cx).all() {
            let target = match self.is_variable(&name) {
                true => Target::Found,
                false => self.stored(name.as_str()),
            };
            let shown = format!("${{secret:{name}}}");
            let set = Command::new("secrets set").arg(&name);
            let finding = note(target, (&path, &shown, set.into()), report);
            report.findings.extend(finding);
        }
    }

    fn follow(
        &self,
        path: &Path,
        member: &Member<'_>,
        reference: Reference<'_>,
        report: &mut Report,
    ) {
        let id = hide_secrets(&printable(reference.id, 120)).into_owned();
        let shown = format!("{}:{id}", reference.source);
        let advice = match reference.source {
            "store" => Command::new("secrets set").arg(&id).into(),
            _ => Hint::from("correct the reference, or bring back what it names"),
        };
        let target = self.target(reference);
        if let Some(finding) = note(target, (path, &shown, advice), report) {
            let mut finding = finding.at(&*member.path);
            finding.profile_id = member.profile.map(|(id, _)| printable(id, 200));
            report.findings.push(finding);
        }
    }

    fn target(&self, reference: Reference<'_>) -> Target {
        let Reference { source, alias, id } = reference;
        let settings = self.aliases.iter().find(|(name, _)| *name == alias);
        let settings = settings.map_or(&Value::Null, |(_, settings)| settings);
        let text = |name: &str| settings.get(name).and_then(Value::as_str);
        let is_built_in = alias == DEFAULT && ["env", "store"].contains(&source);
        match text("source") {
            Some(other) if other != source => {
                let why = format!("the provider {} is of another source", printable(alias, 64));
                return Target::Nothing(why);
            }
            None if !is_built_in => {
                let why = format!("secrets.providers has no {}", printable(alias, 64));
                return Target::Nothing(why);
            }
            _ => {}
        }
        match source {
            "env" => match self.cx.env.var(id) {
                Some(_) => Target::Found,
                None => Target::Nothing("the variable is not set".to_owned()),
            },
            "store" => self.stored(id),
            "file" => self.in_file(text("path"), text("mode"), id),
            _ if !self.allow_exec => Target::Program,
            _ => {
                let program = Path::new(text("command").unwrap_or_default());
                let checked = self.cx.programs.check_permissions(program);
                checked.map_or_else(|why| Target::Nothing(why.to_string()), |()| Target::Found)
            }
        }
    }

    fn in_file(&self, path: Option<&str>, mode: Option<&str>, id: &str) -> Target {
        let Some(path) = path else {
            return Target::Nothing("its provider names no file".to_owned());
        };
        let path = match path.strip_prefix("~/") {
            Some(rest) => self.cx.dirs.home.join(rest),
            None => PathBuf::from(path),
        };
        let there = match self.cx.files.read_settings(&path) {
            Err(error) => return Target::Nothing(error.to_string()),
            Ok(None) => return Target::Nothing(format!("{} is not there", path.display())),
            Ok(Some(bytes)) if mode == Some("singleValue") => !bytes.is_empty(),
            Ok(Some(bytes)) => {
                parse_tree(&bytes, &path).is_ok_and(|tree| tree.pointer(id).is_some())
            }
        };
        match there {
            true => Target::Found,
            false => Target::Nothing(format!("{} has no such member", path.display())),
        }
    }

    fn stored(&self, name: &str) -> Target {
        match self.names {
            None => Target::Locked,
            Some(names) if names.iter().any(|other| other.as_str() == name) => Target::Found,
            Some(_) => Target::Nothing("no secret of that name is stored".to_owned()),
        }
    }

    /// A variable comes before what is stored.
    fn is_variable(&self, name: &SecretName) -> bool {
        let mut names = variable::of_secret(name.as_str()).into_iter();
        names.any(|name| self.cx.env.var(&name).is_some())
    }

    fn providers_with_logins(&self, agents: &[AgentId]) -> Vec<ProviderId> {
        let documents = agents.iter().filter_map(|agent| {
            let document = self.cx.look(agent, Scope::All, Detail::Masked);
            document.ok()
        });
        let mut found = Vec::new();
        for document in documents {
            let keys = document.profiles().map(|(_, credential)| credential);
            let keys = keys.filter(|it| !matches!(it, Credential::OAuth(_)) && !it.is_reference());
            found.extend(keys.filter_map(Credential::provider));
        }
        found
    }
}

/// Counts a reference; the finding, if it leads to nothing.
fn note(
    target: Target,
    (path, shown, advice): (&Path, &str, Hint),
    report: &mut Report,
) -> Option<Finding> {
    let resolution = &mut report.resolution;
    match target {
        Target::Program => resolution.skipped_exec += 1,
        Target::Locked => resolution.locked += 1,
        Target::Found | Target::Nothing(_) => resolution.checked += 1,
    }
    let Target::Nothing(why) = target else {
        return None;
    };
    let message = format!("{shown} leads to nothing: {why}");
    Some(Finding::new(Code::RefUnresolved, path, message, advice))
}

/// A key by reference in the configuration of a provider that has a key in a profile.
fn shadowed(path: &Path, member: &Member<'_>, with_logins: &[ProviderId]) -> Option<Finding> {
    let provider = ProviderId::parse(member.provider?).ok()?;
    if member.name != "apiKey" || !with_logins.contains(&provider) {
        return None;
    }
    let message = format!("a profile of {provider} comes first, so this reference is never used");
    let advice = Command::new("models auth list");
    let finding = Finding::new(Code::RefShadowed, path, message, advice);
    let mut finding = finding.at(&*member.path);
    finding.provider = Some(provider.to_string());
    Some(finding)
}
