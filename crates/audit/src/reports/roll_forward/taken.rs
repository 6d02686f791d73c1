//! What a record takes back, and whether it counts as refunds or as chargebacks.
//!
//! One rule for credits and money alike. What a delivery's record about an adjustment takes and
//! gives back counts under the kind of that adjustment: where refunds and chargebacks together reach
//! what was paid, a refund that takes the place of a chargeback is no chargeback undone. A record
//! that is not about an adjustment, such as a late purchase or a command, makes count what was known
//! before: it goes by the kinds of its effects, its money in their proportion.

use domain::{
    decision::{Effect, Taking},
    holding::HoldingId,
    ids::PaymentKey,
    input::Input,
    notice::{Action, Notice},
    record::Record,
};

/// What a record takes back, or below zero gives back again, by kind.
pub(super) type Taken = [(Taking, i128); 2];

/// In billionths of a credit.
pub(super) fn credits(record: &Record) -> Taken {
    let (refunds, chargebacks) = by_effects(record, |_| true);
    under(adjusted_by(record), refunds + chargebacks, chargebacks)
}

/// In minor units: of what a record reverses of a payment's money.
pub(super) fn money(record: &Record, payment: &PaymentKey, reversed: i128) -> Taken {
    let (refunds, chargebacks) = by_effects(record, |of| of == payment);
    let same_way = refunds.signum() * chargebacks.signum() > 0;
    let by_chargebacks = if same_way {
        // Both are at most 10 to the 24th, and money is at most 10 to the 14th: it fits.
        reversed * chargebacks / (refunds + chargebacks)
    } else if chargebacks.abs() > refunds.abs() {
        reversed
    } else {
        0
    };
    under(adjusted_by(record), reversed, by_chargebacks)
}

fn under(adjusted: Option<Taking>, all: i128, by_chargebacks: i128) -> Taken {
    let chargebacks = match adjusted {
        None => by_chargebacks,
        Some(Taking::Refund) => 0,
        Some(Taking::Chargeback) => all,
    };
    [(Taking::Refund, all - chargebacks), (Taking::Chargeback, chargebacks)]
}

/// What the effects on payments take, by their own kinds: refunds, then chargebacks.
fn by_effects(record: &Record, which: impl Fn(&PaymentKey) -> bool) -> (i128, i128) {
    let (mut refunds, mut chargebacks) = (0, 0);
    for effect in &record.decision.effects {
        let Effect::Taken { holding: HoldingId::Payment(payment), by, amount } = effect else {
            continue;
        };
        if which(payment) {
            let sum = amount.paid.billionths() + amount.gift.billionths();
            match by {
                Taking::Refund => refunds += sum,
                Taking::Chargeback => chargebacks += sum,
            }
        }
    }
    (refunds, chargebacks)
}

/// The kind of the adjustment that a record is about: what was delivered, or set free by a command.
fn adjusted_by(record: &Record) -> Option<Taking> {
    let delivery = match &record.input {
        Input::Delivery(delivery) => &**delivery,
        Input::Command(command) => command.order.released()?,
    };
    let Ok(Notice::Adjustment(adjustment)) = &delivery.notice else { return None };
    Some(match adjustment.action {
        Action::Refund | Action::Credit | Action::CreditReverse => Taking::Refund,
        Action::Chargeback
        | Action::ChargebackReverse
        | Action::Warning
        | Action::WarningReverse => Taking::Chargeback,
    })
}
