//! The clipboard of the terminal, by OSC 52: the only one that a program at the far end of an SSH
//! session can reach.
//!
//! A terminal tells neither whether it knows the sequence nor whether it obeyed, so it is a
//! convenience and never the only way. It only ever writes; reading a clipboard is nobody's
//! business.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::ports::host::Env;

/// The longest text, encoded, that terminals are known to take (xterm).
const LIMIT: usize = 74_994;

/// GNU screen gives up a string that is longer than 256 bytes, in some builds.
const PIECE: usize = 76;

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipboardProtocol {
    /// Nothing.
    Straight,
    /// tmux: it passes on what is wrapped, with every escape doubled.
    Tmux,
    /// GNU screen: it passes on what is wrapped, in short pieces.
    Screen,
}

impl ClipboardProtocol {
    /// `None` where the terminal is known to have no clipboard, or nothing is known of it.
    pub(super) fn of(env: &dyn Env) -> Option<Self> {
        let term = env.plain("TERM")?;
        if term == "dumb" || term == "linux" {
            return None;
        }
        Some(if env.var("TMUX").is_some() || term.starts_with("tmux") {
            Self::Tmux
        } else if env.var("STY").is_some() || term.starts_with("screen") {
            Self::Screen
        } else {
            Self::Straight
        })
    }

    /// The sequence that puts `text` in the clipboard; `None` if it is too long for one.
    pub(super) fn copy(self, text: &str) -> Option<String> {
        let encoded = BASE64_STANDARD.encode(text);
        if encoded.len() > LIMIT {
            return None;
        }
        let plain = format!("\u{1b}]52;c;{encoded}\u{7}");
        Some(match self {
            Self::Straight => plain,
            Self::Tmux => {
                let doubled = plain.replace('\u{1b}', "\u{1b}\u{1b}");
                format!("\u{1b}Ptmux;{doubled}\u{1b}\\")
            }
            Self::Screen => {
                let pieces: Vec<&str> = pieces(&plain).collect();
                format!("\u{1b}P{}\u{1b}\\", pieces.join("\u{1b}\\\u{1b}P"))
            }
        })
    }
}

/// Pieces of an ASCII text.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    (0..text.len())
        .step_by(PIECE)
        .filter_map(move |at| text.get(at..text.len().min(at + PIECE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    #[test]
    fn the_way_to_the_terminal_is_told_by_variables() {
        let table: [(&'static [(&str, &str)], _); 8] = [
            (&[], None),
            (&[("TERM", "dumb")], None),
            (&[("TERM", "linux")], None),
            (
                &[("TERM", "xterm-256color")],
                Some(ClipboardProtocol::Straight),
            ),
            (
                &[("TERM", "screen"), ("TMUX", "/tmp/x")],
                Some(ClipboardProtocol::Tmux),
            ),
            (&[("TERM", "tmux-256color")], Some(ClipboardProtocol::Tmux)),
            (
                &[("TERM", "screen-256color")],
                Some(ClipboardProtocol::Screen),
            ),
            (
                &[("TERM", "xterm"), ("STY", "1.pts")],
                Some(ClipboardProtocol::Screen),
            ),
        ];
        for (set, way) in table {
            assert_eq!(ClipboardProtocol::of(&FixedEnv::of(set)), way, "{set:?}");
        }
    }

    #[test]
    fn wrappings_hold_the_same_sequence() {
        let text = "https://login.example/authorize?state=".repeat(9);
        let plain = ClipboardProtocol::Straight.copy(&text).unwrap();
        let encoded = plain.strip_prefix("\u{1b}]52;c;").unwrap();
        let encoded = encoded.strip_suffix('\u{7}').unwrap();
        assert_eq!(BASE64_STANDARD.decode(encoded).unwrap(), text.as_bytes());

        let tmux = ClipboardProtocol::Tmux.copy(&text).unwrap();
        let inner = tmux.strip_prefix("\u{1b}Ptmux;").unwrap();
        let inner = inner.strip_suffix("\u{1b}\\").unwrap();
        assert_eq!(inner.replace("\u{1b}\u{1b}", "\u{1b}"), plain);

        let screen = ClipboardProtocol::Screen.copy(&text).unwrap();
        let pieces: Vec<&str> = screen.split_inclusive("\u{1b}\\").collect();
        assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.len() <= PIECE + 4));
        let inner = pieces.iter().map(|piece| {
            let inner = piece.strip_prefix("\u{1b}P").unwrap();
            inner.strip_suffix("\u{1b}\\").unwrap()
        });
        assert_eq!(inner.collect::<String>(), plain);
    }

    #[test]
    fn what_is_too_long_is_not_sent() {
        assert!(
            ClipboardProtocol::Straight
                .copy(&"x".repeat(56_244))
                .is_some()
        );
        assert!(
            ClipboardProtocol::Straight
                .copy(&"x".repeat(56_247))
                .is_none()
        );
    }
}
