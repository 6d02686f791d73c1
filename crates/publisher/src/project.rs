//! From a record and the views before it to the messages about it. Pure.

use std::collections::BTreeMap;

use balance_events::envelope::{BalanceChange, Envelope, EventType};
use bytes::Bytes;
use domain::{
    account::{Status, View},
    credits::CreditOverflow,
    ids::{AccountId, LedgerId},
    record::Record,
};

use crate::{broker::Message, convert, position::Position};

/// Why a record has no messages: only our own bug leads here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectFault {
    #[error(transparent)]
    Contradiction(#[from] domain::apply::Contradiction),
    #[error(transparent)]
    Overflow(#[from] CreditOverflow),
    #[error("write a message")]
    Json(#[from] serde_json::Error),
}

/// What a record is to subscribers.
#[derive(Debug)]
pub(crate) struct Projected {
    /// The position of its last message, made now or not; none where it changes no account.
    pub(crate) last: Option<Position>,
    /// Its messages after what is published, in the order of accounts.
    pub(crate) messages: Vec<Message>,
}

/// Folds a record into the views of the accounts that it changes, and makes its messages.
///
/// `views` has the views before the record of the accounts that are not new. No message is
/// made at or before `published`.
pub(crate) fn project(
    ledger: &LedgerId,
    unit: &str,
    record: &Record,
    views: &mut BTreeMap<AccountId, View>,
    published: Option<&Position>,
) -> Result<Projected, ProjectFault> {
    let mut projected = Projected { last: None, messages: Vec::new() };
    for account in record.decision.accounts() {
        let view = views.entry(account.clone()).or_insert(View::NEW);
        let status_before = view.status();
        if !domain::apply::fold_view(view, &account, record)? {
            continue;
        }
        let position = Position { sequence: record.sequence, account };
        if Some(&position) > published {
            let body = body(ledger, unit, record, &position.account, (status_before, view))?;
            let position = position.clone();
            projected.messages.push(Message { ledger: ledger.clone(), position, body });
        }
        projected.last = Some(position);
    }
    Ok(projected)
}

fn body(
    ledger: &LedgerId,
    unit: &str,
    record: &Record,
    account: &AccountId,
    (status_before, view): (Status, &View),
) -> Result<Bytes, ProjectFault> {
    let change = BalanceChange::new(
        convert::account_view(ledger, account, unit, view)?,
        convert::movements(&record.decision, account),
        convert::cause(&record.input),
    );
    let event_type = event_type(status_before, view.status());
    let envelope = Envelope::new(event_type, record.recorded_at.to_string(), change);
    Ok(Bytes::from(envelope.to_json()?))
}

/// What a change of status is called.
const fn event_type(before: Status, after: Status) -> EventType {
    match (before, after) {
        (Status::Active | Status::Frozen, Status::Closed) => EventType::AccountClosed,
        (Status::Active | Status::Closed, Status::Frozen) => EventType::AccountFrozen,
        (Status::Frozen, Status::Active) => EventType::AccountUnfrozen,
        (Status::Closed, Status::Active | Status::Closed)
        | (Status::Active, Status::Active)
        | (Status::Frozen, Status::Frozen) => EventType::BalanceChanged,
    }
}

#[cfg(test)]
mod tests {
    use domain::decision::{Effect, Section};
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{
        account, book, closed, frozen, grant, ledger, moved, policy, purchase, record, reopened,
        sequence, unfrozen,
    };

    /// Projects records one after the other and returns the bodies of each.
    fn projected(records: &[Record], published: Option<&Position>) -> Vec<Vec<Value>> {
        let mut views = BTreeMap::new();
        let of_each = records.iter().map(|record| {
            let projected = project(&ledger("main"), "USD", record, &mut views, published).unwrap();
            let bodies = projected.messages.iter();
            bodies.map(|message| serde_json::from_slice(&message.body).unwrap()).collect()
        });
        of_each.collect()
    }

    #[test]
    fn a_message_tells_the_balance_what_moved_and_why() {
        let messages = projected(&[purchase(7, "jo@x", "12.50")], None);
        let expected = json!({
            "specversion": "1.0", "id": "main/7/jo@x", "source": "/ledgers/main",
            "type": "com.tallyhook.balance.changed.v1", "subject": "jo@x",
            "time": "1970-01-01T00:00:00.000007Z", "datacontenttype": "application/json",
            "data": {
                "ledger": "main", "account": "jo@x", "status": "active", "can_spend": true,
                "checkout": "open", "available": "12.5", "paid": "12.5", "gift": "0", "held": "0",
                "owed": "0", "written_off": "0", "unit": "USD", "freezes": [],
                "version": 1, "sequence": 7,
                "movements": [{"from": "house:sold", "to": "paid", "amount": "12.5"}],
                "cause": {"kind": "delivery", "event": "evt_7",
                    "event_type": "transaction.completed", "payment": "txn_7"},
                "record": 7
            }
        });
        assert_eq!(messages, [[expected]]);
    }

    #[test]
    fn each_account_that_a_record_changes_has_one_message_in_order() {
        let between = moved(book("b", Section::Paid), book("a", Section::Owed), "1");
        let messages = projected(
            &[
                policy(1, "USD"),
                purchase(2, "b", "5"),
                record(3, vec![Effect::AccountOpened { account: account("a") }], vec![between]),
            ],
            None,
        );
        let seen: Vec<Vec<_>> = messages
            .iter()
            .map(|of_record| {
                of_record
                    .iter()
                    .map(|m| (m["id"].as_str().unwrap(), &m["data"]["version"]))
                    .collect()
            })
            .collect();
        let (one, two) = (json!(1), json!(2));
        assert_eq!(
            seen,
            [vec![], vec![("main/2/b", &one)], vec![("main/3/a", &one), ("main/3/b", &two)]]
        );
        let moved = |index: usize| &messages[2][index]["data"]["movements"];
        assert_eq!(moved(0), &json!([{"from": "other", "to": "owed", "amount": "1"}]));
        assert_eq!(moved(1), &json!([{"from": "paid", "to": "other", "amount": "1"}]));
    }

    #[test]
    fn what_is_published_is_folded_and_not_sent_again() {
        let records = [grant(1, "a", "1"), grant(2, "b", "1"), grant(3, "a", "1")];
        let published = Position { sequence: sequence(2), account: account("a") };
        let messages = projected(&records, Some(&published));
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1]);
        assert_eq!(messages[2][0]["data"]["version"], 2);
        assert_eq!(messages[2][0]["data"]["gift"], "2");
    }

    #[test]
    fn the_type_is_the_first_that_fits() {
        let messages = projected(
            &[
                grant(1, "a", "1"),
                record(2, vec![frozen("a")], vec![]),
                record(3, vec![frozen("a")], vec![]),
                record(4, vec![unfrozen("a")], vec![]),
                record(5, vec![frozen("a"), closed("a")], vec![]),
                record(6, vec![reopened("a")], vec![]),
                record(7, vec![closed("a")], vec![]),
                record(8, vec![unfrozen("a")], vec![]),
                record(9, vec![reopened("a")], vec![]),
            ],
            None,
        );
        let name = |m: &Vec<Value>| {
            m[0]["type"].as_str().unwrap().replace("com.tallyhook.", "").replace(".v1", "")
        };
        assert_eq!(
            messages.iter().map(name).collect::<Vec<_>>(),
            [
                "balance.changed",
                "account.frozen",
                "balance.changed",
                "account.unfrozen",
                "account.closed",
                "account.frozen",
                "account.closed",
                "balance.changed",
                "balance.changed",
            ]
        );
        let freezes = json!([{"id": "paddle/txn_1/chargeback", "cause": "chargeback",
            "payment": "txn_1", "since": "1970-01-01T00:00:00Z",
            "measures": {"spending": "suspend", "balance": "freeze-payment",
                "checkout": "limit", "verification": "none", "service": "normal"}}]);
        let view = &messages[1][0]["data"];
        assert_eq!(view["freezes"], freezes);
        assert_eq!((&view["checkout"], &view["can_spend"]), (&json!("limited"), &json!(false)));
    }
}
