//! The members of an answer, however its body is wrapped.
//!
//! A token that is spent cannot be sent again because its answer is odd. So whatever can be
//! understood without a guess is: compression that nobody asked for, a byte order mark, bytes that
//! are no UTF-8, members that cannot be read beside those that can, a form in the place of JSON.
//! A body is judged by itself, because one that was saved has no header fields any more.

use std::borrow::Cow;

use serde_json::Value;
use url::form_urlencoded;

use super::inflate::inflate;
use super::lenient_json;
use super::token_members::TokenMembers;
use crate::model::id::printable;
use crate::ports::http::{MAX_ANSWER, Response};

/// The longest title of a page, in characters.
const TITLE: usize = 80;
/// The longest plain text that is looked at, in bytes.
const LINE: usize = 300;
/// A body that is compressed three times is still read.
const LAYERS: usize = 4;

/// Returns the JSON in the body of an answer; `Null` if there is none.
pub(super) fn json(answer: &Response) -> Value {
    read(answer.body.expose())
}

/// The same of a body alone: first what is right, then what can be made out.
pub(super) fn read(body: &[u8]) -> Value {
    let layers: Vec<_> = layers(body).collect();
    let texts = || layers.iter().rev().map(|body| decode(body));
    let value = texts().find_map(|text| lenient_json::read(trim(&text)));
    let value = value.or_else(|| texts().find_map(|text| form(trim(&text))));
    let value = value.or_else(|| texts().find_map(|text| lenient_json::find(&text)));
    let value = value.or_else(|| texts().find_map(|text| in_page(&text)));
    match value.unwrap_or(Value::Null) {
        Value::Array(mut items) if items.len() == 1 && items[0].is_object() => items.remove(0),
        // JSON in the text of a JSON.
        Value::String(text) if text.trim_start().starts_with('{') => {
            lenient_json::read(&text).unwrap_or(Value::String(text))
        }
        value => value,
    }
}

/// Returns a body that is a single line of plain text, and short.
pub(super) fn plain_text(answer: &Response) -> Option<String> {
    let text = decode(answer.body.expose());
    let text = trim(&text);
    let is_plain = text.len() <= LINE && !text.contains(['<', '{', '"', '\n']);
    (is_plain && !text.is_empty()).then(|| text.to_owned())
}

/// A body, and what it holds where it is compressed: several times, where a server and a proxy
/// before it both do that.
fn layers(body: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let first = Some(Cow::Borrowed(body));
    std::iter::successors(first, |body| unpack(body).map(Cow::Owned)).take(LAYERS)
}

/// Removes what may stand around a text and is none.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')
    })
}

/// Returns the title of the web page that stands in the place of an answer, perhaps an empty one;
/// `None` if it is no page.
pub(super) fn page_title(answer: &Response) -> Option<String> {
    let body = layers(answer.body.expose()).last()?;
    let text = decode(&body);
    let text = trim(&text);
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with('<') {
        return None;
    }
    let is_declared = || {
        let kind = answer.header("content-type").unwrap_or_default();
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    };
    if !lower.contains("<html") && !lower.contains("<!doctype html") && !is_declared() {
        return None;
    }
    if holds_tokens(text, &lower) {
        return None;
    }
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find('<')?;
        text.get(start..end)
    });
    let title = title.unwrap_or_default();
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let plain = entities
        .iter()
        .fold(title.to_owned(), |text, (entity, plain)| {
            text.replace(entity, plain)
        });
    Some(printable(&plain, TITLE))
}

/// Whether what looks like a page is an answer in the clothes of one: XML that is called HTML, JSON
/// in a page, or behind a warning of the server's own language.
fn holds_tokens(text: &str, lower: &str) -> bool {
    lower.contains("<access_token")
        || in_page(text).is_some_and(|value| TokenMembers::find(&value).is_some())
}

/// The JSON in the text of a page.
fn in_page(text: &str) -> Option<Value> {
    lenient_json::find(&text.replace("&quot;", "\""))
}

/// Undoes gzip (RFC 1952), zlib (RFC 1950) and bare deflate, by what a body begins with.
fn unpack(body: &[u8]) -> Option<Vec<u8>> {
    let (mut unpacked, mut rest) = match body.trim_ascii_start() {
        [0x1f, 0x8b, 8, flags, rest @ ..] => inflate(gzip_data(*flags, rest)?, MAX_ANSWER)?,
        [method, check, data @ ..]
            if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*check)) % 31 == 0 =>
        {
            inflate(data, MAX_ANSWER)?
        }
        [b'<' | b'{' | b'[', ..] => return None,
        _ => inflate(body, MAX_ANSWER)?,
    };
    // A gzip file may have several members; between them are a sum and a length.
    while let Some([0x1f, 0x8b, 8, flags, next @ ..]) = rest.get(8..) {
        let room = MAX_ANSWER - unpacked.len();
        let (more, behind) = inflate(gzip_data(*flags, next)?, room)?;
        unpacked.extend(more);
        rest = behind;
    }
    (!unpacked.is_empty()).then_some(unpacked)
}

