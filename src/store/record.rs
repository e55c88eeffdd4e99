//! The wire format of a record of the journal: the members of [`GrantRecord`], and a version. Text
//! in, text out; no I/O.

use serde::{Deserialize, Serialize};

use crate::model::grant::GrantRecord;

const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Page<R> {
    schema: u32,
    #[serde(flatten)]
    record: R,
}

fn page(record: &GrantRecord) -> Page<&GrantRecord> {
    Page {
        schema: SCHEMA,
        record,
    }
}

/// The text of a file of its own.
pub(super) fn pretty(record: &GrantRecord) -> Vec<u8> {
    serde_json::to_vec_pretty(&page(record)).expect("texts and numbers")
}

/// A line of a file of many.
pub(super) fn line(record: &GrantRecord) -> Vec<u8> {
    let mut line = serde_json::to_vec(&page(record)).expect("texts and numbers");
    line.push(b'\n');
    line
}

/// The record that a text is of; `None` if it is damaged, or of a later release.
pub(super) fn parse(text: &[u8]) -> Option<GrantRecord> {
    let page: Page<GrantRecord> = serde_json::from_slice(text).ok()?;
    (page.schema == SCHEMA).then_some(page.record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_it_was_read() {
        let grant = "ab".repeat(32);
        let head = format!(
            r#""schema":1,"grant":"{grant}","provider":"openai-codex","profile":"openai-codex:me""#
        );
        let begun = r#""attempt":{"begunAt":1,"settledAt":null,"outcome""#;
        for rest in [
            r#""tokenEndpoint":null,"clientId":null,"provenAt":null,"attempt":null"#.to_owned(),
            r#""tokenEndpoint":"https://a","clientId":"c","subject":"s","revocationEndpoint":"https://r","provenAt":5,"attempt":null"#.to_owned(),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:null,"failures":0}}"#),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:{{"kind":"stored","successor":"{grant}"}},"failures":0}}"#),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:{{"kind":"refused","code":"x","description":"","status":400}},"failures":0}}"#),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:{{"kind":"revoked"}},"failures":0}}"#),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:{{"kind":"passing","reason":"r","retryAt":null}},"failures":3}}"#),
            format!(r#""tokenEndpoint":"","clientId":"","provenAt":5,{begun}:{{"kind":"unknown","reason":"r"}},"failures":0}}"#),
        ] {
            let text = format!("{{{head},{rest}}}");
            let record = parse(text.as_bytes()).unwrap();
            let written = line(&record);
            assert_eq!(String::from_utf8(written).unwrap(), format!("{text}\n"));
            assert_eq!(parse(&pretty(&record)), Some(record));
            let damaged = text.replace("openai-codex:me", " ");
            assert_eq!(parse(damaged.as_bytes()), None);
            let later = text.replace(r#""schema":1"#, r#""schema":2"#);
            assert_eq!(parse(later.as_bytes()), None);
        }
    }
}
