//! Warnings of a metered credential that is used although there is a subscription.

use super::rows::{Row, Standing};
use crate::app::credential::reason_text::NOT_ASKED;
use crate::model::provider::Bill;

/// Warns of each subscription that is skipped for a metered credential, one sentence each.
pub(super) fn crossed(rows: &[Row], used: Option<usize>) -> Vec<String> {
    let used = used.and_then(|place| rows.get(place));
    let Some(used) = used.filter(|used| used.bill == Bill::Metered) else {
        return Vec::new();
    };
    let is_free = |row: &&Row| {
        let set_back = matches!(row.standing, Standing::PassedOver | Standing::Last);
        // Who wants one account and no other knows whose bill it is.
        set_back && row.bill == Bill::Subscription && row.reason.code != NOT_ASKED
    };
    let warning = |row: &Row| {
        format!(
            "{} (subscription) {}; {} is used instead, and every request is metered",
            row.label(),
            row.reason.words,
            used.label(),
        )
    };
    rows.iter().filter(is_free).map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::CandidateSource;
    use super::*;
    use crate::app::credential::reason_text::Reason;

    fn row(name: &str, standing: Standing, bill: Bill) -> Row {
        Row {
            what: CandidateSource::Software {
                source: name.to_owned(),
            },
            standing,
            reason: Reason::new("cooling-down", "cooling down"),
            bill,
        }
    }

    #[test]
    fn only_what_costs_more_than_what_is_passed_over_is_told() {
        use Bill::{Metered, Subscription, Unknown};
        use Standing::{Last, Next, PassedOver, Used};
        for (standing, bill, used, told) in [
            (PassedOver, Subscription, Metered, true),
            (Last, Subscription, Metered, true),
            // It is there, and the order puts it behind.
            (Next, Subscription, Metered, false),
            (PassedOver, Metered, Metered, false),
            (PassedOver, Unknown, Metered, false),
            (PassedOver, Subscription, Subscription, false),
            (PassedOver, Subscription, Unknown, false),
        ] {
            let rows = [row("a", Used, used), row("b", standing, bill)];
            let warnings = crossed(&rows, Some(0));
            assert_eq!(!warnings.is_empty(), told, "{standing:?} {bill:?} {used:?}");
            assert!(crossed(&rows, None).is_empty());
        }
    }
}
