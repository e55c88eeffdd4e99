//! What a document says of a profile besides its credential. It goes with the profile, and comes
//! back with it when its removal is undone.

use super::id::ProfileId;
use super::usage::Usage;

/// What was said of a profile that was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The order lists that named it, as they were.
    pub orders: Vec<(String, Vec<String>)>,
    /// The providers whose last good profile it was.
    pub last_good: Vec<String>,
    /// What was learnt about it by using it.
    pub usage: Option<Usage>,
}

impl Mentions {
    /// Puts `id` back into the order lists of a document, where nothing else was said meanwhile.
    pub(super) fn restore_orders(
        &self,
        orders: &mut Vec<(String, Vec<String>)>,
        id: &ProfileId,
        is_stored: &dyn Fn(&str) -> bool,
    ) {
        for (key, before) in &self.orders {
            match orders.iter_mut().find(|(other, _)| other == key) {
                Some((_, ids)) => insert(ids, before, id),
                // An order that names nothing goes, too. Where others are there, somebody has
                // cleared it.
                None => {
                    let is_other = |name: &&str| *name != id.as_str() && is_stored(name);
                    let mut others = before.iter().map(|name| name.trim());
                    if others.find(is_other).is_none() {
                        orders.push((key.clone(), vec![id.to_string()]));
                    }
                }
            }
        }
    }
}

/// Puts `id` behind the nearest that stood in front of it, else in front of the nearest that stood
/// behind it, else at the end.
fn insert(ids: &mut Vec<String>, before: &[String], id: &ProfileId) {
    let is_it = |name: &String| name.trim() == id.as_str();
    let Some(place) = before
        .iter()
        .position(is_it)
        .filter(|_| !ids.iter().any(is_it))
    else {
        return;
    };
    let now = |name: &String| ids.iter().position(|other| other == name);
    let ahead = before[..place].iter().rev().find_map(now);
    let behind = before[place + 1..].iter().find_map(now);
    let at = ahead.map(|at| at + 1).or(behind).unwrap_or(ids.len());
    ids.insert(at, before[place].clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_back_between_those_that_are_still_there() {
        for (now, before, expected) in [
            ("b c", "a b c", "a b c"),
            ("a c", "a b c", "a b c"),
            ("a b", "a b c", "a b c"),
            ("c x a", "a b c", "c x a b"),
            ("x", "a b c", "x b"),
            ("a b c", "b a c", "a b c"),
        ] {
            let list = |text: &str| -> Vec<String> {
                let names = text.split(' ').map(|name| format!("p:{name}"));
                names.collect()
            };
            let (before, missing) = (list(before), list(expected));
            let mut ids = list(now);
            let gone = missing.iter().find(|name| !ids.contains(name));
            let gone = gone.cloned().unwrap_or_else(|| "p:a".to_owned());
            insert(&mut ids, &before, &ProfileId::parse(&gone).unwrap());
            assert_eq!(ids, list(expected), "{now} of {before:?}");
        }
    }
}
