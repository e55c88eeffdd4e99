//! The invitation to log in, with what helps a person whose browser is on another machine.

use super::wrap::Sheet;
use crate::model::text::is_unprintable;
use crate::ports::dialog::AuthorizeUrl;

/// Writes it. URL and command stand alone on their lines, unstyled, so that they can be copied
/// whole.
pub(super) fn write(sheet: &mut Sheet, request: &AuthorizeUrl) {
    let line = |text: &str| text.replace(is_unprintable, "");
    let provider = line(&request.provider);
    sheet.prose(&format!(
        "Log in to {provider}. Open this URL in a browser:"
    ));
    sheet.line(&line(&request.url));
    match (request.port, &request.ssh_forward, request.remote) {
        (None, ..) => sheet.prose(&format!("Then {PASTE}")),
        (Some(_), Some(command), _) => {
            sheet.prose(
                "Your browser is probably on another machine. Before you log in, run this there:",
            );
            sheet.line(&format!("  {}", line(command)));
            sheet.prose(&format!("Or log in, then {PASTE}"));
        }
        (Some(_), None, true) => sheet.prose(&format!(
            "Your browser is probably on another machine: log in there, then {PASTE}"
        )),
        (Some(_), None, false) => {
            sheet.prose(
                "If the browser cannot connect back, copy the URL that it is redirected to and \
                 paste it here.",
            );
        }
    }
}

/// What helps where the browser cannot reach this machine.
const PASTE: &str = "copy the URL that the browser ends on and paste it here.";

#[cfg(test)]
mod tests {
    use super::*;

    fn text(port: Option<u16>, remote: bool, ssh_forward: Option<&str>) -> String {
        let url = format!("https://issuer.example/authorize?scope={}", "x".repeat(900));
        let mut sheet = Sheet::new(Some(80));
        super::write(
            &mut sheet,
            &AuthorizeUrl {
                provider: "OpenAI\u{1b}[31m Codex".to_owned(),
                url: url.clone(),
                port,
                remote,
                ssh_forward: ssh_forward.map(str::to_owned),
                copy: false,
            },
        );
        let text = sheet.into_text();
        assert!(text.lines().any(|line| line == url), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        text
    }

    #[test]
    fn the_url_stands_alone_and_the_tunnel_is_ready_to_copy() {
        let command = "ssh -L 1455:127.0.0.1:1455 me@192.0.2.2";
        let tunnel = format!("\n  {command}\n");
        assert!(text(Some(1455), true, Some(command)).contains(&tunnel));
        assert!(!text(Some(1455), true, None).contains("ssh"));
        assert!(text(Some(1455), true, None).contains("another machine"));
        assert!(!text(Some(1455), false, None).contains("another machine"));
        assert!(text(None, true, None).contains("paste it here"));
        // All but the URL and the title in three lines of an old terminal.
        assert_eq!(text(Some(1455), true, Some(command)).lines().count(), 5);
    }
}
