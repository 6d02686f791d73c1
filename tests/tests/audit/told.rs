//! Short stories, told delivery by delivery: of one payment, under a plain policy.

use std::sync::Arc;

use domain::{
    decide::Verdict,
    ids::AdjustmentId,
    money::{Currency, Minor},
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status},
    policy::Policy,
    record::Record,
    time::Timestamp,
};
use event_store::memory::MemoryLog;
use tallyhook_tests::{
    history::{Event, History, account, delivery, payment, seconds},
    plain::{applied, decided, empty},
};

use crate::drawn::log_of;

/// One credit for one dollar; a chargeback suspends spending and leaves the balance.
const POLICY: &str = r#"
name = "plain"
version = 1
effective_from = "2020-01-01T00:00:00Z"

[credits]
unit = "USD"
decimals = 2
rates = { USD = "1" }

[spending]
order = ["paid", "gift"]

[reversal]
shortfall = "owed"
settle_owed = true

[measures]
on_dispute = {}
on_chargeback = { spending = "suspend" }
"#;

/// The day on which stories begin.
const FIRST_DAY: i64 = 1_780_272_000;

/// A moment of a day of the story, from 0.
pub(crate) fn day(number: i64) -> Timestamp {
    seconds(FIRST_DAY + number * 86_400)
}

fn dollars(amount: i64) -> Minor {
    Minor::new(amount * 100).expect("stories are of small sums")
}

fn usd() -> Currency {
    Currency::new("USD").expect("it is known")
}

/// The payment of so many dollars, without tax, on a day.
pub(crate) fn paid(amount: i64, on: i64) -> Notice {
    let (subtotal, total, nothing) = (dollars(amount), dollars(amount), Minor::ZERO);
    let basket = Basket {
        currency: usd(),
        subtotal,
        discount: nothing,
        tax: nothing,
        total,
        lines: Vec::new(),
    };
    Notice::Purchase(Purchase {
        payment: payment(1),
        occurred_at: day(on),
        account: Some(account()),
        customer: None,
        progress: Progress::Completed(basket),
    })
}

/// What a provider says of an adjustment by this name, on a day.
pub(crate) fn adjusted(
    id: &str,
    (action, status, extent): (Action, Status, Extent),
    amount: i64,
    on: i64,
) -> Notice {
    Notice::Adjustment(Adjustment {
        id: AdjustmentId::new(id).expect("the id is short"),
        payment: payment(1),
        occurred_at: day(on),
        filed_at: day(on),
        action,
        status,
        extent,
        currency: usd(),
        subtotal: dollars(amount),
        total: dollars(amount),
        lines: Vec::new(),
        customer: None,
    })
}

/// A log of these deliveries, recorded one a day from the hundredth day on.
pub(crate) fn told(story: Vec<Notice>) -> (MemoryLog, Vec<Record>) {
    let policy: Policy = policy_file::parse(POLICY).expect("the policy is sound");
    let history = History { policies: vec![Arc::new(policy)], ..History::generate(0) };
    let deliveries = (1..).zip(story).map(|(number, notice)| {
        (delivery(&Event { number, notice }), day(100 + i64::from(number)))
    });
    let mut state = empty();
    let mut records = Vec::new();
    for (input, now) in history.setup().into_iter().chain(deliveries) {
        let Verdict::Record(decision) = decided(&mut state, &input, now) else {
            panic!("every delivery of a story is recorded: {input:?}")
        };
        let sequence = state.book.next_sequence();
        let record = Record { sequence, recorded_at: now, input, decision };
        applied(&mut state, &record).expect("what was decided applies");
        records.push(record);
    }
    (log_of(&records), records)
}
