//! What Paddle says of a merchant's sales.

use anyhow::Result;
use domain::time::Timestamp;

use super::template::Template;
use crate::paddle::id;

/// One sale.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// What its ids are made of.
    pub(super) number: u64,
    pub(super) account: String,
    /// Minor units, before and without tax.
    pub(super) amount: u64,
    pub(super) currency: &'static str,
    /// Whether it is the listed pack; else the rate applies.
    pub(super) pack: bool,
}

/// A correction to a sale, as one event tells it.
pub(super) struct Correction<'s> {
    pub(super) sale: &'s Sale,
    /// What its id is made of: the same for all events about it.
    pub(super) number: u64,
    pub(super) kind: CorrectionKind,
    pub(super) amount: u64,
    /// The same in all events about it.
    pub(super) filed_at: Timestamp,
}

/// Which fixture tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CorrectionKind {
    RefundAsked,
    RefundApproved,
    RefundRejected,
    Chargeback,
    ChargebackWon,
    Warning,
    WarningWon,
}

const CORRECTIONS: [(CorrectionKind, &str); 7] = [
    (CorrectionKind::RefundAsked, "adjustment.created.refund-pending"),
    (CorrectionKind::RefundApproved, "adjustment.updated.refund-approved"),
    (CorrectionKind::RefundRejected, "adjustment.updated.refund-rejected"),
    (CorrectionKind::Chargeback, "adjustment.created.chargeback"),
    (CorrectionKind::ChargebackWon, "adjustment.created.chargeback-reverse"),
    (CorrectionKind::Warning, "adjustment.created.chargeback-warning"),
    (CorrectionKind::WarningWon, "adjustment.created.chargeback-warning-reverse"),
];

/// All bodies with their holes.
pub(super) struct Bodies {
    paid: Template,
    completed: Template,
    corrections: Vec<(CorrectionKind, Template)>,
    nothing: Template,
}

const EVENT: &[&str] = &["/event_id"];
const NOTIFICATION: &[&str] = &["/notification_id"];
const OCCURRED: &[&str] = &["/occurred_at"];

impl Bodies {
    pub(super) fn new() -> Result<Self> {
        let sale: [&[&str]; 10] = [
            EVENT,
            NOTIFICATION,
            OCCURRED,
            &["/data/id"],
            &["/data/custom_data/account_id"],
            &["/data/details/line_items/0/id"],
            &[
                "/data/details/totals/subtotal",
                "/data/details/totals/total",
                "/data/details/line_items/0/totals/subtotal",
                "/data/details/line_items/0/totals/total",
            ],
            &["/data/details/totals/tax", "/data/details/line_items/0/totals/tax"],
            &["/data/currency_code", "/data/details/totals/currency_code"],
            &["/data/details/line_items/0/price_id"],
        ];
        let correction: [&[&str]; 11] = [
            EVENT,
            NOTIFICATION,
            OCCURRED,
            &["/data/id"],
            &["/data/transaction_id"],
            &["/data/items/0/item_id"],
            &[
                "/data/totals/subtotal",
                "/data/totals/total",
                "/data/items/0/totals/subtotal",
                "/data/items/0/totals/total",
            ],
            &["/data/totals/tax", "/data/items/0/totals/tax"],
            &["/data/currency_code", "/data/totals/currency_code"],
            &["/data/type", "/data/items/0/type"],
            &["/data/created_at"],
        ];
        let of_corrections =
            CORRECTIONS.iter().map(|(kind, name)| Ok((*kind, Template::of(name, &correction)?)));
        Ok(Self {
            paid: Template::of("transaction.paid", &sale)?,
            completed: Template::of("transaction.completed", &sale)?,
            corrections: of_corrections.collect::<Result<_>>()?,
            nothing: Template::of("customer.updated", &[EVENT, NOTIFICATION, OCCURRED])?,
        })
    }

    pub(super) fn sale(&self, event: u64, at: Timestamp, completed: bool, sale: &Sale) -> Vec<u8> {
        let template = if completed { &self.completed } else { &self.paid };
        template.fill(&[
            &id("evt", event),
            &id("ntf", event),
            &at.to_string(),
            &id("txn", sale.number),
            &sale.account,
            &id("txnitm", sale.number),
            &sale.amount.to_string(),
            "0",
            sale.currency,
            if sale.pack { "pri_pack" } else { "pri_any" },
        ])
    }

    pub(super) fn correction(&self, event: u64, at: Timestamp, what: &Correction<'_>) -> Vec<u8> {
        let known = self.corrections.iter().find(|(kind, _)| *kind == what.kind);
        let (_, template) = known.expect("every kind has a template");
        template.fill(&[
            &id("evt", event),
            &id("ntf", event),
            &at.to_string(),
            &id("adj", what.number),
            &id("txn", what.sale.number),
            &id("txnitm", what.sale.number),
            &what.amount.to_string(),
            "0",
            what.sale.currency,
            if what.amount == what.sale.amount { "full" } else { "partial" },
            &what.filed_at.to_string(),
        ])
    }

    /// An event that says nothing for balances.
    pub(super) fn nothing(&self, event: u64, at: Timestamp) -> Vec<u8> {
        self.nothing.fill(&[&id("evt", event), &id("ntf", event), &at.to_string()])
    }
}
