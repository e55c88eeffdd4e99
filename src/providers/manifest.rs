//! A manifest: the TOML text that describes a provider.
//!
//! The invariant: what gets through here is safe to act on. Addresses are https (loopback
//! excepted), no parameter or header overrides one that the protocol sets, names cannot steer a
//! terminal, and an unknown key is an error, since a misspelt `required` would otherwise switch a
//! check off. `builtin/README.md` documents the format.

use serde::Deserialize;

use super::checked::{
    Address, Claim, Headers, Id, Line, Params, Ports, RedirectHost, RedirectPath, Schema, Span,
    Variable,
};
use crate::model::id::printable;
use crate::model::provider::{
    Account, Ambient, AmbientFile, Body, BrowserFlow, Client, Dialect, Flow, KeyFlow, Provider,
    RefreshPolicy, TokenFlow,
};

/// What is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", position(*.line, *.column))]
pub struct ManifestError {
    /// The file, as a person knows it.
    pub file: String,
    /// The line, from 1; 0 where the fault has no one place.
    pub line: usize,
    /// The column, from 1; 0 where the fault has no one place.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

fn position(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        _ => format!(":{line}:{column}"),
    }
}

/// Reads a manifest; `file` names it in errors. The second value is whether it says that it
/// replaces a built-in one.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str, file: &str) -> Result<(Provider, bool), ManifestError> {
    let error = |span: Option<std::ops::Range<usize>>, message: &str| {
        let (line, column) = span.map_or((0, 0), |span| place(text, span.start));
        ManifestError {
            file: file.to_owned(),
            line,
            column,
            // The parser quotes keys as they stand in the file.
            message: printable(message, 400),
        }
    };
    let manifest: Manifest =
        toml::from_str(text).map_err(|fault| error(fault.span(), fault.message()))?;
    let replaces = manifest.replaces;
    let provider = manifest.provider().map_err(|why| error(None, why))?;
    Ok((provider, replaces))
}

/// Line and column of a byte offset, both from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(rename = "schema")]
    _schema: Schema,
    id: Id,
    name: Line,
    #[serde(default)]
    replaces: bool,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    ambient: Vec<AmbientTable>,
    policy: Option<Line>,
    default_model: Option<Line>,
    client: Option<ClientTable>,
    #[serde(default, rename = "flow")]
    flows: Vec<FlowTable>,
    #[serde(default)]
    dialect: DialectTable,
    #[serde(default)]
    account: AccountTable,
    #[serde(default)]
    refresh: RefreshTable,
}

