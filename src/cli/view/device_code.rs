//! How a device code looks at a terminal: QR code, address, code, and what it must not be used for.
//!
//! The code and the address always stand there as text (RFC 8628 section 3.3.1); the QR code is for
//! a phone that looks at the screen, and only where the terminal can draw it.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::{clean, moment};
use crate::cli::printer::Tone;
use crate::model::id::is_unprintable;
use crate::model::time::Timestamp;
use crate::ports::dialog::Notice;

/// A device code, for a person.
pub(super) struct Shown<'a> {
    provider: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: Option<&'a str>,
    expires: Timestamp,
}

impl<'a> Shown<'a> {
    /// What a notice tells, if it tells a device code.
    pub(super) fn of(notice: &'a Notice) -> Option<Self> {
        let Notice::DeviceCode {
            provider,
            user_code,
            verification_uri,
            verification_uri_complete,
            expires,
        } = notice
        else {
            return None;
        };
        Some(Self {
            provider,
            user_code,
            verification_uri,
            verification_uri_complete: verification_uri_complete.as_deref(),
            expires: *expires,
        })
    }

    /// The whole text. `screen` is the size in columns and rows of a terminal that can draw; `None`
    /// for no QR code.
    pub(super) fn text(&self, screen: Option<(u16, u16)>) -> String {
        let provider = clean(self.provider);
        let target = self.verification_uri_complete;
        let target = target.unwrap_or(self.verification_uri);
        let drawn = screen.and_then(|screen| qr(target, screen));
        let way = match &drawn {
            Some(_) => "Scan this with a phone, or open the address below",
            None => "Open this address",
        };
        let mut text = format!("Log in to {provider}. {way} in a browser on any machine:\n");
        if let Some(drawn) = drawn {
            text.push_str(&drawn);
        }
        // Each alone on its line, unstyled, so that it can be copied whole.
        let address = self.verification_uri.replace(is_unprintable, "");
        let code = self.user_code.replace(is_unprintable, "");
        text.push_str(&format!(
            "{address}\nand enter this code, which ends at {}:\n\n    {code}\n\n{} {}",
            moment(self.expires),
            Tone::Warn.paint("Warning:"),
            warning(&provider)
        ));
        text
    }
}

/// Against remote phishing (RFC 8628 section 5.4): somebody else begins a login and sends the code
/// to a victim.
fn warning(provider: &str) -> String {
    format!(
        "use this code only if you began this login yourself, just now. Whoever sends you a code, \
         in the name of {provider} or of anybody else, wants to get into your account. Never pass \
         this one on."
    )
}

/// A QR code in half blocks with its quiet zone, if it fits the screen. A drawn block is a light
/// module: most terminals are dark, and with colors it is white on black everywhere.
fn qr(text: &str, (columns, rows): (u16, u16)) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    let width = drawn.lines().next()?.chars().count();
    let fits = width <= usize::from(columns) && drawn.lines().count() <= usize::from(rows);
    let painted = drawn
        .lines()
        .map(|line| format!("{}\n", Tone::Qr.paint(line)));
    fits.then(|| painted.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://github.com/login/device";

    fn shown(screen: Option<(u16, u16)>) -> String {
        let shown = Shown {
            provider: "GitHub\u{1b}[2J Copilot",
            user_code: "WDJB\u{1b}[2J-MJHT",
            verification_uri: URI,
            verification_uri_complete: None,
            expires: Timestamp(1_000),
        };
        let text = shown.text(screen);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn rfc8628_3_3_code_and_address_stand_alone_with_and_without_a_qr_code() {
        for screen in [None, Some((80, 24)), Some((20, 5))] {
            let text = shown(screen);
            assert!(text.lines().any(|line| line == URI), "{text}");
            assert!(
                text.lines().any(|line| line == "    WDJB[2J-MJHT"),
                "{text}"
            );
            assert!(text.contains("ends at 1970-01-01 00:00:01 UTC"), "{text}");
            assert!(
                !text.contains(|c| c != '\n' && is_unprintable(c)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn rfc8628_5_4_the_person_is_warned_of_phishing() {
        for screen in [None, Some((80, 24))] {
            let text = shown(screen);
            assert!(
                text.contains("only if you began this login yourself"),
                "{text}"
            );
            assert!(text.contains("Whoever sends you a code"), "{text}");
        }
    }

    #[test]
    fn a_code_that_does_not_fit_is_not_drawn() {
        for screen in [None, Some((32, 24)), Some((80, 16))] {
            let text = shown(screen);
            assert!(!text.contains('█'), "{text}");
            assert!(text.contains("Open this address"), "{text}");
        }
    }
}
