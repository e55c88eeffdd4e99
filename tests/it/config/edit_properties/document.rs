//! Configurations as people write them, each as a text and as the value that the text stands for,
//! so that no parser of ours says what is expected.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// What stands between two tokens: white space, comments.
type Trivia = String;

/// A value with everything around its parts.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf(String, Value),
    List(Vec<Item>, Ending),
    Object(Vec<Member>, Ending),
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    before: Trivia,
    pub(super) value: Node,
    after: Trivia,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    before: Trivia,
    key: String,
    pub(super) name: String,
    between: Trivia,
    pub(super) value: Node,
    after: Trivia,
}

/// What stands before the closing bracket.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    comma: bool,
    trivia: Trivia,
}

impl Node {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Leaf(text, _) => text.clone(),
            Self::List(items, ending) => {
                let items = items
                    .iter()
                    .map(|item| format!("{}{}{}", item.before, item.value.text(), item.after));
                ending.close("[", &items.collect::<Vec<_>>(), "]")
            }
            Self::Object(members, ending) => {
                let members = members
                    .iter()
                    .map(|member| format!("{}{}{}", member.before, member.text(), member.after));
                ending.close("{", &members.collect::<Vec<_>>(), "}")
            }
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Leaf(_, value) => value.clone(),
            Self::List(items, _) => items.iter().map(|item| item.value.value()).collect(),
            Self::Object(members, _) => {
                let members = members.iter();
                Value::Object(members.map(|m| (m.name.clone(), m.value.value())).collect())
            }
        }
    }

    /// What stands between the last element of a list and its bracket.
    pub(super) fn tail(&self) -> String {
        match self {
            Self::List(items, ending) => {
                let last = items.last().map_or("", |item| &item.after);
                format!("{last}{}", ending.trivia)
            }
            _ => String::new(),
        }
    }

    /// The elements of a list that are picked, each with all that stands between its neighbours.
    pub(super) fn pieces(&self, is_picked: &dyn Fn(&Value) -> bool) -> Vec<String> {
        let Self::List(items, ending) = self else {
            return Vec::new();
        };
        let next = items.iter().skip(1).map(|item| &item.before);
        let next = next.chain([&ending.trivia]);
        let picked = items.iter().zip(next);
        let picked = picked.filter(|(item, _)| is_picked(&item.value.value()));
        let text = |(item, next): (&Item, &Trivia)| {
            format!("{}{}{}{next}", item.before, item.value.text(), item.after)
        };
        picked.map(text).collect()
    }

    /// A member with all that stands between its neighbours.
    pub(super) fn piece(&self, name: &str) -> Option<String> {
        let Self::Object(members, ending) = self else {
            return None;
        };
        let at = members.iter().position(|member| member.name == name)?;
        let Member { before, after, .. } = &members[at];
        let next = members.get(at + 1).map(|next| &next.before);
        let next = next.unwrap_or(&ending.trivia);
        Some(format!("{before}{}{after}{next}", members[at].text()))
    }

    pub(super) fn member(&self, name: &str) -> Option<&Node> {
        let Self::Object(members, _) = self else {
            return None;
        };
        let member = members.iter().find(|member| member.name == name)?;
        Some(&member.value)
    }
}

impl Member {
    /// Name and value, without what stands around them.
    pub(super) fn text(&self) -> String {
        format!(
            "{}{}:{}{}",
            self.key,
            self.between,
            self.between,
            self.value.text()
        )
    }
}

impl Ending {
    fn close(&self, open: &str, parts: &[String], end: &str) -> String {
        let comma = if self.comma && !parts.is_empty() {
            ","
        } else {
            ""
        };
        format!("{open}{}{comma}{}{end}", parts.join(","), self.trivia)
    }
}

