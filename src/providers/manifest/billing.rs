//! The `[billing]` table: who pays, by what is used.

use serde::Deserialize;

use crate::model::provider::{Bill, Billing};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BillingTable {
    oauth: Option<BillName>,
    token: Option<BillName>,
    api_key: Option<BillName>,
    ambient: Option<BillName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum BillName {
    Subscription,
    Metered,
    Unknown,
}

impl BillName {
    fn bill(self) -> Bill {
        match self {
            Self::Subscription => Bill::Subscription,
            Self::Metered => Bill::Metered,
            Self::Unknown => Bill::Unknown,
        }
    }
}

impl BillingTable {
    pub(super) fn billing(self) -> Billing {
        let usual = Billing::default();
        let or = |name: Option<BillName>, usual| name.map_or(usual, BillName::bill);
        Billing {
            oauth: or(self.oauth, usual.oauth),
            token: or(self.token, usual.token),
            api_key: or(self.api_key, usual.api_key),
            ambient: or(self.ambient, usual.ambient),
        }
    }
}
