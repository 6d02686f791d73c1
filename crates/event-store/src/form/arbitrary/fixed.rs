//! The records of the golden files: what a bought and a used credit usually look like, a debit that
//! says what for, a refund case, a policy with refunds and an erasure.

pub(crate) mod case;
pub(crate) mod policy;
pub(crate) mod usage;

use std::sync::Arc;

use domain::{
    credits::Credits,
    decision::{CreditBook, Decision, Effect, House, MoneyBook, Outcome, Section, Transfer},
    holding::{HoldingId, LotId, Terms},
    ids::{
        AccountId, Actor, CustomerId, Digest, EventId, EventKey, IdempotencyKey, ItemId,
        OperationId, Origin, PaymentId, PaymentKey, PriceId, Sequence, SourceName, Text,
    },
    input::{
        BackFill, Command, Delivery, Evidence, Freshness, Input, Listing, LotKind, Order, Reality,
        Signature, Usage,
    },
    money::{Currency, Minor},
    notice::{Basket, Line, Notice, Progress, Purchase},
    policy::Shortfall,
    record::Record,
    time::Timestamp,
    usage::Metadata,
};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn minor(minor: i64) -> Minor {
    Minor::new(minor).unwrap()
}

fn account() -> AccountId {
    AccountId::new("acct_42").unwrap()
}

fn payment() -> PaymentKey {
    PaymentKey {
        origin: Origin::new("paddle").unwrap(),
        id: PaymentId::new("txn_01hv8wptq8987qeep44cyrewp9").unwrap(),
    }
}

fn lot() -> LotId {
    LotId { holding: HoldingId::Payment(payment()), kind: LotKind::Paid }
}

fn customer(section: Section) -> CreditBook {
    CreditBook::Customer(account(), section)
}

/// A command's record, as rules 2 decide it.
fn commanded(key: &str, sequence: u64, order: Order, effects: Vec<Effect>) -> Record {
    let command = Command {
        key: IdempotencyKey::new(key).unwrap(),
        id: OperationId(uuid::Uuid::from_bytes([0xcc; 16])),
        actor: Actor::new("gateway").unwrap(),
        request: Digest([0xdd; 32]),
        order,
    };
    Record {
        sequence: Sequence::new(sequence).unwrap(),
        recorded_at: at("2026-07-03T09:08:08Z"),
        input: Input::Command(Box::new(command)),
        decision: Decision {
            rules: 2,
            policy: Some(2),
            outcome: Outcome::Done,
            effects,
            transfers: Vec::new(),
        },
    }
}

/// A completed purchase of 10.00 USD net, 71 credits.
pub(crate) fn delivery_record() -> Record {
    Record {
        sequence: Sequence::new(4242).unwrap(),
        recorded_at: at("2026-07-03T09:08:07.654321Z"),
        input: Input::Delivery(Box::new(delivery())),
        decision: granting(),
    }
}

/// The same, brought in by an operator.
pub(crate) fn back_filled_record() -> Record {
    let actor = Actor::new("operator").unwrap();
    let evidence = Evidence::BackFilled(BackFill { actor, listing: Listing::Events });
    let input = Input::Delivery(Box::new(Delivery { evidence, ..delivery() }));
    Record { input, ..delivery_record() }
}

fn delivery() -> Delivery {
    Delivery {
        source: SourceName::new("paddle").unwrap(),
        event: EventKey::Event {
            origin: Origin::new("paddle").unwrap(),
            id: EventId::new("evt_01hv8x2axmqqjq9mzqx1c7n7dy").unwrap(),
        },
        event_type: Some(Arc::from("transaction.completed")),
        occurred_at: Some(at("2026-07-03T09:08:06.5Z")),
        received_at: at("2026-07-03T09:08:07.6Z"),
        body: Digest([0xaa; 32]),
        content: Digest([0xbb; 32]),
        evidence: Evidence::Signed(Signature {
            header: Arc::from("ts=1783069687;h1=00112233"),
            secret: [0x01, 0x02, 0x03, 0x04],
            signed_at: at("2026-07-03T09:08:07Z"),
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(Notice::Purchase(Purchase {
            payment: payment(),
            occurred_at: at("2026-07-03T09:08:06.5Z"),
            account: Some(account()),
            customer: Some(CustomerId::new("ctm_01hv6y1jedq4p1n0yqn5ba3ky4").unwrap()),
            progress: Progress::Completed(basket()),
        })),
    }
}

fn basket() -> Basket {
    Basket {
        currency: Currency::new("USD").unwrap(),
        subtotal: minor(1250),
        discount: minor(250),
        tax: minor(80),
        total: minor(1080),
        lines: vec![Line {
            item: ItemId::new("txnitm_01hv8wt98jahpbm1t1tzr06z6n").unwrap(),
            price: Some(PriceId::new("pri_01gsz8x8sawmvhz1pv30nge1ke").unwrap()),
            quantity: 1,
            subtotal: minor(1250),
            discount: minor(250),
        }],
    }
}

fn granting() -> Decision {
    let amount = Credits::parse("71", 0).unwrap();
    let usd = Currency::new("USD").unwrap();
    Decision {
        rules: 1,
        policy: Some(1),
        outcome: Outcome::Recorded,
        effects: vec![
            Effect::AccountOpened { account: account() },
            Effect::PaymentAssigned { payment: payment(), account: account() },
            Effect::HoldingOpened {
                holding: HoldingId::Payment(payment()),
                terms: Terms {
                    account: account(),
                    since: at("2026-07-03T09:08:06.5Z"),
                    shortfall: Shortfall::Owed,
                    label: None,
                },
            },
            Effect::Granted { lot: lot(), amount },
            Effect::MoneyMoved {
                payment: payment(),
                currency: usd,
                received: minor(1000),
                reversed: Minor::ZERO,
            },
        ],
        transfers: vec![
            Transfer::Credits {
                debit: CreditBook::House(House::Sold),
                credit: customer(Section::Paid),
                amount,
            },
            Transfer::Money {
                debit: MoneyBook::Processor,
                credit: MoneyBook::Receipts,
                currency: usd,
                amount: minor(1000),
            },
        ],
    }
}

/// A debit of a fraction of a credit.
pub(crate) fn command_record() -> Record {
    let amount = Credits::parse("0.000123", 6).unwrap();
    let command = Command {
        key: IdempotencyKey::new("req-7").unwrap(),
        id: OperationId(uuid::Uuid::from_bytes([0xcc; 16])),
        actor: Actor::new("gateway").unwrap(),
        request: Digest([0xdd; 32]),
        order: Order::Debit {
            account: account(),
            amount,
            usage: Usage::Asked,
            metadata: Metadata::NONE,
        },
    };
    Record {
        sequence: Sequence::new(4243).unwrap(),
        recorded_at: at("2026-07-03T09:08:08Z"),
        input: Input::Command(Box::new(command)),
        decision: Decision {
            rules: 1,
            policy: Some(1),
            outcome: Outcome::Done,
            effects: vec![Effect::Drawn { lot: lot(), amount }],
            transfers: vec![Transfer::Credits {
                debit: customer(Section::Paid),
                credit: CreditBook::House(House::Used),
                amount,
            }],
        },
    }
}

/// An erasure of three records' bodies.
pub(crate) fn erasure_record() -> Record {
    let records = [7, 300, 4242].map(|number| Sequence::new(number).unwrap());
    let reason = Text::new("request of the customer").unwrap();
    let order = Order::Erase { records: records.into(), reason };
    let mut record = commanded("erase-1", 4247, order, Vec::new());
    record.decision.policy = None;
    record
}
