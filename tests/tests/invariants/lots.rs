//! What is left in every lot, by the rules on lots, from what moved in and out of it.
//!
//! Which lot a debit drew and which lot gave to which depends on the order of arrival, so that is
//! taken from `domain`; everything that follows from it is computed here once more.

use domain::{
    decide::Verdict,
    decision::{Effect, Section},
    holding::{Holding, HoldingId, Lot, LotId},
    input::{Input, LotKind, Order},
    policy::{Balance, Policy},
    time::Timestamp,
};
use tallyhook_tests::naive::Both;

use crate::{
    check::{Expected, both, equal, section_of},
    ledger::Ledger,
};

/// What one holding adds to the account's books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Left {
    free: Both,
    there: i128,
    held: i128,
    owed: i128,
    forgiven: i128,
}

/// A lot with free credits.
pub(crate) struct Free {
    lot: LotId,
    since: Timestamp,
    amount: i128,
}

/// The account's books are what is left in its lots.
pub(crate) fn check(ledger: &Ledger, expected: &Expected) -> Result<(), String> {
    let mut sum = Left::default();
    let (mut drawn, mut received, mut given) = (0, 0, 0);
    for (id, holding) in ledger.holdings() {
        let left = left(id, holding, expected);
        sum.free.paid += left.free.paid;
        sum.free.gift += left.free.gift;
        sum.held += left.held;
        sum.owed += left.owed;
        sum.forgiven += left.forgiven;
        for lot in [holding.paid, holding.gift] {
            sound(id, lot)?;
            drawn += lot.drawn.billionths();
            received += lot.received.billionths();
            given += lot.given.billionths();
        }
        let settled: i128 = holding.settlements.iter().map(|one| one.amount.billionths()).sum();
        equal("settlements", settled, holding.paid.received.billionths())?;
        if settled > 0 && left.there > 0 {
            return Err(format!("{id} received {settled} and has {} left", left.there));
        }
    }
    if everything_is_frozen(expected) {
        sum.held += sum.free.sum();
        sum.free = Both::default();
    }
    equal("drawn from all lots", drawn, ledger.usage)?;
    equal("received by all lots", received, given)?;
    let books = |section| section_of(ledger, section);
    equal("paid credits", books(Section::Paid), sum.free.paid)?;
    equal("gift credits", books(Section::Gift), sum.free.gift)?;
    equal("held credits", books(Section::Held), sum.held)?;
    equal("owed credits", books(Section::Owed), -sum.owed)?;
    equal("credits written off", books(Section::WrittenOff), -sum.forgiven)
}

/// The lots that a debit may draw, in the order in which it must.
pub(crate) fn free(ledger: &Ledger, expected: &Expected, policy: &Policy) -> Vec<Free> {
    if everything_is_frozen(expected) {
        return Vec::new();
    }
    let mut free = Vec::new();
    for (id, holding) in ledger.holdings() {
        let since = match id {
            HoldingId::Payment(key) => expected.payments.get(key).and_then(|paid| paid.since),
            HoldingId::Grant(_) | HoldingId::Overdraft(_) => None,
        };
        let since = since.unwrap_or(holding.terms.since);
        let amounts = left(id, holding, expected).free;
        for (kind, amount) in [(LotKind::Paid, amounts.paid), (LotKind::Gift, amounts.gift)] {
            let lot = LotId { holding: id.clone(), kind };
            free.push(Free { lot, since, amount });
        }
    }
    free.retain(|free| free.amount > 0);
    free.sort_by_key(|free| {
        (free.lot.kind != policy.spend_first, free.since, free.lot.holding.clone())
    });
    free
}

/// A debit drew the lots in their order, each as far as it goes.
pub(crate) fn check_drawn(free: Vec<Free>, input: &Input, verdict: &Verdict) -> Result<(), String> {
    let (Input::Command(command), Verdict::Record(decision)) = (input, verdict) else {
        return Ok(());
    };
    let Order::Debit { amount, .. } = &command.order else { return Ok(()) };
    let mut rest = amount.billionths();
    let mut wanted = Vec::new();
    for Free { lot, amount, .. } in free {
        if rest > 0 {
            wanted.push((lot, amount.min(rest)));
            rest -= amount.min(rest);
        }
    }
    let mut drawn = Vec::new();
    for effect in &decision.effects {
        if let Effect::Drawn { lot, amount } = effect
            && !matches!(lot.holding, HoldingId::Overdraft(_))
        {
            drawn.push((lot.clone(), amount.billionths()));
        }
    }
    equal("lots drawn", drawn, wanted)
}

fn everything_is_frozen(expected: &Expected) -> bool {
    let mut freezes = expected.freezes.values();
    freezes.any(|(_, measures)| measures.balance == Balance::FreezeAccount)
}

fn left(id: &HoldingId, holding: &Holding, expected: &Expected) -> Left {
    let (granted, taken, awaited, frozen, forgiven) = match id {
        HoldingId::Payment(key) => match expected.payments.get(key) {
            Some(paid) => {
                let mut causes = paid.causes.values();
                let frozen = causes.any(|(_, measures)| measures.balance == Balance::FreezePayment);
                (paid.granted, paid.taken, paid.awaited, frozen, paid.forgiven)
            }
            None => return Left::default(),
        },
        HoldingId::Grant(_) | HoldingId::Overdraft(_) => {
            (both(holding.granted()), Both::default(), Both::default(), false, false)
        }
    };
    let moved = |lot: Lot| {
        let out = lot.drawn.billionths() + lot.reserved.billionths() + lot.given.billionths();
        lot.received.billionths() - out
    };
    let paid = granted.paid + moved(holding.paid);
    let gift = granted.gift + moved(holding.gift);
    let (there, shortfall) = less(paid - taken.paid, gift - taken.gift);
    let (spendable, _) = less(paid - taken.paid - awaited.paid, gift - taken.gift - awaited.gift);
    let free = if frozen { Both::default() } else { spendable };
    let reserved = holding.paid.reserved.billionths() + holding.gift.reserved.billionths();
    // How much of which shortfall an operator forgave is a movement, too.
    let by_operator = holding.forgiven.billionths().min(shortfall);
    let forgiven = if forgiven { shortfall } else { by_operator };
    let owed = shortfall - forgiven;
    Left { free, there: there.sum(), held: there.sum() - free.sum() + reserved, owed, forgiven }
}

/// What two lots have left when one stands in for the other, and what both together lack.
fn less(paid: i128, gift: i128) -> (Both, i128) {
    match (paid < 0, gift < 0) {
        (false, false) => (Both { paid, gift }, 0),
        (true, true) => (Both::default(), -(paid + gift)),
        (true, false) => (Both { paid: 0, gift: (gift + paid).max(0) }, (-(gift + paid)).max(0)),
        (false, true) => (Both { paid: (paid + gift).max(0), gift: 0 }, (-(gift + paid)).max(0)),
    }
}

fn sound(id: &HoldingId, lot: Lot) -> Result<(), String> {
    let parts = [lot.granted, lot.received, lot.drawn, lot.reserved, lot.given];
    if parts.iter().any(|part| part.billionths() < 0) {
        return Err(format!("a movement of {id} is below zero: {lot:#?}"));
    }
    Ok(())
}
