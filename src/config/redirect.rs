//! A redirect URI that a user registered: whether it can work, and how.

use url::Url;

use crate::model::declared::{Finding, Severity, SourceLocation};
use crate::model::provider::{Loopback, Redirect, is_loopback};

use super::finding::{error, finding};

/// The redirect, if it can work, and what there is to say about it.
pub(super) fn check(text: &str, place: &SourceLocation) -> (Option<Redirect>, Option<Finding>) {
    match understand(text) {
        Ok(redirect @ Redirect::Loopback(_)) => (Some(redirect), None),
        Ok(redirect @ Redirect::Elsewhere(_)) => {
            let message = "the browser is not redirected to this machine: after the login, paste the URL of the page it ends on";
            (
                Some(redirect),
                Some(finding(Severity::Info, place, message)),
            )
        }
        Err(why) => (None, Some(error(place, &format!("redirect_uri {why}")))),
    }
}

fn understand(text: &str) -> Result<Redirect, String> {
    let url = Url::parse(text).map_err(|why| format!("is not a URL: {why}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("cannot contain a user name or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("cannot contain a fragment (RFC 6749 section 3.1.2)".to_owned());
    }
    match url.scheme() {
        "https" => Ok(Redirect::Elsewhere(text.to_owned())),
        "http" if url.host().is_some_and(|host| is_loopback(&host)) => {
            loopback(text, &url).map(Redirect::Loopback)
        }
        "http" => Err("must be https; http is for loopback addresses only".to_owned()),
        _ => Err("must be https, or http on a loopback address".to_owned()),
    }
}

/// What is registered is compared letter by letter (RFC 9700 section 2.1), so what would be sent
/// must be what is written.
fn loopback(text: &str, url: &Url) -> Result<Loopback, String> {
    let host = url.host_str().unwrap_or_default();
    if !Loopback::HOSTS.contains(&host) {
        let hosts = Loopback::HOSTS.join(", ");
        return Err(format!("can only use the hosts {hosts}"));
    }
    let Some(port) = url.port() else {
        return Err("must name a port to listen on, other than 80".to_owned());
    };
    if port == 0 {
        return Err("cannot have port 0, which cannot be registered".to_owned());
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if url.query().is_some() || !url.path().bytes().all(plain) {
        return Err(
            "cannot have a query, and its path can only contain letters, digits and /-._~"
                .to_owned(),
        );
    }
    let loopback = Loopback {
        host: host.to_owned(),
        ports: vec![port],
        path: url.path().to_owned(),
    };
    let sent = loopback.uri(port);
    match sent == text {
        true => Ok(loopback),
        false => Err(format!(
            "would be sent as {sent}; write it exactly as it is registered"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        understand(text).unwrap_err()
    }

    #[test]
    fn what_is_registered_is_sent_letter_by_letter() {
        let text = "http://localhost:8080/openclaw/oauth/callback/codex";
        let Ok(Redirect::Loopback(loopback)) = understand(text) else {
            panic!("{text}");
        };
        assert_eq!(loopback.uri(8080), text);
        let text = "https://yourdomain.com/openclaw/oauth/callback/codex?x=y";
        assert_eq!(understand(text), Ok(Redirect::Elsewhere(text.to_owned())));
        assert!(why("http://localhost:8080").contains("would be sent as http://localhost:8080/;"));
        assert!(why("http://LOCALHOST:8080/cb").contains("would be sent as http://localhost"));
        assert!(why("http://localhost:08080/cb").contains("would be sent as"));
    }

    #[test]
    fn what_cannot_match_is_refused() {
        for (text, reason) in [
            ("yourdomain.com/cb", "is not a URL"),
            ("http://yourdomain.com/cb", "must be https"),
            ("http://localhost.evil.example:80/cb", "must be https"),
            ("myapp://callback", "must be https, or http on a loopback"),
            ("https://a.example/cb#top", "fragment"),
            ("https://me:pw@a.example/cb", "user name or password"),
            ("http://localhost/cb", "must name a port"),
            ("http://localhost:80/cb", "other than 80"),
            ("http://localhost:0/cb", "port 0"),
            ("http://127.0.0.2:8080/cb", "only use the hosts localhost"),
            ("http://localhost:8080/cb?x=y", "cannot have a query"),
            ("http://localhost:8080/a%20b", "only contain letters"),
        ] {
            assert!(why(text).contains(reason), "{text}: {}", why(text));
        }
    }
}
