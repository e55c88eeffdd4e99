//! Lines of a report, and medians.

/// Prints how many times `base` milliseconds `other` is.
pub(crate) fn row(title: &str, base: f64, other: f64) {
    println!(
        "{title:<52} {:6.2}x   ({base:.2} ms, {other:.2} ms)",
        other / base
    );
}

/// The median of samples.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
