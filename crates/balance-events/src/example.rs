//! Messages as they are, for the documents: one account from its first purchase to its end.

use crate::{
    account_view::{AccountView, FreezeView, MeasuresView},
    envelope::{BalanceChange, Cause, Envelope, EventType, Movement},
};

/// One message of every type, and one of every cause.
#[must_use]
pub fn all() -> Vec<Envelope> {
    vec![bought(), spent(), disputed(), won(), closed()]
}

/// A purchase of ten credits.
#[must_use]
pub fn bought() -> Envelope {
    let view = AccountView {
        ledger: "main".to_owned(),
        account: "joe@example.org".to_owned(),
        status: "active".to_owned(),
        can_spend: true,
        checkout: "open".to_owned(),
        available: "10".to_owned(),
        paid: "10".to_owned(),
        gift: "0".to_owned(),
        held: "0".to_owned(),
        owed: "0".to_owned(),
        written_off: "0".to_owned(),
        unit: "USD".to_owned(),
        freezes: Vec::new(),
        version: 1,
        sequence: 2,
    };
    let moved = vec![moved("house:sold", "paid", "10")];
    let cause = delivery("evt_01", "transaction.completed");
    message(EventType::BalanceChanged, "2026-07-01T09:30:00.25Z", view, moved, cause)
}

/// Usage.
#[must_use]
pub fn spent() -> Envelope {
    let view = AccountView {
        available: "7.75".to_owned(),
        paid: "7.75".to_owned(),
        version: 2,
        sequence: 3,
        ..bought().data.into_view()
    };
    let moved = vec![moved("paid", "house:used", "2.25")];
    let cause = command("9b0f1c52-6a0e-5f57-9a3e-5c3a4f1e2d01", "debit");
    message(EventType::BalanceChanged, "2026-07-01T10:00:00Z", view, moved, cause)
}

/// A chargeback takes what the payment bought; what was used of it is owed.
#[must_use]
pub fn disputed() -> Envelope {
    let freeze = FreezeView {
        id: "paddle/txn_01/chargeback".to_owned(),
        cause: "chargeback".to_owned(),
        payment: Some("txn_01".to_owned()),
        since: "2026-07-03T00:00:00Z".to_owned(),
        measures: MeasuresView {
            spending: "suspend".to_owned(),
            balance: "freeze-payment".to_owned(),
            checkout: "limit".to_owned(),
            verification: "none".to_owned(),
            service: "normal".to_owned(),
        },
    };
    let before = spent().data.into_view();
    let view = AccountView {
        status: "frozen".to_owned(),
        can_spend: false,
        checkout: "limited".to_owned(),
        available: "0".to_owned(),
        paid: "0".to_owned(),
        owed: "2.25".to_owned(),
        freezes: vec![freeze],
        version: 3,
        sequence: 7,
        ..before
    };
    let moved = vec![
        moved("paid", "house:charged_back", "7.75"),
        moved("owed", "house:charged_back", "2.25"),
    ];
    let cause = delivery("evt_02", "adjustment.created");
    message(EventType::AccountFrozen, "2026-07-03T00:00:01.5Z", view, moved, cause)
}

/// The chargeback is undone: all is as before.
#[must_use]
pub fn won() -> Envelope {
    let view = AccountView { version: 4, sequence: 9, ..spent().data.into_view() };
    let moved = vec![
        moved("house:charged_back", "held", "7.75"),
        moved("house:charged_back", "owed", "2.25"),
        moved("held", "paid", "7.75"),
    ];
    let cause = delivery("evt_03", "adjustment.created");
    message(EventType::AccountUnfrozen, "2026-07-20T12:00:00Z", view, moved, cause)
}

/// An operator closes the account, where its credits stay.
#[must_use]
pub fn closed() -> Envelope {
    let view = AccountView {
        status: "closed".to_owned(),
        can_spend: false,
        version: 5,
        sequence: 12,
        ..won().data.into_view()
    };
    let cause = command("9b0f1c52-6a0e-5f57-9a3e-5c3a4f1e2d02", "close");
    message(EventType::AccountClosed, "2026-08-01T08:00:00Z", view, Vec::new(), cause)
}

fn message(
    event_type: EventType,
    recorded_at: &str,
    view: AccountView,
    movements: Vec<Movement>,
    cause: Cause,
) -> Envelope {
    let change = BalanceChange::new(view, movements, cause);
    Envelope::new(event_type, recorded_at.to_owned(), change)
}

fn moved(from: &str, to: &str, amount: &str) -> Movement {
    Movement { from: from.to_owned(), to: to.to_owned(), amount: amount.to_owned() }
}

fn delivery(event: &str, event_type: &str) -> Cause {
    Cause::Delivery {
        event: event.to_owned(),
        event_type: Some(event_type.to_owned()),
        payment: Some("txn_01".to_owned()),
    }
}

fn command(id: &str, order: &str) -> Cause {
    Cause::Command { id: id.to_owned(), order: order.to_owned() }
}
