//! Numbers in the text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use crate::app::maintenance::metrics::{Login, Metrics};
use crate::model::time::Timestamp;

/// What is told of one login, if there is anything to tell.
type Value = fn(&Login) -> Option<f64>;

/// Name, help, value. Names never change their meaning.
const OF_LOGINS: [(&str, &str, Value); 8] = [
    (
        "openclaw_profile_usable",
        "Whether a valid token is available without user interaction (1 or 0).",
        |login| Some(number(login.usable)),
    ),
    (
        "openclaw_profile_needs_login",
        "Whether the next token requires a new login by a person (1 or 0).",
        |login| Some(number(login.needs_login)),
    ),
    (
        "openclaw_profile_renews",
        "Whether the login can be refreshed without user interaction (1 or 0).",
        |login| Some(number(login.renews)),
    ),
    (
        "openclaw_profile_end_timestamp_seconds",
        "Expiry time of the stored token.",
        |login| login.end.map(seconds),
    ),
    (
        "openclaw_profile_last_proven_timestamp_seconds",
        "Time when a token endpoint last issued or refreshed the login.",
        |login| login.proven_at.map(seconds),
    ),
    (
        "openclaw_profile_cooldown_until_timestamp_seconds",
        "End of the cooldown of the profile.",
        |login| login.cooldown_until.map(seconds),
    ),
    (
        "openclaw_profile_refresh_failures",
        "Consecutive refresh attempts that failed temporarily.",
        |login| Some(f64::from(login.failures)),
    ),
    (
        "openclaw_profile_info",
        "Always 1; the type label is the kind of credential.",
        |_| Some(1.0),
    ),
];

/// The whole text.
pub fn render(metrics: &Metrics) -> String {
    let mut text = String::new();
    for (name, help, value) in OF_LOGINS {
        head(&mut text, name, help);
        for login in &metrics.logins {
            let Some(value) = value(login) else {
                continue;
            };
            let mut labels = vec![
                ("agent", login.agent.as_str()),
                ("profile", login.profile.as_str()),
                ("provider", &login.provider),
            ];
            if name.ends_with("_info") {
                labels.push(("type", login.kind.as_str()));
            }
            sample(&mut text, name, &labels, value);
        }
    }
    let name = "openclaw_store_readable";
    let help = "Whether the credential store of the agent could be read (1 or 0).";
    head(&mut text, name, help);
    for (agent, is_readable) in &metrics.agents {
        let labels = [("agent", agent.as_str())];
        sample(&mut text, name, &labels, number(*is_readable));
    }
    let name = "openclaw_tick_last_run_timestamp_seconds";
    head(
        &mut text,
        name,
        "Time of the last completed run of openclaw tick.",
    );
    if let Some(at) = metrics.last_tick {
        sample(&mut text, name, &[], seconds(at));
    }
    text
}

fn head(text: &mut String, name: &str, help: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    let labels = labels.iter();
    let labels: Vec<String> = labels
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    let labels = match labels.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", labels.join(",")),
    };
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

fn number(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are exact for the next hundred thousand years"
)]
fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::credential::Kind;
    use crate::model::id::{AgentId, ProfileId};

    /// Name, labels, value.
    type Sample = (String, Vec<(String, String)>, f64);

    /// The samples of a text, by a parser that takes nothing but what the format allows.
    fn parse(text: &str) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut declared: Vec<&str> = Vec::new();
        for line in text.strip_suffix('\n').unwrap().split('\n') {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let name = help.split(' ').next().unwrap();
                assert!(!declared.contains(&name), "{name} twice");
                declared.push(name);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let name = declared.last().unwrap();
                assert_eq!(kind, format!("{name} gauge"));
            } else {
                samples.push(sample_of(line, declared.last().unwrap()));
            }
        }
        samples
    }

    fn sample_of(line: &str, name: &str) -> Sample {
        let mut rest = line.strip_prefix(name).unwrap();
        let mut labels = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while !rest.starts_with('}') {
                let (label, after) = rest.split_once("=\"").unwrap();
                assert!(label.bytes().all(|b| b.is_ascii_lowercase()), "{line}");
                let (value, after) = quoted(after);
                labels.push((label.to_owned(), value));
                rest = after.strip_prefix(',').unwrap_or(after);
            }
            rest = &rest[1..];
        }
        let value = rest.strip_prefix(' ').unwrap();
        (name.to_owned(), labels, value.parse().unwrap())
    }

    /// A value up to its quote, and what comes after that.
    fn quoted(text: &str) -> (String, &str) {
        let mut value = String::new();
        let mut chars = text.char_indices();
        loop {
            match chars.next().unwrap() {
                (at, '"') => return (value, &text[at + 1..]),
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('"' | '\\') => c,
                    c => panic!("\\{c} is no escape"),
                }),
                (_, c) => value.push(c),
            }
        }
    }

    fn login(profile: &str, provider: &str) -> Login {
        Login {
            agent: AgentId::main(),
            profile: ProfileId::parse(profile).unwrap(),
            provider: provider.to_owned(),
            kind: Kind::OAuth,
            end: Some(Timestamp(1_795_230_521_449)),
            usable: true,
            needs_login: false,
            renews: true,
            proven_at: None,
            cooldown_until: None,
            failures: 2,
        }
    }

    #[test]
    fn whatever_a_name_holds_it_stays_one_label() {
        let hostile = "x:\"} 1 # {a=\"b\",c";
        let provider = "p\nopenclaw_profile_usable 7\\n\"";
        let metrics = Metrics {
            last_tick: Some(Timestamp(1_500)),
            agents: vec![(AgentId::main(), true), (AgentId::normalise("b"), false)],
            logins: vec![login(hostile, provider), login("a:b", "a")],
        };
        let samples = parse(&render(&metrics));
        let of = |wanted: &str| {
            let found = samples.iter().filter(|(name, ..)| name == wanted);
            found.collect::<Vec<_>>()
        };
        for (name, ..) in OF_LOGINS {
            for (sample, profile) in of(name).into_iter().zip([hostile, "a:b"]) {
                assert!(sample.1.contains(&("profile".into(), profile.into())));
            }
        }
        let usable = of("openclaw_profile_usable");
        assert_eq!(usable.len(), 2);
        assert_eq!(usable[0].1[2], ("provider".to_owned(), provider.to_owned()));
        assert_eq!(usable[0].2, 1.0);
        assert!(of("openclaw_profile_last_proven_timestamp_seconds").is_empty());
        let end = of("openclaw_profile_end_timestamp_seconds");
        assert_eq!(end[0].2, 1_795_230_521.449);
        let info = &of("openclaw_profile_info")[1].1;
        assert_eq!(info[3], ("type".to_owned(), "oauth".to_owned()));
        let readable = of("openclaw_store_readable");
        assert_eq!((readable[0].2, readable[1].2), (1.0, 0.0));
        let ticked = of("openclaw_tick_last_run_timestamp_seconds");
        assert_eq!((ticked[0].1.len(), ticked[0].2), (0, 1.5));
    }
}
