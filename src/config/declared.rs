//! `config.yaml`: the providers that a user declares there, and what is odd about each. `hooks.rs`
//! reads the commands beside them.
//!
//! The invariant: what gets through here is safe to act on, and whatever a line asks for that this
//! program does otherwise is told of, with its line. Values are never quoted, for one may be a
//! secret.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::model::alert::Hooks;
use crate::model::declared::{Declared, Finding, Severity, SourceLocation};
use crate::model::id::{ProviderId, printable};
use crate::model::text::{IS_UTF16, is_utf16};
use crate::ports::declarations::{Declarations, DeclareError};
use crate::ports::files::{FileError, Files, Judged};

use super::finding::{error, finding, near};
use super::yaml::{self, Name, Node};
use super::{auth_block, hooks};

/// Nobody writes a longer one.
const LONGEST: usize = 1 << 20;

/// The members of a provider that mean something here.
const MEMBERS: [&str; 2] = ["type", "auth"];

/// The file. It is read when the first provider is asked for, and once.
pub struct DeclaredFile {
    files: Arc<dyn Files>,
    path: PathBuf,
    content: OnceLock<Content>,
}

enum Content {
    Absent,
    Faulty(Finding),
    /// What stands there, and whether root reads it in the directory of a user.
    Read(Node, bool),
}

impl DeclaredFile {
    /// Nothing is read yet.
    pub fn new(files: Arc<dyn Files>, path: PathBuf) -> Self {
        Self {
            files,
            path,
            content: OnceLock::new(),
        }
    }

    /// Everything that stands there; `None` if that is nothing.
    fn root(&self) -> Result<Option<&Node>, DeclareError> {
        let root = match self.content()? {
            Content::Absent => return Ok(None),
            Content::Faulty(finding) => return Err(DeclareError::Wrong(vec![finding.clone()])),
            Content::Read(root, _) => root,
        };
        match root.members() {
            Some(_) => Ok(Some(root)),
            None => Err(DeclareError::Wrong(vec![error(
                &root.place,
                "this must be a mapping with the keys providers and hooks",
            )])),
        }
    }

    fn content(&self) -> Result<&Content, FileError> {
        if let Some(content) = self.content.get() {
            return Ok(content);
        }
        let content = match self.files.read_judged(&self.path)? {
            None => Content::Absent,
            Some(Judged { bytes, is_anothers }) => match self.understand(bytes) {
                Content::Read(root, _) => Content::Read(root, is_anothers),
                other => other,
            },
        };
        Ok(self.content.get_or_init(|| content))
    }

    fn understand(&self, bytes: Vec<u8>) -> Content {
        let whole = |message: &str| {
            let place = SourceLocation {
                file: self.path.clone(),
                line: 1,
                column: 1,
            };
            Content::Faulty(error(&place, message))
        };
        if bytes.len() > LONGEST {
            return whole("this file is longer than 1 MiB");
        }
        if is_utf16(&bytes) {
            return whole(IS_UTF16);
        }
        match String::from_utf8(bytes) {
            Err(_) => whole("this is not UTF-8 text"),
            Ok(text) => match yaml::parse(&text, &self.path) {
                Ok(None) => Content::Absent,
                Ok(Some(root)) => Content::Read(root, false),
                Err(finding) => Content::Faulty(finding),
            },
        }
    }

    /// The mapping `providers`.
    fn providers(&self) -> Result<&[(Name, Node)], DeclareError> {
        match self.root()?.and_then(|root| root.get("providers")) {
            None => Ok(&[]),
            Some(node) => node.members().ok_or_else(|| {
                DeclareError::Wrong(vec![error(&node.place, "providers must be a mapping")])
            }),
        }
    }
}

impl Declarations for DeclaredFile {
    fn get(&self, id: &ProviderId) -> Result<Option<Declared>, DeclareError> {
        for (name, node) in self.providers()? {
            if !id.is_named(&name.text) {
                continue;
            }
            let (declared, findings) = block(id, name, node);
            let (errors, others): (Vec<_>, Vec<_>) = findings
                .into_iter()
                .partition(|finding| finding.severity == Severity::Error);
            if !errors.is_empty() {
                return Err(DeclareError::Wrong(errors));
            }
            return Ok(declared.map(|mut declared| {
                declared.findings = others;
                declared
            }));
        }
        Ok(None)
    }

    fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError> {
        let Some(root) = self.root()? else {
            return Ok(Default::default());
        };
        let (found, mut findings) = hooks::read(root);
        if found != Hooks::default() && matches!(self.content()?, Content::Read(_, true)) {
            let message = "root runs no hooks of another user: run this command as the user";
            findings.push(error(&root.place, message));
            return Ok((Hooks::default(), findings));
        }
        Ok((found, findings))
    }

    fn ids(&self) -> Result<Vec<ProviderId>, DeclareError> {
        let mut ids = Vec::new();
        for (name, node) in self.providers()? {
            if let (Ok(id), true) = (ProviderId::parse(&name.text), is_ours(node)) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn findings(&self) -> Result<Vec<Finding>, FileError> {
        let providers = match self.providers() {
            Ok(providers) => providers,
            Err(DeclareError::File(error)) => return Err(error),
            Err(DeclareError::Wrong(findings)) => return Ok(findings),
        };
        let mut findings = Vec::new();
        if let Content::Read(root, _) = self.content()? {
            let members = root.members().unwrap_or_default();
            unknown(members, &["providers", "hooks"], &mut findings);
            findings.extend(hooks::read(root).1);
        }
        for (name, node) in providers {
            match ProviderId::parse(&name.text) {
                Ok(id) => findings.extend(block(&id, name, node).1),
                Err(why) => findings.push(error(&name.place, &why.to_string())),
            }
        }
        Ok(findings)
    }
}

/// Whether a member of `providers` is one of ours. One without a login belongs to somebody else.
fn is_ours(node: &Node) -> bool {
    node.get("auth").is_some() || node.get("type").is_some()
}

/// One member of `providers`.
fn block(id: &ProviderId, name: &Name, node: &Node) -> (Option<Declared>, Vec<Finding>) {
    let mut findings = Vec::new();
    let Some(members) = node.members() else {
        return (
            None,
            vec![error(&node.place, "a provider must be a mapping")],
        );
    };
    if name.text != id.as_str() {
        let message = format!("the name of this provider must be written as {id}");
        return (None, vec![error(&name.place, &message)]);
    }
    unknown(members, &MEMBERS, &mut findings);
    if !is_ours(node) {
        return (None, findings);
    }
    let base = match node.get("type").map(|base| (base, base.text())) {
        None => Err(error(
            &name.place,
            "this provider needs a `type`, such as openai-codex",
        )),
        Some((base, None)) => Err(error(&base.place, "type must be the name of a provider")),
        Some((base, Some(text))) => ProviderId::parse(text)
            .map(|parsed| (parsed, base.place.clone()))
            .map_err(|why| error(&base.place, &why.to_string())),
    };
    let auth = node.get("auth").ok_or_else(|| {
        let message = "this provider needs an `auth` block that defines its login";
        error(&name.place, message)
    });
    match (base, auth) {
        (Ok((base, place)), Ok(auth)) => {
            let declared = auth_block::read(id, (base, place), auth, &mut findings);
            findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
            (declared, findings)
        }
        (base, auth) => {
            findings.extend(base.err());
            findings.extend(auth.err());
            (None, findings)
        }
    }
}

/// Members that mean nothing here, each with the one that may be meant.
fn unknown(members: &[(Name, Node)], known: &[&str], findings: &mut Vec<Finding>) {
    for (name, _) in members {
        if known.contains(&name.text.as_str()) {
            continue;
        }
        let shown = printable(&name.text, 80);
        let message = match near(&name.text, known) {
            Some(near) => format!("unknown key {shown}; did you mean {near}?"),
            None => format!("unknown key {shown} is ignored"),
        };
        findings.push(finding(Severity::Warning, &name.place, &message));
    }
}
