//! The page: one document, one stylesheet, one script, all of them in the binary. They hold no data;
//! what the page shows, its script asks for once somebody has signed in.

use std::sync::Arc;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY};
use axum::response::IntoResponse;
use axum::routing::get;

use super::state::Gateway;

const DOCUMENT: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
/// One script; its parts share one scope.
const SCRIPT: &str = concat!(
    include_str!("page/script/session.js"),
    include_str!("page/script/draw.js"),
    include_str!("page/script/accounts.js"),
);

/// Nothing from elsewhere, nothing inline, no frame around it, and no form that a browser sends.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What the page opens is parted from it, although its window must open before its address is known.
const OPENER_POLICY: (HeaderName, &str) = (
    HeaderName::from_static("cross-origin-opener-policy"),
    "same-origin",
);

/// The paths of the page. Whoever reaches the gateway may load it.
pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/", get(async || asset("text/html", DOCUMENT)))
        .route("/page.css", get(async || asset("text/css", STYLE)))
        .route("/page.js", get(async || asset("text/javascript", SCRIPT)))
}

fn asset(kind: &str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (OPENER_POLICY.0, OPENER_POLICY.1.to_owned()),
    ];
    (headers, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small() {
        let size = DOCUMENT.len() + STYLE.len() + SCRIPT.len();
        assert!(size <= 60 * 1024, "{size} bytes");
    }

    #[test]
    fn it_asks_for_nothing_elsewhere_and_keeps_nothing() {
        // An address that is shown as an example.
        let example = "http://localhost:1455/auth/callback";
        for text in [DOCUMENT, STYLE, SCRIPT] {
            let text = text.replace(example, "");
            for forbidden in [
                "http://",
                "https://",
                "//cdn",
                "url(",
                "@import",
                "localStorage",
                "innerHTML",
                "eval(",
            ] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
        for inline in [" style=", "<style", " onclick=", "<script>"] {
            assert!(!DOCUMENT.contains(inline), "{inline}");
        }
    }
}
