//! What a delivery says, whoever the provider is.

use crate::{
    ids::{AccountId, AdjustmentId, CustomerId, ItemId, PaymentKey, PriceId, Text},
    money::{Currency, Minor},
    time::Timestamp,
};

/// What a verified delivery says about credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// What is known of a payment.
    Purchase(Purchase),
    /// What is known of a correction to a payment.
    Adjustment(Adjustment),
    /// Nothing for balances.
    Nothing,
}

/// A payment as one event showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The payment.
    pub payment: PaymentKey,
    /// When the provider says that this became so.
    pub occurred_at: Timestamp,
    /// The account that the event names.
    pub account: Option<AccountId>,
    /// The provider's customer.
    pub customer: Option<CustomerId>,
    /// How far the payment is, with what it bought once the money is here.
    pub progress: Progress,
}

/// How far a payment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No money yet, or no longer: the provider's status.
    Unpaid(Text),
    /// The money is here.
    Paid(Basket),
    /// The money is here and the totals are final.
    Completed(Basket),
}

/// What was bought and for how much.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Basket {
    /// Of all amounts in the basket.
    pub currency: Currency,
    /// Before discount and tax.
    pub subtotal: Minor,
    /// The discount, positive.
    pub discount: Minor,
    /// The tax.
    pub tax: Minor,
    /// After discount and tax.
    pub total: Minor,
    /// The lines, in the provider's order.
    pub lines: Vec<Line>,
}

/// One line of a basket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The line's id, which adjustments name.
    pub item: ItemId,
    /// What was bought.
    pub price: Option<PriceId>,
    /// How many.
    pub quantity: u32,
    /// Before discount and tax.
    pub subtotal: Minor,
    /// The discount, positive.
    pub discount: Minor,
}

/// A correction to a payment as one event showed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Adjustment {
    /// The correction.
    pub id: AdjustmentId,
    /// What it corrects.
    pub payment: PaymentKey,
    /// When the provider says that this became so.
    pub occurred_at: Timestamp,
    /// When the correction was filed; the same in every event of it.
    pub filed_at: Timestamp,
    /// What it does.
    pub action: Action,
    /// How far it is.
    pub status: Status,
    /// Whether it covers the whole payment.
    pub extent: Extent,
    /// Of all amounts in the adjustment.
    pub currency: Currency,
    /// Before tax, without sign: the action gives the direction.
    pub subtotal: Minor,
    /// With tax, without sign.
    pub total: Minor,
    /// The lines, in the provider's order.
    pub lines: Vec<AdjustmentLine>,
    /// The provider's customer.
    pub customer: Option<CustomerId>,
}

/// One line of an adjustment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdjustmentLine {
    /// The line of the basket.
    pub item: ItemId,
    /// Before tax, without sign.
    pub subtotal: Minor,
}

/// What an adjustment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Money goes back to the buyer.
    Refund,
    /// An invoice is credited.
    Credit,
    /// A credit is undone.
    CreditReverse,
    /// The bank took the money back.
    Chargeback,
    /// The bank gave it back to us.
    ChargebackReverse,
    /// The bank warned of a dispute and the provider refunded the buyer.
    Warning,
    /// The warning was undone.
    WarningReverse,
}

/// How far an adjustment is. The order breaks ties between events of the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Asked for, not decided.
    Pending,
    /// In force.
    Approved,
    /// Refused.
    Rejected,
    /// Was in force and is undone.
    Reversed,
}

/// Whether an adjustment covers the whole payment, as the provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// All of it.
    Full,
    /// Some of it.
    Partial,
    /// Not said.
    Unsaid,
}
