//! An explanation for programs: the same as on the page, in the same order.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    AccountStory, Explanation, LotLine, Move, PaymentStory, Proof, Raw, Step, Subject, Why,
};
use crate::{
    conversion::{Conversion, Share, Way},
    reports::amount::Amount,
    sums::{Sum, Sums},
};

pub(super) fn json(explanation: &Explanation) -> Value {
    let (kind, subject) = match &explanation.subject {
        Subject::Account(story) => ("account", account(story, &explanation.unit)),
        Subject::Payment(story) => ("payment", payment(story, &explanation.unit)),
        Subject::Records(found) => {
            ("records", json!({"found_by": found.by, "earlier": found.earlier}))
        }
    };
    json!({
        "ledger": explanation.ledger.as_str(),
        "unit": explanation.unit,
        "asked": explanation.asked,
        "known": explanation.known.map(|last| json!({
            "sequence": last.sequence.get(),
            "recorded_at": last.recorded_at.to_string(),
            "hash": last.hash.to_string(),
        })),
        "kind": kind,
        kind: subject,
        "also": explanation.also.iter().map(|also| json!({
            "found_by": also.by,
            "records": also.records,
            "newest": also.newest.get(),
        })).collect::<Vec<_>>(),
        "steps": explanation.subject.steps().iter()
            .map(|one| step(one, &explanation.unit)).collect::<Vec<_>>(),
    })
}

fn account(story: &AccountStory, unit: &str) -> Value {
    let spent = story.spent.1.iter().map(|(why, sum)| (name(*why).to_owned(), text(*sum)));
    let moved = story
        .steps
        .iter()
        .zip(&story.moved)
        .map(|(step, moved)| json!({"sequence": step.sequence.get(), "moved": sums(moved)}));
    json!({
        "account": story.account.as_str(),
        "status": status(story),
        "available": text(story.balance.available()),
        "balance": sums(&story.balance),
        "freezes": story.freezes,
        "lots": story.lots.iter().map(|line| lot(line, unit)).collect::<Vec<_>>(),
        "spent_lots": {"lots": story.spent.0, "moves": spent.collect::<Map<_, _>>()},
        "earlier": {"records": story.earlier.records, "moved": sums(&story.earlier.moved)},
        "moved": moved.collect::<Vec<_>>(),
    })
}

fn payment(story: &PaymentStory, unit: &str) -> Value {
    let money = story.money.iter().map(|(currency, (received, reversed))| {
        json!({
            "currency": currency.code(),
            "received": received.to_string(),
            "reversed": reversed.to_string(),
        })
    });
    json!({
        "origin": story.key.origin.as_str(),
        "payment": story.key.id.as_str(),
        "account": story.account.as_ref().map(|account| account.as_str()),
        "money": money.collect::<Vec<_>>(),
        "lots": story.lots.as_ref().map(|line| lot(line, unit)),
        "earlier": story.earlier,
    })
}

fn lot(line: &LotLine, unit: &str) -> Value {
    json!({
        "id": line.id.to_string(),
        "from": line.from,
        "since": line.since.to_string(),
        "opened": line.opened.get(),
        "conversion": line.conversion.as_ref().map(|how| conversion(how, unit)),
        "moves": moves(&line.moves),
        "reserved": text(line.reserved),
        "awaited": text(line.awaited),
        "adds": sums(&line.adds),
    })
}

fn moves(moves: &BTreeMap<Why, Move>) -> Vec<Value> {
    let moves = moves.iter().map(|(why, moved)| {
        json!({
            "why": name(*why),
            "amount": text(moved.amount),
            "records": moved.records,
            "first": moved.first.get(),
            "last": moved.last.get(),
        })
    });
    moves.collect()
}

pub(super) fn step(step: &Step, unit: &str) -> Value {
    let metadata = step.metadata.iter().map(|(name, value)| (name.clone(), json!(value)));
    json!({
        "sequence": step.sequence.get(),
        "recorded_at": step.recorded_at.to_string(),
        "happened_at": step.happened_at.map(|at| at.to_string()),
        "hash": step.hash.to_string(),
        "said": step.said,
        "outcome": step.outcome,
        "rules": step.rules,
        "policy": step.policy.as_ref().map(|by| json!({
            "version": by.version,
            "name": by.name,
            "activated": by.activated.map(domain::ids::Sequence::get),
        })),
        "conversion": step.conversion.as_ref().map(|how| conversion(how, unit)),
        "changes": step.changes,
        "moved": step.moved,
        "metadata": metadata.collect::<Map<_, _>>(),
        "evidence": proof(&step.evidence),
        "body_sha256": step.body.to_string(),
        "body": step.raw.as_ref().map(raw),
    })
}

pub(crate) fn conversion(how: &Conversion, unit: &str) -> Value {
    let rate = match &how.by {
        Way::Rate(currency, credits) | Way::Prices(_, Some((currency, credits))) => {
            Some(json!({"currency": currency.code(), "credits": credits.to_string()}))
        }
        Way::Prices(_, None) | Way::Imported | Way::Unsaid => None,
    };
    let bought = if let Way::Prices(bought, _) = &how.by { bought.as_slice() } else { &[] };
    let prices = bought.iter().map(|bought| {
        json!({
            "price": bought.price.as_str(),
            "quantity": bought.quantity,
            "paid": bought.paid.to_string(),
            "gift": bought.gift.to_string(),
        })
    });
    json!({
        "told": how.told(unit),
        "policy": how.version,
        "name": how.name,
        "activated": how.activated.get(),
        "money": how.money.map(|(currency, money)| json!({
            "currency": currency.code(),
            "net": Amount::money(money, currency).to_string(),
        })),
        "difference": how.share == Share::Difference,
        "rate": rate,
        "prices": prices.collect::<Vec<_>>(),
        "imported": how.by == Way::Imported,
    })
}

fn proof(proof: &Proof) -> Value {
    match proof {
        Proof::Event { source, event, event_type, received_at, vouched, marks } => json!({
            "kind": "event",
            "source": source,
            "event": event,
            "event_type": event_type,
            "received_at": received_at.to_string(),
            "vouched": vouched,
            "marks": marks,
        }),
        Proof::Command { id, key, actor, order } => {
            json!({"kind": "command", "id": id, "key": key, "actor": actor, "order": order})
        }
    }
}

fn raw(raw: &Raw) -> Value {
    match raw {
        Raw::Text(text) => json!({"text": text}),
        Raw::Hex(hex) => json!({"hex": hex}),
        Raw::Erased(by) => json!({"erased_by": by.get()}),
        Raw::None => json!({}),
    }
}

/// The parts of a balance by their names.
pub(crate) fn sums(sums: &Sums) -> Value {
    let parts = sums.parts().into_iter().map(|(name, sum)| (name.to_owned(), text(sum)));
    Value::Object(parts.collect())
}

fn text(sum: Sum) -> Value {
    json!(sum.to_string())
}

/// The name of a reason in JSON.
const fn name(why: Why) -> &'static str {
    match why {
        Why::Granted => "granted",
        Why::Used => "used",
        Why::MadeGood => "made_good",
        Why::Refunded => "refunded",
        Why::ChargedBack => "charged_back",
        Why::Received => "received",
        Why::Given => "given",
    }
}

/// The word for an account's status, as the API shows it.
pub(super) fn status(story: &AccountStory) -> &'static str {
    match story.view.status() {
        domain::account::Status::Active => "active",
        domain::account::Status::Frozen => "frozen",
        domain::account::Status::Closed => "closed",
    }
}
