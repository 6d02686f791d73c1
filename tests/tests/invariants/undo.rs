//! If nothing else happened between, a reversal and its undo leave every lot as it was.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::Books,
    holding::{Holding, HoldingId},
    ids::{AdjustmentId, ItemId, PriceId},
    input::{LotKind, Order, Usage},
    money::{Currency, Minor},
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase,
        Status,
    },
    policy::{Measures, Policy, PriceCredits, Shortfall},
    usage::Metadata,
};
use tallyhook_tests::{
    dice::Dice,
    history::{self, Event, History, Slot},
    naive::Fact,
};

use crate::{
    check::{self, equal},
    ledger::Ledger,
    properties::{extent, started},
};

/// The two spellings of an undo, and for a refund the refusal of what was only asked for.
const PAIRS: [(Action, Status, Action, Status); 8] = [
    (Action::Refund, Status::Approved, Action::Refund, Status::Reversed),
    (Action::Refund, Status::Pending, Action::Refund, Status::Rejected),
    (Action::Refund, Status::Approved, Action::CreditReverse, Status::Approved),
    (Action::Credit, Status::Approved, Action::CreditReverse, Status::Approved),
    (Action::Warning, Status::Approved, Action::Warning, Status::Reversed),
    (Action::Warning, Status::Approved, Action::WarningReverse, Status::Approved),
    (Action::Chargeback, Status::Approved, Action::Chargeback, Status::Reversed),
    (Action::Chargeback, Status::Approved, Action::ChargebackReverse, Status::Approved),
];

#[test]
fn a_reversal_and_its_undo_leave_every_lot_as_it_was() {
    let extent = extent(1_000);
    let mut compared = 0_u64;
    for seed in extent.first_seed..extent.first_seed + extent.histories {
        let history = History::generate(seed);
        match check_history(&history) {
            Ok(count) => compared += count,
            Err(what) => panic!("\n{history}\n{what}"),
        }
    }
    eprintln!("{compared} reversals and undos");
    assert!(compared > 0 || extent.histories < 100, "most histories have a place for one");
}

/// Where the gift lot stood in for the paid lot, all that is no longer lacking goes back, not only
/// what is left in the paid lot (seed 8395, by hand).
#[test]
fn what_was_received_goes_back_though_the_gift_lot_stood_in() {
    let history = gift_stands_in();
    let mut ledger = started(&history).unwrap();
    let mut events = history.events.iter();
    let mut before = None;
    for (slot, what) in history.slots.iter().enumerate() {
        let input = match what {
            Slot::Command(number, order) => history::command(*number, order.clone()),
            Slot::Delivery => history::delivery(events.next().unwrap()),
        };
        ledger.take(&input, history::recorded_at(slot, 0)).unwrap();
        if slot == 3 {
            before = Some(standing(&ledger));
        }
    }
    assert_eq!(Some(standing(&ledger)), before);
    let books = check::account(&ledger).unwrap().view.books;
    assert_eq!(books.paid, history::credits(600_000_000_000));
    assert_eq!(books.gift, history::credits(100_000_000_000));
}

/// Two payments of 1000 + 100 credits, 950 of them used, half of the first refunded, and a
/// chargeback of the first that is won.
fn gift_stands_in() -> History {
    let base = History::generate(0);
    let price = PriceId::new("pri_big").unwrap();
    let thousand = history::credits(1_000_000_000_000);
    let hundred = history::credits(100_000_000_000);
    let policy = Policy {
        decimals: 0,
        prices: [(price, PriceCredits { paid: thousand, gift: hundred })].into(),
        spend_first: LotKind::Paid,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_chargeback: Measures::NONE,
        close_after: None,
        ..(*base.policies[0]).clone()
    };
    let charged_back = adjustment(2, Action::Chargeback, Status::Approved, 1_000);
    let won = Adjustment {
        status: Status::Reversed,
        occurred_at: history::seconds(1_770_000_001),
        ..charged_back.clone()
    };
    let refund = adjustment(1, Action::Refund, Status::Approved, 500);
    let adjustments = [refund, charged_back, won].map(Notice::Adjustment);
    let notices = [purchase(1), purchase(2)].map(Notice::Purchase).into_iter().chain(adjustments);
    let events = (1..).zip(notices).map(|(number, notice)| Event { number, notice }).collect();
    let debit = Order::Debit {
        account: history::account(),
        amount: history::credits(950_000_000_000),
        usage: Usage::Asked,
        metadata: Metadata::NONE,
    };
    let mut slots = vec![Slot::Delivery; 5];
    slots.insert(2, Slot::Command(1, debit));
    History { seed: 0, policies: vec![Arc::new(policy)], events, slots }
}

fn purchase(number: u32) -> Purchase {
    let minor = |amount| Minor::new(amount).unwrap();
    let line = Line {
        item: ItemId::new("txnitm_1").unwrap(),
        price: PriceId::new("pri_big").ok(),
        quantity: 1,
        subtotal: minor(1_000),
        discount: minor(0),
    };
    Purchase {
        payment: history::payment(number),
        occurred_at: history::seconds(1_769_000_000 + i64::from(number)),
        account: Some(history::account()),
        customer: None,
        progress: Progress::Completed(Basket {
            currency: Currency::new("USD").unwrap(),
            subtotal: minor(1_000),
            discount: minor(0),
            tax: minor(0),
            total: minor(1_000),
            lines: vec![line],
        }),
    }
}

