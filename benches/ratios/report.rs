//! Lines of a report, and medians.

/// How often something is measured that is measured so often for a figure to quote: fewer times where it
/// is only to be seen that it can be measured.
pub(crate) fn rounds(usual: usize) -> usize {
    match std::env::var_os("OPENCLAW_BENCH_QUICK") {
        Some(_) => usual.div_ceil(8),
        None => usual,
    }
}

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
