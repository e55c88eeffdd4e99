//! Where servers write their errors, and what they call them.

use serde_json::Value;

use super::answer_body::{json, plain_text};
use super::redaction::clean;
use super::refusal::{is_code, is_passing};
use crate::model::grant::Refusal;
use crate::model::provider::Refusals;
use crate::model::secret::Secret;
use crate::ports::http::Response;

/// Where a code may stand.
const CODES: [&str; 21] = [
    "/error",
    "/error/code",
    "/code",
    "/error/type",
    "",
    "/error_code",
    "/errorCode",
    "/error/status",
    "/suberror",
    "/error/0",
    "/error/reason",
    "/error/details/0/reason",
    "/errors/0",
    "/errors/0/code",
    "/errors/0/type",
    "/data/error",
    "/data/code",
    "/__type",
    "/Code",
    "/reason",
    "/title",
];

/// Where a description may stand.
const DESCRIPTIONS: [&str; 16] = [
    "/error_description",
    "/error/message",
    "/message",
    "/detail/message",
    "/detail",
    "/err_msg",
    "/errorSummary",
    "/base_resp/status_msg",
    "/msg",
    "/error/description",
    "/errors/0/message",
    "/errors/0/detail",
    "/detail/0/msg",
    "/data/error_description",
    "/data/message",
    "/title",
];

/// Reads the shapes seen in the wild: `{"error": code}`, `{"error": {"code", "message"}}`,
/// `{"code", "message"}`, `{"detail"}`, `{"errors": [..]}`, and a bare JSON string. Of several codes
/// one that says "later" counts, then a permanent one. Code and description may be empty.
pub(super) fn error_body(
    status: u16,
    response: &Response,
    sent: &[&Secret<String>],
    refusals: &Refusals,
) -> Refusal {
    let value = json(response);
    let codes: Vec<&str> = CODES.iter().filter_map(|at| text(&value, at)).collect();
    let description = DESCRIPTIONS.iter().find_map(|at| text(&value, at));
    // A text without any JSON is shown only where it is a code that is known.
    let plain = plain_text(response).filter(|text| value.is_null() && is_code(text, refusals));
    // Firebase writes its code where others write a sentence.
    let mut candidates = (codes.iter().copied().chain(description)).chain(plain.as_deref());
    let code = codes.iter().copied().find(|code| is_passing(code));
    let code = code.or_else(|| candidates.find(|code| is_code(code, refusals)));
    let code = code.or(codes.first().copied()).unwrap_or_default();
    let description = description.filter(|text| *text != code);
    Refusal {
        code: clean(code, 64, sent.iter().copied()),
        description: clean(description.unwrap_or_default(), 200, sent.iter().copied()),
        status,
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    let text = value.pointer(pointer)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}
