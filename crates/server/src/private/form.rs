//! How records look in JSON. Amounts are text; what a person said of themselves is never here,
//! since the order has only the names of what was said.

mod effects;
mod orders;

use domain::{
    account::DisputeCause,
    decision::{CreditBook, Decision, House, MoneyBook, Outcome, Section, Transfer},
    holding::Pair,
    ids::{CustomerKey, EventKey, PaymentKey},
    input::{BackFill, Command, Delivery, Evidence, Freshness, Input, Listing, Reality, Signature},
    payment::{Clearable, Conclusion},
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
};
use event_store::log::Recorded;
use serde_json::{Value, json};

pub(super) use self::effects::{changes_standing, effect};
pub(crate) use self::orders::settings;
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
    let origin = match &delivery.event {
        EventKey::Event { origin, .. } | EventKey::Body { origin, .. } => origin,
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
        "event": event(&delivery.event),
        "event_type": delivery.event_type.as_deref(),
        "occurred_at": delivery.occurred_at.map(|at| at.to_string()),
        "received_at": delivery.received_at.to_string(),
        "body_sha256": delivery.body.to_string(),
        "content_sha256": delivery.content.to_string(),
        "signature": delivery.evidence.signature().map(signature),
        "back_filled": match &delivery.evidence {
            Evidence::Signed(_) => Value::Null,
            Evidence::BackFilled(back_fill) => self::back_fill(back_fill),
        },
        "freshness": freshness,
        "simulated": delivery.reality == Reality::Simulated,
        "unreadable": delivery.notice.as_ref().err().map(|why| why.detail.to_string()),
    })
}

fn signature(signature: &Signature) -> Value {
    json!({
        "header": &*signature.header,
        "secret": hex::encode(signature.secret),
        "signed_at": signature.signed_at.to_string(),
    })
}

/// Who brought in what nobody signed, and in which of the provider's lists it stood.
fn back_fill(back_fill: &BackFill) -> Value {
    json!({
        "actor": back_fill.actor.as_str(),
        "listing": match back_fill.listing {
            Listing::Events => "events",
            Listing::Payments => "payments",
            Listing::Adjustments => "adjustments",
        },
    })
}

fn command(command: &Command) -> Value {
    json!({
        "kind": "command",
        "id": command.id.to_string(),
        "idempotency_key": command.key.as_str(),
        "actor": command.actor.as_str(),
        "request_sha256": command.request.to_string(),
        "order": orders::order(&command.order),
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
        "effects": decision.effects.iter().map(effects::effect).collect::<Vec<_>>(),
        "transfers": decision.transfers.iter().map(transfer).collect::<Vec<_>>(),
    })
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

fn customer(customer: &CustomerKey) -> Value {
    json!({"origin": customer.origin.as_str(), "id": customer.id.as_str()})
}

/// What an event is known by, its origin apart.
fn event(event: &EventKey) -> String {
    match event {
        EventKey::Event { id, .. } => id.to_string(),
        EventKey::Body { digest, .. } => format!("sha256:{digest}"),
    }
}

/// The paid and the gift share.
pub(super) fn pair(pair: Pair) -> Value {
    json!({"paid": pair.paid.to_string(), "gift": pair.gift.to_string()})
}

/// The measures of a freeze, as a policy names them.
fn measures(measures: Measures) -> Value {
    json!({
        "spending": match measures.spending {
            Spending::Allow => "allow",
            Spending::Suspend => "suspend",
        },
        "balance": match measures.balance {
            Balance::Keep => "keep",
            Balance::FreezePayment => "freeze-payment",
            Balance::FreezeAccount => "freeze-account",
        },
        "checkout": match measures.checkout {
            Checkout::Open => "open",
            Checkout::Limit => "limit",
        },
        "verification": match measures.verification {
            Verification::None => "none",
            Verification::Require => "require",
        },
        "service": match measures.service {
            Service::Normal => "normal",
            Service::Restrict => "restrict",
        },
    })
}

const fn clearable(measure: Clearable) -> &'static str {
    match measure {
        Clearable::Verification => "verification",
        Clearable::Service => "service",
    }
}

const fn dispute(cause: DisputeCause) -> &'static str {
    match cause {
        DisputeCause::Warning => "warning",
        DisputeCause::Chargeback => "chargeback",
    }
}

const fn conclusion(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Lost => "lost",
        Conclusion::Settled => "settled",
    }
}
