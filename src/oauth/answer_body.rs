//! The members of an answer, however its body is wrapped.
//!
//! A token that is spent cannot be sent again because its answer is odd. So whatever can be
//! understood without a guess is: compression that nobody asked for, a byte order mark, bytes that
//! are no UTF-8, members that cannot be read beside those that can, a form in the place of JSON.
//! A body is judged by itself, because one that was saved has no header fields any more.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};
use url::form_urlencoded;

use super::inflate::inflate;
use crate::model::id::printable;
use crate::ports::http::{MAX_ANSWER, Response};

/// The longest title of a page, in characters.
const TITLE: usize = 80;

/// Returns the JSON in the body of an answer; `Null` if there is none.
pub(super) fn json(answer: &Response) -> Value {
    read(answer.body.expose())
}

/// The same of a body alone.
pub(super) fn read(body: &[u8]) -> Value {
    let value = parse(body).or_else(|| parse(&unpack(body)?));
    value.unwrap_or(Value::Null)
}

fn parse(body: &[u8]) -> Option<Value> {
    let text = decode(body);
    let text = text.trim();
    let value = serde_json::from_str(text).ok();
    value
        .or_else(|| readable_members(text))
        .or_else(|| form(text))
}

/// Returns the title of the web page that stands in the place of an answer, perhaps an empty one;
/// `None` if it is no page.
pub(super) fn page_title(answer: &Response) -> Option<String> {
    let body = answer.body.expose();
    let body = unpack(body).map_or(Cow::Borrowed(body.as_slice()), Cow::Owned);
    let text = decode(&body);
    let text = text.trim_start();
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

/// Undoes gzip (RFC 1952), zlib (RFC 1950) and bare deflate, by what a body begins with.
fn unpack(body: &[u8]) -> Option<Vec<u8>> {
    let data = match body {
        [0x1f, 0x8b, 8, flags, rest @ ..] => gzip_data(*flags, rest)?,
        [method, check, data @ ..]
            if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*check)) % 31 == 0 =>
        {
            data
        }
        [b'<', ..] => return None,
        data => data,
    };
    let unpacked = inflate(data, MAX_ANSWER).filter(|data| !data.is_empty())?;
    // Twice, where a server and a proxy before it both compress.
    match unpacked.starts_with(&[0x1f, 0x8b]) {
        true => unpack(&unpacked),
        false => Some(unpacked),
    }
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

/// Decodes a text: UTF-16 by its mark or its zeros, else UTF-8, in which a wrong byte becomes
/// U+FFFD.
fn decode(body: &[u8]) -> Cow<'_, str> {
    let utf16 = |body: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = body
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units).into()
    };
    match body {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'{', 0, ..] => utf16(body, u16::from_le_bytes),
        [0, b'{', ..] => utf16(body, u16::from_be_bytes),
        _ => String::from_utf8_lossy(body),
    }
}

/// The members of an object that can be read, where one of them cannot: a raw line break in a text,
/// half of a surrogate pair, a number that no machine holds, something behind the object.
fn readable_members(text: &str) -> Option<Value> {
    // Outside of texts a control character is white space, or nothing that JSON allows.
    let control = |c: char| if c < ' ' { ' ' } else { c };
    let text: String = text.chars().map(control).collect();
    let text = text
        .trim_start()
        .trim_start_matches(")]}'")
        .trim_start_matches([',', ' ']);
    let first = Deserializer::from_str(text)
        .into_iter::<BTreeMap<String, Box<RawValue>>>()
        .next();
    let members = first?.ok()?.into_iter();
    let readable =
        members.filter_map(|(name, raw)| Some((name, serde_json::from_str(raw.get()).ok()?)));
    Some(Value::Object(readable.collect::<Map<_, _>>()))
}

/// A form, as GitHub answers whoever does not ask for JSON.
fn form(text: &str) -> Option<Value> {
    if text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '{' | '"')) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
    let members: Map<_, _> = pairs
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    let is_answer = ["access_token", "error"]
        .iter()
        .any(|name| members.contains_key(*name));
    is_answer.then_some(Value::Object(members))
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
