//! What the browser shows after the redirect, and the header fields it comes with.
//!
//! Every page is complete in itself: no script, no style, no image, nothing from elsewhere, so that
//! the policy `default-src 'none'` costs nothing. Every word that is not ours is escaped: a server
//! of the reference program's family put `error` into its page as it came, and ran it as a script
//! in the loopback origin.

use crate::ports::callback::Page;

/// The header fields of every answer. The page may stand in a tab for days beside a URL that holds
/// a code: nothing of it is cached, referred to, or guessed at.
pub(crate) const HEADERS: [(&str, &str); 6] = [
    ("Server", "openclaw"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
];

/// The status and the HTML of a page.
pub(crate) fn render(page: &Page) -> (u16, String) {
    let back = "Return to the terminal to see what to do next.";
    let (status, title, words) = match page {
        Page::Stored { account } => (
            200,
            "Login complete",
            format!("You are logged in as {account}. You can close this tab."),
        ),
        Page::Ignored { reason } => (400, "Not a response to this login", still_waiting(reason)),
        Page::Refused { reason } => (403, "Login denied", format!("{} {back}", sentence(reason))),
        Page::Failed { reason } => (500, "Login failed", format!("{} {back}", sentence(reason))),
        Page::Late => (
            409,
            "Already answered",
            format!("This login is already finished, or another tab completed it. {back}"),
        ),
    };
    (status, html(title, &words))
}

/// What a request is told that is not the answer of this login.
pub(crate) fn still_waiting(reason: &str) -> String {
    format!("{} This login is still waiting.", sentence(reason))
}

/// The words of an error, which begin in lower case and end without a full stop, as a sentence.
fn sentence(words: &str) -> String {
    let mut rest = words.trim().chars();
    let first: String = rest
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let stop = if words.trim().ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", rest.as_str())
}

/// A page with a title and a sentence, both escaped.
pub(crate) fn html(title: &str, words: &str) -> String {
    let (title, words) = (escape(title), escape(words));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title} - openclaw</title>\n</head>\n\
         <body>\n<h1>{title}</h1>\n<p>{words}</p>\n</body>\n</html>\n"
    )
}

/// The page at a one-time address that was visited before.
pub(crate) fn used_up() -> String {
    html(
        "This address was used already",
        "It leads to the login a single time. If you have not been here before, somebody else may \
         have: the login has ended. Return to the terminal and start it again.",
    )
}

/// A page that leads a browser to `target`.
pub(crate) fn leading_to(target: &str) -> String {
    let target = escape(target);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0;url={target}\">\n\
         <title>Log in - openclaw</title>\n</head>\n\
         <body>\n<p><a href=\"{target}\">Log in</a></p>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_escapes_what_others_said() {
        let hostile = || "<script src='//evil'>\"&".to_owned();
        let pages = [
            Page::Stored { account: hostile() },
            Page::Ignored { reason: hostile() },
            Page::Refused { reason: hostile() },
            Page::Failed { reason: hostile() },
        ];
        for page in &pages {
            let (_, html) = render(page);
            assert!(!html.contains("<script"), "{html}");
            assert!(
                html.contains("&lt;script src=&#39;//evil&#39;&gt;&quot;&amp;"),
                "{html}"
            );
        }
    }

    #[test]
    fn only_a_stored_credential_is_a_success() {
        let reason = || "x".to_owned();
        let status = |page: &Page| render(page).0;
        assert_eq!(status(&Page::Stored { account: reason() }), 200);
        assert_eq!(status(&Page::Ignored { reason: reason() }), 400);
        assert_eq!(status(&Page::Refused { reason: reason() }), 403);
        assert_eq!(status(&Page::Failed { reason: reason() }), 500);
        assert_eq!(status(&Page::Late), 409);
    }

    #[test]
    fn a_page_asks_for_nothing_else() {
        let (_, html) = render(&Page::Late);
        for forbidden in ["src=", "href=", "style", "script", "http"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
    }
}
