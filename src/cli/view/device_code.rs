//! How a device code looks at a terminal: QR code, address, code, and what it must not be used for.
//!
//! The code and the address always stand there as text (RFC 8628 section 3.3.1); the QR code is for
//! a phone that looks at the screen, and only where the terminal can draw it.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::clean;
use crate::cli::printer::Tone;
use crate::model::id::is_unprintable;
use crate::model::time::LocalTime;
use crate::ports::dialog::DeviceCode;

/// The whole text. `screen` is the size in columns and rows of a terminal that can draw; `None` for
/// no QR code.
pub(super) fn text(code: &DeviceCode, screen: Option<(u16, u16)>, local: LocalTime) -> String {
    let provider = clean(&code.provider);
    let target = code.verification_uri_complete.as_ref();
    let drawn = screen.and_then(|screen| qr(target.unwrap_or(&code.verification_uri), screen));
    let way = match &drawn {
        Some(_) => "Scan this with a phone, or open the address below",
        None => "Open this address",
    };
    // Each alone on its line, unstyled, so that it can be copied whole.
    let address = code.verification_uri.replace(is_unprintable, "");
    let user_code = code.user_code.replace(is_unprintable, "");
    format!(
        "Log in to {provider}. {way} in a browser on any machine:\n{}{address}\n\
         and enter this code, which expires {}:\n\n    {user_code}\n\n{} {}",
        drawn.unwrap_or_default(),
        local.spoken(code.expires),
        Tone::Warn.paint("Warning:"),
        warning(&provider)
    )
}

/// Against remote phishing (RFC 8628 section 5.4): somebody else begins a login and sends the code
/// to a victim.
fn warning(provider: &str) -> String {
    format!(
        "only use this code if you started this login yourself, just now. Anyone who sends you a \
         code, in the name of {provider} or anyone else, wants access to your account. Never share \
         this code."
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
    use crate::model::time::Timestamp;

    const URI: &str = "https://github.com/login/device";

    fn shown(screen: Option<(u16, u16)>) -> String {
        let code = DeviceCode {
            provider: "GitHub\u{1b}[2J Copilot".to_owned(),
            user_code: "WDJB\u{1b}[2J-MJHT".to_owned(),
            verification_uri: URI.to_owned(),
            verification_uri_complete: None,
            expires: Timestamp(1_000),
        };
        let text = text(&code, screen, LocalTime::utc(Timestamp(0)));
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
            assert!(
                text.contains("expires in less than a minute, 00:00"),
                "{text}"
            );
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
                text.contains("if you started this login yourself"),
                "{text}"
            );
            assert!(text.contains("Anyone who sends you a code"), "{text}");
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
