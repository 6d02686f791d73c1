//! Which events a scenario has, in the order in which the provider makes them.

use clap::ValueEnum;

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/paddle/", $name, ".json"))
    };
}

const CREATED: &str = template!("transaction.created");
const FAILED: &str = template!("transaction.payment_failed");
const PAID: &str = template!("transaction.paid");
const UPDATED: &str = template!("transaction.updated");
const COMPLETED: &str = template!("transaction.completed");
const REFUND_PENDING: &str = template!("adjustment.created.refund-pending");
const REFUND_APPROVED: &str = template!("adjustment.updated.refund-approved");
const REFUND_REJECTED: &str = template!("adjustment.updated.refund-rejected");
const WARNING: &str = template!("adjustment.created.chargeback-warning");
const WARNING_REVERSE: &str = template!("adjustment.created.chargeback-warning-reverse");
const CHARGEBACK: &str = template!("adjustment.created.chargeback");
const CHARGEBACK_REVERSE: &str = template!("adjustment.created.chargeback-reverse");

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// A purchase is paid and completed.
    Purchase,
    /// A refund is requested and awaits approval.
    RefundRequested,
    /// The refund is approved.
    RefundApproved,
    /// The refund is rejected.
    RefundRejected,
    /// The bank takes the money back.
    Chargeback,
    /// The merchant wins the chargeback.
    ChargebackWon,
    /// The bank warns of a dispute.
    Dispute,
    /// The dispute is undone.
    DisputeWon,
    /// From the first attempt to pay over a rejected refund and a dispute to a lost chargeback.
    Lifecycle,
}

impl Scenario {
    /// All scenarios.
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::Purchase,
        Self::RefundRequested,
        Self::RefundApproved,
        Self::RefundRejected,
        Self::Chargeback,
        Self::ChargebackWon,
        Self::Dispute,
        Self::DisputeWon,
        Self::Lifecycle,
    ];

    /// The templates of its events.
    pub(super) const fn templates(self) -> &'static [&'static str] {
        match self {
            Self::Purchase => &[CREATED, PAID, UPDATED, COMPLETED],
            Self::RefundRequested => &[REFUND_PENDING],
            Self::RefundApproved => &[REFUND_APPROVED],
            Self::RefundRejected => &[REFUND_REJECTED],
            Self::Chargeback => &[CHARGEBACK],
            Self::ChargebackWon => &[CHARGEBACK_REVERSE],
            Self::Dispute => &[WARNING],
            Self::DisputeWon => &[WARNING_REVERSE],
            Self::Lifecycle => &[
                CREATED,
                FAILED,
                PAID,
                UPDATED,
                COMPLETED,
                REFUND_PENDING,
                REFUND_REJECTED,
                WARNING,
                WARNING_REVERSE,
                CHARGEBACK,
            ],
        }
    }
}
