//! The redirect URI and scopes of a client that the user registered, from variables that the
//! manifest names.
//!
//! The redirect URI is sent exactly as registered, so what cannot be sent back literally is
//! refused; and it leads to this machine alone, for whoever is there gets the code (RFC 8252
//! section 7.3).

use crate::model::provider::{BrowserFlow, Loopback, Redirect};

use super::super::failure::{Failure, Kind};
use crate::app::context::Context;

/// Returns the flow with the values of the variables in place of the manifest's.
///
/// # Errors
/// [`Kind::Config`] if one of them holds what cannot be used.
pub(super) fn chosen(cx: Context<'_>, flow: &BrowserFlow) -> Result<BrowserFlow, Failure> {
    let mut flow = flow.clone();
    let set = |name: &Option<String>| {
        let name = name.clone()?;
        let value = cx.env.plain(&name)?;
        Some((name, value))
    };
    if let Some((name, value)) = set(&flow.redirect_env) {
        let redirect = Loopback::parse(&value).ok_or_else(|| {
            wrong(
                &name,
                "an http URL on localhost, 127.0.0.1 or [::1] with only a port and a path",
                "http://127.0.0.1:1456/oauth-callback",
            )
        })?;
        flow.redirect = Redirect::Loopback(redirect);
    }
    if let Some((name, value)) = set(&flow.scopes_env) {
        let scopes: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
        if !scopes.iter().all(|scope| is_scope(scope)) {
            return Err(wrong(
                &name,
                "scopes separated by spaces",
                "'openid profile'",
            ));
        }
        flow.scopes = scopes;
    }
    Ok(flow)
}

fn wrong(name: &str, what: &str, example: &str) -> Failure {
    let message = format!("{name} must be {what}");
    Failure::new(Kind::Config, message).hint(format!("export {name}={example}"))
}

/// Whether a text is a valid scope (RFC 6749 section 3.3).
fn is_scope(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_of_rfc_6749_section_3_3() {
        assert!(is_scope("chutes:invoke") && is_scope("https://x.example/a"));
        assert!(!is_scope("a\"b") && !is_scope("a\\b") && !is_scope("ä") && !is_scope("a\u{1b}"));
    }
}