/// White space and comments; each comment has a name of its own, by which it can be found again.
pub(super) fn trivia() -> impl Strategy<Value = Trivia> {
    prop_oneof![
        4 => select(vec!["", "", " ", "\n", "\n  ", "\t", "\r\n", "\n\n"]).prop_map(str::to_owned),
        1 => "(\n|) // c[a-z0-9]{10}\n",
        1 => " /\\* c[a-z0-9]{10}(\n|) \\*/ ",
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    (any::<bool>(), trivia()).prop_map(|(comma, trivia)| Ending { comma, trivia })
}

fn spelt(name: &str) -> impl Strategy<Value = String> + use<> {
    let mut ways = vec![format!("\"{name}\""), format!("'{name}'")];
    if name.chars().all(|c| c.is_ascii_alphanumeric()) && !name.is_empty() {
        ways.push(name.to_owned());
    }
    select(ways)
}

fn quoted(text: &str) -> impl Strategy<Value = Node> + use<> {
    let value = Value::from(text);
    select(vec![format!("\"{text}\""), format!("'{text}'")])
        .prop_map(move |text| Node::Leaf(text, value.clone()))
}

fn member(name: &'static str, value: BoxedStrategy<Node>) -> BoxedStrategy<Member> {
    let parts = (trivia(), spelt(name), trivia(), value, trivia());
    parts
        .prop_map(move |(before, key, between, value, after)| Member {
            before,
            key,
            name: name.to_owned(),
            between,
            value,
            after,
        })
        .boxed()
}

/// An object of some of these members, in any order.
fn object(members: Vec<(&'static str, BoxedStrategy<Node>)>) -> BoxedStrategy<Node> {
    let count = members.len();
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| member(name, value))
        .collect();
    (subsequence(members, 0..=count).prop_shuffle(), ending())
        .prop_flat_map(|(members, ending)| (members, Just(ending)))
        .prop_map(|(members, ending)| Node::Object(members, ending))
        .boxed()
}

/// An object of all of these members.
fn whole(members: Vec<(&'static str, BoxedStrategy<Node>)>) -> BoxedStrategy<Node> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| member(name, value))
        .collect();
    (members, ending())
        .prop_map(|(members, ending)| Node::Object(members, ending))
        .boxed()
}

fn list(items: impl Strategy<Value = Vec<Node>> + 'static) -> BoxedStrategy<Node> {
    let around = vec((trivia(), trivia()), 6);
    (items, around, ending())
        .prop_map(|(items, around, ending)| {
            let items = items.into_iter().zip(around);
            let items = items.map(|(value, (before, after))| Item {
                before,
                value,
                after,
            });
            Node::List(items.collect(), ending)
        })
        .boxed()
}

fn text(choices: &[&'static str]) -> BoxedStrategy<Node> {
    select(choices.to_vec()).prop_flat_map(quoted).boxed()
}

/// Different texts out of a few.
fn texts(choices: &[&'static str]) -> BoxedStrategy<Node> {
    let some = subsequence(choices.to_vec(), 0..=choices.len()).prop_shuffle();
    list(some.prop_flat_map(|some| some.into_iter().map(quoted).collect::<Vec<_>>()))
}

/// What no version of ours knows.
pub(super) fn unknown() -> BoxedStrategy<Node> {
    let plain = |text: &str, value: Value| Node::Leaf(text.to_owned(), value);
    let leaf = prop_oneof![
        Just(plain("null", Value::Null)),
        Just(plain("true", json!(true))),
        Just(plain("0x1F", json!(31))),
        Just(plain("+7", json!(7))),
        Just(plain("-12", json!(-12))),
        Just(plain("\"${ACME_KEY}\"", json!("${ACME_KEY}"))),
        Just(plain(
            "'$${ACME_KEY} // no comment'",
            json!("$${ACME_KEY} // no comment")
        )),
        Just(plain("'it\\'s \"odd\" \\u00e9'", json!("it's \"odd\" é"))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = inner.boxed();
        prop_oneof![
            list(vec(inner.clone(), 0..3)),
            object(vec![
                ("a", inner.clone()),
                ("$b", inner.clone()),
                ("apiKey", inner)
            ]),
        ]
    })
    .boxed()
}

pub(super) const AGENTS: [&str; 4] = ["main", "work", "Home Office", "x_1"];
pub(super) const MODELS: [&str; 3] = ["acme/c", "acme/d", "z.ai/e"];
pub(super) const PROFILES: [&str; 3] = ["anthropic:work", "anthropic:default", "openai-codex:me"];

fn agents() -> BoxedStrategy<Node> {
    let some = subsequence(AGENTS.to_vec(), 0..=AGENTS.len());
    let some = some.prop_flat_map(|ids| {
        let identity = || object(vec![("name", text(&["Old"])), ("odd", unknown())]);
        let agent = |id| {
            whole(vec![
                ("id", quoted(id).boxed()),
                ("identity", identity()),
                ("odd", unknown()),
            ])
        };
        ids.into_iter().map(agent).collect::<Vec<_>>()
    });
    list(some)
}

fn bindings() -> BoxedStrategy<Node> {
    let binding = whole(vec![("agentId", text(&AGENTS)), ("match", unknown())]);
    list(vec(binding, 0..4))
}

fn profiles() -> BoxedStrategy<Node> {
    let profile = || {
        let provider = ("provider", text(&["anthropic", "openai-codex"]));
        whole(vec![
            provider,
            ("mode", text(&["oauth", "token"])),
            ("odd", unknown()),
        ])
    };
    object(PROFILES.map(|id| (id, profile())).to_vec())
}

fn root() -> BoxedStrategy<Node> {
    let model = prop_oneof![
        text(&["anthropic/a"]),
        object(vec![
            ("primary", text(&["acme/b"])),
            ("fallbacks", texts(&MODELS))
        ]),
    ];
    let image = object(vec![
        ("primary", text(&["acme/b"])),
        ("fallbacks", texts(&MODELS)),
    ]);
    let models = || object(vec![("alias", text(&["one"])), ("odd", unknown())]);
    let models = object(MODELS.map(|id| (id, models())).to_vec());
    let defaults = object(vec![
        ("model", model.boxed()),
        ("imageModel", image),
        ("models", models),
        ("odd", unknown()),
    ]);
    let order = object(vec![
        ("anthropic", texts(&PROFILES)),
        ("Z.AI", texts(&["zai:a", "zai:b"])),
    ]);
    let between = object(vec![("allow", texts(&AGENTS)), ("odd", unknown())]);
    let acme = whole(vec![("apiKey", text(&["${ACME_KEY}"])), ("odd", unknown())]);
    let providers = object(vec![("acme", acme)]);
    object(vec![
        (
            "agents",
            object(vec![
                ("list", agents()),
                ("defaults", defaults),
                ("odd", unknown()),
            ]),
        ),
        (
            "auth",
            object(vec![
                ("profiles", profiles()),
                ("order", order),
                ("odd", unknown()),
            ]),
        ),
        ("bindings", bindings()),
        (
            "tools",
            object(vec![("agentToAgent", between), ("odd", unknown())]),
        ),
        ("models", object(vec![("providers", providers)])),
        (
            "meta",
            object(vec![
                ("lastTouchedVersion", text(&["1"])),
                ("odd", unknown()),
            ]),
        ),
        ("mine", unknown()),
        ("theirs", unknown()),
    ])
}

/// A whole file: comments may stand before and after the object.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) text: String,
}

impl Document {
    pub(super) fn value(&self) -> Value {
        self.root.value()
    }
}

pub(super) fn document() -> impl Strategy<Value = Document> {
    (trivia(), root(), trivia()).prop_map(|(before, root, after)| Document {
        text: format!("{before}{}{after}", root.text()),
        root,
    })
}

/// The object at a path, made where it is missing or something else.
pub(super) fn at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut place = value;
    for name in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[*name];
    }
    if !place.is_object() {
        *place = json!({});
    }
    place.as_object_mut().unwrap()
}
