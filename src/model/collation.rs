//! The order in which people expect names: letters first, then accents, then case.
//!
//! It is that of JavaScript's `localeCompare` (the root collation of CLDR), by which the reference
//! release sorts, as far as names go: the order of ASCII, Latin letters with their accents, and
//! anything else by its code point. Names that are equal by it stay in the order in which they were.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// ASCII in the order of CLDR; what stands before it, the control characters, counts for nothing.
const ORDER: &str =
    "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

/// Letters that Unicode does not decompose.
const LETTERS: [(char, &str); 7] = [
    ('æ', "ae"),
    ('đ', "d\u{335}"),
    ('ħ', "h\u{335}"),
    ('ł', "l\u{335}"),
    ('ø', "o\u{338}"),
    ('œ', "oe"),
    ('ß', "ss"),
];

/// The place of each ASCII character in [`ORDER`], or [`NOWHERE`].
const PLACES: [u8; 128] = {
    let mut places = [NOWHERE; 128];
    let mut place = 0;
    while place < ORDER.len() {
        places[ORDER.as_bytes()[place] as usize] = place as u8;
        place += 1;
    }
    places
};
const NOWHERE: u8 = u8::MAX;

/// What a name is sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CollationKey {
    letters: Vec<usize>,
    accents: Vec<u32>,
    cases: Vec<bool>,
}

impl CollationKey {
    /// The key of a name.
    pub fn of(name: &str) -> Self {
        let mut key = Self::default();
        // Nearly all names, and a large store has thousands.
        if name.is_ascii() {
            for c in name.chars() {
                key.push(c.to_ascii_lowercase(), c.is_ascii_uppercase());
            }
            return key;
        }
        for c in DecomposingNormalizerBorrowed::new_nfd()
            .normalize(name)
            .chars()
        {
            let is_upper = c.is_uppercase();
            for c in c.to_lowercase() {
                match LETTERS.iter().find(|(letter, _)| *letter == c) {
                    // Behind the letters that it stands for.
                    Some((_, parts)) => parts.chars().for_each(|part| key.push(part, true)),
                    None => key.push(c, is_upper),
                }
            }
        }
        key
    }

    fn push(&mut self, c: char, is_upper: bool) {
        let place = u8::try_from(c)
            .ok()
            .and_then(|c| PLACES.get(usize::from(c)));
        match (c, place.copied().unwrap_or(NOWHERE)) {
            ('\u{300}'..='\u{36f}', _) => self.accents.push(u32::from(c)),
            (c, NOWHERE) if c.is_control() => {}
            (c, NOWHERE) => self.push_letter(ORDER.len() + c as usize, is_upper),
            (_, place) => self.push_letter(usize::from(place), is_upper),
        }
    }

    fn push_letter(&mut self, weight: usize, is_upper: bool) {
        self.letters.push(weight);
        // Below every accent, which follows its letter.
        self.accents.push(0);
        self.cases.push(is_upper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_locale_compare() {
        // As Node 24 sorts them: [...].sort((a, b) => a.localeCompare(b)).
        let sorted = [
            "a b",
            "a_b",
            "a-b",
            "a:b",
            "a.b",
            "a@b",
            "a/b",
            "a+b",
            "a1",
            "a10",
            "a2",
            "ab",
            "aB",
            "Ab",
            "openai:home",
            "openai:UPPER",
            "openai:work",
            "resume",
            "Resume",
            "résumé",
            "strasse",
            "straße",
            "x:ünï",
            "x:with space",
            "zebra",
            "ж",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by_cached_key(|name| CollationKey::of(name));
        assert_eq!(names, sorted);
    }

    #[test]
    fn accents_count_before_case_and_both_after_all_letters() {
        for (first, second) in [
            ("coté", "côte"),
            ("cote", "coté"),
            ("Cote", "coté"),
            ("ea", "éb"),
            ("éa", "eb"),
            ("o", "ø"),
            ("ø", "p"),
        ] {
            assert!(
                CollationKey::of(first) < CollationKey::of(second),
                "{first} {second}"
            );
        }
        assert_eq!(CollationKey::of("a\u{1b}b"), CollationKey::of("ab"));
        assert_eq!(CollationKey::of("e\u{301}"), CollationKey::of("é"));
    }
}