impl Manifest {
    fn provider(self) -> Result<Provider, &'static str> {
        let flows: Vec<Flow> = self.flows.into_iter().map(FlowTable::flow).collect();
        let needs_client = flows.iter().any(|flow| matches!(flow, Flow::Browser(_)));
        if needs_client && self.client.is_none() {
            return Err("a browser flow needs a [client]");
        }
        Ok(Provider {
            id: self.id.0,
            name: self.name.0,
            env: texts(self.env),
            ambient: self
                .ambient
                .into_iter()
                .map(AmbientTable::ambient)
                .collect(),
            policy: self.policy.map(|line| line.0),
            default_model: self.default_model.map(|line| line.0),
            client: self.client.map(ClientTable::client),
            flows,
            dialect: Dialect {
                body: if self.dialect.body == BodyName::Json {
                    Body::Json
                } else {
                    Body::Form
                },
                headers: self.dialect.headers.0.into_iter().collect(),
                state_in_token_request: self.dialect.state_in_token_request,
            },
            account: Account {
                id: self.account.id.into_iter().map(|at| at.0).collect(),
                email: self.account.email.into_iter().map(|at| at.0).collect(),
                plan: self.account.plan.into_iter().map(|at| at.0).collect(),
                required: self.account.required,
            },
            refresh: self.refresh.policy(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTable {
    id: Line,
    authorize: Address,
    token: Address,
    issuer: Option<Address>,
}

impl ClientTable {
    fn client(self) -> Client {
        Client {
            id: self.id.0,
            authorize: self.authorize.0,
            token: self.token.0,
            issuer: self.issuer.map(|issuer| issuer.0),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmbientTable {
    source: Option<Line>,
    needs: Vec<Vec<Variable>>,
    file: Option<AmbientFileTable>,
    help: Option<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmbientFileTable {
    variable: Variable,
    home: Line,
}

impl AmbientTable {
    fn ambient(self) -> Ambient {
        Ambient {
            source: self.source.map(|line| line.0),
            needs: self.needs.into_iter().map(texts).collect(),
            file: self.file.map(|file| AmbientFile {
                variable: file.variable.0,
                home: file.home.0,
            }),
            help: self.help.map(|line| line.0),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum FlowTable {
    Browser {
        host: RedirectHost,
        ports: Ports,
        path: RedirectPath,
        #[serde(default)]
        scopes: Vec<Line>,
        #[serde(default)]
        params: Params,
    },
    Token {
        prefix: Option<Line>,
        #[serde(default)]
        min_length: usize,
        help: Option<Line>,
    },
    Key {
        prefix: Option<Line>,
        help: Option<Line>,
    },
}

impl FlowTable {
    fn flow(self) -> Flow {
        let text = |line: Option<Line>| line.map(|line| line.0);
        match self {
            Self::Browser {
                host,
                ports,
                path,
                scopes,
                params,
            } => Flow::Browser(BrowserFlow {
                redirect_host: host.0,
                ports: ports.0,
                path: path.0,
                scopes: texts(scopes),
                params: params.0.into_iter().collect(),
            }),
            Self::Token {
                prefix,
                min_length,
                help,
            } => Flow::Token(TokenFlow {
                prefix: text(prefix),
                min_length,
                help: text(help),
            }),
            Self::Key { prefix, help } => Flow::Key(KeyFlow {
                prefix: text(prefix),
                help: text(help),
            }),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DialectTable {
    body: BodyName,
    headers: Headers,
    state_in_token_request: bool,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyName {
    #[default]
    Form,
    Json,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AccountTable {
    id: Vec<Claim>,
    email: Vec<Claim>,
    plan: Vec<Claim>,
    required: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RefreshTable {
    margin: Option<Span>,
    baked_margin: Option<Span>,
    keeps_refresh_token: Option<bool>,
}

impl RefreshTable {
    fn policy(self) -> RefreshPolicy {
        let usual = RefreshPolicy::default();
        let keeps = self.keeps_refresh_token;
        RefreshPolicy {
            margin: self.margin.map_or(usual.margin, |span| span.0),
            baked_margin: self.baked_margin.map_or(usual.baked_margin, |span| span.0),
            keeps_refresh_token: keeps.unwrap_or(usual.keeps_refresh_token),
        }
    }
}

fn texts<T: Into<String>>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema = 1\nid = \"acme\"\nname = \"Acme\"\n";

    fn fault(rest: &str) -> (usize, String) {
        let error = parse(&format!("{HEAD}{rest}"), "acme.toml").unwrap_err();
        assert!(error.to_string().starts_with("acme.toml:"), "{error}");
        (error.line, error.message)
    }

    #[test]
    fn faults_have_a_line() {
        let (line, message) = fault("\nmispelt = true\n");
        assert!(line == 5 && message.contains("mispelt"), "{line} {message}");
        let client = "[client]\nid = \"c\"\nauthorize = \"https://a.example/\"\n";
        let (line, message) = fault(&format!("{client}token = \"http://a.example/\"\n"));
        assert!(line == 7 && message.contains("https"), "{line} {message}");
        let (line, message) = fault("[refresh]\nmargin = \"soon\"\n");
        assert!(line == 5 && message.contains("90s"), "{line} {message}");
        let browser = "[[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\n";
        let (line, message) = fault(&format!("{browser}path = \"/\"\nparams.state = \"x\"\n"));
        assert!(line >= 4 && message.contains("state"), "{line} {message}");
        let (line, message) = fault("[[flow]]\nkind = \"key\"\nport = 1\n");
        assert!(line >= 4 && message.contains("port"), "{line} {message}");
        assert!(
            fault(&format!("{browser}path = \"/\"\n"))
                .1
                .contains("[client]")
        );
        assert_eq!(place("a\nbü c", 5), (2, 3));
    }

    #[test]
    fn what_is_unsafe_is_refused() {
        for rest in [
            "env = [\"lower\"]",
            "env = [\"\"]",
            "policy = \"a\\u001bb\"",
            "[dialect]\nheaders = { Authorization = \"x\" }",
            "[dialect]\nheaders = { x = \"a\\nb\" }",
            "[dialect]\nbody = \"xml\"",
            "[account]\nid = [\"cookie:/x\"]",
            "[account]\nid = [\"id_token:x\"]",
            "[[flow]]\nkind = \"magic\"",
        ] {
            fault(rest);
        }
        assert!(parse("schema = 2\nid = \"a\"\nname = \"A\"", "f").is_err());
        assert!(parse("schema = 1\nid = \"Acme\"\nname = \"A\"", "f").is_err());
        assert!(parse("schema = 1\nid = \"..\"\nname = \"A\"", "f").is_err());
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let (provider, replaces) = parse(HEAD, "acme.toml").unwrap();
        assert!(!replaces && provider.client.is_none() && provider.flows.is_empty());
        assert_eq!(provider.refresh, RefreshPolicy::default());
        let (_, replaces) = parse(&format!("{HEAD}replaces = true"), "acme.toml").unwrap();
        assert!(replaces);
    }

    #[test]
    fn the_documented_example_is_a_manifest() {
        let readme = include_str!("builtin/README.md");
        let example = readme.split("```toml").nth(1).unwrap();
        let example = example.split("```").next().unwrap();
        let (provider, _) = parse(example, "README.md").unwrap();
        assert_eq!(provider.flows.len(), 3);
    }
}
