//! Looking at a secret without holding it.
//!
//! A store of ten thousand logins holds twenty megabytes of secrets, of which a view shows a few
//! characters each. So only a glimpse is taken of one that is long and that nothing is wrong with.
//! Any other is held, and judged as ever.

use super::clean;
use super::secret::Secret;
use super::secret_fault::SecretFault;

/// The shortest secret, in bytes, that is worth leaving out.
const LONG: usize = 256;

/// Takes a glimpse of a secret as it stands in a document: in a string of JSON without an escape,
/// `None` if all of it has to be held. Who read the string may know that it [is
/// graphic](super::text::is_graphic).
pub fn glance(secret: &str, is_graphic: bool, with_fingerprint: bool) -> Option<Secret<String>> {
    let is_sound = secret.len() >= LONG
        && clean::stored(secret).is_none()
        && SecretFault::find(secret, is_graphic).is_none();
    is_sound
        .then(|| Secret::glimpse(secret, with_fingerprint))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bearer::LONGEST;
    use crate::model::text::is_graphic;

    #[test]
    fn a_glimpse_shows_what_the_secret_shows_and_hands_nothing_out() {
        let text = format!("sk-ant-oat01-{}", "x".repeat(LONG));
        let (whole, seen) = (
            Secret::from(text.as_str()),
            glance(&text, true, true).unwrap(),
        );
        assert!(whole.is_held() && !seen.is_held());
        assert_eq!(seen.masked(), whole.masked());
        assert_eq!(seen.fingerprint(), whole.fingerprint());
        assert_eq!(glance(&text, false, false).unwrap().fingerprint(), None);
        assert!(!seen.is_blank() && seen.bearer_fault().is_none());
        assert_eq!(SecretFault::of(&seen), None);
        assert!(seen != whole && seen != seen.clone());
        assert_eq!(format!("{seen:?}"), "Secret(..)");
    }

    #[test]
    fn what_somebody_has_to_judge_is_held() {
        let long = "x".repeat(LONG);
        for text in [
            &long[1..],
            &format!("{long} "),
            &format!("\u{feff}{long}"),
            &format!("\"{long}\""),
            &format!("'{long}"),
            &format!("Bearer {long}"),
            &format!("${{{long}}}"),
            &format!("${}", long.to_uppercase()),
            &format!("secretref-env:{long}"),
            &format!("{long}\u{7f}{long}"),
            &format!("{long}é"),
            &format!("{long}é{long}"),
            &format!("{long} {long}"),
            &"x".repeat(LONGEST + 1),
            &" ".repeat(LONG),
            &"\u{200b}".repeat(LONG),
        ] {
            let is_graphic = is_graphic(text.as_bytes());
            assert!(glance(text, is_graphic, true).is_none(), "{text:?}");
        }
    }
}
