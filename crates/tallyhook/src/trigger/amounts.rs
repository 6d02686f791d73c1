//! How one net amount spreads over a payload.
//!
//! The templates tell one story: 1000 net, 200 tax, 1200 in all, 110 fee, 890 earnings, in minor
//! units. Each of these stands for what it is, whatever the amount.

use domain::money::Minor;

/// The names of fields that hold an amount of money.
const NAMES: [&str; 14] = [
    "amount",
    "subtotal",
    "discount",
    "tax",
    "total",
    "credit",
    "credit_to_balance",
    "balance",
    "grand_total",
    "grand_total_tax",
    "fee",
    "earnings",
    "retained_fee",
    "chargeback_fee",
];

/// The amounts of one payload, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    net: i64,
    tax: i64,
    fee: i64,
}

impl Spread {
    /// A fifth of tax and a ninth of fee, rounded down.
    pub(super) fn of(net: Minor) -> Self {
        Self::taxed(net.get(), net.get() / 5)
    }

    /// So much net and so much tax; a ninth of fee, rounded down.
    pub(crate) const fn taxed(net: i64, tax: i64) -> Self {
        Self { net, tax, fee: net / 9 }
    }

    /// What stands in the place of a template's amount; none where the field is none or stays.
    pub(super) fn of_field(&self, name: &str, template: &str) -> Option<String> {
        if !NAMES.contains(&name) {
            return None;
        }
        let amount = match template {
            "1000" => self.net,
            "200" => self.tax,
            "1200" => self.net.saturating_add(self.tax),
            "110" => self.fee,
            "890" => self.net.saturating_sub(self.fee),
            _ => return None,
        };
        Some(amount.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let spread = Spread::of(Minor::new(999).unwrap());
        let at = |template| spread.of_field("total", template).unwrap().parse::<i64>().unwrap();
        assert_eq!(at("1200"), at("1000") + at("200"));
        assert_eq!(at("1000"), at("110") + at("890"));
        assert_eq!(spread.of_field("quantity", "1000"), None);
        assert_eq!(spread.of_field("total", "1500"), None);
    }
}
