//! What is left in lots: rule 4, from what they were granted and what moved.

use domain::{holding::HoldingId, ids::AccountId, input::LotKind, time::Timestamp};

use super::{Both, payment::Entitled};

/// What moved in and out of one lot, in billionths. Never below zero, each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Used.
    pub drawn: i128,
    /// Reserved by holds.
    pub reserved: i128,
    /// Given to other lots for what they lacked.
    pub given: i128,
    /// Received from other lots for what was lacking.
    pub received: i128,
}

/// The two lots of a payment, grant or overdraft, as they were told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lots {
    /// Whose.
    pub account: AccountId,
    /// How old; a payment's follows from its facts.
    pub since: Timestamp,
    /// What a command granted.
    pub granted: Both,
    /// What moved in and out of the paid lot.
    pub paid: Moved,
    /// What moved in and out of the gift lot.
    pub gift: Moved,
    /// Who gave for what was lacking, oldest first, and how much is still here.
    pub settlements: Vec<(HoldingId, i128)>,
    /// How much of a shortfall an operator forgave.
    pub forgiven: i128,
}

/// What is left in two lots, in billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Spendable, but for a freeze of the whole account.
    pub free: Both,
    /// Left once everything is taken, free or not.
    pub there: Both,
    /// Not spendable now.
    pub held: i128,
    /// Taken beyond what was left, and not forgiven.
    pub owed: i128,
    /// Taken beyond what was left, and forgiven.
    pub written_off: i128,
}

impl Lots {
    /// Lots in which nothing moved yet.
    #[must_use]
    pub const fn new(account: AccountId, since: Timestamp, granted: Both) -> Self {
        const STILL: Moved = Moved { drawn: 0, reserved: 0, given: 0, received: 0 };
        let settlements = Vec::new();
        Self { account, since, granted, paid: STILL, gift: STILL, settlements, forgiven: 0 }
    }

    /// What moved in and out of one of them.
    pub const fn moved(&mut self, kind: LotKind) -> &mut Moved {
        match kind {
            LotKind::Paid => &mut self.paid,
            LotKind::Gift => &mut self.gift,
        }
    }

    /// What is left by what the payment is entitled to; without one, by what a command granted.
    #[must_use]
    pub fn left(&self, entitled: Option<&Entitled>, frozen: bool) -> Left {
        let nothing = Both::default();
        let (granted, taken, awaited, all_forgiven) = match entitled {
            Some(paid) => (paid.granted, paid.taken, paid.awaited, paid.forgiven),
            None => (self.granted, nothing, nothing, false),
        };
        let moved = |lot: Moved| lot.received - lot.drawn - lot.reserved - lot.given;
        let content =
            Both { paid: granted.paid + moved(self.paid), gift: granted.gift + moved(self.gift) };
        let (there, shortfall) = less(content.minus(taken));
        let (spendable, _) = less(content.minus(taken).minus(awaited));
        let free = if frozen { nothing } else { spendable };
        let written_off = if all_forgiven { shortfall } else { self.forgiven.min(shortfall) };
        Left {
            free,
            there,
            held: there.sum() - free.sum() + self.paid.reserved + self.gift.reserved,
            owed: shortfall - written_off,
            written_off,
        }
    }
}

/// What two lots have left when one stands in for the other, and what both together lack.
fn less(content: Both) -> (Both, i128) {
    let Both { paid, gift } = content;
    match (paid < 0, gift < 0) {
        (false, false) => (Both { paid, gift }, 0),
        (true, true) => (Both::default(), -(paid + gift)),
        (true, false) => (Both { paid: 0, gift: (gift + paid).max(0) }, (-(gift + paid)).max(0)),
        (false, true) => (Both { paid: (paid + gift).max(0), gift: 0 }, (-(gift + paid)).max(0)),
    }
}
