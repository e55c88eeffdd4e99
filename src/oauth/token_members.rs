//! The members of a token response, in whatever envelope and spelling they come.

use serde_json::{Map, Value};

/// How many envelopes are opened.
const ENVELOPES: usize = 3;

/// The object in an answer that holds an access token, and those around it, the innermost first.
pub(super) struct TokenMembers<'a>(Vec<&'a Map<String, Value>>);

impl<'a> TokenMembers<'a> {
    /// Finds the object; `None` if there is none, or if several are equally good.
    pub(super) fn find(body: &'a Value) -> Option<Self> {
        let mut level = vec![vec![body.as_object()?]];
        for _ in 0..=ENVELOPES {
            let holds = |path: &&Vec<&Map<_, _>>| {
                let access = path.first().and_then(|map| member(map, "access_token"));
                access.is_some_and(|token| text(token).is_some())
            };
            let mut found = level.iter().filter(holds);
            match (found.next(), found.next()) {
                (Some(path), None) => return Some(Self(path.clone())),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
            let inner = level.iter().flat_map(|path| {
                let objects = path[0].values().filter_map(Value::as_object);
                objects.map(|map| [&[map], path.as_slice()].concat())
            });
            level = inner.collect();
        }
        None
    }

    /// Whether they stand in an envelope.
    pub(super) fn is_wrapped(&self) -> bool {
        self.0.len() > 1
    }

    /// A member, of the object itself or of what is around it.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.iter().find_map(|map| member(map, name))
    }
}

/// A member by its name, in any case and with anything or nothing between its words.
fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let spelled = |name: &str| {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    };
    map.get(name).or_else(|| {
        let name = spelled(name);
        let mut members = map.iter();
        members.find_map(|(other, value)| (spelled(other) == name).then_some(value))
    })
}

/// The text of a token: a number is its digits. `None` if it is blank or anything else.
pub(super) fn text(token: &Value) -> Option<String> {
    let text = match token {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Whether a member is there in name only.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_found_in_every_envelope_and_spelling() {
        for (body, is_wrapped) in [
            (json!({"access_token": "at", "refresh_token": "rt"}), false),
            (json!({"accessToken": "at", "refreshToken": "rt"}), false),
            (json!({"access_token ": "at", "Refresh-Token": "rt"}), false),
            (
                json!({"code": 0, "data": {"access_token": "at", "refresh_token": "rt"}}),
                true,
            ),
            (
                json!({"data": {"token": {"accessToken": "at"}, "refresh_token": "rt"}}),
                true,
            ),
            (
                json!({"data": {"access_token": "at"}, "refresh_token": "rt", "x": {}}),
                true,
            ),
        ] {
            let members = TokenMembers::find(&body).unwrap();
            assert_eq!(members.get("access_token").unwrap(), "at", "{body}");
            assert_eq!(members.get("refresh_token").unwrap(), "rt", "{body}");
            assert_eq!(members.is_wrapped(), is_wrapped, "{body}");
        }
        // The nearest, and none where two are as near.
        let slack =
            json!({"access_token": "bot", "user": {"access_token": "at", "refresh_token": "rt"}});
        let members = TokenMembers::find(&slack).unwrap();
        assert_eq!(members.get("access_token").unwrap(), "bot");
        assert_eq!(members.get("refresh_token"), None);
        let two = json!({"a": {"access_token": "1"}, "b": {"access_token": "2"}});
        for none in [
            two,
            json!({"access_token": {}}),
            json!([]),
            json!({"access_token": 1.5}),
        ] {
            assert!(TokenMembers::find(&none).is_none(), "{none}");
        }
    }
}
