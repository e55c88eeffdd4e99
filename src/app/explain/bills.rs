//! Where the bill crosses over: a subscription is there, and what is used is metered.

use super::rows::{Row, Standing};
use crate::model::provider::Bill;

/// Each subscription that is passed over for something metered, a sentence.
pub(super) fn crossed(rows: &[Row], used: Option<usize>) -> Vec<String> {
    let used = used.and_then(|place| rows.get(place));
    let Some(used) = used.filter(|used| used.bill == Bill::Metered) else {
        return Vec::new();
    };
    let is_free = |row: &&Row| {
        let set_back = matches!(row.standing, Standing::PassedOver | Standing::Last);
        set_back && row.bill == Bill::Subscription
    };
    let warning = |row: &Row| {
        format!(
            "{} is a subscription and is not used ({}): {} is, and each request is metered",
            row.label(),
            row.reason.words,
            used.label(),
        )
    };
    rows.iter().filter(is_free).map(warning).collect()
}
