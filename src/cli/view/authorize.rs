//! The invitation to log in, with what helps a person whose browser is on another machine.

use crate::model::id::is_unprintable;
use crate::ports::dialog::AuthorizeUrl;

/// The text. The URL stands alone on its line, unstyled, so that it can be copied whole.
pub fn text(request: &AuthorizeUrl) -> String {
    let line = |text: &str| text.replace(is_unprintable, "");
    let mut text = format!(
        "Log in to {}. Open this URL in a browser:\n{}\n",
        line(&request.provider),
        line(&request.url)
    );
    let paste = "copy the URL that the browser is redirected to and paste it here.";
    text.push_str(&match (request.port, &request.ssh_forward, request.remote) {
        (None, _, _) => format!("Then {paste}"),
        (Some(_), Some(command), _) => format!(
            "Your browser is probably on another machine. Before you log in, run this there:\n  \
             {}\nOr log in, then {paste}",
            line(command)
        ),
        (Some(_), None, true) => {
            format!("Your browser is probably on another machine: log in there, then {paste}")
        }
        (Some(_), None, false) => "If the browser cannot connect back, copy the URL that it is \
                                   redirected to and paste it here."
            .to_owned(),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(port: Option<u16>, remote: bool, ssh_forward: Option<&str>) -> String {
        let url = format!("https://issuer.example/authorize?scope={}", "x".repeat(900));
        let text = super::text(&AuthorizeUrl {
            provider: "OpenAI\u{1b}[31m Codex".to_owned(),
            url: url.clone(),
            port,
            remote,
            ssh_forward: ssh_forward.map(str::to_owned),
            copy: false,
        });
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
    }
}
