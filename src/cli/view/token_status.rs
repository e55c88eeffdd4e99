//! `provider <id> token-status` and `refresh-token`.

use super::kind_name;
use super::wrap::Sheet;
use crate::app::credential::facts::Renewal;
use crate::app::refresh::outcome::{RefreshResult, ValidToken};
use crate::app::usecase::token_status::Report;
use crate::model::expiry::End;
use crate::model::time::Timestamp;

/// The token as it stands.
pub fn status(report: &Report, now: Timestamp) -> String {
    let mut page = Sheet::default();
    let kind = match report.of_client {
        true => "client credentials",
        false => kind_name(report.kind),
    };
    match &report.profile {
        Some(profile) => page.line(&info(&format!("Profile {profile} ({kind})"))),
        None => page.line(&info(&format!("From {} ({kind})", report.source))),
    }
    page.line(&current(report, now));
    let margin = report.margin.map_or(0, |margin| margin.as_secs());
    page.line(&info(&match report.renewal {
        Renewal::Automatic => {
            format!("Refreshed on use once {margin}s or less remain")
        }
        Renewal::ByCommand => "Automatic refresh is off".to_owned(),
        Renewal::Never => "Cannot be refreshed".to_owned(),
    }));
    if let Some(refusal) = &report.refusal {
        let status = refusal.status;
        page.line(&format!(
            "[WARN] The provider rejected the last refresh ({}, HTTP {status})",
            refusal.code
        ));
    }
    page.into_text()
}

/// Before a refresh.
pub fn before_refresh(report: &Report, now: Timestamp) -> String {
    let mut page = Sheet::default();
    page.line(&current(report, now));
    page.line(&info("Forcing refresh..."));
    page.into_text()
}

/// After a refresh that gave a token.
pub fn after_refresh(living: &ValidToken, now: Timestamp) -> String {
    let mut page = Sheet::default();
    let expires = End::known_of(living.credential.expires);
    let end = end(expires, now);
    match living.how {
        RefreshResult::Refreshed => {
            page.line(&info(&format!("New token acquired, {end}")));
            page.line(&info("Token stored successfully"));
        }
        RefreshResult::RefreshedElsewhere => {
            page.line(&info(&format!(
                "Another process just refreshed it; the new token {end}"
            )));
        }
        RefreshResult::WasFresh | RefreshResult::StillAlive | RefreshResult::NoneLivesLonger => {
            page.line(&info(&format!("Not refreshed; the current token {end}")));
        }
    }
    page.into_text()
}

fn current(report: &Report, now: Timestamp) -> String {
    info(&format!("Current token {}", end(report.expires, now)))
}

fn info(text: &str) -> String {
    format!("[INFO] {text}")
}

/// In whole seconds; one that has begun counts.
fn end(expires: Option<Timestamp>, now: Timestamp) -> String {
    match expires.map(|end| now.until(end)) {
        None => "has no known expiry".to_owned(),
        Some(left @ ..=0) => format!("expired {}s ago", left.saturating_neg() / 1_000),
        Some(left) => format!("expires in {}s", left.saturating_add(999) / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::credential::{Identity, Kind, OAuth};
    use crate::model::id::ProfileId;
    use crate::model::json::Extra;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    fn report(left: i64) -> Report {
        Report {
            profile: ProfileId::parse("codex:default").ok(),
            source: "main".to_owned(),
            kind: Kind::Token,
            of_client: true,
            expires: Some(Timestamp(NOW.0 + left)),
            renewal: Renewal::Automatic,
            margin: Some(Duration::from_secs(300)),
            refusal: None,
            failure: None,
        }
    }

    fn living(how: RefreshResult) -> ValidToken {
        ValidToken {
            credential: OAuth {
                provider: "codex".to_owned(),
                access: None,
                refresh: None,
                expires: Some(Timestamp(NOW.0 + 3_600_000)),
                identity: Identity::default(),
                extra: Extra::default(),
            },
            how,
            warning: None,
            later_failure: None,
        }
    }

    #[test]
    fn a_forced_refresh_prints_what_the_guide_shows() {
        let before = before_refresh(&report(3_541_001), NOW);
        let text = before + &after_refresh(&living(RefreshResult::Refreshed), NOW);
        let expected = "[INFO] Current token expires in 3542s\n\
                        [INFO] Forcing refresh...\n\
                        [INFO] New token acquired, expires in 3600s\n\
                        [INFO] Token stored successfully\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_somebody_else_did_is_not_claimed() {
        let text = after_refresh(&living(RefreshResult::RefreshedElsewhere), NOW);
        assert_eq!(
            text,
            "[INFO] Another process just refreshed it; the new token expires in 3600s\n"
        );
    }

    #[test]
    fn the_end_is_told_to_the_second() {
        let line = |left| current(&report(left), NOW);
        assert_eq!(line(1), "[INFO] Current token expires in 1s");
        assert_eq!(line(0), "[INFO] Current token expired 0s ago");
        assert_eq!(line(-12_999), "[INFO] Current token expired 12s ago");
        let endless = Report {
            expires: None,
            ..report(0)
        };
        let text = current(&endless, NOW);
        assert_eq!(text, "[INFO] Current token has no known expiry");
    }
}
