//! How records look in JSON.

use domain::{
    account::Closing,
    decision::{
        CreditBook, Decision, Effect, House, MoneyBook, Outcome, Section, Taking, Transfer,
    },
    holding::Pair,
    ids::{AccountId, EventKey, PaymentKey},
    input::{
        Command, Delivery, Freshness, Input, LotKind, Mode, Order, Reality, Settings, Stale, Usage,
    },
};
use event_store::log::Recorded;
use serde_json::{Value, json};

use crate::public::quarantine;

/// A record of the log, without the bytes it came from.
pub(super) fn recorded(recorded: &Recorded) -> Value {
    let record = recorded.record();
    json!({
        "sequence": record.sequence.get(),
        "recorded_at": record.recorded_at.to_string(),
        "hash": hex::encode(recorded.hash().bytes()),
        "input": input(&record.input),
        "decision": decision(&record.decision),
    })
}

/// Where a list of records goes on after this one.
pub(super) fn sequence(recorded: &Value) -> String {
    recorded.get("sequence").map(Value::to_string).unwrap_or_default()
}

fn input(input: &Input) -> Value {
    match input {
        Input::Delivery(delivery) => self::delivery(delivery),
        Input::Command(command) => self::command(command),
    }
}

fn delivery(delivery: &Delivery) -> Value {
    let (origin, event) = match &delivery.event {
        EventKey::Event { origin, id } => (origin, id.to_string()),
        EventKey::Body { origin, digest } => (origin, format!("sha256:{digest}")),
    };
    let freshness = match delivery.freshness {
        Freshness::Fresh => "fresh",
        Freshness::Old => "old",
        Freshness::Future => "future",
    };
    json!({
        "kind": "delivery",
        "source": delivery.source.as_str(),
        "origin": origin.as_str(),
        "event": event,
        "event_type": delivery.event_type.as_deref(),
        "occurred_at": delivery.occurred_at.map(|at| at.to_string()),
        "received_at": delivery.received_at.to_string(),
        "body_sha256": delivery.body.to_string(),
        "content_sha256": delivery.content.to_string(),
        "signature": {
            "header": &*delivery.evidence.header,
            "secret": hex::encode(delivery.evidence.secret),
            "signed_at": delivery.evidence.signed_at.to_string(),
        },
        "freshness": freshness,
        "simulated": delivery.reality == Reality::Simulated,
        "unreadable": delivery.notice.as_ref().err().map(|why| why.detail.to_string()),
    })
}

fn command(command: &Command) -> Value {
    json!({
        "kind": "command",
        "id": command.id.to_string(),
        "idempotency_key": command.key.as_str(),
        "actor": command.actor.as_str(),
        "request_sha256": command.request.to_string(),
        "order": order(&command.order),
    })
}

fn order(order: &Order) -> Value {
    match order {
        Order::Debit { account, amount, usage } => json!({
            "order": "debit",
            "account": account.as_str(),
            "amount": amount.to_string(),
            "already_happened": *usage == Usage::AlreadyHappened,
        }),
        Order::Grant { account, amount, kind, label, reason } => json!({
            "order": "grant",
            "account": account.as_str(),
            "amount": amount.to_string(),
            "kind": lot_kind(*kind),
            "label": label.as_ref().map(ToString::to_string),
            "reason": reason.as_str(),
        }),
        Order::Freeze { account, reason, .. } => {
            json!({"order": "freeze", "account": account.as_str(), "reason": reason.as_str()})
        }
        Order::Unfreeze { account, freeze } => {
            json!({"order": "unfreeze", "account": account.as_str(), "freeze": freeze.to_string()})
        }
        Order::ActivatePolicy { policy, file } => json!({
            "order": "activate_policy",
            "name": policy.name.as_str(),
            "version": policy.version,
            "effective_from": policy.effective_from.to_string(),
            "file_sha256": file.to_string(),
        }),
        Order::Configure(settings) => self::settings(settings),
    }
}

/// The settings that decide.
pub(crate) fn settings(settings: &Settings) -> Value {
    let pointers: Vec<&str> =
        settings.account_from.iter().map(|pointer| pointer.as_str()).collect();
    json!({
        "order": "configure",
        "mode": match settings.mode { Mode::Live => "live", Mode::Sandbox => "sandbox" },
        "stale": match settings.stale { Stale::Accept => "accept", Stale::Quarantine => "quarantine" },
        "account_from": pointers,
        "tolerance_seconds": settings.tolerance_seconds,
        "future_seconds": settings.future_seconds,
    })
}

fn decision(decision: &Decision) -> Value {
    let (outcome, original, reason) = match decision.outcome {
        Outcome::Recorded => ("recorded", None, None),
        Outcome::Ignored => ("ignored", None, None),
        Outcome::Conflict { original } => ("conflict", Some(original.get()), None),
        Outcome::Quarantined(why) => ("quarantined", None, Some(quarantine(why))),
        Outcome::Done => ("done", None, None),
    };
    json!({
        "rules": decision.rules,
        "policy": decision.policy,
        "outcome": outcome,
        "original": original,
        "reason": reason,
        "effects": decision.effects.iter().map(effect).collect::<Vec<_>>(),
        "transfers": decision.transfers.iter().map(transfer).collect::<Vec<_>>(),
    })
}

