//! Setup-tokens, of which beginning and length are known.

use super::paste_token::refused;
use crate::support::{World, setup_token};

#[test]
fn a_setup_token_is_found_in_whatever_it_was_copied_with() {
    let token = setup_token();
    let (front, back) = token.split_at(80);
    for pasted in [
        format!("\"{token}\""),
        format!("\u{201c}{token}\u{201d}"),
        format!("export CLAUDE_CODE_OAUTH_TOKEN={token}\n"),
        format!("Bearer {token}"),
        format!("\u{1b}[200~{token}\u{1b}[201~"),
        format!(
            "Your OAuth token (valid for 1 year):\n\n{front}\n{back}\n\nStore this token securely. \
             Use it by setting: export CLAUDE_CODE_OAUTH_TOKEN=<token>\n"
        ),
    ] {
        let world = World::new();
        let ran = world.pipe(&["models", "auth", "setup-token", "--yes"], &pasted);
        assert_eq!(ran.code, 0, "{pasted}: {ran:?}");
        let stored = world.store()["profiles"]["anthropic:manual"]["token"].clone();
        assert_eq!(stored, token, "{pasted}");
    }
    let world = World::new();
    for wrong in [
        format!("{token}."),
        format!("{token}A"),
        format!("x{token}"),
    ] {
        let ran = world.pipe(&["models", "auth", "setup-token", "--yes"], &wrong);
        assert_eq!(ran.code, 1, "{ran:?}");
    }
    for (kind, why) in [
        ("ort01", "is a refresh token"),
        ("sid01", "is a session cookie"),
    ] {
        let wrong = token.replace("oat01", kind);
        refused(
            &world,
            &["setup-token", "--yes"],
            &wrong,
            why,
            "claude setup-token",
        );
    }
}
