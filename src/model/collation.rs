//! The order in which people expect names: letters first, then accents, then case.
//!
//! It is that of JavaScript's `localeCompare` (the root collation of CLDR), by which the reference
//! release sorts, as far as names go: the order of ASCII, Latin letters with their accents, and
//! anything else by its code point. Names that are equal by it stay in the order in which they were.

use std::cmp::Ordering;

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

/// Compares two names.
pub fn compare(one: &str, other: &str) -> Ordering {
    match one.is_ascii() && other.is_ascii() {
        // The provider of thousands of profiles.
        true if one == other => Ordering::Equal,
        // Nearly all names, and a large store has thousands.
        true => compare_ascii(one.as_bytes(), other.as_bytes()),
        false => CollationKey::of(one).cmp(&CollationKey::of(other)),
    }
}

/// As by their keys: without accents, it is the letters and then the cases.
fn compare_ascii(one: &[u8], other: &[u8]) -> Ordering {
    // What both begin with decides nothing.
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (letters(&one[common..]), letters(&other[common..]));
    let places = one.clone().map(|(place, _)| place);
    let by_place = places.cmp(other.clone().map(|(place, _)| place));
    by_place.then_with(|| one.cmp(other))
}

/// The places of the ASCII characters that count, and whether each is a capital.
fn letters(name: &[u8]) -> impl Iterator<Item = (u8, bool)> + Clone {
    let place = |c: &u8| PLACES[usize::from(c.to_ascii_lowercase())];
    let all = name.iter().map(move |c| (place(c), c.is_ascii_uppercase()));
    all.filter(|(place, _)| *place != NOWHERE)
}

/// What a name is sorted by.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct CollationKey {
    letters: Vec<usize>,
    accents: Vec<u32>,
    cases: Vec<bool>,
}

impl CollationKey {
    fn of(name: &str) -> Self {
        let mut key = Self::default();
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
    use proptest::prelude::*;

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
        names.sort_by(|a, b| compare(a, b));
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
            assert_eq!(compare(first, second), Ordering::Less, "{first} {second}");
        }
        assert_eq!(compare("a\u{1b}b", "ab"), Ordering::Equal);
        assert_eq!(compare("e\u{301}", "é"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn ascii_is_compared_as_by_keys(one in "[ -~\\x1b\\x7f]{0,6}", other in "[ -~\\x1b\\x7f]{0,6}") {
            let pairs = [(&one, &other), (&one, &one.to_uppercase()), (&format!("{one}{other}"), &one)];
            for (one, other) in pairs {
                let by_keys = CollationKey::of(one).cmp(&CollationKey::of(other));
                prop_assert_eq!(compare(one, other), by_keys);
            }
        }
    }
}