/// One effect; amounts are text.
pub(super) fn effect(effect: &Effect) -> Value {
    match effect {
        Effect::PaymentAssigned { payment, account } => {
            json!({"effect": "payment_assigned", "payment": key(payment), "account": account.as_str()})
        }
        Effect::AccountOpened { account } => {
            json!({"effect": "account_opened", "account": account.as_str()})
        }
        Effect::HoldingOpened { holding, terms } => json!({
            "effect": "holding_opened",
            "holding": holding.to_string(),
            "account": terms.account.as_str(),
            "since": terms.since.to_string(),
        }),
        Effect::Granted { lot, amount } => {
            json!({"effect": "granted", "lot": lot.to_string(), "amount": amount.to_string()})
        }
        Effect::Taken { holding, by, amount } => json!({
            "effect": "taken",
            "holding": holding.to_string(),
            "by": match by { Taking::Refund => "refund", Taking::Chargeback => "chargeback" },
            "amount": pair(*amount),
        }),
        Effect::Awaited { holding, amount } => {
            json!({"effect": "awaited", "holding": holding.to_string(), "amount": pair(*amount)})
        }
        Effect::Drawn { lot, amount } => {
            json!({"effect": "drawn", "lot": lot.to_string(), "amount": amount.to_string()})
        }
        Effect::Settled { giver, taker, amount } => json!({
            "effect": "settled", "giver": giver.to_string(), "taker": taker.to_string(),
            "amount": amount.to_string(),
        }),
        Effect::Unsettled { giver, taker, amount } => json!({
            "effect": "unsettled", "giver": giver.to_string(), "taker": taker.to_string(),
            "amount": amount.to_string(),
        }),
        Effect::MoneyMoved { payment, currency, received, reversed } => json!({
            "effect": "money_moved", "payment": key(payment), "currency": currency.code(),
            "received": received.get().to_string(), "reversed": reversed.get().to_string(),
        }),
        Effect::Frozen { .. }
        | Effect::Unfrozen { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Closed { .. }
        | Effect::Reopened { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_) => standing(effect),
    }
}

/// Whether an effect changes an account apart from any transfer.
pub(super) fn changes_standing(effect: &Effect, of: &AccountId) -> bool {
    match effect {
        Effect::AccountOpened { account }
        | Effect::Frozen { account, .. }
        | Effect::Unfrozen { account, .. }
        | Effect::Closed { account, .. }
        | Effect::Reopened { account } => account == of,
        Effect::PaymentAssigned { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Granted { .. }
        | Effect::Taken { .. }
        | Effect::Awaited { .. }
        | Effect::Drawn { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::MoneyMoved { .. }
        | Effect::ChargebackCounted { .. }
        | Effect::Raised(_)
        | Effect::Cleared(_) => false,
    }
}

/// The effects on an account's standing, and exceptions.
fn standing(effect: &Effect) -> Value {
    match effect {
        Effect::Frozen { account, freeze } => json!({
            "effect": "frozen", "account": account.as_str(), "freeze": freeze.id.to_string(),
            "cause": freeze.id.cause(), "since": freeze.since.to_string(),
        }),
        Effect::Unfrozen { account, freeze } => {
            json!({"effect": "unfrozen", "account": account.as_str(), "freeze": freeze.to_string()})
        }
        Effect::ChargebackCounted { account, payment, filed_at } => json!({
            "effect": "chargeback_counted", "account": account.as_str(), "payment": key(payment),
            "filed_at": filed_at.map(|at| at.to_string()),
        }),
        Effect::Closed { account, by } => json!({
            "effect": "closed", "account": account.as_str(),
            "by": match by { Closing::Policy => "policy", Closing::Operator => "operator" },
        }),
        Effect::Reopened { account } => json!({"effect": "reopened", "account": account.as_str()}),
        Effect::Raised(exception) => json!({
            "effect": "raised", "kind": exception.id.kind.name(), "detail": &*exception.detail,
        }),
        Effect::Cleared(id) => json!({
            "effect": "cleared", "kind": id.kind.name(), "sequence": id.sequence.get(),
        }),
        Effect::PaymentAssigned { .. }
        | Effect::AccountOpened { .. }
        | Effect::HoldingOpened { .. }
        | Effect::Granted { .. }
        | Effect::Taken { .. }
        | Effect::Awaited { .. }
        | Effect::Drawn { .. }
        | Effect::Settled { .. }
        | Effect::Unsettled { .. }
        | Effect::MoneyMoved { .. } => Value::Null,
    }
}

fn transfer(transfer: &Transfer) -> Value {
    match transfer {
        Transfer::Credits { debit, credit, amount } => json!({
            "asset": "credits", "debit": credit_book(debit), "credit": credit_book(credit),
            "amount": amount.to_string(),
        }),
        Transfer::Money { debit, credit, currency, amount } => json!({
            "asset": format!("money:{currency}"), "debit": money_book(*debit),
            "credit": money_book(*credit), "amount": amount.get().to_string(),
        }),
    }
}

fn credit_book(book: &CreditBook) -> Value {
    match book {
        CreditBook::Customer(account, section) => {
            let section = match section {
                Section::Paid => "paid",
                Section::Gift => "gift",
                Section::Held => "held",
                Section::Owed => "owed",
                Section::WrittenOff => "written_off",
            };
            json!({"account": account.as_str(), "section": section})
        }
        CreditBook::House(house) => {
            let house = match house {
                House::Sold => "sold",
                House::Given => "given",
                House::Used => "used",
                House::Returned => "returned",
                House::ChargedBack => "charged_back",
            };
            json!({"house": house})
        }
    }
}

const fn money_book(book: MoneyBook) -> &'static str {
    match book {
        MoneyBook::Processor => "processor",
        MoneyBook::Receipts => "receipts",
    }
}

fn key(payment: &PaymentKey) -> Value {
    json!({"origin": payment.origin.as_str(), "id": payment.id.as_str()})
}

/// The paid and the gift share.
pub(super) fn pair(pair: Pair) -> Value {
    json!({"paid": pair.paid.to_string(), "gift": pair.gift.to_string()})
}

const fn lot_kind(kind: LotKind) -> &'static str {
    match kind {
        LotKind::Paid => "paid",
        LotKind::Gift => "gift",
    }
}
