//! References that lead to nothing, and those that are never followed.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::loaded::Loaded;
use super::report::{Code, Finding, Report};
use super::tree::{self, Content, Member, Reference};
use crate::app::context::Context;
use crate::app::credential::secret_ref;
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::references::References;
use crate::model::credential::Credential;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProviderId, printable};
use crate::model::secret_ref::{SecretPlace, SecretRef};
use crate::model::secret_shape::hide_secrets;
use crate::model::variable;
use crate::model::vault::SecretName;
use crate::ports::store::{Detail, Scope};
use crate::providers::catalogue::Source;

/// What references are held against.
pub(super) struct Resolver<'a> {
    pub(super) cx: Context<'a>,
    /// The names of the stored secrets; `None` while they are locked.
    pub(super) names: Option<&'a [SecretName]>,
    /// Whether programs are asked.
    pub(super) allow_exec: bool,
}

/// Where a reference leads.
enum Target {
    Found,
    /// To a program that is not asked.
    Program,
    /// To a secret that is locked.
    Locked,
    /// To nothing: why.
    Nothing(String),
}

/// A reference and where it stands.
struct Standing<'a> {
    path: PathBuf,
    member: Option<Member<'a>>,
    /// How it is shown.
    shown: String,
    reference: Result<SecretRef, Failure>,
}

impl<'a> Resolver<'a> {
    /// Follows the references of the files that count.
    pub(super) fn check(&self, loaded: &[Loaded], agents: &[AgentId], report: &mut Report) {
        let mut counting: Vec<PathBuf> = self.cx.config.sources();
        counting.extend(
            agents
                .iter()
                .filter_map(|agent| self.cx.store_files.document(agent)),
        );
        let with_logins = self.providers_with_logins(agents);
        let mut standing = self.in_manifests();
        for file in loaded {
            let path = &file.place.path;
            let Some(tree) = file.tree.as_ref().filter(|_| counting.contains(path)) else {
                continue;
            };
            tree::visit(tree, &mut |member| {
                if let Content::Reference(reference) = member.content {
                    let finding = shadowed(path, &member, &with_logins);
                    report.findings.extend(finding);
                    standing.push(self.standing(path, Some(member), reference));
                }
            });
        }
        self.follow(standing, report);
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

    fn standing<'m>(
        &self,
        path: &Path,
        member: Option<Member<'m>>,
        reference: Reference<'_>,
    ) -> Standing<'m> {
        let Reference { source, alias, id } = reference;
        let written = match alias {
            Some(alias) => json!({ "source": source, "provider": alias, "id": id }),
            None => json!({ "source": source, "id": id }),
        };
        let id = hide_secrets(&printable(id, 120)).into_owned();
        Standing {
            path: path.to_owned(),
            member,
            shown: format!("{source}:{id}"),
            reference: secret_ref::read(self.cx, &written.to_string()),
        }
    }

    /// Those to which the client of a provider refers.
    fn in_manifests(&self) -> Vec<Standing<'static>> {
        let listing = self.cx.catalogue.list();
        let mut found = Vec::new();
        for (provider, source) in listing.iter().flat_map(|listing| &listing.providers) {
            let path = match source {
                Source::Declared(place) => &place.file,
                Source::File(path) => path,
                Source::BuiltIn | Source::Program(_) => continue,
            };
            let client = provider.registration.iter();
            let values = client.flat_map(|client| [&client.id, &client.secret]);
            for text in values.filter_map(|value| value.reference.as_ref()) {
                let reference = secret_ref::read(self.cx, text);
                let shown = reference.as_ref().map(SecretRef::to_string);
                found.push(Standing {
                    path: path.clone(),
                    member: None,
                    shown: shown.unwrap_or_default(),
                    reference,
                });
            }
        }
        found
    }

    /// Follows all of them; each program is asked once for all that it has.
    fn follow(&self, standing: Vec<Standing<'_>>, report: &mut Report) {
        if self.allow_exec {
            let sound = standing.iter();
            let sound = sound.filter_map(|it| it.reference.as_ref().ok().cloned());
            secret_ref::ask_programs(self.cx, &sound.collect::<Vec<_>>());
        }
        for one in standing {
            let is_stored = |it: &SecretRef| it.place == SecretPlace::Store;
            let advice = match &one.reference {
                Ok(reference) if is_stored(reference) => {
                    Command::new("secrets set").arg(&reference.id).into()
                }
                _ => Hint::from("correct the reference, or bring back what it names"),
            };
            let target = match one.reference {
                Ok(reference) => self.target(&reference),
                Err(failure) => Target::Nothing(format!("it {}", failure.message)),
            };
            let Some(mut finding) = note(target, (&one.path, &one.shown, advice), report) else {
                continue;
            };
            if let Some(member) = one.member {
                finding = finding.at(&*member.path);
                finding.profile_id = member.profile.map(|(id, _)| printable(id, 200));
            }
            report.findings.push(finding);
        }
    }

    /// Where a reference leads, by the same judgement as when its secret is handed out.
    fn target(&self, reference: &SecretRef) -> Target {
        let found = match reference.place {
            SecretPlace::Exec if !self.allow_exec => {
                return match secret_ref::check(self.cx, reference) {
                    Ok(()) => Target::Program,
                    Err(failure) => Target::Nothing(failure.message),
                };
            }
            SecretPlace::Store if self.names.is_none() => return Target::Locked,
            _ => secret_ref::find(self.cx, reference),
        };
        match found {
            Ok(_) => Target::Found,
            Err(failure) if failure.kind == Kind::Locked => Target::Locked,
            Err(failure) => Target::Nothing(failure.message),
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
