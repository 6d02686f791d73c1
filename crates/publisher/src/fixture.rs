//! Records for tests: each fixture is one record, as a ledger would hold it.

use std::sync::Arc;

use domain::{
    account::{Closing, DisputeCause, Freeze, FreezeId},
    credits::Credits,
    decision::{CreditBook, Decision, Effect, House, Outcome, RULES_VERSION, Section, Transfer},
    ids::{
        AccountId, Actor, Digest, EventId, EventKey, IdempotencyKey, LedgerId, OperationId, Origin,
        PaymentId, PaymentKey, Sequence, SourceName, Text,
    },
    input::{Command, Delivery, Evidence, Freshness, Input, LotKind, Order, Reality, Signature},
    notice::{Notice, Progress, Purchase},
    policy::{Balance, Checkout, Measures, Policy, Shortfall, Spending, Unlisted, UsageRules},
    record::Record,
    time::Timestamp,
};

pub(crate) fn ledger(name: &str) -> LedgerId {
    LedgerId::new(name).unwrap()
}

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

pub(crate) fn sequence(number: u64) -> Sequence {
    Sequence::new(number).unwrap()
}

pub(crate) fn moved(from: CreditBook, to: CreditBook, amount: &str) -> Transfer {
    Transfer::Credits { debit: from, credit: to, amount: Credits::parse(amount, 9).unwrap() }
}

pub(crate) fn book(id: &str, section: Section) -> CreditBook {
    CreditBook::Customer(account(id), section)
}

/// A record that only moves credits; its command doesn't matter.
pub(crate) fn record(number: u64, effects: Vec<Effect>, transfers: Vec<Transfer>) -> Record {
    let order = Order::Unfreeze { account: account("any"), freeze: operation("any") };
    commanded(number, order, effects, transfers)
}

/// A grant of gift credits.
pub(crate) fn grant(number: u64, id: &str, amount: &str) -> Record {
    let order = Order::Grant {
        account: account(id),
        amount: Credits::parse(amount, 9).unwrap(),
        kind: LotKind::Gift,
        label: None,
        reason: Text::new("test").unwrap(),
    };
    let given = moved(CreditBook::House(House::Given), book(id, Section::Gift), amount);
    commanded(number, order, vec![Effect::AccountOpened { account: account(id) }], vec![given])
}

/// A purchase that a provider told of.
pub(crate) fn purchase(number: u64, id: &str, amount: &str) -> Record {
    let sold = moved(CreditBook::House(House::Sold), book(id, Section::Paid), amount);
    let delivery = Delivery {
        source: SourceName::new("paddle").unwrap(),
        event: EventKey::Event {
            origin: Origin::new("paddle").unwrap(),
            id: EventId::new(&format!("evt_{number}")).unwrap(),
        },
        event_type: Some("transaction.completed".into()),
        occurred_at: None,
        received_at: Timestamp::EPOCH,
        body: Digest([0; 32]),
        content: Digest([0; 32]),
        evidence: Evidence::Signed(Signature {
            header: "".into(),
            secret: [0; 4],
            signed_at: Timestamp::EPOCH,
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(Notice::Purchase(Purchase {
            payment: payment(number),
            occurred_at: Timestamp::EPOCH,
            account: Some(account(id)),
            customer: None,
            progress: Progress::Unpaid(Text::new("test").unwrap()),
        })),
    };
    recorded(number, Input::Delivery(Box::new(delivery)), vec![], vec![sold])
}

/// A record that changes no account: it says what credits are called.
pub(crate) fn policy(number: u64, unit: &str) -> Record {
    let policy = Policy {
        name: Text::new("test").unwrap(),
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new(unit).unwrap(),
        decimals: 9,
        rates: [].into(),
        prices: [].into(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
        usage: UsageRules::PLAIN,
        refunds: None,
    };
    let order = Order::ActivatePolicy { policy: Arc::new(policy), file: Digest([0; 32]) };
    commanded(number, order, vec![], vec![])
}

pub(crate) fn frozen(id: &str) -> Effect {
    let measures = Measures {
        spending: Spending::Suspend,
        balance: Balance::FreezePayment,
        checkout: Checkout::Limit,
        ..Measures::NONE
    };
    let freeze = Freeze { id: freeze_id(), since: Timestamp::EPOCH, measures, reason: None };
    Effect::Frozen { account: account(id), freeze }
}

pub(crate) fn unfrozen(id: &str) -> Effect {
    Effect::Unfrozen { account: account(id), freeze: freeze_id() }
}

pub(crate) fn closed(id: &str) -> Effect {
    Effect::Closed { account: account(id), by: Closing::Policy }
}

pub(crate) fn reopened(id: &str) -> Effect {
    Effect::Reopened { account: account(id) }
}

fn freeze_id() -> FreezeId {
    FreezeId::Dispute { payment: payment(1), cause: DisputeCause::Chargeback }
}

fn payment(number: u64) -> PaymentKey {
    PaymentKey {
        origin: Origin::new("paddle").unwrap(),
        id: PaymentId::new(&format!("txn_{number}")).unwrap(),
    }
}

fn operation(key: &str) -> OperationId {
    OperationId::of(&ledger("main"), &IdempotencyKey::new(key).unwrap())
}

fn commanded(number: u64, order: Order, effects: Vec<Effect>, moves: Vec<Transfer>) -> Record {
    let key = format!("key-{number}");
    let command = Command {
        key: IdempotencyKey::new(&key).unwrap(),
        id: operation(&key),
        actor: Actor::new("test").unwrap(),
        request: Digest([0; 32]),
        order,
    };
    recorded(number, Input::Command(Box::new(command)), effects, moves)
}

fn recorded(number: u64, input: Input, effects: Vec<Effect>, transfers: Vec<Transfer>) -> Record {
    let recorded_at = Timestamp::from_micros(i64::try_from(number).unwrap()).unwrap();
    let (rules, policy, outcome) = (RULES_VERSION, None, Outcome::Done);
    let decision = Decision { rules, policy, outcome, effects, transfers };
    Record { sequence: sequence(number), recorded_at, input, decision }
}
