//! How a device code looks at a terminal: QR code, address, code, and what it must not be used for.
//!
//! The code and the address always stand there as text (RFC 8628 section 3.3.1); the QR code is for
//! a phone that looks at the screen, and only where the terminal can draw it.

use qrcode::{Color, EcLevel, QrCode};

use super::wrap::Sheet;
use super::{Screen, clean};
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;
use crate::model::text::is_unprintable;
use crate::model::time::LocalTime;
use crate::ports::dialog::DeviceCode;

/// Rows below a device code: what waits for its person, and the cursor.
const ROWS_BELOW: usize = 2;

/// Modules of light around a QR code. The standard has four; phones read it with two, and each row
/// counts on a terminal of 24.
const BORDER: usize = 2;

/// Writes it. `screen` is a terminal with what is left of its rows; `None` for no QR code.
pub(super) fn write(
    sheet: &mut Sheet,
    code: &DeviceCode,
    screen: Option<Screen>,
    local: LocalTime,
) {
    let mut below = Sheet::new(sheet.width());
    entry(&mut below, code, local);
    let below = below.into_text();
    // The line above may scroll away, unless a URL is to stay in front of it.
    let rows = usize::from(code.beside) + below.lines().count() + ROWS_BELOW;
    let targets = [
        code.verification_uri_complete.as_ref(),
        Some(&code.verification_uri),
    ];
    let drawn = screen
        .filter(|screen| screen.draws_blocks)
        .and_then(|screen| {
            let rows = screen.rows.checked_sub(rows)?;
            let mut targets = targets.into_iter().flatten();
            targets.find_map(|target| qr(target, screen.columns, rows))
        });
    let provider = clean(&code.provider);
    let start = match code.beside {
        true => "Or log in with a code.".to_owned(),
        false => format!("Log in to {provider}."),
    };
    let way = match &drawn {
        Some(_) => "Scan this, or open the address below in any browser:",
        None => "Open this address in a browser on any machine:",
    };
    sheet.prose(&format!("{start} {way}"));
    sheet.lines(&drawn.unwrap_or_default());
    sheet.lines(&below);
}

/// Address, code and warning. The first two stand alone on their lines, unstyled, so that they can
/// be copied whole.
fn entry(sheet: &mut Sheet, code: &DeviceCode, local: LocalTime) {
    sheet.line(&code.verification_uri.replace(is_unprintable, ""));
    let expires = local.spoken(code.expires);
    sheet.prose(&format!("and enter this code, which expires {expires}:"));
    let user_code = code.user_code.replace(is_unprintable, "");
    sheet.line(&format!("    {user_code}"));
    let warning = Tone::Warn.paint("Warning:");
    sheet.advice(
        &format!("{warning} "),
        &WARNING.into(),
        &Renderer::default(),
    );
}

/// Against remote phishing (RFC 8628 section 5.4): somebody else begins a login and sends the code
/// to a victim.
const WARNING: &str = "only use this code if you started this login yourself, just now. Anyone who \
                       sends you a code wants access to your account. Never share this code.";

/// A QR code in half blocks, if it fits. A drawn block is a light module: most terminals are dark,
/// and with colors it is white on black everywhere.
fn qr(text: &str, columns: usize, rows: usize) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (side, modules) = (code.width(), code.to_colors());
    let whole = side + 2 * BORDER;
    if whole > columns || whole.div_ceil(2) > rows {
        return None;
    }
    let is_light = |x: usize, y: usize| {
        let within = |at: usize| at.checked_sub(BORDER).filter(|at| *at < side);
        let module = within(x).zip(within(y)).map(|(x, y)| modules[y * side + x]);
        module.is_none_or(|module| module == Color::Light)
    };
    let block = |x, y| match (is_light(x, y), is_light(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let line = |y| (0..whole).map(|x| block(x, y)).collect::<String>();
    let lines = (0..whole).step_by(2).map(line);
    Some(
        lines
            .map(|line| format!("{}\n", Tone::Qr.paint(&line)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    const URI: &str = "https://github.com/login/device";

    fn shown(size: Option<(usize, usize)>) -> String {
        let code = DeviceCode {
            provider: "GitHub\u{1b}[2J Copilot".to_owned(),
            user_code: "WDJB\u{1b}[2J-MJHT".to_owned(),
            verification_uri: URI.to_owned(),
            verification_uri_complete: None,
            expires: Timestamp(1_000),
            beside: false,
        };
        let screen = size.map(|(columns, rows)| Screen {
            columns,
            rows,
            draws_blocks: true,
        });
        let mut sheet = Sheet::new(size.map(|(columns, _)| columns));
        write(&mut sheet, &code, screen, LocalTime::utc(Timestamp(0)));
        let text = sheet.into_text();
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
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words.contains("expires in less than a minute, 00:00"),
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
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains("Anyone who sends you a code"), "{text}");
        }
    }

    #[test]
    fn a_code_that_does_not_fit_is_not_drawn() {
        for screen in [None, Some((28, 24)), Some((80, 20))] {
            let text = shown(screen);
            assert!(!text.contains('█'), "{text}");
            assert!(text.contains("Open this"), "{text}");
        }
    }

    #[test]
    fn with_a_qr_code_everything_fits_a_terminal_of_24_rows() {
        let text = shown(Some((80, 24)));
        assert!(text.contains('█'), "{text}");
        assert!(text.lines().count() + ROWS_BELOW <= 24, "{text}");
    }
}