/// Of the first payment.
fn adjustment(number: u32, action: Action, status: Status, amount: i64) -> Adjustment {
    Adjustment {
        id: AdjustmentId::new(&format!("adj_{number}")).unwrap(),
        payment: history::payment(1),
        occurred_at: history::seconds(1_770_000_000),
        filed_at: history::seconds(1_770_000_000),
        action,
        status,
        extent: Extent::Partial,
        currency: Currency::new("USD").unwrap(),
        subtotal: Minor::new(amount).unwrap(),
        total: Minor::new(amount).unwrap(),
        lines: Vec::new(),
        customer: None,
    }
}

/// Runs the history in the order in which it was made, with a reversal and its undo somewhere.
fn check_history(history: &History) -> Result<u64, String> {
    let mut dice = Dice::new(history.seed ^ 0x0d0);
    let mut ledger = started(history)?;
    let mut events = history.events.iter();
    let mut number = 10_000;
    let mut compared = 0;
    for (slot, what) in history.slots.iter().enumerate() {
        let now = history::recorded_at(slot, 0);
        let input = match what {
            Slot::Command(number, order) => history::command(*number, order.clone()),
            Slot::Delivery => match events.next() {
                Some(event) => history::delivery(event),
                None => continue,
            },
        };
        ledger.take(&input, now)?;
        let pair = dice.pick(&PAIRS);
        let Some((there, back)) = reversal(&ledger, pair, number, &mut dice) else { continue };
        if !is_certain(&ledger, &there, &back, history.policies.len()) {
            continue;
        }
        let before = standing(&ledger);
        for (repeats, notice) in [(1, &there), (2, &back)] {
            number += 1;
            let event = Event { number, notice: Notice::Adjustment(notice.clone()) };
            ledger.take(&history::delivery(&event), history::recorded_at(slot, repeats))?;
        }
        let told = || format!("after slot {slot}: {pair:?}\n  {there:?}\n  {back:?}");
        equal("lots, before and after", &standing(&ledger), &before)
            .map_err(|what| format!("{}\n{what}", told()))?;
        compared += 1;
    }
    Ok(compared)
}

/// All lots and the balance.
fn standing(ledger: &Ledger) -> (BTreeMap<HoldingId, Holding>, Option<Books>) {
    let holdings = ledger.holdings().map(|(id, holding)| (id.clone(), holding.clone()));
    (holdings.collect(), check::account(ledger).map(|account| account.view.books))
}

/// Whether it is certain what the undo undoes. By rule 3 undos in the two spellings count once, so
/// that of two reversals, undone one way each, one stays. And nothing says which of two disputes a
/// separate undo ends; the measures are those of the one that is left, which matters when another
/// version of the policy applies to it, or an operator said something of one of the two.
fn is_certain(ledger: &Ledger, there: &Adjustment, back: &Adjustment, versions: usize) -> bool {
    let kind = |action| match action {
        Action::Refund | Action::Credit | Action::CreditReverse => 0,
        Action::Chargeback | Action::ChargebackReverse => 1,
        Action::Warning | Action::WarningReverse => 2,
    };
    let undoes = |fact: &Adjustment| match fact.action {
        Action::CreditReverse | Action::ChargebackReverse | Action::WarningReverse => true,
        Action::Refund | Action::Credit | Action::Chargeback | Action::Warning => {
            fact.status == Status::Reversed
        }
    };
    let apart = kind(there.action) > 0 && there.id != back.id;
    let guessed = versions > 1 && apart;
    ledger.facts.iter().all(|fact| match fact {
        Fact::Said(Notice::Adjustment(fact)) => {
            fact.payment != there.payment
                || kind(fact.action) != kind(there.action)
                || !(guessed || undoes(fact))
        }
        Fact::Said(Notice::Purchase(_) | Notice::Nothing) | Fact::Assigned(..) => true,
        Fact::Ruled(payment, ..) => !apart || *payment != there.payment,
    })
}

/// A reversal of a payment that was paid, and its undo.
fn reversal(
    ledger: &Ledger,
    (action, status, undo, end): (Action, Status, Action, Status),
    number: u32,
    dice: &mut Dice,
) -> Option<(Adjustment, Adjustment)> {
    let mut paid = Vec::new();
    for fact in &ledger.facts {
        if let Fact::Said(Notice::Purchase(purchase)) = fact
            && let Progress::Paid(basket) | Progress::Completed(basket) = &purchase.progress
        {
            paid.push((purchase, basket));
        }
    }
    if paid.is_empty() {
        return None;
    }
    let (purchase, basket) = dice.pick(&paid);
    let lines = lines(basket, dice.chance(60), dice);
    let sum = lines.iter().map(|line| line.subtotal.get()).sum();
    let amount = Minor::new(sum)?;
    let at = history::recorded_at(0, 0).seconds();
    let there = Adjustment {
        id: AdjustmentId::new(&format!("adj_undo_{number}")).ok()?,
        payment: purchase.payment.clone(),
        occurred_at: history::seconds(at),
        filed_at: history::seconds(at),
        action,
        status,
        extent: Extent::Partial,
        currency: basket.currency,
        subtotal: amount,
        total: amount,
        lines,
        customer: None,
    };
    let occurred_at = history::seconds(at + 1);
    let mut back = Adjustment { occurred_at, action: undo, status: end, ..there.clone() };
    if undo != action {
        back.id = AdjustmentId::new(&format!("adj_undone_{number}")).ok()?;
        back.filed_at = occurred_at;
    }
    Some((there, back))
}

/// All lines of a basket, or a part of each.
fn lines(basket: &Basket, all: bool, dice: &mut Dice) -> Vec<AdjustmentLine> {
    let line = |line: &Line| {
        let net = line.subtotal.get() - line.discount.get();
        let part = if all { net } else { dice.between(0, net) };
        let subtotal = Minor::new(part)?;
        Some(AdjustmentLine { item: line.item.clone(), subtotal })
    };
    basket.lines.iter().filter_map(line).collect()
}
