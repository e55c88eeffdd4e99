//! Words that look alike, for "did you mean".

/// The known words that look like `text` in any case, the likeliest first; how much alike they must
/// be goes up to 1.
pub fn near<'a>(
    text: &str,
    known: impl IntoIterator<Item = &'a str>,
    least_likeness: f64,
) -> Vec<&'a str> {
    likest(text, known.into_iter().collect(), least_likeness)
}

fn likest<'a>(text: &str, known: Vec<&'a str>, least_likeness: f64) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let known = known.into_iter();
    let mut near: Vec<(f64, &str)> = known
        .map(|word| (strsim::jaro_winkler(&word.to_lowercase(), &text), word))
        .filter(|(likeness, _)| *likeness > least_likeness)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().map(|(_, word)| word).collect()
}
