//! Lists of pairs: maps that keep the order of their document.

/// Returns the value of the first key that fits.
pub fn get<K, T>(pairs: &[(K, T)], is_it: impl Fn(&K) -> bool) -> Option<&T> {
    let found = pairs.iter().find(|(key, _)| is_it(key));
    found.map(|(_, value)| value)
}

/// Returns the value of the first key that fits, or else a new one of that `name`, at the end.
pub fn entry<'a, T: Default>(
    pairs: &'a mut Vec<(String, T)>,
    is_it: impl Fn(&str) -> bool,
    name: &str,
) -> &'a mut T {
    let found = pairs.iter().position(|(key, _)| is_it(key));
    let place = found.unwrap_or_else(|| {
        pairs.push((name.to_owned(), T::default()));
        pairs.len() - 1
    });
    &mut pairs[place].1
}

/// Returns the keys whose values fit.
pub fn keys<T>(pairs: &[(String, T)], is_it: impl Fn(&T) -> bool) -> Vec<String> {
    let fitting = pairs.iter().filter(|(_, value)| is_it(value));
    fitting.map(|(key, _)| key.clone()).collect()
}