/// The data behind the optional fields of a header whose first four bytes are gone.
fn gzip_data(flags: u8, rest: &[u8]) -> Option<&[u8]> {
    let mut rest = rest.get(6..)?;
    if flags & 4 != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for field in [8, 16] {
        if flags & field != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    rest.get(if flags & 2 != 0 { 2 } else { 0 }..)
}

/// Decodes a text: UTF-16 and UTF-32 by their marks or their zeros, else UTF-8, in which a wrong
/// byte becomes U+FFFD.
fn decode(body: &[u8]) -> Cow<'_, str> {
    // A letter of UTF-32 is one of UTF-16 and a zero.
    let utf16 = |body: &[u8], read: fn([u8; 2]) -> u16| {
        let units = body.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        let units: Vec<u16> = units.filter(|unit| *unit != 0).collect();
        String::from_utf16_lossy(&units).into()
    };
    let start = body.trim_ascii_start();
    match start {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] | [0, 0, 0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [1..=0x7f, 0, _, 0, ..] => utf16(start, u16::from_le_bytes),
        [0, _, 0, _, ..] => utf16(start, u16::from_be_bytes),
        _ => String::from_utf8_lossy(body),
    }
}

/// A form, as GitHub answers whoever does not ask for JSON. One that was torn is none: where it
/// ends is not in it.
fn form(text: &str) -> Option<Value> {
    if text.contains(['<', '{', '"', '\n', '\u{fffd}']) {
        return None;
    }
    let text = text.trim_start_matches(['?', '#']);
    let pairs = match text.contains('&') {
        true => text.to_owned(),
        false => text.replace(';', "&"),
    };
    let pairs = form_urlencoded::parse(pairs.as_bytes()).into_owned();
    let members = lenient_json::collect(pairs.map(|(name, value)| (name, Value::String(value))));
    let is_answer = ["access_token", "error"]
        .iter()
        .any(|name| members.get(*name).is_some());
    is_answer.then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;
    use serde_json::json;

    /// `{"access_token":"at"}` by gzip, with a file name in its header, by zlib, and bare.
    const BARE: &[u8] = b"\xabVJLNN-.\x8e/\xc9\xcfN\xcdS\xb2RJ,Q\xaa\x05\x00";

    fn access(body: &[u8]) -> Value {
        read(body)["access_token"].clone()
    }

    #[test]
    fn compression_that_nobody_asked_for_is_undone() {
        let gzip = [b"\x1f\x8b\x08\x00\0\0\0\0\0\x03".as_slice(), BARE, &[0; 8]].concat();
        let named = [
            b"\x1f\x8b\x08\x08\0\0\0\0\0\x03a.json\0".as_slice(),
            BARE,
            &[0; 8],
        ]
        .concat();
        let full = [
            b"\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x02\0xxn\0c\0hh".as_slice(),
            BARE,
        ]
        .concat();
        let zlib = [b"\x78\x9c".as_slice(), BARE, &[0; 4]].concat();
        for packed in [gzip.as_slice(), &named, &full, &zlib, BARE] {
            assert_eq!(access(packed), "at", "{packed:?}");
        }
        let stored = |data: &[u8]| {
            let length = u16::try_from(data.len()).unwrap();
            let head = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
            [
                b"\x1f\x8b\x08\x00\0\0\0\0\0\x03\x01".as_slice(),
                &head,
                data,
                &[0; 8],
            ]
            .concat()
        };
        assert_eq!(access(&stored(&gzip)), "at");
        assert_eq!(read(&gzip[..gzip.len() - 14]), Value::Null);
    }

    #[test]
    fn a_text_in_another_encoding_is_read() {
        let plain = r#"{"access_token":"at"}"#;
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| plain.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
        let bodies = [
            [b"\xef\xbb\xbf", plain.as_bytes()].concat(),
            [b"\xff\xfe", little.as_slice()].concat(),
            [b"\xfe\xff", big.as_slice()].concat(),
            little.clone(),
            big.clone(),
            b"{\"access_token\":\"at\",\"name\":\"M\xfcller\"}".to_vec(),
        ];
        for body in bodies {
            assert_eq!(access(&body), "at", "{body:?}");
        }
    }

    #[test]
    fn a_member_that_cannot_be_read_hides_no_other() {
        for body in [
            "{\"note\":\"a\nb\tc\",\"access_token\":\"at\"}",
            r#"{"name":"\ud83d","access_token":"at"}"#,
            r#"{"access_token":"at","n":1e999}"#,
            r#"{"access_token":"at"} trailing"#,
            "{\"access_token\":\"at\"}\0\0",
            ")]}',\n{\"access_token\":\"at\",\"x\":\"\x01\"}",
            "access_token=at&scope=&token_type=bearer",
            &format!(
                r#"{{"access_token":"at","deep":{}{}}}"#,
                "[".repeat(500),
                "]".repeat(500)
            ),
        ] {
            assert_eq!(access(body.as_bytes()), "at", "{body}");
        }
        assert_eq!(read(b"\"invalid_grant\""), json!("invalid_grant"));
        for body in [
            "",
            "at",
            "a=b",
            "{\"access_token\":\"at",
            "<html>access_token=at",
        ] {
            assert_eq!(access(body.as_bytes()), Value::Null, "{body}");
        }
    }

    #[test]
    fn a_web_page_is_known_by_its_beginning() {
        let title = |body: &str, kind: &str| {
            page_title(&Response {
                status: 200,
                headers: vec![("content-type".into(), kind.into())],
                body: Secret::new(body.into()),
            })
        };
        let page =
            "<!DOCTYPE html><html><head><TITLE lang=en>\nJust a\u{1b} moment &amp; wait </TITLE>";
        assert_eq!(title(page, "").as_deref(), Some("Just a moment & wait"));
        assert_eq!(title(" <HTML>hello", "").as_deref(), Some(""));
        assert_eq!(
            title("<p>hello", "text/html; charset=utf-8").as_deref(),
            Some("")
        );
        assert_eq!(
            title("<Error><Code>X</Code></Error>", "application/xml"),
            None
        );
        assert_eq!(title(r#"{"error":"<html>"}"#, "text/html"), None);
        assert_eq!(title("", "text/html"), None);
    }
}
